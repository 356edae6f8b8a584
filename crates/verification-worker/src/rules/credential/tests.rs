//! The table of the module, row by row, and what it must never say.

use std::collections::BTreeSet;

use assay_provenance::{
    Failures, Inception, Ingredient, Level, Relationship, Signals, SignerCheck, Transformation,
    TrustedBy,
};

use super::*;

fn report(state: State) -> Report {
    Report {
        present: true,
        state,
        trust_lists: Vec::new(),
        signer: None,
        title: None,
        claim_generator: None,
        manifest: Some("urn:c2pa:test".to_owned()),
        signals: Signals::default(),
        actions: Vec::new(),
        codes: Vec::new(),
        failures: Failures::default(),
        ingredients: Vec::new(),
        claim_thumbnail: None,
        cut: false,
    }
}

fn trusted_state() -> State {
    State::Trusted {
        by: TrustedBy::Official,
    }
}

fn valid_state() -> State {
    State::Valid {
        signer: SignerCheck::Untrusted,
    }
}

fn signals(inception: &[Inception], transformation: &[Transformation]) -> Signals {
    Signals {
        inception: inception.iter().copied().collect(),
        transformation: transformation.iter().copied().collect(),
    }
}

fn saying(state: State, inception: &[Inception], transformation: &[Transformation]) -> Report {
    Report {
        signals: signals(inception, transformation),
        ..report(state)
    }
}

fn ingredient(relationship: Relationship, signals: Signals) -> Ingredient {
    Ingredient {
        title: None,
        format: None,
        relationship,
        manifest: Some("urn:c2pa:parent".to_owned()),
        signer: None,
        recorded: Vec::new(),
        found_now: Vec::new(),
        broken: false,
        signals,
        actions: Vec::new(),
        ingredients: Vec::new(),
    }
}

fn untrusted() -> Code {
    Code {
        code: "signingCredential.untrusted".to_owned(),
        level: Level::Failure,
        explanation: None,
        subject: None,
    }
}

/// Synthetic and manipulated, log10.
fn weight(report: &Report) -> (f64, f64) {
    let findings = findings(report);
    assert_eq!((findings.evidence.len(), findings.coverage.len()), (1, 1));
    let ratios = findings.evidence[0].log10_lr();
    (ratios.synthetic, ratios.manipulated)
}

fn facts(report: &Report) -> Vec<String> {
    findings(report)
        .history
        .into_iter()
        .map(|fact| fact.fact)
        .collect()
}

#[test]
fn every_row_of_the_table_weighs_what_it_says() {
    use Inception::{CapturedMedia, FullyGenAIMedia, PartlyGenAICreation};
    use Transformation::{NonEditorial, PerceptibleGenAI, PerceptibleNonGenAI};
    let table = [
        (trusted_state(), vec![FullyGenAIMedia], vec![], (4.0, 0.0)),
        (
            trusted_state(),
            vec![PartlyGenAICreation],
            vec![],
            (1.0, 3.0),
        ),
        (
            trusted_state(),
            vec![CapturedMedia],
            vec![PerceptibleGenAI],
            (1.0, 3.0),
        ),
        (
            trusted_state(),
            vec![CapturedMedia],
            vec![NonEditorial],
            (-3.0, -2.0),
        ),
        (trusted_state(), vec![CapturedMedia], vec![], (-3.0, -2.0)),
        (
            trusted_state(),
            vec![CapturedMedia],
            vec![PerceptibleNonGenAI],
            (-3.0, 0.0),
        ),
        (valid_state(), vec![FullyGenAIMedia], vec![], (1.5, 0.0)),
        (valid_state(), vec![], vec![PerceptibleGenAI], (1.5, 0.0)),
        (valid_state(), vec![CapturedMedia], vec![], (0.0, 0.0)),
    ];
    for (state, inception, transformation, expected) in table {
        let report = saying(state, &inception, &transformation);
        assert_eq!(
            weight(&report),
            expected,
            "{:?} {inception:?} {transformation:?}",
            report.state
        );
        assert!(!findings(&report).binding_failed);
    }
}

#[test]
fn what_may_mean_anything_proves_nothing() {
    use Inception::{CapturedMedia, CompositionMayContainGenAI, ScreenCaptureMayContainGenAI};
    use Transformation::{AmbiguousActions, PerceptiblePossiblyGenAI};
    let table = [
        (vec![], vec![]),
        (vec![CapturedMedia], vec![AmbiguousActions]),
        (vec![CapturedMedia], vec![PerceptiblePossiblyGenAI]),
        (vec![CapturedMedia, CompositionMayContainGenAI], vec![]),
        (vec![ScreenCaptureMayContainGenAI], vec![]),
    ];
    for (inception, transformation) in table {
        assert_eq!(
            weight(&saying(trusted_state(), &inception, &transformation)),
            (0.0, 0.0),
            "{inception:?}"
        );
    }
}

#[test]
fn a_parent_speaks_for_its_child_if_it_is_sound() {
    let captured = signals(&[Inception::CapturedMedia], &[]);
    let edited = || Report {
        ingredients: vec![ingredient(Relationship::ParentOf, captured.clone())],
        ..saying(trusted_state(), &[], &[Transformation::PerceptibleNonGenAI])
    };
    assert_eq!(weight(&edited()), (-3.0, 0.0));

    let mut unsound = [edited(), edited(), edited()];
    unsound[0].ingredients[0].broken = true;
    unsound[1].ingredients[0].manifest = None;
    unsound[2].ingredients[0].found_now.push(untrusted());
    for report in unsound {
        assert_eq!(weight(&report), (0.0, 0.0));
    }
}

#[test]
fn a_generated_parent_makes_the_whole_and_a_generated_part_a_part() {
    let generated = signals(&[Inception::FullyGenAIMedia], &[]);
    let with = |relationship| Report {
        ingredients: vec![ingredient(relationship, generated.clone())],
        ..saying(trusted_state(), &[Inception::CapturedMedia], &[])
    };
    assert_eq!(weight(&with(Relationship::ParentOf)), (4.0, 0.0));
    assert_eq!(weight(&with(Relationship::ComponentOf)), (1.0, 3.0));
    assert_eq!(weight(&with(Relationship::InputTo)), (-3.0, -2.0));
}

#[test]
fn a_part_speaks_for_what_it_was_made_from() {
    let with = |part: Ingredient| Report {
        ingredients: vec![part],
        ..saying(trusted_state(), &[Inception::CapturedMedia], &[])
    };
    let generated = signals(&[Inception::FullyGenAIMedia], &[]);
    let mut part = ingredient(Relationship::ComponentOf, Signals::default());
    assert_eq!(weight(&with(part.clone())), (-3.0, -2.0));
    part.ingredients = vec![ingredient(Relationship::ParentOf, generated)];
    assert_eq!(weight(&with(part.clone())), (1.0, 3.0));
    part.ingredients[0].relationship = Relationship::InputTo;
    assert_eq!(weight(&with(part.clone())), (-3.0, -2.0));
    // A stranger's part may be anything.
    part.found_now.push(untrusted());
    assert_eq!(weight(&with(part)), (0.0, 0.0));
}

#[test]
fn what_was_not_signed_or_not_read_proves_nothing() {
    let captured = || saying(trusted_state(), &[Inception::CapturedMedia], &[]);
    let mut in_part = captured();
    in_part.codes.push(Code {
        code: ADDITIONAL_EXCLUSIONS.to_owned(),
        level: Level::Informational,
        ..untrusted()
    });
    assert_eq!(weight(&in_part), (0.0, 0.0));
    assert_eq!(findings(&in_part).evidence[0].finding, "captured_in_part");
    let mut cut = captured();
    cut.cut = true;
    assert_eq!(weight(&cut), (0.0, 0.0));
}

#[test]
fn a_broken_ingredient_takes_the_proof_away_and_is_told() {
    let mut report = saying(trusted_state(), &[Inception::CapturedMedia], &[]);
    let mut part = ingredient(Relationship::ComponentOf, Signals::default());
    part.broken = true;
    report.ingredients.push(part);
    report.failures.ingredient = true;
    assert_eq!(weight(&report), (0.0, 0.0));
    assert_eq!(facts(&report), ["ingredient_broken"]);
    // What a trusted signer says against the media still counts.
    report.signals = signals(&[Inception::FullyGenAIMedia], &[]);
    assert_eq!(weight(&report), (4.0, 0.0));
}

#[test]
fn other_bytes_under_a_sound_signature_are_altered_after_signing() {
    let mut report = saying(State::Invalid, &[Inception::CapturedMedia], &[]);
    report.failures.hash_mismatch = true;
    assert_eq!(weight(&report), (0.0, 0.7));
    assert!(findings(&report).binding_failed);
    assert_eq!(facts(&report), ["altered_after_signing"]);
}

#[test]
fn a_credential_that_does_not_fit_itself_is_tampered_with_and_binds_nothing() {
    for (claim_signature, hashed_uri) in [(true, false), (false, true)] {
        let mut report = report(State::Invalid);
        report.failures = Failures {
            claim_signature,
            hashed_uri,
            hash_mismatch: true,
            ..Failures::default()
        };
        assert_eq!(weight(&report), (0.0, 1.0));
        assert!(!findings(&report).binding_failed);
        assert_eq!(
            facts(&report),
            ["altered_after_signing", "credential_tampered"]
        );
    }
}

#[test]
fn other_failures_are_facts_without_weight() {
    let failures = |set: fn(&mut Failures)| {
        let mut report = report(State::Invalid);
        set(&mut report.failures);
        assert_eq!(weight(&report), (0.0, 0.0));
        assert!(!findings(&report).binding_failed);
        facts(&report)
    };
    assert_eq!(
        failures(|it| it.credential_expired = true),
        ["credential_expired"]
    );
    assert_eq!(
        failures(|it| it.credential_revoked = true),
        ["credential_revoked"]
    );
    assert_eq!(failures(|it| it.other = true), ["credential_invalid"]);
    assert_eq!(failures(|_| {}), ["credential_invalid"]);
}

#[test]
fn without_a_credential_nothing_is_said_and_the_coverage_says_why() {
    let reason = || "why".to_owned();
    let table = [
        (State::Absent, CoverageStatus::Tested),
        (
            State::NotApplicable { reason: reason() },
            CoverageStatus::NotApplicable,
        ),
        (
            State::Skipped { reason: reason() },
            CoverageStatus::NotTested,
        ),
        (
            State::RemoteNotFetched { url: reason() },
            CoverageStatus::NotTested,
        ),
    ];
    for (state, status) in table {
        let findings = findings(&Report {
            present: false,
            ..report(state)
        });
        assert!(!findings.evidence[0].applicable);
        assert_eq!(findings.coverage[0].status, status);
        assert!(!findings.coverage[0].why.is_empty());
    }
    let unread = |class| {
        unread(&Unread {
            class,
            why: "the words".to_owned(),
        })
    };
    assert_eq!(
        unread(UnreadClass::Credential).history[0].fact,
        "credential_unreadable"
    );
    for class in [
        UnreadClass::Container,
        UnreadClass::Limit,
        UnreadClass::Machine,
    ] {
        assert_eq!(unread(class).history, []);
        assert_eq!(unread(class).coverage[0].status, CoverageStatus::Aborted);
    }
}

#[test]
fn only_a_trusted_credential_weighs_against_a_hypothesis() {
    let inceptions: BTreeSet<Inception> =
        [Inception::CapturedMedia, Inception::FullyGenAIMedia].into();
    for state in [State::Invalid, valid_state(), State::Absent] {
        for inception in &inceptions {
            let (synthetic, manipulated) = weight(&saying(state.clone(), &[*inception], &[]));
            assert!(synthetic >= 0.0 && manipulated >= 0.0);
        }
    }
}
