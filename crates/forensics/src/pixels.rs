//! Analyses of decoded pictures: each a function of one [`Subject`], each with its own evidence.

pub mod copy_move;
pub mod double_quantisation;
mod gate;
pub mod ghosts;
pub mod grid;
#[cfg(test)]
pub(crate) mod samples;
pub mod thumbnail;
pub mod watermark;

pub use gate::{FLAT_SHARE_MAX, GREY_LEVELS_MAX_OF_GRAPHICS, PIXELS_MIN, unlike_photo};

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Fact};
use crate::levels::Levels;
use crate::raster::Plane;

/// What every analysis of pixels looks at. Made once per file.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The picture in full size, not turned.
    pub picture: &'a RgbImage,
    /// Its luma, of the same size.
    pub luma: &'a Plane,
    /// The luma coefficients as stored; nothing if the file is no JPEG, or they could not be read.
    pub levels: Option<&'a Levels>,
    /// Why the picture is not like a photo, in words for people; nothing if it is like one. Analyses that presume a
    /// photo do not apply then, and say this.
    pub unlike_photo: Option<&'a str>,
}

/// What one analysis found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// For the verdict. Exactly one piece per analysis, also when it does not apply.
    pub evidence: Evidence,
    /// For the reader.
    pub facts: Vec<Fact>,
    /// Where in the picture, if there is something to see.
    pub map: Option<Map>,
}

/// A picture of how strongly an analysis speaks at each place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Pixels of the picture along each side of one cell.
    pub cell_pixels: u32,
    /// Cells of a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// 0 (nothing) to 255 (most), row by row.
    pub cells: Vec<u8>,
}

impl From<Evidence> for Found {
    /// A finding without facts or a map.
    fn from(evidence: Evidence) -> Self {
        Self {
            evidence,
            facts: Vec::new(),
            map: None,
        }
    }
}
