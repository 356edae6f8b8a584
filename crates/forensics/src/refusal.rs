//! Why a file was not analysed: the file's own fault, so that trying again does not help.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sniff::MediaKind;

/// A refusal, with one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// No bytes.
    #[error("read media: the file is empty; send the media itself")]
    EmptyInput,
    /// A header that promises media, and no media behind it.
    #[error("read {mime}: {reason}; the file is damaged, send an intact copy")]
    CorruptMedia {
        /// What the first bytes promise.
        mime: String,
        /// What is wrong.
        reason: String,
    },
    /// Too many bytes for its kind.
    #[error("read {kind} of {bytes} bytes: at most {bytes_max} are allowed; send a smaller file")]
    LimitBytes {
        /// Kind of media.
        kind: MediaKind,
        /// Size of the file.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// The header declares too large a picture.
    #[error(
        "decode picture of {width} x {height} pixels: at most {pixels_max} pixels and {side_pixels_max} \
         along a side are allowed; send a smaller picture"
    )]
    LimitPixels {
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
        /// Bound on the area.
        pixels_max: u64,
        /// Bound on a side.
        side_pixels_max: u32,
    },
}

impl Refusal {
    /// The failure class, as in results and metrics.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::EmptyInput => "empty_input",
            Self::CorruptMedia { .. } => "corrupt_media",
            Self::LimitBytes { .. } => "limit_bytes",
            Self::LimitPixels { .. } => "limit_pixels",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_is_the_tag_in_json() {
        let refusal = Refusal::LimitPixels {
            width: 60_000,
            height: 60_000,
            pixels_max: 64_000_000,
            side_pixels_max: 20_000,
        };
        let json = serde_json::to_value(&refusal).expect("serialise");
        assert_eq!(json["class"], refusal.class());
        let sentence = refusal.to_string();
        assert!(
            sentence.starts_with("decode picture of 60000 x 60000 pixels"),
            "{sentence}"
        );
    }
}
