//! What declared actions mean, in the vocabulary of the C2PA conformance programme's asset rubrics.
//!
//! The names and the rules they stand for are those of the rubrics of 2026-08-06 (C2PA, CC BY 4.0); this is our own
//! reading of them. Signals are local to one manifest: an edited photograph carries `capturedMedia` in its parent's
//! manifest, not in its own. They say what a signer declared, never whether it is so.
//!
//! Wider than the rubrics in four ways: actions assertions of the old version count, so do addresses with `https`,
//! every ingredient without a credential counts as unknown provenance, not only the first, and what changes the content
//! without a declared source, or is said to change nothing with a generative one, may be generative: nobody says that it is
//! not.

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
    if INCEPTION_ACTIONS.contains(&name) {
        return Vec::new();
    }
    let is_generative = is_generative(action);
    if NON_EDITORIAL_ACTIONS.contains(&name) {
        let mut signals = vec![Transformation::NonEditorial];
        signals.extend(is_generative.then_some(Transformation::PerceptiblePossiblyGenAI));
        return signals;
    }
    if action.digital_source_type.is_none() {
        return vec![Transformation::PerceptiblePossiblyGenAI];
    }
    match term_of(action) {
        _ if is_generative => vec![Transformation::PerceptibleGenAI],
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

/// Whether the declared source is a generative model, wholly or partly.
fn is_generative(action: &Action) -> bool {
    let terms = [
        (IPTC, "trainedAlgorithmicMedia"),
        (IPTC, "compositeWithTrainedAlgorithmicMedia"),
        (IPTC, "compositeSynthetic"),
        (C2PA, "trainedAlgorithmicData"),
    ];
    term_of(action).is_some_and(|term| terms.contains(&term))
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
mod tests;
