//! What was tested and what was not: part of every result, and never empty.

use serde::{Deserialize, Serialize};

use crate::sniff::{Format, MediaKind};
use crate::text::clip;

/// Questions about generator and edit marks in metadata.
pub const DECLARED_MARKERS: &str = "declared_markers";
/// Questions about how the file is built.
pub const FILE_STRUCTURE: &str = "file_structure";
/// Questions about metadata that contradicts the picture.
pub const METADATA_CONSISTENCY: &str = "metadata_consistency";
/// The fingerprint under which similar pictures are found.
pub const PERCEPTUAL_FINGERPRINT: &str = "perceptual_fingerprint";

/// Traces of double compression, in all of the picture and in parts of it.
pub const DOUBLE_COMPRESSION: &str = "local_manipulation_pixels";
/// The grid of an earlier JPEG compression.
pub const JPEG_GRID: &str = "jpeg_grid_origin";
/// Parts of the picture copied within it.
pub const COPY_MOVE: &str = "copy_move";
/// The embedded small picture against the large one.
pub const THUMBNAIL_MISMATCH: &str = "thumbnail_mismatch";
/// Invisible watermarks with a public key.
pub const KNOWN_WATERMARK: &str = "known_watermark";

/// Only a learned detector answers these, and none is part of Assay.
const NEED_DETECTOR: [&str; 4] = [
    "face_swap",
    "lip_sync",
    "voice_clone",
    "ai_generated_pixels",
];

/// Tests on pixels that are not built, each with what it would look for.
const NOT_BUILT: [(&str, &str); 1] = [("sensor_noise", "the noise pattern of a camera")];

/// One question and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageItem {
    /// Which question.
    pub question: String,
    /// How it stands.
    pub status: CoverageStatus,
    /// Why, for people.
    pub why: String,
}

/// How a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// The test was made; its evidence says what it found.
    Tested,
    /// Nothing here can answer it.
    NotTested,
    /// It makes no sense for this file.
    NotApplicable,
    /// The test was begun and did not end.
    Aborted,
}

impl CoverageItem {
    /// How a question stands, and why.
    #[must_use]
    pub fn new(question: &str, status: CoverageStatus, why: impl AsRef<str>) -> Self {
        Self {
            question: question.to_owned(),
            status,
            why: clip(why.as_ref()),
        }
    }
}

/// The questions that no analysis of this crate answers, whatever the file.
///
/// A caller that has a detector for one of them replaces the item.
#[must_use]
pub fn unanswered() -> Vec<CoverageItem> {
    let detectors = NEED_DETECTOR
        .iter()
        .map(|question| not_tested(question, "no detector configured"));
    let pixels = NOT_BUILT.iter().map(|(question, what)| {
        not_tested(question, &format!("this version does not look for {what}"))
    });
    detectors.chain(pixels).collect()
}

/// Whether only a learned detector answers a question.
#[must_use]
pub fn needs_detector(question: &str) -> bool {
    NEED_DETECTOR.contains(&question)
}

fn not_tested(question: &str, why: &str) -> CoverageItem {
    CoverageItem::new(question, CoverageStatus::NotTested, why)
}

/// How a question of this crate stands for a format, if the test was made wherever it applies.
pub(crate) fn answered(question: &str, format: Format, applies: bool, what: &str) -> CoverageItem {
    if applies {
        return CoverageItem::new(question, CoverageStatus::Tested, what);
    }
    let mime = format.mime();
    match format.kind() {
        MediaKind::Image | MediaKind::Audio | MediaKind::Video => {
            not_tested(question, &format!("not built for {mime}"))
        }
        MediaKind::Document | MediaKind::Other => CoverageItem::new(
            question,
            CoverageStatus::NotApplicable,
            format!("{mime} is not a picture, a sound or a video"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_detector_is_never_passed_over_in_silence() {
        let items = unanswered();
        for question in NEED_DETECTOR {
            let item = items.iter().find(|item| item.question == question);
            let item = item.expect(question);
            assert_eq!(item.status, CoverageStatus::NotTested);
            assert!(!item.why.is_empty());
            assert!(needs_detector(question));
        }
        assert!(!needs_detector(COPY_MOVE));
    }

    #[test]
    fn text_is_not_applicable_and_an_unread_picture_not_tested() {
        let text = answered(FILE_STRUCTURE, Format::Text, false, "");
        assert_eq!(text.status, CoverageStatus::NotApplicable);
        let gif = answered(FILE_STRUCTURE, Format::Gif, false, "");
        assert_eq!(gif.status, CoverageStatus::NotTested);
        let jpeg = answered(FILE_STRUCTURE, Format::Jpeg, true, "markers");
        assert_eq!(jpeg.status, CoverageStatus::Tested);
    }
}
