//! What makes a photograph show what was not there.

use assay_forensics::Region;
use image::RgbImage;
use image::imageops::crop_imm;

use super::{Made, Save};
use crate::edit::cropped;
use crate::edit::paste::{copy_within, paste};
use crate::error::Error;
use crate::jpeg;
use crate::original::Original;
use crate::random::Random;

/// Side of what is pasted, in pixels.
const PASTED_SIDE: u32 = 128;
/// Side of what is copied within a picture, in pixels.
const COPIED_SIDE: u32 = 80;
/// By how much it is moved, to the right and downwards.
const COPIED_SHIFT: (u32, u32) = (61, 150);
/// Sides of a JPEG block.
const BLOCK: u32 = 8;
/// Of which part of each side a part is replaced that is meant to be seen in a thumbnail.
const SEEN_PART: u32 = 2;
/// Of which part of each side is cut off where a thumbnail still shows it.
const CUT_PART: u32 = 6;

/// One way to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Part of another photograph is put into a JPEG of quality `first`.
    Pasted {
        /// How it lies on the grid of that JPEG.
        grid: Grid,
        /// Quality of the JPEG.
        first: u8,
        /// How the result is saved.
        save: Save,
    },
    /// A part of the picture is copied elsewhere within it.
    Copied {
        /// How the result is saved.
        save: Save,
    },
    /// Part of another photograph is put in, and the thumbnail still shows what was there.
    ReplacedBehindThumbnail(u8),
    /// A part is cut off that the thumbnail still shows.
    CutBehindThumbnail(u8),
}

/// How a pasted part lies on the grid of the JPEG below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    /// On it. The part was never compressed: with the same past as its new place it could not be told.
    On,
    /// Beside it. The part was compressed like the picture, so that it brings a grid of its own.
    Off,
}

impl Lie {
    /// Makes the file.
    ///
    /// # Errors
    /// [`Error::TooSmall`] if the picture has no room for it, or what encoders and decoders say.
    pub fn make(&self, original: &Original) -> Result<Made, Error> {
        match *self {
            Self::Pasted { grid, first, save } => pasted(original, grid, first, save),
            Self::Copied { save } => copied(original, save),
            Self::ReplacedBehindThumbnail(quality) => replaced(original, quality),
            Self::CutBehindThumbnail(quality) => {
                let picture = &original.picture;
                let (x, y) = (picture.width() / CUT_PART, picture.height() / CUT_PART);
                behind_thumbnail(original, &cropped(picture, x, y), quality).map(Made::from)
            }
        }
    }
}

fn pasted(original: &Original, grid: Grid, first: u8, save: Save) -> Result<Made, Error> {
    let side_min = PASTED_SIDE + 2 * BLOCK;
    for picture in [&original.picture, &original.donor] {
        check_room(picture, "paste", side_min)?;
    }
    let mut random = Random::new(original.seed);
    let mut picture = jpeg::through(&original.picture, first)?;
    let (x, y) = on_grid(&picture, &mut random);
    let (part, dx, dy) = match grid {
        Grid::On => (patch(&original.donor, &mut random), 0, 0),
        Grid::Off => {
            let donor = jpeg::through(&original.donor, first)?;
            let beside = [(); 2].map(|()| 1 + random.below(BLOCK - 1));
            (patch(&donor, &mut random), beside[0], beside[1])
        }
    };
    let changed = paste(&mut picture, &part, x + dx, y + dy);
    finished(original, &picture, save, changed)
}

fn copied(original: &Original, save: Save) -> Result<Made, Error> {
    let mut picture = original.picture.clone();
    let changed = copy_within(&mut picture, COPIED_SIDE, COPIED_SHIFT);
    let side_min = COPIED_SIDE + COPIED_SHIFT.0.max(COPIED_SHIFT.1);
    let changed = changed.ok_or_else(|| too_small(&picture, "copy", side_min))?;
    finished(original, &picture, save, changed)
}

fn replaced(original: &Original, quality: u8) -> Result<Made, Error> {
    let mut picture = original.picture.clone();
    let (width, height) = (picture.width() / SEEN_PART, picture.height() / SEEN_PART);
    let part = crop_imm(&original.donor, 0, 0, width, height).to_image();
    let changed = paste(&mut picture, &part, width / 2, height / 2);
    Ok(Made {
        bytes: behind_thumbnail(original, &picture, quality)?,
        changed: Some(changed),
    })
}

/// Saves `picture` with the thumbnail of the original.
fn behind_thumbnail(
    original: &Original,
    picture: &RgbImage,
    quality: u8,
) -> Result<Vec<u8>, Error> {
    let thumbnail = original.camera.thumbnail(&original.picture)?;
    original
        .camera
        .write(picture, quality, thumbnail.as_deref())
}

fn finished(
    original: &Original,
    picture: &RgbImage,
    save: Save,
    changed: Region,
) -> Result<Made, Error> {
    Ok(Made {
        bytes: save.write(picture, &original.camera)?,
        changed: Some(changed),
    })
}

/// Where a part may begin on the grid, with room for it and for a shift beside the grid.
fn on_grid(picture: &RgbImage, random: &mut Random) -> (u32, u32) {
    let mut begin = |length: u32| {
        let blocks = length.saturating_sub(PASTED_SIDE + BLOCK) / BLOCK;
        random.below(blocks + 1) * BLOCK
    };
    (begin(picture.width()), begin(picture.height()))
}

/// A part of the donor that begins on its grid.
fn patch(donor: &RgbImage, random: &mut Random) -> RgbImage {
    let (x, y) = on_grid(donor, random);
    crop_imm(donor, x, y, PASTED_SIDE, PASTED_SIDE).to_image()
}

fn check_room(picture: &RgbImage, what: &'static str, side_min: u32) -> Result<(), Error> {
    if picture.width().min(picture.height()) < side_min {
        return Err(too_small(picture, what, side_min));
    }
    Ok(())
}

fn too_small(picture: &RgbImage, what: &'static str, side_min: u32) -> Error {
    Error::TooSmall {
        what,
        width: picture.width(),
        height: picture.height(),
        side_min,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Camera, FIRST};

    fn original(camera: Camera) -> Original {
        Original::taken(&camera, 2).unwrap()
    }

    fn paste_of(grid: Grid) -> Lie {
        Lie::Pasted {
            grid,
            first: 75,
            save: Save::Png,
        }
    }

    #[test]
    fn what_is_pasted_lies_where_it_is_said() {
        let original = original(FIRST.sized(320, 288));
        let below = jpeg::through(&original.picture, 75).unwrap();
        for grid in [Grid::On, Grid::Off] {
            let made = paste_of(grid).make(&original).unwrap();
            let region = made.changed.unwrap();
            let is_on_grid = region.x.is_multiple_of(BLOCK) && region.y.is_multiple_of(BLOCK);
            assert_eq!(is_on_grid, grid == Grid::On, "{region:?}");
            assert_eq!((region.w, region.h), (PASTED_SIDE, PASTED_SIDE));
            let shown = jpeg::decode(&made.bytes).unwrap();
            let inside = |x: u32, y: u32| {
                (region.x..region.x + region.w).contains(&x)
                    && (region.y..region.y + region.h).contains(&y)
            };
            let outside_same = shown
                .enumerate_pixels()
                .all(|(x, y, pixel)| inside(x, y) || pixel == below.get_pixel(x, y));
            assert!(outside_same && shown != below);
        }
    }

    #[test]
    fn a_paste_needs_room_in_picture_and_donor() {
        // The donor is half as large.
        let side = u16::try_from(2 * (PASTED_SIDE + 2 * BLOCK)).unwrap();
        assert!(
            paste_of(Grid::Off)
                .make(&original(FIRST.sized(side, side)))
                .is_ok()
        );
        for (width, height) in [(side - 2, side), (side, side - 2)] {
            let made = paste_of(Grid::Off).make(&original(FIRST.sized(width, height)));
            assert!(matches!(made, Err(Error::TooSmall { .. })));
        }
    }

    #[test]
    fn a_copy_needs_room() {
        let copy = Lie::Copied { save: Save::Png };
        assert!(copy.make(&original(FIRST.sized(141, 230))).is_ok());
        for (width, height) in [(140, 230), (141, 229)] {
            let made = copy.make(&original(FIRST.sized(width, height)));
            assert!(matches!(made, Err(Error::TooSmall { .. })));
        }
    }

    #[test]
    fn stale_thumbnails_are_those_of_the_original() {
        let original = original(FIRST.sized(96, 72));
        let thumbnail = original.camera.thumbnail(&original.picture).unwrap();
        let thumbnail = thumbnail.unwrap();
        for lie in [
            Lie::ReplacedBehindThumbnail(90),
            Lie::CutBehindThumbnail(90),
        ] {
            let bytes = lie.make(&original).unwrap().bytes;
            let holds = bytes
                .windows(thumbnail.len())
                .any(|part| part == thumbnail.as_slice());
            assert!(holds, "{lie:?}");
        }
    }
}
