//! Which analyses of pixels there are, and which question each of them answers.

use serde::{Deserialize, Serialize};

use super::thumbnail::{self, ThumbnailOrigin};
use super::{Found, Prepared, Subject, copy_move, double_quantisation, ghosts, grid, watermark};
use crate::coverage;
use crate::document;
use crate::evidence::{Evidence, Family};
use crate::fingerprint::Missing;
use crate::limits::Limits;
use crate::metadata::{exif_thumbnail, metadata};
use crate::sniff::Sniff;
use crate::structure::Structure;

/// An analysis of pixels that may run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// Traces of a compression before the last one, in the coefficients.
    DoubleQuantisation,
    /// The grid of blocks of an earlier compression, in the pixels.
    Grid,
    /// Parts of the picture copied within it.
    CopyMove,
    /// The embedded small picture against the large one.
    Thumbnail,
    /// Invisible marks with a public key.
    Watermark,
}

impl Inspection {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 5] = [
        Self::DoubleQuantisation,
        Self::Grid,
        Self::CopyMove,
        Self::Thumbnail,
        Self::Watermark,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DoubleQuantisation => "double_quantisation",
            Self::Grid => "grid",
            Self::CopyMove => "copy_move",
            Self::Thumbnail => "thumbnail",
            Self::Watermark => "watermark",
        }
    }

    /// The question of the coverage that it answers.
    #[must_use]
    pub fn question(self) -> &'static str {
        match self {
            Self::DoubleQuantisation => coverage::DOUBLE_COMPRESSION,
            Self::Grid => coverage::JPEG_GRID,
            Self::CopyMove => coverage::COPY_MOVE,
            Self::Thumbnail => coverage::THUMBNAIL_MISMATCH,
            Self::Watermark => coverage::KNOWN_WATERMARK,
        }
    }

    fn family(self) -> Family {
        match self {
            Self::DoubleQuantisation | Self::Grid => Family::JpegHistory,
            Self::CopyMove => Family::SelfSimilarity,
            Self::Thumbnail => Family::Thumbnail,
            Self::Watermark => Family::Watermark,
        }
    }

    fn not_applicable(self, why: &str) -> Vec<Found> {
        vec![Evidence::not_applicable(self.name(), self.family(), why).into()]
    }

    /// The picture is there, and could not be looked at.
    pub(crate) fn unread(self, why: &str) -> Vec<Found> {
        let silent = Evidence::not_applicable(self.name(), self.family(), why);
        vec![silent.unread().into()]
    }
}

/// Runs one analysis over a file, or over each of the pictures of a document; at least one finding.
#[must_use]
pub fn inspect(
    inspection: Inspection,
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> Vec<Found> {
    let pictures = document::pictures(Some(structure));
    if !pictures.is_empty() {
        return document::inspect_pictures(inspection, bytes, pictures, limits);
    }
    let prepared = match Prepared::of(bytes, sniff, structure, limits) {
        Ok(prepared) => prepared,
        Err(Missing::NotDecoded { mime }) => {
            return inspection.not_applicable(&format!("Pictures are not decoded from {mime}."));
        }
        Err(
            Missing::Limit { detail }
            | Missing::Unsupported { detail }
            | Missing::Damaged { detail },
        ) => {
            return inspection.unread(&format!("The picture was not decoded: {detail}."));
        }
    };
    let subject = prepared.subject();
    match inspection {
        Inspection::DoubleQuantisation => vec![
            double_quantisation::inspect(&subject),
            double_quantisation::local::inspect(&subject),
            ghosts::inspect(&subject),
        ],
        Inspection::Grid => {
            let grid = grid::grid(&subject);
            vec![grid.origin, grid.foreign]
        }
        Inspection::CopyMove => vec![copy_move::inspect(&subject)],
        Inspection::Thumbnail => against_thumbnail(&subject, bytes, sniff, structure, limits),
        Inspection::Watermark => vec![watermark::inspect(&subject)],
    }
}

fn against_thumbnail(
    subject: &Subject<'_>,
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> Vec<Found> {
    let this = Inspection::Thumbnail;
    let Some(embedded) = exif_thumbnail(bytes, structure) else {
        return this.not_applicable("The file has no small picture of itself.");
    };
    let Some(small) = thumbnail::decode(embedded) else {
        return this.not_applicable("The embedded small picture cannot be decoded.");
    };
    let orientation = orientation(bytes, sniff, structure, limits);
    let origin = ThumbnailOrigin::Exif;
    vec![thumbnail::inspect(subject, &small, orientation, origin)]
}

fn orientation(bytes: &[u8], sniff: &Sniff, structure: &Structure, limits: &Limits) -> Option<u32> {
    let exif = metadata(bytes, sniff, structure, limits).exif;
    exif.and_then(|exif| exif.orientation)
}

/// Compares the picture of a file with the small one that a signed credential of the file holds; nothing if either cannot
/// be decoded. That the signature holds is for the caller to know.
#[must_use]
pub fn inspect_signed_thumbnail(
    signed: &[u8],
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> Option<Found> {
    let small = thumbnail::decode(signed)?;
    let prepared = Prepared::of(bytes, sniff, structure, limits).ok()?;
    let orientation = orientation(bytes, sniff, structure, limits);
    let origin = ThumbnailOrigin::Credential;
    Some(thumbnail::inspect(
        &prepared.subject(),
        &small,
        orientation,
        origin,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::sniff::{Hints, sniff};
    use crate::structure::structure;

    fn see(inspection: Inspection, bytes: &[u8]) -> Vec<Found> {
        let limits = Limits::default();
        let sniff = sniff(bytes, &Hints::default(), &limits).expect("a file");
        let structure = structure(bytes, &sniff, &limits).expect("a structure");
        inspect(inspection, bytes, &sniff, &structure, &limits)
    }

    #[test]
    fn each_says_something_about_any_file() {
        for bytes in [&samples::jpeg(90)[..], &samples::png(), b"some words"] {
            for inspection in Inspection::ALL {
                let found = see(inspection, bytes);
                assert!(!found.is_empty(), "{inspection:?}");
                for found in found {
                    assert!(!found.evidence.explain.is_empty(), "{inspection:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_is_the_one_in_json() {
        for inspection in Inspection::ALL {
            let json = serde_json::to_value(inspection).expect("a name");
            assert_eq!(json, inspection.name());
        }
    }
}
