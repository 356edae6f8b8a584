//! Signals by the rules of the rubrics.

use super::*;

fn action(name: &str, source: &str) -> Action {
    let digital_source_type = (!source.is_empty()).then(|| source.to_owned());
    Action {
        action: name.into(),
        digital_source_type,
        ..Action::default()
    }
}

fn iptc(name: &str, term: &str) -> Action {
    action(name, &format!("http://{IPTC}{term}"))
}

fn signals(actions: Vec<Action>) -> Signals {
    Signals::of(
        &Declared {
            actions,
            complete: true,
            gathered: false,
            cut: false,
        },
        false,
    )
}

#[test]
fn every_inception_follows_from_its_source_type() {
    let table = [
        ("trainedAlgorithmicMedia", Inception::FullyGenAIMedia),
        (
            "compositeWithTrainedAlgorithmicMedia",
            Inception::PartlyGenAICreation,
        ),
        ("digitalCapture", Inception::CapturedMedia),
        ("computationalCapture", Inception::CapturedMedia),
        ("compositeCapture", Inception::CapturedMediaStitched),
        ("composite", Inception::CompositionMayContainGenAI),
        ("screenCapture", Inception::ScreenCaptureMayContainGenAI),
        ("digitalCreation", Inception::NonGenAIDigitalCreation),
    ];
    for (term, inception) in table {
        for name in INCEPTION_ACTIONS {
            assert_eq!(
                signals(vec![iptc(name, term)]).inception,
                BTreeSet::from([inception]),
                "{term}"
            );
        }
        assert!(
            signals(vec![iptc("c2pa.edited", term)])
                .inception
                .is_empty(),
            "{term}"
        );
    }
    let blank = signals(vec![action(
        "c2pa.created",
        "http://c2pa.org/digitalsourcetype/empty",
    )]);
    assert_eq!(blank.inception, BTreeSet::from([Inception::BlankCanvas]));
}

#[test]
fn https_counts_and_look_alike_addresses_do_not() {
    let of = |address: &str| signals(vec![action("c2pa.created", address)]).inception;
    assert_eq!(
        of(&format!("https://{IPTC}digitalCapture")),
        BTreeSet::from([Inception::CapturedMedia])
    );
    assert!(of("http://evil.example/digitalsourcetype/digitalCapture").is_empty());
    assert!(of("digitalCapture").is_empty());
    assert!(of(&format!("http://{IPTC}empty")).is_empty());
}

#[test]
fn edits_are_sorted_by_their_source() {
    use Transformation::*;
    let of = |action: Action| signals(vec![action]).transformation;
    assert_eq!(
        of(iptc("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")),
        BTreeSet::from([PerceptibleGenAI])
    );
    assert_eq!(
        of(iptc("c2pa.cropped", "humanEdits")),
        BTreeSet::from([PerceptibleNonGenAI])
    );
    assert_eq!(
        of(iptc("c2pa.placed", "composite")),
        BTreeSet::from([PerceptibleNonGenAI, PerceptiblePossiblyGenAI])
    );
    assert_eq!(
        of(iptc("c2pa.transcoded", "digitalCapture")),
        BTreeSet::from([NonEditorial])
    );
    assert_eq!(
        of(iptc("c2pa.enhanced", "trainedAlgorithmicMedia")),
        BTreeSet::from([NonEditorial, PerceptiblePossiblyGenAI])
    );
    for name in ["c2pa.placed", "c2pa.edited", "c2pa.drawing"] {
        let found = of(action(name, ""));
        assert_eq!(found, BTreeSet::from([PerceptiblePossiblyGenAI]), "{name}");
    }
    assert!(of(action("c2pa.opened", "")).is_empty());
}

#[test]
fn actions_are_ambiguous_unless_standard_complete_and_vouched_for() {
    let ambiguous = |declared: Declared| {
        Signals::of(&declared, false)
            .transformation
            .contains(&Transformation::AmbiguousActions)
    };
    let sound = || Declared {
        actions: vec![iptc("c2pa.created", "digitalCapture")],
        complete: true,
        gathered: false,
        cut: false,
    };
    assert!(!ambiguous(sound()));
    assert!(ambiguous(Declared {
        actions: Vec::new(),
        ..sound()
    }));
    assert!(ambiguous(Declared {
        complete: false,
        ..sound()
    }));
    assert!(ambiguous(Declared {
        gathered: true,
        ..sound()
    }));
    assert!(ambiguous(Declared {
        cut: true,
        ..sound()
    }));
    assert!(ambiguous(Declared {
        actions: vec![action("c2pa.unknown", "")],
        ..sound()
    }));
    assert!(ambiguous(Declared {
        actions: vec![action("com.example.magic", "")],
        ..sound()
    }));
}

#[test]
fn an_ingredient_without_credential_is_unknown_provenance() {
    let signals = Signals::of(&Declared::default(), true);
    assert_eq!(
        signals.inception,
        BTreeSet::from([Inception::MediaUnknownProvenance])
    );
}

#[test]
fn names_are_those_of_the_rubrics() {
    let name = |signal: Inception| serde_json::to_value(signal).unwrap();
    assert_eq!(name(Inception::FullyGenAIMedia), "fullyGenAIMedia");
    assert_eq!(name(Inception::PartlyGenAICreation), "partlyGenAICreation");
    assert_eq!(
        name(Inception::NonGenAIDigitalCreation),
        "nonGenAIDigitalCreation"
    );
    assert_eq!(
        serde_json::to_value(Transformation::PerceptibleGenAI).unwrap(),
        "perceptibleGenAI"
    );
}
