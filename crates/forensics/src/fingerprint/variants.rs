//! The eight positions in which a copy of a picture may lie, and its fingerprint in each.
//!
//! The cosines of odd frequencies change their sign when a line is read backwards, those of even ones do not, and
//! transposing a picture transposes its coefficients (both follow from the definition of the DCT-II). So the fingerprints
//! of a picture's mirror images come from the coefficients of the picture itself, each with the median of its own; and those of
//! its quarter turns from the bits of the mirror images, for transposing changes no median. What is kept of a picture is
//! its fingerprint as it lies; what is looked for are all eight.

use serde::{Deserialize, Serialize};

use super::bits::{Bits, FREQUENCIES};
use super::dct::{Coefficients, above_median};
use super::{Perceptual, comparable};

/// How a picture lies, beside another that is the same otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pose {
    /// The same way.
    Upright,
    /// Left and right exchanged.
    Mirrored,
    /// Above and below exchanged.
    UpsideDown,
    /// Turned by 180 degrees.
    HalfTurn,
    /// Columns and rows exchanged.
    Transposed,
    /// Turned by 90 degrees clockwise.
    RightTurn,
    /// Turned by 90 degrees counterclockwise.
    LeftTurn,
    /// Turned by 180 degrees, and columns and rows exchanged.
    Transverse,
}

impl Pose {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::Mirrored,
        Self::UpsideDown,
        Self::HalfTurn,
        Self::Transposed,
        Self::RightTurn,
        Self::LeftTurn,
        Self::Transverse,
    ];
}

/// Fingerprints of a picture's mirror images, each 256 bits in hex. With that of the picture itself they are all that
/// [`variants`] needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    /// Of [`Pose::Mirrored`].
    pub mirrored: String,
    /// Of [`Pose::UpsideDown`].
    pub upside_down: String,
    /// Of [`Pose::HalfTurn`].
    pub half_turn: String,
}

/// What a copy that lies in `pose` has for a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// How the copy lies.
    pub pose: Pose,
    /// Its fingerprint.
    pub bits: Bits,
}

/// The fingerprints of all copies of a picture, upright first. None if the picture is [not comparable](comparable); two
/// if its fingerprint is of before those of its mirror images were taken.
#[must_use]
pub fn variants(perceptual: &Perceptual) -> Vec<Variant> {
    let Some(upright) = comparable(perceptual) else {
        return Vec::new();
    };
    let mut known = vec![(Pose::Upright, Pose::Transposed, Some(upright))];
    if let Some(turned) = &perceptual.turned {
        let parse = |hex: &str| Bits::parse(hex);
        known.extend([
            (Pose::Mirrored, Pose::LeftTurn, parse(&turned.mirrored)),
            (
                Pose::UpsideDown,
                Pose::RightTurn,
                parse(&turned.upside_down),
            ),
            (Pose::HalfTurn, Pose::Transverse, parse(&turned.half_turn)),
        ]);
    }
    let mut variants = Vec::with_capacity(Pose::ALL.len());
    for (pose, transposed, bits) in known {
        let Some(bits) = bits else { continue };
        variants.push(Variant { pose, bits });
        variants.push(Variant {
            pose: transposed,
            bits: bits.transposed(),
        });
    }
    variants
}

impl Turned {
    pub(super) fn of(coefficients: &Coefficients) -> Self {
        let hash = |flip| above_median(&flipped(coefficients, flip)).to_string();
        Self {
            mirrored: hash(Flip {
                rows: true,
                columns: false,
            }),
            upside_down: hash(Flip {
                rows: false,
                columns: true,
            }),
            half_turn: hash(Flip {
                rows: true,
                columns: true,
            }),
        }
    }
}

/// Which lines are read backwards.
#[derive(Clone, Copy)]
struct Flip {
    rows: bool,
    columns: bool,
}

fn flipped(coefficients: &Coefficients, flip: Flip) -> Coefficients {
    // The first coefficient is that of frequency 1.
    let odd = |place: usize| place.is_multiple_of(2);
    let mut flipped = *coefficients;
    for (place, value) in flipped.iter_mut().enumerate() {
        let along_rows = flip.rows && odd(place % FREQUENCIES);
        let along_columns = flip.columns && odd(place / FREQUENCIES);
        if along_rows != along_columns {
            *value = -*value;
        }
    }
    flipped
}
