//! What declared actions mean, in the vocabulary of the C2PA conformance programme's asset rubrics.
//!
//! The names and the rules they stand for are those of the rubrics of 2026-08-06 (C2PA, CC BY 4.0); this is our own
//! reading of them. Signals are local to one manifest: an edited photograph carries `capturedMedia` in its parent's
//! manifest, not in its own. They say what a signer declared, never whether it is so.
//!
//! Wider than the rubrics in three ways: actions assertions of the old version count, so do addresses with `https`,
//! and every ingredient without a credential counts as unknown provenance, not only the first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::action::{Action, Declared};

/// How the media came to be, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Inception {
    /// Made by a generative model as a whole.
    FullyGenAIMedia,
    /// A mix in which a generative model made a part.
    PartlyGenAICreation,
    /// Taken by a camera or recorder, also when it merged several frames.
    CapturedMedia,
    /// Put together from several captures.
    CapturedMediaStitched,
    /// Put together from elements of any origin.
    CompositionMayContainGenAI,
    /// A picture of a screen, whatever it showed.
    ScreenCaptureMayContainGenAI,
    /// Made by people with tools that are not generative.
    NonGenAIDigitalCreation,
    /// Started empty.
    BlankCanvas,
    /// Contains something that has no credential.
    MediaUnknownProvenance,
}

/// What was done to the media since, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transformation {
    /// A change that leaves the content alone, such as another format.
    NonEditorial,
    /// A visible or audible change made by a generative model.
    PerceptibleGenAI,
    /// A visible or audible change with a declared source that is not generative.
    PerceptibleNonGenAI,
    /// A visible or audible change whose source may be generative.
    PerceptiblePossiblyGenAI,
    /// Actions are missing, unknown, private, not said to be complete, or not vouched for.
    AmbiguousActions,
}

/// All signals of one manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// How the media came to be.
    pub inception: BTreeSet<Inception>,
    /// What was done since.
    pub transformation: BTreeSet<Transformation>,
}

impl Signals {
    /// Reads the signals out of one manifest's actions.
    pub(crate) fn of(declared: &Declared, any_ingredient_without_credential: bool) -> Self {
        let mut inception: BTreeSet<_> = declared.actions.iter().filter_map(inception_of).collect();
        if any_ingredient_without_credential {
            inception.insert(Inception::MediaUnknownProvenance);
        }
        let mut transformation: BTreeSet<_> = declared
            .actions
            .iter()
            .flat_map(transformations_of)
            .collect();
        if is_ambiguous(declared) {
            transformation.insert(Transformation::AmbiguousActions);
        }
        Self {
            inception,
            transformation,
        }
    }
}

const INCEPTION_ACTIONS: [&str; 2] = ["c2pa.created", "c2pa.opened"];

const NON_EDITORIAL_ACTIONS: [&str; 11] = [
    "c2pa.converted",
    "c2pa.published",
    "c2pa.repackaged",
    "c2pa.transcoded",
    "c2pa.resized.proportional",
    "c2pa.enhanced",
    "c2pa.edited.metadata",
    "c2pa.watermarked",
    "c2pa.watermarked.bound",
    "c2pa.watermarked.unbound",
    "c2pa.redacted",
];

const IPTC: &str = "cv.iptc.org/newscodes/digitalsourcetype/";
const C2PA: &str = "c2pa.org/digitalsourcetype/";

/// A source type as (vocabulary, term). Anything else is unknown, and matches nothing.
fn term_of(action: &Action) -> Option<(&'static str, &str)> {
    let address = action.digital_source_type.as_deref()?.trim();
    let address = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"))?;
    [IPTC, C2PA]
        .into_iter()
        .find_map(|vocabulary| Some((vocabulary, address.strip_prefix(vocabulary)?)))
}

fn inception_of(action: &Action) -> Option<Inception> {
    if !INCEPTION_ACTIONS.contains(&action.action.as_str()) {
        return None;
    }
    match term_of(action)? {
        (IPTC, "trainedAlgorithmicMedia") => Some(Inception::FullyGenAIMedia),
        (IPTC, "compositeWithTrainedAlgorithmicMedia") => Some(Inception::PartlyGenAICreation),
        (IPTC, "digitalCapture" | "computationalCapture") => Some(Inception::CapturedMedia),
        (IPTC, "compositeCapture") => Some(Inception::CapturedMediaStitched),
        (IPTC, "composite") => Some(Inception::CompositionMayContainGenAI),
        (IPTC, "screenCapture") => Some(Inception::ScreenCaptureMayContainGenAI),
        (IPTC, "digitalCreation") => Some(Inception::NonGenAIDigitalCreation),
        (C2PA, "empty") => Some(Inception::BlankCanvas),
        _ => None,
    }
}

fn transformations_of(action: &Action) -> Vec<Transformation> {
    let name = action.action.as_str();
    if NON_EDITORIAL_ACTIONS.contains(&name) {
        return vec![Transformation::NonEditorial];
    }
    if INCEPTION_ACTIONS.contains(&name) || action.digital_source_type.is_none() {
        return Vec::new();
    }
    match term_of(action) {
        Some((
            IPTC,
            "trainedAlgorithmicMedia"
            | "compositeWithTrainedAlgorithmicMedia"
            | "compositeSynthetic",
        ))
        | Some((C2PA, "trainedAlgorithmicData")) => vec![Transformation::PerceptibleGenAI],
        // The rubrics count these two on both sides: not surely generative, not surely without.
        Some((IPTC, "digitalArt" | "composite")) => {
            vec![
                Transformation::PerceptibleNonGenAI,
                Transformation::PerceptiblePossiblyGenAI,
            ]
        }
        _ => vec![Transformation::PerceptibleNonGenAI],
    }
}

fn is_ambiguous(declared: &Declared) -> bool {
    declared.actions.is_empty()
        || !declared.complete
        || declared.gathered
        || declared.cut
        || declared
            .actions
            .iter()
            .any(|a| !a.action.starts_with("c2pa.") || a.action == "c2pa.unknown")
}

#[cfg(test)]
mod tests {
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
            of(iptc("c2pa.transcoded", "trainedAlgorithmicMedia")),
            BTreeSet::from([NonEditorial])
        );
        assert!(of(action("c2pa.placed", "")).is_empty());
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
}
