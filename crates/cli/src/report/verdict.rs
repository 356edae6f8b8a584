//! The first thing on the page: the verdict in a word, what it means, and what it does not mean.

use super::html::Html;
use super::result::{ResultView, Verdict};
use super::{coverage, words};

/// How a verdict is set off. Never by colour alone: each has a sign and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Good,
    Alarm,
    Open,
}

/// A verdict in words for people.
#[derive(Debug)]
struct Said {
    tone: Tone,
    word: String,
    /// What follows from the findings.
    meaning: String,
    /// What does not.
    caution: &'static str,
}

const NO_CERTAINTY: &str =
    "This is not certainty. See below what else may explain the findings, and what was not tested.";
const NO_ALL_CLEAR: &str = "This is neither an all-clear nor a suspicion.";

/// The verdict in one or two words.
pub(super) fn word(verdict: &Verdict) -> String {
    said(verdict).word
}

/// Writes the section.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let said = said(&result.verdict);
    let class = format!("card verdict {}", said.tone.class());
    let attributes = [("class", class.as_str()), ("aria-labelledby", "verdict")];
    html.element("section", &attributes, |html| {
        html.element("h2", &[("id", "verdict")], |html| {
            html.line(
                "span",
                &[("class", "sign"), ("aria-hidden", "true")],
                said.tone.sign(),
            );
            html.text(&said.word);
        });
        html.line("p", &[("class", "lead")], &said.meaning);
        if !result.verdict.headline.is_empty() {
            html.line("p", &[], &result.verdict.headline);
        }
        html.line("p", &[], said.caution);
        html.element("p", &[], |html| {
            html.text(&coverage::gap(result));
            html.line("a", &[("href", "#untested")], "See what was not tested");
            html.text(".");
        });
    });
}

fn said(verdict: &Verdict) -> Said {
    let said = |tone, word: &str, meaning: &str, caution| Said {
        tone,
        word: word.to_owned(),
        meaning: meaning.to_owned(),
        caution,
    };
    match verdict.label.as_str() {
        "authentic" => said(
            Tone::Good,
            "Authentic",
            "There is positive proof of where this file comes from, and no finding outweighs it.",
            "Proof of origin does not make true what is shown: a scene can be staged, and a camera can be held at a \
             screen.",
        ),
        "synthetic" => said(
            Tone::Alarm,
            "Synthetic",
            "The findings support that an AI generator made this file, or parts of it.",
            NO_CERTAINTY,
        ),
        "manipulated" => said(
            Tone::Alarm,
            "Manipulated",
            "The findings support that this file was changed in places after it was recorded.",
            NO_CERTAINTY,
        ),
        "altered_after_signing" => said(
            Tone::Alarm,
            "Altered after signing",
            "Somebody signed other bytes than these: the file was changed since, or carries the signature of another \
             file.",
            "The change may be harmless: software that only rewrites metadata has the same effect. What was signed \
             is no longer vouched for.",
        ),
        "inconclusive" => Said {
            tone: Tone::Open,
            word: "No verdict".to_owned(),
            meaning: undecided(verdict.reason.as_deref()),
            caution: NO_ALL_CLEAR,
        },
        other => Said {
            tone: Tone::Open,
            word: match other {
                "" => "No verdict".to_owned(),
                other => format!("Verdict: {}", words::spaced(other)),
            },
            meaning: "This program cannot tell what the result says: it is of another version."
                .to_owned(),
            caution: NO_ALL_CLEAR,
        },
    }
}

fn undecided(reason: Option<&str>) -> String {
    match reason {
        Some("no_evidence") | None => {
            "Too little was found to decide. Where no trace is found, there may be none, or it was removed."
                .to_owned()
        }
        Some("not_applicable") => {
            "None of the tests can say anything about a file of this kind.".to_owned()
        }
        Some("conflict") => {
            "Findings contradict each other. A person has to weigh them; this page does not choose.".to_owned()
        }
        Some("insufficient_quality") => {
            "The file is too small, too flat or too damaged to be judged.".to_owned()
        }
        Some("detectors_unavailable") => {
            "Detectors that were asked for did not answer, and the other tests do not decide. Verify the file again \
             later."
                .to_owned()
        }
        Some(other) => format!("The result gives a reason of another version: {}.", words::spaced(other)),
    }
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Alarm => "alarm",
            Self::Open => "open",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Alarm => "!",
            Self::Open => "?",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What the schema allows at a place of the verdict.
    fn allowed(member: &str) -> Vec<String> {
        let schema: Value =
            serde_json::from_str(assay_verification_worker::result::SCHEMA).unwrap();
        let words = &schema["$defs"]["verdict"]["properties"][member]["enum"];
        let words = words.as_array().unwrap().iter();
        words
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    }

    fn verdict(label: &str, reason: Option<&str>) -> Verdict {
        Verdict {
            label: label.to_owned(),
            reason: reason.map(str::to_owned),
            ..Verdict::default()
        }
    }

    #[test]
    fn every_label_of_the_schema_has_words_and_only_proof_is_good() {
        let labels = allowed("label");
        assert_eq!(labels.len(), 5);
        for label in labels {
            let said = said(&verdict(&label, None));
            assert!(!said.word.starts_with("Verdict:"), "{label}");
            assert_eq!(said.tone == Tone::Good, label == "authentic", "{label}");
            assert_eq!(said.tone == Tone::Open, label == "inconclusive", "{label}");
        }
    }

    #[test]
    fn every_reason_of_the_schema_has_words_of_its_own() {
        let reasons = allowed("reason");
        assert_eq!(reasons.len(), 5);
        let mut meanings: Vec<String> = reasons
            .iter()
            .map(|reason| said(&verdict("inconclusive", Some(reason))).meaning)
            .collect();
        assert!(
            meanings
                .iter()
                .all(|meaning| !meaning.contains("another version"))
        );
        meanings.sort();
        meanings.dedup();
        assert_eq!(meanings.len(), reasons.len());
    }

    #[test]
    fn a_verdict_of_a_later_version_is_no_all_clear() {
        let said = said(&verdict("half_true", None));
        assert_eq!(
            (said.word.as_str(), said.tone),
            ("Verdict: half true", Tone::Open)
        );
    }
}
