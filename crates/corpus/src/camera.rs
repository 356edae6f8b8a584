//! A simulated camera: from a made-up scene to a file as a camera writes it.
//!
//! The steps are those that leave traces in real photographs: the sensor's own pattern, noise that grows with light,
//! one colour per pixel and the guessing of the other two, a tone curve, and one JPEG compression. So analyses meet
//! what they look for, although nobody took the picture. They flatter analyses all the same: real scenes have skies,
//! faces, motion and sharpening, and real cameras have lenses and tables of their own.

mod develop;
mod scene;
mod sensor;

use image::RgbImage;
use image::imageops::thumbnail;

pub use sensor::Sensor;

use crate::error::Error;
use crate::exif::Exif;
use crate::jpeg;
use crate::random::Random;

/// Pixels along the longer side of a thumbnail.
const THUMBNAIL_SIDE: u32 = 160;

/// What a camera makes of a scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Its maker, as it writes it.
    pub make: &'static str,
    /// Its name, as it writes it.
    pub model: &'static str,
    /// When it says that it took the picture: `YYYY:MM:DD HH:MM:SS`.
    pub taken: &'static str,
    /// Width of its photographs in pixels.
    pub width: u16,
    /// Height of its photographs in pixels.
    pub height: u16,
    /// Quality of its JPEG files, 1 to 100.
    pub quality: u8,
    /// Quality of the small picture in its Exif; nothing if it writes none.
    pub thumbnail_quality: Option<u8>,
    /// What light falls on.
    pub sensor: Sensor,
}

/// The first camera: the demo's.
pub const FIRST: Camera = Camera {
    make: "Assay Simulated Optics",
    model: "Dead Leaves 2",
    taken: "2026:05:17 10:21:44",
    width: 1600,
    height: 1200,
    quality: 92,
    thumbnail_quality: Some(90),
    sensor: Sensor {
        seed: 0x00ca_3e5a,
        // Real sensors have a little less.
        pattern: 0.01,
        shot: 0.000_25,
        read: 0.000_004,
    },
};

/// The second camera: a smaller sensor with more noise, and weaker compression.
pub const SECOND: Camera = Camera {
    make: "Assay Simulated Mobile",
    model: "Leaf Phone",
    taken: "2026:08:02 19:05:10",
    width: 1600,
    height: 1200,
    quality: 96,
    thumbnail_quality: Some(80),
    sensor: Sensor {
        seed: 0x00ca_3e5b,
        pattern: 0.008,
        shot: 0.000_6,
        read: 0.000_012,
    },
};

/// A file from a camera, and what went into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photograph {
    /// The pixels before any compression.
    pub picture: RgbImage,
    /// The file.
    pub jpeg: Vec<u8>,
    /// The small picture inside it, a whole JPEG file.
    pub thumbnail: Option<Vec<u8>>,
}

impl Camera {
    /// The same camera with fewer or more pixels.
    #[must_use]
    pub const fn sized(self, width: u16, height: u16) -> Self {
        Self {
            width,
            height,
            ..self
        }
    }

    /// Takes the picture that belongs to `seed`. The scene follows from the seed alone, so that two cameras can see
    /// the same one.
    ///
    /// # Errors
    /// Only if a part of this crate fails, or if the camera has no pixels.
    pub fn take(&self, seed: u64) -> Result<Photograph, Error> {
        let picture = self.develop(seed)?;
        let thumbnail = self.thumbnail(&picture)?;
        let jpeg = self.write(&picture, self.quality, thumbnail.as_deref())?;
        Ok(Photograph {
            picture,
            jpeg,
            thumbnail,
        })
    }

    /// The pixels of the picture that belongs to `seed`, before any compression.
    ///
    /// # Errors
    /// [`Error::Geometry`] if the camera has no pixels.
    pub fn develop(&self, seed: u64) -> Result<RgbImage, Error> {
        let mut random = Random::new(seed);
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        if width < 2 || height < 2 {
            return Err(Error::Geometry);
        }
        let scene = scene::dead_leaves(width, height, &mut random);
        let mosaic = sensor::expose(&scene, &self.sensor, &mut random);
        develop::develop(&mosaic, u32::from(self.width), u32::from(self.height))
    }

    /// The small picture that belongs into the Exif beside `picture`, as a JPEG file.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn thumbnail(&self, picture: &RgbImage) -> Result<Option<Vec<u8>>, Error> {
        let Some(quality) = self.thumbnail_quality else {
            return Ok(None);
        };
        let (width, height) = small_size(picture.width(), picture.height());
        let small = thumbnail(picture, width, height);
        Ok(Some(jpeg::without_jfif(&jpeg::encode(&small, quality)?)))
    }

    /// A file with this camera's Exif in front, as the camera writes it, or as software does that keeps the Exif.
    ///
    /// # Errors
    /// What the encoder says, or that the thumbnail does not fit.
    pub fn write(
        &self,
        picture: &RgbImage,
        quality: u8,
        thumbnail: Option<&[u8]>,
    ) -> Result<Vec<u8>, Error> {
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
        let exif = Exif {
            make: self.make,
            model: self.model,
            taken: self.taken,
            width: side(picture.width()),
            height: side(picture.height()),
            thumbnail,
        };
        let jpeg = jpeg::encode(picture, quality)?;
        Ok(jpeg::with_segment(&jpeg, &exif.segment()?))
    }
}

/// The longer side becomes [`THUMBNAIL_SIDE`], and the shape stays.
fn small_size(width: u32, height: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    let scaled = |side: u32| ((side * THUMBNAIL_SIDE + longer / 2) / longer).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_has_the_shape_of_its_picture() {
        assert_eq!(small_size(1600, 1200), (160, 120));
        assert_eq!(small_size(480, 640), (120, 160));
        assert_eq!(small_size(4000, 1), (160, 1));
    }

    #[test]
    fn a_camera_without_a_thumbnail_writes_none() {
        let camera = Camera {
            thumbnail_quality: None,
            ..FIRST.sized(64, 48)
        };
        let photograph = camera.take(1).unwrap();
        assert_eq!(photograph.thumbnail, None);
        let exif = exif::Reader::new()
            .read_from_container(&mut std::io::Cursor::new(&photograph.jpeg))
            .unwrap();
        assert!(
            exif.fields()
                .all(|field| field.ifd_num == exif::In::PRIMARY)
        );
    }

    #[test]
    fn two_cameras_see_the_same_scene_each_with_its_own_pattern() {
        let [one, other] = [FIRST, SECOND].map(|camera| camera.sized(96, 64).develop(9).unwrap());
        assert_ne!(one, other);
        let distance: u64 = one
            .as_raw()
            .iter()
            .zip(other.as_raw())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        let mean = distance as f64 / one.as_raw().len() as f64;
        assert!(mean < 12.0, "the scene is the same: {mean}");
    }

    #[test]
    fn a_camera_without_pixels_takes_nothing() {
        assert!(matches!(FIRST.sized(1, 2).take(1), Err(Error::Geometry)));
        assert!(FIRST.sized(2, 2).take(1).is_ok());
    }

    /// Demonstrations and thresholds rest on these files.
    #[test]
    fn the_file_of_a_seed_never_changes() {
        let checksum = |bytes: &[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            crc.sum()
        };
        let photograph = FIRST.take(5).unwrap();
        assert_eq!(checksum(&photograph.jpeg), 0x0c19_c098);
        assert_eq!(checksum(&photograph.thumbnail.unwrap()), 0x6dd0_6e17);
        assert_eq!(checksum(&crate::generated::paint(5).unwrap()), 0x67e2_a7e6);
    }
}
