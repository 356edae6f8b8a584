use proptest::prelude::*;

use super::*;
use crate::evidence::{Family, LogRatios};

fn item(family: Family, synthetic: f64, manipulated: f64) -> Evidence {
    let ratios = LogRatios {
        synthetic,
        manipulated,
    };
    Evidence::neutral("test", family, "found", "").weighing(ratios, 4.0)
}

fn verdict(evidence: &[Evidence]) -> Verdict {
    judge(evidence, Priors::default(), Circumstances::default())
}

#[test]
fn absence_of_traces_is_inconclusive() {
    let neutral = Evidence::neutral("test", Family::JpegHistory, "none", "");
    for evidence in [vec![], vec![neutral]] {
        let verdict = verdict(&evidence);
        assert_eq!(verdict.label, Label::Inconclusive);
        assert_eq!(verdict.reason, Some(Reason::NoEvidence));
        assert_eq!(
            verdict.headline,
            "No finding weighs for synthesis or manipulation; that alone does not make it authentic."
        );
    }
}

/// The default table of evidence, row by row.
fn table() -> Vec<(&'static str, Vec<Evidence>, Label)> {
    use Family::{DeclaredMetadata, JpegHistory, ProvenanceCrypto, Registry, Thumbnail};
    vec![
        (
            "trusted, generated",
            vec![item(ProvenanceCrypto, 4.0, 0.0)],
            Label::Synthetic,
        ),
        (
            "trusted, partly",
            vec![item(ProvenanceCrypto, 1.0, 3.0)],
            Label::Manipulated,
        ),
        (
            "trusted capture",
            vec![item(ProvenanceCrypto, -3.0, -2.0)],
            Label::Authentic,
        ),
        (
            "trusted capture, edited",
            vec![item(ProvenanceCrypto, -3.0, 0.0)],
            Label::Inconclusive,
        ),
        (
            "untrusted generated",
            vec![item(ProvenanceCrypto, 1.5, 0.0)],
            Label::Synthetic,
        ),
        (
            "hash mismatch alone",
            vec![item(ProvenanceCrypto, 0.0, 0.7)],
            Label::Inconclusive,
        ),
        (
            "unsigned mark",
            vec![item(DeclaredMetadata, 2.0, 0.0)],
            Label::Synthetic,
        ),
        (
            "weak mark",
            vec![item(DeclaredMetadata, 0.9, 0.0)],
            Label::Inconclusive,
        ),
        (
            "known authentic",
            vec![item(Registry, -4.0, -4.0)],
            Label::Authentic,
        ),
        (
            "declared capture",
            vec![item(DeclaredMetadata, -4.0, -4.0)],
            Label::Inconclusive,
        ),
        (
            "two tests on pixels",
            vec![item(JpegHistory, 0.0, 1.0), item(Thumbnail, 0.0, 1.0)],
            Label::Manipulated,
        ),
        (
            "capture proven, mark says generated",
            vec![
                item(ProvenanceCrypto, -3.0, -2.0),
                item(DeclaredMetadata, 2.0, 0.0),
            ],
            Label::Inconclusive,
        ),
    ]
}

#[test]
fn truth_table() {
    for (case, evidence, label) in table() {
        assert_eq!(verdict(&evidence).label, label, "{case}");
    }
}

#[test]
fn conflict_is_named() {
    let evidence = [
        item(Family::ProvenanceCrypto, -3.0, -2.0),
        item(Family::DeclaredMetadata, 2.0, 0.0),
    ];
    assert_eq!(verdict(&evidence).reason, Some(Reason::Conflict));
}

#[test]
fn failed_binding_comes_before_everything() {
    let circumstances = Circumstances {
        binding_failed: true,
        ..Circumstances::default()
    };
    let evidence = [item(Family::DeclaredMetadata, 2.0, 0.0)];
    let verdict = judge(&evidence, Priors::default(), circumstances);
    assert_eq!(verdict.label, Label::AlteredAfterSigning);
    assert_eq!(verdict.synthetic.log10_lr, 2.0);
    assert_eq!(verdict.reason, None);
}

#[test]
fn reasons_follow_the_circumstances() {
    let plain = Circumstances::default();
    let table = [
        (
            Circumstances {
                not_applicable: true,
                ..plain
            },
            Reason::NotApplicable,
        ),
        (
            Circumstances {
                quality_insufficient: true,
                ..plain
            },
            Reason::InsufficientQuality,
        ),
        (
            Circumstances {
                detectors_unavailable: true,
                ..plain
            },
            Reason::DetectorsUnavailable,
        ),
        (plain, Reason::NoEvidence),
    ];
    for (circumstances, reason) in table {
        let verdict = judge(&[], Priors::default(), circumstances);
        assert_eq!(verdict.label, Label::Inconclusive);
        assert_eq!(verdict.reason, Some(reason));
    }
}

#[test]
fn low_base_rate_withholds_a_verdict_that_the_ratio_alone_would_give() {
    let priors = Priors::new(0.001, 0.5).expect("in range");
    let evidence = [item(Family::DeclaredMetadata, 2.0, 0.0)];
    let verdict = judge(&evidence, priors, Circumstances::default());
    assert_eq!(verdict.label, Label::Inconclusive);
    assert!(verdict.headline.ends_with("That does not carry a verdict."));
}

#[test]
fn headline_speaks_of_the_findings() {
    let synthetic = verdict(&[item(Family::DeclaredMetadata, 2.0, 0.0)]);
    assert_eq!(
        synthetic.headline,
        "The findings are about 100 times more probable if the media is wholly or partly synthetic \
         than if not."
    );
    let authentic = verdict(&[item(Family::ProvenanceCrypto, -3.0, -2.0)]);
    assert!(
        authentic.headline.contains("about 1,000 times"),
        "{}",
        authentic.headline
    );
}

#[test]
fn json_has_the_names_of_the_result_schema() {
    let json = serde_json::to_value(verdict(&[])).expect("serialise");
    assert_eq!(json["label"], "inconclusive");
    assert_eq!(json["reason"], "no_evidence");
    assert_eq!(json["synthetic"]["verbal"], "no support");
    assert_eq!(json["manipulated"]["prior"], 0.5);
}

fn unsigned_family() -> impl Strategy<Value = Family> {
    let unsigned: Vec<Family> = Family::INTERNAL
        .into_iter()
        .filter(|family| !family.can_prove())
        .collect();
    let internal = (0..unsigned.len()).prop_map(move |index| unsigned[index].clone());
    prop_oneof![internal, "[a-c]".prop_map(Family::External)]
}

proptest! {
    #[test]
    fn unsigned_evidence_never_proves_authenticity(
        raw in prop::collection::vec((unsigned_family(), -9.0..9.0f64, -9.0..9.0f64), 0..20),
        prior in 0.001..0.999f64,
    ) {
        let evidence: Vec<Evidence> =
            raw.into_iter().map(|(family, s, m)| item(family, s, m)).collect();
        let priors = Priors::new(prior, prior).expect("in range");
        let verdict = judge(&evidence, priors, Circumstances::default());
        prop_assert_ne!(verdict.label, Label::Authentic);
        prop_assert!(!verdict.headline.contains('%'));
    }

    #[test]
    fn no_prior_decides_without_evidence(synthetic in 0.0001..0.9999f64, manipulated in 0.0001..0.9999f64) {
        let priors = Priors::new(synthetic, manipulated).expect("in range");
        let verdict = judge(&[], priors, Circumstances::default());
        prop_assert_eq!(verdict.label, Label::Inconclusive);
    }
}
