//! The result of a verification for people: verdict, headline, reasons, and what was not tested.
//!
//! A result is read leniently: one of another version shows what we know of it.

mod credential;

use serde::Deserialize;

use credential::Credential;

use super::detector::fared;
use crate::terminal::{Terminal, Tone, plain};

/// Evidence that weighs less (log10 LR) is not told.
const WEIGHT_MIN: f64 = 0.05;

/// What a signature says is told even if it weighs nothing, as while nobody vouches for the signer.
const SIGNATURES: &str = "provenance_crypto";

/// The parts of a result that are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    verdict: Verdict,
    provenance: Provenance,
    evidence: Vec<Evidence>,
    history: Vec<Fact>,
    coverage: Vec<Coverage>,
    detectors: Vec<Detector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detector {
    name: String,
    version: String,
    status: String,
    why: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Verdict {
    label: String,
    reason: Option<String>,
    headline: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Provenance {
    c2pa: Credential,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    id: String,
    family: String,
    applicable: bool,
    log10_lr: Ratios,
    explain: String,
    caveats: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ratios {
    synthetic: f64,
    manipulated: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fact {
    fact: String,
    detail: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Coverage {
    question: String,
    status: String,
    why: String,
}

impl Report {
    /// Reads a result.
    ///
    /// # Errors
    /// When it is no JSON document of a verification.
    pub(crate) fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Whether the verdict should alarm: synthetic, manipulated, or altered after signing.
    pub(crate) fn is_suspicious(&self) -> bool {
        matches!(
            self.verdict.label.as_str(),
            "synthetic" | "manipulated" | "altered_after_signing"
        )
    }

    /// The verdict in one word or two, with the reason for having none.
    pub(crate) fn verdict(&self) -> String {
        let label = words(&self.verdict.label);
        match &self.verdict.reason {
            Some(reason) => format!("{label} ({})", words(reason)),
            None => label,
        }
    }

    /// All of it, under a heading with the file's name.
    pub(crate) fn lines(&self, name: &str, terminal: Terminal) -> Vec<String> {
        let tone = match self.verdict.label.as_str() {
            "authentic" => Tone::Good,
            _ if self.is_suspicious() => Tone::Bad,
            _ => Tone::Warning,
        };
        let verdict = terminal.paint(tone, &self.verdict());
        let mut lines = vec![format!(
            "{}: {verdict}",
            terminal.paint(Tone::Strong, &plain(name))
        )];
        if !self.verdict.headline.is_empty() {
            lines.push(format!("  {}", plain(&self.verdict.headline)));
        }
        lines.extend(self.provenance.c2pa.lines(terminal));
        for evidence in self.evidence.iter().filter(|evidence| evidence.applicable) {
            lines.extend(evidence.lines(terminal));
        }
        lines.extend(self.detectors.iter().map(Detector::line));
        for fact in &self.history {
            lines.push(format!(
                "  history: {}: {}",
                words(&fact.fact),
                plain(&fact.detail)
            ));
        }
        lines.extend(self.untested(terminal));
        lines
    }

    fn untested(&self, terminal: Terminal) -> Option<String> {
        let mut whys: Vec<Gap<'_>> = Vec::new();
        for item in &self.coverage {
            let is_aborted = item.status == "aborted";
            if !is_aborted && item.status != "not_tested" {
                continue;
            }
            let question = words(&item.question);
            match whys.iter_mut().find(|gap| gap.why == item.why) {
                Some(gap) => gap.questions.push(question),
                None => whys.push(Gap {
                    why: &item.why,
                    questions: vec![question],
                    is_aborted,
                }),
            }
        }
        if whys.is_empty() {
            return None;
        }
        // What was begun and what several questions share is worth its room; other reasons stand in the JSON.
        let (told, untold): (Vec<_>, Vec<_>) = whys
            .into_iter()
            .partition(|gap| gap.is_aborted || gap.questions.len() > 1);
        let told = told
            .iter()
            .map(|gap| format!("{} ({})", gap.questions.join(", "), plain(gap.why)));
        let untold: Vec<String> = untold.into_iter().flat_map(|gap| gap.questions).collect();
        let untold = Some(untold.join(", ")).filter(|untold| !untold.is_empty());
        let groups = told.chain(untold);
        let text = format!("  not tested: {}", groups.collect::<Vec<_>>().join("; "));
        Some(terminal.paint(Tone::Faint, &text))
    }
}

impl Detector {
    /// Who was asked, and what became of it.
    fn line(&self) -> String {
        let who = format!("{} {}", plain(&self.name), plain(&self.version));
        let why = self.why.as_deref().map(plain);
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        format!(
            "  detector {} {}{why}",
            who.trim_end(),
            fared(&plain(&self.status))
        )
    }
}

/// Questions without an answer, for one reason.
struct Gap<'a> {
    why: &'a str,
    questions: Vec<String>,
    is_aborted: bool,
}

impl Evidence {
    /// What it speaks to, what it says, and what speaks against believing it.
    fn lines(&self, terminal: Terminal) -> Vec<String> {
        let questions = [
            ("synthetic origin", self.log10_lr.synthetic),
            ("local manipulation", self.log10_lr.manipulated),
        ];
        let weighing = questions
            .iter()
            .filter(|(_, weight)| weight.abs() >= WEIGHT_MIN);
        let sides: Vec<String> = weighing
            .map(|(question, weight)| {
                let side = if *weight > 0.0 { "for" } else { "against" };
                format!("{side} {question} ({weight:+.1})")
            })
            .collect();
        let head = match &sides[..] {
            [] if self.family == SIGNATURES => "neither for nor against".to_owned(),
            [] => return Vec::new(),
            sides => sides.join(", "),
        };
        let head = terminal.paint(Tone::Strong, &head);
        let line = format!("  {head}: {} [{}]", plain(&self.explain), plain(&self.id));
        let caveats = self.caveats.iter();
        let caveats = caveats.map(|caveat| format!("    but: {}", plain(caveat)));
        std::iter::once(line).chain(caveats).collect()
    }
}

/// A name of the schema as words.
fn words(name: &str) -> String {
    plain(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    fn report(label: &str) -> Report {
        let json = serde_json::json!({
            "verdict": { "label": label, "headline": "Made by a generator." },
            "evidence": [
                { "id": "marker.png", "applicable": true, "explain": "It says so.",
                  "log10_lr": { "synthetic": 2.0, "manipulated": -1.0 }, "caveats": ["Text can be forged."] },
                { "id": "silent", "applicable": true, "explain": "Nothing." },
                { "id": "c2pa", "family": "provenance_crypto", "applicable": true, "explain": "Somebody signed it." },
                { "id": "other", "applicable": false, "log10_lr": { "synthetic": 9.0 } },
            ],
            "history": [{ "fact": "re_saved", "detail": "twice" }],
            "coverage": [
                { "question": "face_swap", "status": "not_tested", "why": "no detector" },
                { "question": "file_structure", "status": "tested", "why": "" },
                { "question": "lip_sync", "status": "not_tested", "why": "no detector" },
                { "question": "copy_move", "status": "not_tested", "why": "not built" },
                { "question": "markers", "status": "aborted", "why": "out of time" },
            ],
            "of_a_later_version": {},
        });
        Report::read(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn reasons_come_with_their_side_and_gaps_with_their_cause() {
        let lines = report("synthetic").lines("a.png", PLAIN);
        assert_eq!(
            lines,
            [
                "a.png: synthetic",
                "  Made by a generator.",
                "  for synthetic origin (+2.0), against local manipulation (-1.0): It says so. [marker.png]",
                "    but: Text can be forged.",
                "  neither for nor against: Somebody signed it. [c2pa]",
                "  history: re saved: twice",
                "  not tested: face swap, lip sync (no detector); markers (out of time); copy move",
            ]
        );
    }

    #[test]
    fn detectors_are_named_with_what_became_of_asking_them() {
        let json = serde_json::json!({
            "verdict": { "label": "inconclusive" },
            "detectors": [
                { "name": "acme", "version": "3", "status": "ok", "why": null, "score": 0.5 },
                { "name": "other", "version": "", "status": "timeout", "why": "no answer within 20000 ms" },
            ],
        });
        let report = Report::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(
            report.lines("a.png", PLAIN)[1..],
            [
                "  detector acme 3 has answered",
                "  detector other gave no answer in time (no answer within 20000 ms)",
            ]
        );
    }

    #[test]
    fn three_verdicts_alarm() {
        for (label, alarms) in [
            ("authentic", false),
            ("inconclusive", false),
            ("synthetic", true),
            ("manipulated", true),
            ("altered_after_signing", true),
        ] {
            assert_eq!(report(label).is_suspicious(), alarms, "{label}");
        }
    }

    #[test]
    fn what_is_no_result_is_refused_and_an_empty_one_is_not() {
        assert!(Report::read(b"nonsense").is_err());
        assert!(!Report::read(b"{}").unwrap().is_suspicious());
    }
}
