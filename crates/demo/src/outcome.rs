//! What came of verifying one file.

use anyhow::ensure;
use assay_api::v1;
use serde::Deserialize;

/// Evidence that weighs less (log10 likelihood ratio) gives no reason.
const WEIGHT_MIN: f64 = 0.05;

/// What a signature says is a reason even if it weighs nothing, as while nobody vouches for the signer.
const SIGNATURES: &str = "provenance_crypto";

/// Most reasons told beside the headline.
const REASONS_MAX: usize = 3;

/// The fact of a file's history that a reader must know to understand a verdict.
const MISLABELLED: &str = "mislabelled";

const SCHEMA: &str = "verification.result/1";

/// A verdict with its reasons, or the failure in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The verdict's label as results spell it, or the state of a job that has none.
    pub(crate) label: String,
    /// Why there is no verdict.
    pub(crate) abstention: Option<String>,
    /// The headline, then the heaviest evidence, then a false name.
    pub(crate) reasons: Vec<String>,
    /// How many questions nothing has tested.
    pub(crate) untested: usize,
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    verdict: Verdict,
    evidence: Vec<Evidence>,
    history: Vec<Fact>,
    coverage: Vec<Question>,
}

#[derive(Deserialize)]
struct Verdict {
    label: String,
    reason: Option<String>,
    headline: String,
}

#[derive(Deserialize)]
struct Evidence {
    family: String,
    applicable: bool,
    #[serde(default)]
    log10_lr: Ratios,
    explain: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ratios {
    synthetic: f64,
    manipulated: f64,
}

#[derive(Deserialize)]
struct Fact {
    fact: String,
    detail: String,
}

#[derive(Deserialize)]
struct Question {
    status: String,
}

impl Outcome {
    /// Reads a result.
    pub(crate) fn read(json: &[u8]) -> anyhow::Result<Self> {
        let document: Document = serde_json::from_slice(json)?;
        ensure!(
            document.schema == SCHEMA,
            "the result's schema is {:?}, not {SCHEMA}",
            document.schema
        );
        let mut told: Vec<&Evidence> = document
            .evidence
            .iter()
            .filter(|evidence| evidence.is_reason())
            .collect();
        told.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
        let mut reasons = vec![document.verdict.headline];
        reasons.extend(
            told.into_iter()
                .take(REASONS_MAX)
                .map(|evidence| evidence.explain.clone()),
        );
        let history = document.history.into_iter();
        let false_names = history.filter(|fact| fact.fact == MISLABELLED);
        reasons.extend(false_names.map(|fact| format!("{MISLABELLED}: {}", fact.detail)));
        let is_open =
            |question: &&Question| matches!(question.status.as_str(), "not_tested" | "aborted");
        Ok(Self {
            label: document.verdict.label,
            abstention: document.verdict.reason,
            reasons,
            untested: document.coverage.iter().filter(is_open).count(),
        })
    }

    /// What is to be said of a job that ended without a result.
    pub(crate) fn of_failed(job: &v1::Job) -> Self {
        let state = job
            .state()
            .as_str_name()
            .trim_start_matches("JOB_STATE_")
            .to_lowercase();
        let reason = job
            .failure
            .as_ref()
            .map_or("no reason is on record", |failure| failure.message.as_str());
        Self {
            label: state,
            abstention: None,
            reasons: vec![reason.to_owned()],
            untested: 0,
        }
    }

    /// The label in words, with the reason for having no verdict.
    pub(crate) fn verdict(&self) -> String {
        let label = self.label.replace('_', " ");
        match &self.abstention {
            Some(reason) => format!("{label} ({})", reason.replace('_', " ")),
            None => label,
        }
    }
}

impl Evidence {
    fn is_reason(&self) -> bool {
        self.applicable && (self.weight() >= WEIGHT_MIN || self.family == SIGNATURES)
    }

    fn weight(&self) -> f64 {
        self.log10_lr
            .synthetic
            .abs()
            .max(self.log10_lr.manipulated.abs())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> serde_json::Value {
        let evidence = |applicable: bool, weight: f64, explain: &str| json!({ "family": "container", "applicable": applicable, "log10_lr": { "manipulated": weight }, "explain": explain });
        json!({
            "schema": SCHEMA,
            "verdict": { "label": "altered_after_signing", "reason": null, "headline": "Not what was signed." },
            "evidence": [
                evidence(true, 0.0, "weighs nothing"),
                evidence(true, 0.7, "second"),
                evidence(false, 3.0, "not applicable"),
                evidence(true, -1.0, "first"),
                evidence(true, 0.5, "third"),
                evidence(true, 0.4, "one too many"),
                { "family": "container", "applicable": true, "explain": "without weights" },
            ],
            "history": [{ "fact": "thumbnail", "detail": "small" }, { "fact": "mislabelled", "detail": "a text" }],
            "coverage": [{ "status": "tested" }, { "status": "not_tested" }, { "status": "aborted" }],
        })
    }

    #[test]
    fn the_headline_comes_first_and_then_the_heaviest_evidence() {
        let outcome = Outcome::read(document().to_string().as_bytes()).unwrap();
        assert_eq!(
            outcome.reasons,
            [
                "Not what was signed.",
                "first",
                "second",
                "third",
                "mislabelled: a text"
            ]
        );
        assert_eq!(
            (outcome.verdict().as_str(), outcome.untested),
            ("altered after signing", 2)
        );
    }

    #[test]
    fn what_a_signature_says_is_told_even_if_it_weighs_nothing() {
        let mut document = document();
        let signature = |applicable: bool| json!({ "family": SIGNATURES, "applicable": applicable, "explain": "Nobody vouches for the signer." });
        document["evidence"] = json!([signature(true), signature(false)]);
        let outcome = Outcome::read(document.to_string().as_bytes()).unwrap();
        assert_eq!(
            outcome.reasons,
            [
                "Not what was signed.",
                "Nobody vouches for the signer.",
                "mislabelled: a text"
            ]
        );
    }

    #[test]
    fn an_abstention_says_why() {
        let mut document = document();
        document["verdict"] =
            json!({ "label": "inconclusive", "reason": "no_evidence", "headline": "" });
        let outcome = Outcome::read(document.to_string().as_bytes()).unwrap();
        assert_eq!(outcome.verdict(), "inconclusive (no evidence)");
    }

    #[test]
    fn another_schema_is_refused() {
        let mut document = document();
        document["schema"] = json!("verification.result/2");
        assert!(Outcome::read(document.to_string().as_bytes()).is_err());
        assert!(Outcome::read(b"{}").is_err());
    }

    #[test]
    fn a_failed_job_tells_its_failure_instead() {
        let failure = v1::JobFailure {
            message: "the file is empty".into(),
            ..v1::JobFailure::default()
        };
        let state = v1::JobState::Failed.into();
        let outcome = Outcome::of_failed(&v1::Job {
            state,
            failure: Some(failure),
            ..v1::Job::default()
        });
        assert_eq!(
            (outcome.verdict().as_str(), outcome.reasons[0].as_str()),
            ("failed", "the file is empty")
        );
    }
}
