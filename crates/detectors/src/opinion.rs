//! What came of asking one detector.

use assay_forensics::{Calibration, Evidence, Family, LogRatios, Region, Weight};
use assay_forensics::{clip, evidence::EVIDENCE_ITEMS_MAX};
use bytes::Bytes;
use serde::Serialize;

use crate::answer::{Class, Segment};
use crate::task::Task;

/// What one detector said of one file, or why it said nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// Its name in the configuration.
    pub name: String,
    /// Its version, as it says; empty if it has not been heard.
    pub version: String,
    /// The SHA-256 of its model, if it says.
    pub model_sha256: Option<String>,
    /// How asking it went.
    pub status: Status,
    /// Why it said nothing, for people; empty if it did.
    pub why: String,
    /// The score of the finding that weighs most, 0 to 1, higher is fake.
    pub score: Option<f64>,
    /// What that weighs (log10), within `cap`.
    pub log10_lr: Option<f64>,
    /// The most that any of its findings may weigh (log10).
    pub cap: f64,
    /// How it was tried, if it was.
    pub calibration: Option<Calibration>,
    /// How long all of it took, in milliseconds.
    pub latency_ms: u64,
    /// Whether the job cannot do without it.
    pub required: bool,
    /// By task.
    pub findings: Vec<Finding>,
}

/// How asking a detector went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has a score.
    Ok,
    /// It has scores, and harmless changes of the picture change them.
    Unstable,
    /// It does not look at such files, or finds nothing to look at.
    NotApplicable,
    /// It is ill, away, or did not want to say.
    Unavailable,
    /// No answer came in time.
    Timeout,
    /// It was ill too often, and is not asked for a while.
    CircuitOpen,
    /// It cannot be asked until somebody mends the configuration, its or ours.
    Misconfigured,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Unstable,
        Self::NotApplicable,
        Self::Unavailable,
        Self::Timeout,
        Self::CircuitOpen,
        Self::Misconfigured,
    ];

    /// The word used in results and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unstable => "unstable",
            Self::NotApplicable => "not_applicable",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::CircuitOpen => "circuit_open",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// Whether the detector was asked in vain: another time it may answer.
    #[must_use]
    pub const fn is_lacking(self) -> bool {
        match self {
            Self::Ok | Self::Unstable | Self::NotApplicable => false,
            Self::Unavailable | Self::Timeout | Self::CircuitOpen | Self::Misconfigured => true,
        }
    }
}

/// What a detector found for one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which task.
    pub task: Task,
    /// How it went.
    pub status: FindingStatus,
    /// 0 to 1, higher is fake; of the picture as it came.
    pub score: Option<f64>,
    /// What that weighs (log10), within the cap; nothing if it must not weigh.
    pub log10_lr: Option<f64>,
    /// The score by class.
    pub classes: Vec<Class>,
    /// Where and when.
    pub segments: Vec<Segment>,
    /// A map of how fake each place looks: said to be a PNG, and not decoded yet.
    #[serde(skip)]
    pub map_png: Option<Bytes>,
    /// A map of how sure the first is.
    #[serde(skip)]
    pub confidence_png: Option<Bytes>,
    /// The detector's words.
    pub explanation: String,
    /// What else may explain the score, and what could not be tried.
    pub warnings: Vec<String>,
}

/// How a task went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// There is a score.
    Ok,
    /// There is one, and harmless changes of the picture change it.
    Unstable,
    /// The task makes no sense for the file.
    NotApplicable,
    /// The detector does not want to say.
    Abstained,
}

impl Opinion {
    /// No opinion.
    pub(crate) fn none(name: &str, required: bool, status: Status, why: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: String::new(),
            model_sha256: None,
            status,
            why: clip(why),
            score: None,
            log10_lr: None,
            cap: 0.0,
            calibration: None,
            latency_ms: 0,
            required,
            findings: Vec::new(),
        }
    }

    /// Takes findings in: the one that weighs most is the opinion.
    pub(crate) fn with(mut self, findings: Vec<Finding>) -> Self {
        let has = |status| findings.iter().any(|finding| finding.status == status);
        (self.status, self.why) = if has(FindingStatus::Ok) {
            (Status::Ok, String::new())
        } else if has(FindingStatus::Unstable) {
            let why = "what it says changes when the picture is saved again or made smaller";
            (Status::Unstable, why.to_owned())
        } else if has(FindingStatus::Abstained) {
            (Status::Unavailable, "it does not want to say".to_owned())
        } else {
            let why = "it finds nothing in the file to look at".to_owned();
            (Status::NotApplicable, why)
        };
        let heaviest = findings
            .iter()
            .max_by(|one, other| weight(one).total_cmp(&weight(other)));
        self.score = heaviest.and_then(|finding| finding.score);
        self.log10_lr = heaviest.and_then(|finding| finding.log10_lr);
        self.findings = findings;
        self
    }

    /// Whether the detector was asked in vain and has said nothing of any task. One that was asked and does not want
    /// to say has been heard.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.status.is_lacking() && self.findings.is_empty()
    }

    /// The finding that weighs most, of those that weigh.
    #[must_use]
    pub fn heaviest(&self) -> Option<&Finding> {
        let scored = self.findings.iter().filter(|one| one.log10_lr.is_some());
        scored.max_by(|one, other| weight(one).total_cmp(&weight(other)))
    }

    /// What it says about the two questions: of each, the finding that weighs most, for one model is one witness.
    #[must_use]
    pub fn log10_ratios(&self) -> LogRatios {
        let stronger = |one: f64, other: f64| if other.abs() > one.abs() { other } else { one };
        let ratios = self
            .findings
            .iter()
            .filter_map(|finding| Some(finding.task.ratios(finding.log10_lr?)));
        ratios.fold(LogRatios::default(), |sum, ratios| LogRatios {
            synthetic: stronger(sum.synthetic, ratios.synthetic),
            manipulated: stronger(sum.manipulated, ratios.manipulated),
        })
    }

    /// The opinion as evidence of a family of its own; nothing if the detector was asked in vain.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        if self.status.is_lacking() {
            return None;
        }
        let family = Family::External(self.name.clone());
        let id = format!("detector.{}", self.name);
        if self.status != Status::Ok {
            let mut silent = Evidence::not_applicable(&id, family, &self.why);
            silent.cost_ms = self.latency_ms;
            return Some(silent);
        }
        let scored = |finding: &&Finding| finding.status == FindingStatus::Ok;
        let words = self.findings.iter().filter(scored).map(Finding::words);
        let words: Vec<String> = words.collect();
        let explain = format!("Detector {} {}.", self.name, words.join("; it "));
        let mut evidence = Evidence::neutral(&id, family, "score", &explain);
        evidence.weight = Weight::new(self.log10_ratios(), self.cap);
        evidence.calibration = self.calibration;
        evidence.version.clone_from(&self.version);
        evidence.cost_ms = self.latency_ms;
        for finding in self.findings.iter().filter(scored) {
            evidence = evidence.metric(finding.task.as_str(), finding.score.unwrap_or(f64::NAN));
            evidence.regions.extend(regions(&finding.segments));
            for warning in &finding.warnings {
                evidence = evidence.caveat(warning);
            }
        }
        evidence.regions.truncate(EVIDENCE_ITEMS_MAX);
        Some(evidence)
    }
}

impl Finding {
    /// What it comes to, without its figure: a score is no share of anything.
    fn words(&self) -> String {
        let weight = self.log10_lr.unwrap_or_default();
        let sees = if weight > 0.0 {
            "sees signs of"
        } else if weight < 0.0 {
            "sees no signs of"
        } else {
            "leans neither way about"
        };
        let sees = format!("{sees} {}", self.task.sought());
        match self.explanation.trim_end_matches('.') {
            "" => sees,
            said => format!("{sees} ({said})"),
        }
    }
}

/// How much a finding weighs, whatever for; what does not weigh is below what weighs nothing.
fn weight(finding: &Finding) -> f64 {
    finding.log10_lr.map_or(-1.0, f64::abs)
}

fn regions(segments: &[Segment]) -> impl Iterator<Item = Region> {
    let places = segments.iter().filter(|one| one.w > 0 && one.h > 0);
    places.map(|one| Region {
        x: one.x,
        y: one.y,
        w: one.w,
        h: one.h,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn finding(task: Task, status: FindingStatus, log10_lr: Option<f64>) -> Finding {
        Finding {
            task,
            status,
            score: log10_lr.map(|_| 0.75),
            log10_lr,
            classes: Vec::new(),
            segments: Vec::new(),
            map_png: None,
            confidence_png: None,
            explanation: String::new(),
            warnings: vec!["a filter looks like this too".to_owned()],
        }
    }

    pub(crate) fn opinion(findings: Vec<Finding>) -> Opinion {
        let opinion = Opinion {
            cap: 1.0,
            version: "3".to_owned(),
            ..Opinion::none("acme", false, Status::Unavailable, "")
        };
        opinion.with(findings)
    }

    #[test]
    fn the_finding_that_weighs_most_is_the_opinion() {
        let opinion = opinion(vec![
            finding(Task::FaceSwap, FindingStatus::Ok, Some(0.2)),
            finding(Task::AiGenerated, FindingStatus::Ok, Some(-0.7)),
            finding(Task::Splice, FindingStatus::Ok, Some(0.5)),
            finding(Task::LipSync, FindingStatus::NotApplicable, None),
        ]);
        assert_eq!((opinion.status, opinion.log10_lr), (Status::Ok, Some(-0.7)));
        let ratios = opinion.log10_ratios();
        assert_eq!((ratios.synthetic, ratios.manipulated), (-0.7, 0.5));
        let evidence = opinion.evidence().unwrap();
        assert_eq!(evidence.family, Family::External("acme".to_owned()));
        assert_eq!(evidence.log10_lr(), ratios);
        assert_eq!(evidence.metrics.len(), 3);
        assert_eq!(evidence.version, "3");
    }

    #[test]
    fn what_it_comes_to_is_said_in_words() {
        let mut first = finding(Task::AiGenerated, FindingStatus::Ok, Some(0.7));
        first.explanation = "Grain of a sampler.".to_owned();
        let opinion = opinion(vec![
            first,
            finding(Task::Splice, FindingStatus::Ok, Some(-0.5)),
            finding(Task::FaceSwap, FindingStatus::Ok, Some(0.0)),
            finding(Task::LipSync, FindingStatus::Unstable, None),
        ]);
        assert_eq!(
            opinion.evidence().unwrap().explain,
            "Detector acme sees signs of the work of a generator (Grain of a sampler); it sees no signs of parts from \
             elsewhere; it leans neither way about a face that was replaced."
        );
    }

    #[test]
    fn what_must_not_weigh_is_no_evidence() {
        let unstable = opinion(vec![finding(Task::Splice, FindingStatus::Unstable, None)]);
        assert_eq!(unstable.status, Status::Unstable);
        let evidence = unstable.evidence().unwrap();
        assert!(!evidence.applicable);
        assert_eq!(evidence.log10_lr(), LogRatios::default());
        for status in Status::ALL.into_iter().filter(|status| status.is_lacking()) {
            assert_eq!(Opinion::none("acme", true, status, "").evidence(), None);
        }
    }

    #[test]
    fn who_does_not_want_to_say_has_been_heard() {
        let abstained = opinion(vec![finding(Task::Splice, FindingStatus::Abstained, None)]);
        assert!(abstained.status.is_lacking() && !abstained.is_missing());
        assert_eq!(abstained.heaviest(), None);
        assert!(Opinion::none("acme", true, Status::Timeout, "").is_missing());
        assert!(!Opinion::none("acme", true, Status::NotApplicable, "").is_missing());
        let heard = opinion(vec![
            finding(Task::FaceSwap, FindingStatus::Ok, Some(0.2)),
            finding(Task::Splice, FindingStatus::Ok, Some(-0.7)),
        ]);
        assert_eq!(heard.heaviest().unwrap().task, Task::Splice);
    }

    #[test]
    fn the_best_finding_says_how_it_went() {
        let status = |statuses: &[FindingStatus]| {
            let findings = statuses
                .iter()
                .map(|status| finding(Task::Splice, *status, None));
            opinion(findings.collect()).status
        };
        use FindingStatus::{Abstained, NotApplicable, Ok, Unstable};
        assert_eq!(
            status(&[NotApplicable, Abstained, Unstable, Ok]),
            Status::Ok
        );
        assert_eq!(
            status(&[NotApplicable, Abstained, Unstable]),
            Status::Unstable
        );
        assert_eq!(status(&[NotApplicable, Abstained]), Status::Unavailable);
        assert_eq!(status(&[NotApplicable]), Status::NotApplicable);
    }

    #[test]
    fn words_are_those_of_results() {
        for status in Status::ALL {
            assert_eq!(serde_json::json!(status), status.as_str());
        }
    }
}
