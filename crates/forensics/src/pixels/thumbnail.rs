//! The embedded small picture against the large one: software that changes a picture may leave the small one as it was.
//!
//! Kee and Farid ("Digital image authentication from thumbnails", SPIE Media Forensics and Security, 2010) compare how
//! a camera makes its thumbnails; here only what the two show is compared. The thumbnail is turned as the picture is
//! stored, freed of black bars, and laid over the picture, which is averaged down to its pixels. They differ if their
//! normalised correlation is below [`NCC_MIN`], or if an area of more than [`AREA_SHARE_MIN`] shows other grey levels
//! once brightness and contrast are made equal.
//!
//! What changes the whole picture (turning, cropping, tones) is a fact and weighs nothing: local manipulation is the
//! question.

mod align;
mod bars;
mod crop;
mod difference;
mod frame;
mod grey;

use image::RgbImage;

use align::{Alignment, Fit, align};
use difference::Difference;
use frame::{PLAIN, SHARED_MIN};
use grey::{Grey, Sums};

use super::{Found, Map, Subject};
use crate::bytes::index;
use crate::evidence::{CAP_UNCALIBRATED, Evidence, Fact, Family, LogRatios, Region};
use crate::limits::Limits;
use crate::raster::{self, Plane};
use crate::sniff::{Hints, sniff};
use crate::structure::structure;

/// Normalised correlation below which a thumbnail shows something else.
pub const NCC_MIN: f64 = 0.9;
/// Share of the thumbnail that an area must exceed to count as different.
pub const AREA_SHARE_MIN: f64 = 0.02;
/// Pixels along either side of a thumbnail that can be compared, at least.
pub const SIDE_MIN: usize = 32;
/// Pixels along a side of a thumbnail that is decoded, at most.
pub const SIDE_MAX: u32 = 2_048;

/// Longer side to which thumbnails are reduced. Those of credentials can be a thousand pixels wide.
const WORK_SIDE: usize = 256;
/// Longer side to which pictures are reduced before they are laid under a thumbnail.
const PICTURE_SIDE: usize = 1_024;
/// Deviation of grey levels that a thumbnail must have. Twice what is plain, so that a pale one is not unlike its picture
/// by a hair.
const CONTRAST_MIN: f64 = 2.0 * PLAIN;
const DECODE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// log10 LR of a small picture that shows something else, before its cap.
pub const LOG10_LR: f64 = 1.0;
/// Change of contrast, relative, or of brightness, in grey levels, that is told.
const GAIN_TOLD: f64 = 0.15;
const OFFSET_TOLD: f64 = 12.0;

/// Where a thumbnail comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThumbnailOrigin {
    /// The EXIF block, which anybody can write.
    Exif,
    /// A signed credential whose hashes hold.
    Credential,
}

impl ThumbnailOrigin {
    /// Name of the analysis.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Exif => "thumbnail.exif",
            Self::Credential => "thumbnail.credential",
        }
    }

    fn caveat(self) -> &'static str {
        match self {
            Self::Exif => "Anybody can write any small picture into a file.",
            Self::Credential => "The small picture is the signer's, who may have signed any.",
        }
    }
}

/// Decodes a thumbnail within bounds of its own; nothing if it is no JPEG or PNG, or damaged, or too large.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<RgbImage> {
    let limits = Limits {
        side_pixels_max: SIDE_MAX,
        decode_bytes_max: DECODE_BYTES_MAX,
        ..Limits::default()
    };
    let sniff = sniff(bytes, &Hints::default(), &limits).ok()?;
    let structure = structure(bytes, &sniff, &limits).ok()?;
    let picture = raster::decode(bytes, &sniff, &structure, &limits).ok()?;
    Some(picture.into_rgb8())
}

/// Compares a thumbnail with the picture that it is embedded in.
///
/// `orientation` is the picture's, as EXIF has it (1 to 8).
#[must_use]
pub fn inspect(
    subject: &Subject<'_>,
    thumbnail: &RgbImage,
    orientation: Option<u32>,
    origin: ThumbnailOrigin,
) -> Found {
    let not_applicable = |why| {
        Found::from(Evidence::not_applicable(
            origin.id(),
            Family::Thumbnail,
            why,
        ))
    };
    if index(thumbnail.width().min(thumbnail.height())) < SIDE_MIN {
        return not_applicable("The small picture is too small to compare.");
    }
    let small = raster::luma(thumbnail).and_then(|luma| Grey::reduced(&luma, WORK_SIDE));
    let large = Grey::reduced(subject.luma, PICTURE_SIDE);
    let (Some((small, _)), Some((large, square))) = (small, large) else {
        return not_applicable("One of the pictures has too few pixels.");
    };
    if deviation(&small) < CONTRAST_MIN {
        return not_applicable("The small picture is plain and shows nothing.");
    }
    let picture = Sums::of(&large);
    let orientation = orientation.unwrap_or(1);
    let mut alignment = align(&small, &picture, orientation);
    let mut is_negative = false;
    if alignment.fit == Fit::Unlike {
        let negative = align(&small.negative(), &picture, orientation);
        is_negative = negative.fit != Fit::Unlike;
        if is_negative {
            alignment = negative;
        }
    }
    let comparison = Comparison {
        difference: difference::difference(&alignment, &picture),
        alignment,
        is_negative,
        square: square as f64,
    };
    if comparison.difference.compared < SHARED_MIN {
        return not_applicable(
            "The two pictures have too little in common in shape to compare them.",
        );
    }
    comparison.found(subject.luma, origin)
}

fn deviation(grey: &Grey) -> f64 {
    let samples = || grey.rows().flatten().copied().map(f64::from);
    let count = (grey.width * grey.height) as f64;
    let mean = samples().sum::<f64>() / count;
    let squares: f64 = samples().map(|level| (level - mean) * (level - mean)).sum();
    (squares / count).sqrt()
}

/// A thumbnail over its picture, and what differs.
struct Comparison {
    alignment: Alignment,
    difference: Difference,
    /// One of the two is the negative of the other.
    is_negative: bool,
    /// Pixels of the picture along a side of what the thumbnail was laid over.
    square: f64,
}

impl Comparison {
    fn found(&self, plane: &Plane, origin: ThumbnailOrigin) -> Found {
        let has_area = self.difference.share() > AREA_SHARE_MIN;
        let is_unlike = self.alignment.fit == Fit::Unlike && !(has_area && self.is_like_beside());
        let evidence = self.evidence(is_unlike, has_area, origin);
        let is_different = is_unlike || has_area;
        Found {
            evidence: self.with_figures(evidence, has_area.then(|| self.region(plane)).flatten()),
            facts: self.facts(),
            map: is_different.then(|| self.map(plane)).flatten(),
        }
    }

    /// Whether the pictures are alike where they do not differ, and that is most of them: what was changed is large, or
    /// strong, and the rest is as it was.
    fn is_like_beside(&self) -> bool {
        let Difference { compared, rest, .. } = &self.difference;
        rest.shared > compared / 3 * 2 && rest.rho() >= NCC_MIN
    }

    fn evidence(&self, is_unlike: bool, has_area: bool, origin: ThumbnailOrigin) -> Evidence {
        let neutral =
            |finding, explain| Evidence::neutral(origin.id(), Family::Thumbnail, finding, explain);
        let evidence = if is_unlike {
            neutral(
                "unlike",
                "The embedded small picture does not show what the picture shows.",
            )
        } else if has_area {
            neutral(
                "area",
                "In one area the embedded small picture shows something else than the picture: it was changed since.",
            )
        } else {
            return neutral(
                "none",
                "The embedded small picture shows the same as the picture.",
            )
            .caveat("Most software makes a new small picture when it saves.");
        };
        evidence
            .weighing(LogRatios::manipulated(LOG10_LR), CAP_UNCALIBRATED)
            .caveat("A caption, a frame or a stamp added by software that leaves the small picture looks the same.")
            .caveat(origin.caveat())
    }

    fn with_figures(&self, mut evidence: Evidence, region: Option<Region>) -> Evidence {
        evidence.regions.extend(region);
        evidence
            .metric("ncc", self.alignment.ncc)
            .metric("area_share", self.difference.share())
            .metric("gain", self.difference.gain)
            .metric("offset", self.difference.offset)
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.is_negative {
            facts.push(Fact::new(
                "negative_since_thumbnail",
                "what is bright in the embedded small picture is dark in the picture",
            ));
        }
        match self.alignment.fit {
            Fit::Expected => {}
            Fit::Turned => facts.push(Fact::new(
                "turned_since_thumbnail",
                "the embedded small picture is turned or mirrored against the picture",
            )),
            Fit::Cropped => facts.push(Fact::new(
                "cropped_since_thumbnail",
                "the embedded small picture shows more than the picture: it was cropped",
            )),
            // Their tones say nothing.
            Fit::Unlike => return facts,
        }
        let Difference { gain, offset, .. } = self.difference;
        if (gain - 1.0).abs() > GAIN_TOLD || offset.abs() > OFFSET_TOLD {
            let detail = format!(
                "the embedded small picture has {gain:.2} times the contrast and is {offset:+.0} grey levels brighter"
            );
            facts.push(Fact::new("tones_changed_since_thumbnail", detail));
        }
        facts
    }

    /// The area that differs, in pixels of the picture.
    fn region(&self, plane: &Plane) -> Option<Region> {
        let [left, top, right, bottom] = self.difference.bounds?;
        let first = self.alignment.frame.covered(left, top);
        let last = self
            .alignment
            .frame
            .covered(right.checked_sub(1)?, bottom.checked_sub(1)?);
        let x = pixel(first.left * self.square, plane.width());
        let y = pixel(first.top * self.square, plane.height());
        let w = pixel(last.right * self.square, plane.width()).checked_sub(x)?;
        let h = pixel(last.bottom * self.square, plane.height()).checked_sub(y)?;
        Some(Region { x, y, w, h })
    }

    /// The difference at each place: black where there is none, white from twice the threshold on.
    fn map(&self, plane: &Plane) -> Option<Map> {
        let frame = &self.alignment.frame;
        let step = frame.step_x.max(frame.step_y) * self.square;
        let cell_pixels = pixel(step, plane.width().max(plane.height())).max(1);
        let cells_along = |side: usize| u32::try_from(side).ok().map(|s| s.div_ceil(cell_pixels));
        let (columns, rows) = (cells_along(plane.width())?, cells_along(plane.height())?);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        let middle = |cell: u32| (f64::from(cell) + 0.5) * f64::from(cell_pixels) / self.square;
        let cells = places.map(|(column, row)| {
            let i = (middle(column) - frame.x) / frame.step_x;
            let j = (middle(row) - frame.y) / frame.step_y;
            if i < 0.0 || j < 0.0 {
                return 0;
            }
            let (i, j) = (pixel(i.floor(), usize::MAX), pixel(j.floor(), usize::MAX));
            shade(self.difference.at(index(i), index(j)).unwrap_or_default())
        });
        Some(Map {
            cell_pixels,
            columns,
            rows,
            cells: cells.collect(),
        })
    }
}

/// A place as a whole pixel within `0..=end`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded and clamped, and a cast saturates"
)]
fn pixel(place: f64, end: usize) -> u32 {
    place.round().clamp(0.0, end as f64) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to a byte")]
fn shade(difference: f64) -> u8 {
    (difference.abs() / (2.0 * difference::DIFFERENCE_MIN) * 255.0).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests;
