//! Two fingerprints: of the bytes (SHA-256) and of what the picture looks like.
//!
//! The perceptual fingerprint has 256 bits. The picture is turned to luma (ITU-R BT.601), averaged over areas down to
//! 64 × 64, transformed (DCT-II), and of the 16 × 16 lowest frequencies without the constant row and column each bit
//! says whether the coefficient is above their median. This is the construction of pHash (Zauner 2010) in the size of
//! PDQ (Facebook 2019); it is neither and not comparable with their hashes. Small changes (compression, scale,
//! brightness) flip few bits, unrelated pictures differ in about 128. It does not survive cropping. A copy that was
//! mirrored or turned has another fingerprint, which [`variants`] knows; [`FlatIndex`] finds what is near to any of them.

mod bits;
mod dct;
mod flat;
mod luma;
mod variants;

use image::DynamicImage;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bytes::index;
use crate::limits::Limits;
use crate::raster::{Plane, decode};
use crate::sniff::Sniff;
use crate::structure::Structure;
use luma::Small;

pub use bits::{Bits, FINGERPRINT_BYTES};
pub use flat::{ENTRIES_MAX, FlatIndex, Full, HITS_MAX, Hit, MATCH_DISTANCE_MAX};
pub(crate) use luma::describe;
pub use variants::{Pose, Turned, Variant, variants};

/// How the perceptual fingerprint was made. Only equal names compare.
pub const ALGORITHM: &str = "dct256.1";
/// Below this quality a picture is too flat for its fingerprint to mean anything.
pub const QUALITY_MIN: u32 = 50;

/// What was computed from the pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The perceptual fingerprint, if the picture could be decoded.
    pub perceptual: Option<Perceptual>,
    /// How the picture is distributed, if it could be decoded.
    pub picture: Option<Picture>,
    /// Why there is none.
    pub missing: Option<Missing>,
}

/// The perceptual fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Perceptual {
    /// 256 bits in hex, lowest frequencies first.
    pub hash: String,
    /// See [`ALGORITHM`].
    pub algorithm: String,
    /// 0 (flat) to 100: the sum of differences between neighbours of the 64 × 64 picture in hundredths of the
    /// range, over 90. Below [`QUALITY_MIN`] do not compare.
    pub quality: u32,
    /// The fingerprints of its mirror images; nothing in one that was taken before they were.
    #[serde(default)]
    pub turned: Option<Turned>,
}

/// Figures that tell a photo from a drawing. Recorded, not judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Decoded width.
    pub width: u32,
    /// Decoded height.
    pub height: u32,
    /// Share of pixels equal to their right and lower neighbours.
    pub flat_share: f64,
    /// Different grey levels, 1 to 256.
    pub grey_levels: u32,
}

/// Why there is no perceptual fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Missing {
    /// Pictures of this format are not decoded.
    NotDecoded {
        /// Its media type.
        mime: String,
    },
    /// A bound of the structure, or of the decoder, was hit.
    Limit {
        /// Which.
        detail: String,
    },
    /// The picture is of a kind of its format that hardly anybody reads, and the decoder does not either.
    Unsupported {
        /// Which.
        detail: String,
    },
    /// The decoder gave up.
    Damaged {
        /// The decoder's words.
        detail: String,
    },
}

/// SHA-256 of the bytes, in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Decodes within bounds and computes what depends on pixels.
#[must_use]
pub fn fingerprint(
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> Fingerprint {
    match decode(bytes, sniff, structure, limits) {
        Ok(image) => measure(image),
        Err(missing) => Fingerprint {
            perceptual: None,
            picture: None,
            missing: Some(missing),
        },
    }
}

/// Bits in which two fingerprints differ; nothing if one is none of ours.
#[must_use]
pub fn distance(left: &Perceptual, right: &Perceptual) -> Option<u32> {
    if left.algorithm != right.algorithm {
        return None;
    }
    Some(Bits::parse(&left.hash)?.distance(Bits::parse(&right.hash)?))
}

/// What is compared of a picture; nothing if it is too flat, or the fingerprint none of ours.
#[must_use]
pub fn comparable(perceptual: &Perceptual) -> Option<Bits> {
    let ours = perceptual.algorithm == ALGORITHM && perceptual.quality >= QUALITY_MIN;
    if ours {
        Bits::parse(&perceptual.hash)
    } else {
        None
    }
}

fn measure(image: DynamicImage) -> Fingerprint {
    let luma = image.into_luma8();
    let small = luma::reduce(&luma);
    let perceptual = small.map(|small| perceive(&small));
    Fingerprint {
        missing: perceptual.is_none().then(|| Missing::Damaged {
            detail: "the picture has no pixels".to_owned(),
        }),
        perceptual,
        picture: Plane::new(index(luma.width()), luma.into_raw()).map(|luma| describe(&luma)),
    }
}

fn perceive(small: &Small) -> Perceptual {
    let coefficients = dct::transform(small);
    Perceptual {
        hash: dct::above_median(&coefficients).to_string(),
        algorithm: ALGORITHM.to_owned(),
        quality: luma::quality(small),
        turned: Some(Turned::of(&coefficients)),
    }
}

#[cfg(test)]
mod tests;
