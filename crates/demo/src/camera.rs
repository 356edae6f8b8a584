//! A simulated camera: from a made-up scene to a file as a camera writes it.
//!
//! The steps are those that leave traces in real photographs: the sensor's own pattern, noise that grows with light,
//! one colour per pixel and the guessing of the other two, a tone curve, and one JPEG compression. So analyses meet
//! what they look for, although nobody took the picture.

mod develop;
mod scene;
mod sensor;

use image::RgbImage;
use image::imageops::thumbnail;

use crate::exif::Exif;
use crate::jpeg;
use crate::material::Error;
use crate::random::Random;

/// Width of the photograph in pixels.
pub(crate) const WIDTH: u16 = 1600;
/// Height of the photograph in pixels.
pub(crate) const HEIGHT: u16 = 1200;

const THUMBNAIL_WIDTH: u32 = 160;
const THUMBNAIL_HEIGHT: u32 = 120;
const QUALITY: u8 = 92;
const THUMBNAIL_QUALITY: u8 = 90;

pub(crate) const MAKE: &str = "Assay Simulated Optics";
pub(crate) const MODEL: &str = "Dead Leaves 2";
pub(crate) const TAKEN: &str = "2026:05:17 10:21:44";

/// A file from the camera, and the small picture inside it.
pub(crate) struct Photograph {
    pub(crate) jpeg: Vec<u8>,
    pub(crate) thumbnail: Vec<u8>,
}

/// Takes the picture that belongs to `seed`.
pub(crate) fn take(seed: u64) -> Result<Photograph, Error> {
    let mut random = Random::new(seed);
    let scene = scene::dead_leaves(usize::from(WIDTH), usize::from(HEIGHT), &mut random);
    let mosaic = sensor::expose(&scene, &mut random);
    let picture = develop::develop(&mosaic, u32::from(WIDTH), u32::from(HEIGHT))?;
    let thumbnail = jpeg::without_jfif(&jpeg::encode(&small(&picture), THUMBNAIL_QUALITY)?);
    let exif = Exif {
        make: MAKE,
        model: MODEL,
        taken: TAKEN,
        width: WIDTH,
        height: HEIGHT,
        thumbnail: &thumbnail,
    };
    let jpeg = jpeg::with_segment(&jpeg::encode(&picture, QUALITY)?, &exif.segment()?);
    Ok(Photograph { jpeg, thumbnail })
}

fn small(picture: &RgbImage) -> RgbImage {
    thumbnail(picture, THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT)
}
