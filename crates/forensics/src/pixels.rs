//! Analyses of decoded pictures: each a function of one [`Subject`], each with its own evidence.
//!
//! [`Inspection`] names those that may be run by themselves, as each of them may be what a hostile file is made for.

pub mod copy_move;
pub mod double_quantisation;
mod gate;
pub mod ghosts;
pub mod grid;
mod inspection;
mod map;
mod prepared;
#[cfg(test)]
pub(crate) mod samples;
pub mod thumbnail;
pub mod watermark;

use image::RgbImage;
use serde::{Deserialize, Serialize};

pub use gate::{FLAT_SHARE_MAX, GREY_LEVELS_MAX_OF_GRAPHICS, PIXELS_MIN, unlike_photo};
pub use inspection::{Inspection, inspect, inspect_signed_thumbnail};
pub use map::{MAP_SIDE_MAX, Map};
pub use prepared::Prepared;

use crate::evidence::{Evidence, Fact};
use crate::levels::{Levels, Unread};
use crate::raster::Plane;

/// What every analysis of pixels looks at. Made once per file.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The picture in full size, not turned.
    pub picture: &'a RgbImage,
    /// Its luma, of the same size.
    pub luma: &'a Plane,
    /// The luma coefficients as stored, or why there are none.
    pub levels: Result<&'a Levels, Unread>,
    /// Why the picture is not like a photo, in words for people; nothing if it is like one. Analyses that presume a
    /// photo do not apply then, and say this.
    pub unlike_photo: Option<&'a str>,
}

/// What one analysis found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// For the verdict. Exactly one piece per analysis, also when it does not apply.
    pub evidence: Evidence,
    /// For the reader.
    pub facts: Vec<Fact>,
    /// Where in the picture, if there is something to see.
    pub map: Option<Map>,
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
