//! A picture made ready for all analyses.

use image::RgbImage;

use super::Subject;
use super::gate::unlike_photo;
use crate::fingerprint::{Missing, describe};
use crate::levels::{Levels, Unread};
use crate::limits::Limits;
use crate::raster::{Plane, decode, luma};
use crate::sniff::Sniff;
use crate::structure::Structure;

/// A decoded picture with all that analyses look at.
#[derive(Debug)]
pub struct Prepared {
    picture: RgbImage,
    luma: Plane,
    levels: Result<Levels, Unread>,
    unlike_photo: Option<String>,
}

impl Prepared {
    /// Decodes within bounds.
    ///
    /// # Errors
    /// Why the picture could not be decoded. Coefficients that cannot be read are no reason: a decoder may show a
    /// picture of them all the same.
    pub fn of(
        bytes: &[u8],
        sniff: &Sniff,
        structure: &Structure,
        limits: &Limits,
    ) -> Result<Self, Missing> {
        let picture = decode(bytes, sniff, structure, limits)?.into_rgb8();
        let luma = luma(&picture).ok_or_else(|| Missing::Damaged {
            detail: "the picture has no pixels".to_owned(),
        })?;
        Ok(Self {
            unlike_photo: unlike_photo(&describe(&luma)),
            picture,
            luma,
            levels: Levels::read(bytes, limits),
        })
    }

    /// What analyses look at.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            picture: &self.picture,
            luma: &self.luma,
            levels: self.levels.as_ref().map_err(|unread| *unread),
            unlike_photo: self.unlike_photo.as_deref(),
        }
    }
}
