//! What only those ask who look closer: figures, checks, versions. Folded.

use super::html::Html;
use super::list::{bullets, pairs};
use super::ratio::Question;
use super::result::{Engine, Evidence, ResultView};
use super::words;
use crate::view::detector::fared;

/// Writes the section.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let attributes = [("class", "card"), ("aria-labelledby", "details")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "details")], "Technical details");
        fold(html, "What made this result", |html| {
            write_engine(html, result)
        });
        fold(html, "Figures of the verdict", |html| {
            write_figures(html, result)
        });
        fold(html, "Figures of each finding", |html| {
            bullets(html, &[], result.evidence.iter(), write_evidence);
        });
        let credential = &result.provenance.c2pa;
        if credential.signer.is_some() || !credential.codes.is_empty() {
            fold(html, "Checks of the signed statement", |html| {
                write_credential(html, result)
            });
        }
    });
}

fn fold(html: &mut Html, summary: &str, fill: impl FnOnce(&mut Html)) {
    html.element("details", &[], |html| {
        html.line("summary", &[], summary);
        fill(html);
    });
}

fn write_engine(html: &mut Html, result: &ResultView) {
    let engine = &result.engine;
    pairs(
        html,
        &[
            ("Version of Assay that verified", engine.version.clone()),
            ("Version of the rules", engine.ruleset.clone()),
            ("What findings weigh by", weighed_by(engine)),
            ("Form of the result", result.schema.clone()),
            ("Job", result.job_id.clone()),
            ("Time that it took", format!("{} ms", engine.duration_ms)),
        ],
    );
    bullets(html, &[], result.stages.iter(), |html, stage| {
        let [name, status] = [&stage.stage, &stage.status].map(|text| words::spaced(text));
        html.text(&format!("step {name}: {status}, {} ms", stage.cost_ms));
    });
    if !result.detectors.is_empty() {
        html.line("p", &[], "Detectors outside of Assay:");
        bullets(html, &[], result.detectors.iter(), |html, detector| {
            let who = format!("{} {}", detector.name, detector.version);
            html.quote(who.trim_end());
            html.text(" ");
            html.text(&fared(&detector.status));
            if let Some(why) = &detector.why {
                html.text(": ");
                html.quote(why);
            }
        });
    }
}

/// Nothing if findings weigh what is built in.
fn weighed_by(engine: &Engine) -> String {
    let Some(by) = &engine.calibration else {
        return String::new();
    };
    let counts = format!(
        "{} authentic, {} manipulated and {} synthetic files",
        by.authentic, by.manipulated, by.synthetic
    );
    format!(
        "the calibration {} of {}: {counts} of the operator's; SHA-256 {}",
        by.name, by.made_at, by.sha256
    )
}

fn write_figures(html: &mut Html, result: &ResultView) {
    html.line(
        "p",
        &[],
        "Weights are logarithms (base 10) of likelihood ratios. What was assumed beforehand is the operator's choice.",
    );
    for question in Question::ALL {
        let score = question.score(&result.verdict);
        let before = score.prior.map_or_else(String::new, odds);
        html.line(
            "p",
            &[],
            &format!("{} {:+.2}{before}", question.asked(), score.log10_lr),
        );
    }
}

/// What was assumed before, as odds: nobody takes them for what was found.
fn odds(prior: f64) -> String {
    let (so, not) = (prior, 1.0 - prior);
    if !(so > 0.0 && not > 0.0) {
        return String::new();
    }
    if so >= not {
        format!("; assumed beforehand: {:.1} to 1", so / not)
    } else {
        format!("; assumed beforehand: 1 to {:.1}", not / so)
    }
}

fn write_evidence(html: &mut Html, evidence: &Evidence) {
    html.quote(&evidence.id);
    html.text(&format!(
        " ({}): synthetic {:+.2}, manipulated {:+.2}, at most {:.2}",
        words::spaced(&evidence.family),
        evidence.log10_lr.synthetic,
        evidence.log10_lr.manipulated,
        evidence.cap
    ));
    for (name, value) in evidence.metrics.iter().take(super::list::ENTRIES_MAX) {
        html.text("; ");
        html.quote(name);
        html.text(&format!(" {value:.4}"));
    }
}

fn write_credential(html: &mut Html, result: &ResultView) {
    let credential = &result.provenance.c2pa;
    if let Some(signer) = &credential.signer {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        pairs(
            html,
            &[
                (
                    "Serial number of the certificate",
                    text(&signer.serial_number),
                ),
                ("Algorithm of the signature", text(&signer.algorithm)),
            ],
        );
    }
    bullets(html, &[], credential.trust_lists.iter(), |html, list| {
        html.text("trust list ");
        html.quote(&list.label);
        html.text(": SHA-256 ");
        html.line("code", &[], &list.sha256);
    });
    bullets(html, &[], credential.codes.iter(), |html, code| {
        html.text(&format!("{}: ", words::spaced(&code.level)));
        html.quote(&code.code);
        if let Some(explanation) = &code.explanation {
            html.text(": ");
            html.quote(explanation);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::result::CalibratedBy;
    use super::*;

    #[test]
    fn what_findings_weigh_by_is_told_where_it_is_not_built_in() {
        let by = CalibratedBy {
            name: "press".to_owned(),
            made_at: "2026-11-29".to_owned(),
            sha256: "ef".repeat(32),
            authentic: 600,
            manipulated: 20,
            synthetic: 0,
        };
        let engine = |calibration| Engine {
            calibration,
            ..Engine::default()
        };
        let told = weighed_by(&engine(Some(by)));
        assert!(
            told.starts_with(
                "the calibration press of 2026-11-29: 600 authentic, 20 manipulated and 0 synthetic files of the \
                 operator's; SHA-256 efef"
            ),
            "{told}"
        );
        assert_eq!(weighed_by(&engine(None)), "");
    }

    #[test]
    fn what_was_assumed_is_said_as_odds_and_never_in_percent() {
        assert_eq!(odds(0.5), "; assumed beforehand: 1.0 to 1");
        assert_eq!(odds(0.1), "; assumed beforehand: 1 to 9.0");
        assert_eq!(odds(0.9), "; assumed beforehand: 9.0 to 1");
        for nonsense in [0.0, 1.0, -1.0, f64::NAN] {
            assert!(!odds(nonsense).contains('%'), "{nonsense}");
        }
    }
}
