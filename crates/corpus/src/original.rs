//! Photographs with a known past: what recipes begin with.

use std::path::Path;

use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal};

use crate::camera::{Camera, FIRST};
use crate::edit::{scaled, within};
use crate::error::Error;
use crate::{jpeg, png};

/// Apart from the seeds of scenes, so that no donor shows what its picture shows.
const DONOR_SEED: u64 = 0xd0_0000;
/// The longer side of a given photograph that recipes work on. The file itself is looked at in full size.
const GIVEN_SIDE_MAX: u32 = 1024;
/// In hundredths: a JPEG that is no larger than that loses the traces of its past by being made so much smaller.
const FORGETTING_PERCENT: u32 = 75;

/// A photograph that nobody has touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Original {
    /// Which, for people.
    pub name: String,
    /// Chance that belongs to it, e.g. where something is pasted.
    pub seed: u64,
    /// Its pixels, without traces of a compression.
    pub picture: RgbImage,
    /// The file as it came from the camera.
    pub file: Vec<u8>,
    /// Pixels of something else, half as wide and high, without traces of a compression.
    pub donor: RgbImage,
    /// Whose Exif goes into files that are made of it.
    pub camera: Camera,
}

impl Original {
    /// Takes the photograph that belongs to `seed`.
    ///
    /// # Errors
    /// Only if a part of this crate fails.
    pub fn taken(camera: &Camera, seed: u64) -> Result<Self, Error> {
        let photograph = camera.take(seed)?;
        let donor = camera.sized(camera.width / 2, camera.height / 2);
        Ok(Self {
            name: format!("{}, seed {seed}", camera.model),
            seed,
            picture: photograph.picture,
            file: photograph.jpeg,
            donor: donor.develop(seed ^ DONOR_SEED)?,
            camera: *camera,
        })
    }

    /// A photograph from a file. Recipes work on a smaller copy of it: a camera's JPEG has a past that would be taken
    /// for that of the recipe.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Decode`].
    pub fn read(path: &Path, seed: u64) -> Result<Self, Error> {
        let file = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let whole = jpeg::decode(&file)?;
        let picture = if file.starts_with(&png::SIGNATURE) {
            within(&whole, GIVEN_SIDE_MAX)
        } else {
            within(&scaled(&whole, FORGETTING_PERCENT), GIVEN_SIDE_MAX)
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            seed,
            donor: mirrored_quarter(&picture),
            picture,
            file,
            camera: FIRST,
        })
    }
}

/// The middle of the picture, mirrored: of the same light and noise, and nothing in it repeats the picture.
fn mirrored_quarter(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width().div_ceil(2), picture.height().div_ceil(2));
    let middle = crop_imm(picture, width / 2, height / 2, width, height).to_image();
    flip_horizontal(&middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_original_follows_from_its_seed_and_shares_nothing_with_its_donor() {
        let camera = FIRST.sized(64, 48);
        let original = Original::taken(&camera, 5).unwrap();
        assert_eq!(original, Original::taken(&camera, 5).unwrap());
        assert_ne!(original, Original::taken(&camera, 6).unwrap());
        assert_eq!(original.donor.dimensions(), (32, 24));
        assert_ne!(original.donor, camera.sized(32, 24).develop(5).unwrap());
    }

    #[test]
    fn a_given_photograph_is_kept_whole_and_worked_on_in_a_smaller_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.jpg");
        let file = FIRST.sized(80, 64).take(3).unwrap().jpeg;
        std::fs::write(&path, &file).unwrap();
        let original = Original::read(&path, 1).unwrap();
        assert_eq!(
            (original.name.as_str(), &original.file),
            ("photo.jpg", &file)
        );
        assert_eq!(original.picture.dimensions(), (60, 48));
        assert_eq!(original.donor.dimensions(), (30, 24));

        let lossless = png::encode(&RgbImage::new(80, 64)).unwrap();
        std::fs::write(&path, lossless).unwrap();
        let original = Original::read(&path, 1).unwrap();
        assert_eq!(original.picture.dimensions(), (80, 64));
    }

    #[test]
    fn what_is_no_photograph_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Original::read(&folder.path().join("none.jpg"), 1);
        assert!(matches!(missing, Err(Error::Read { .. })));
        let path = folder.path().join("text.jpg");
        std::fs::write(&path, "words").unwrap();
        assert!(matches!(
            Original::read(&path, 1),
            Err(Error::Decode { .. })
        ));
    }
}
