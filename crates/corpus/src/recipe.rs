//! From an original to a file with a known story.

mod benign;
mod lie;

use assay_forensics::Region;
use image::RgbImage;

pub use benign::{Benign, Edit, MESSENGER_QUALITY};
pub use lie::{Grid, Lie};

use crate::camera::Camera;
use crate::declared::Declaration;
use crate::error::Error;
use crate::original::Original;
use crate::random::Random;
use crate::watermark::Middle;
use crate::{jpeg, png, watermark};

/// What happens to an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    /// Something that people do without lying.
    Benign(Benign),
    /// Something that makes the picture say what was not there.
    Lie(Lie),
    /// The watermark of a generator is put in, by a writer that has the middle of its colours there.
    Watermarked(Middle, Save),
    /// Metadata says that a generator made it.
    Declared(Declaration),
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Without loss.
    Png,
    /// As JPEG of this quality, without metadata.
    Jpeg(u8),
    /// As JPEG of this quality, with the camera's Exif and a thumbnail of what is saved, as careful software does.
    WithExif(u8),
}

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where something lies that was not there, in pixels; nothing if nowhere, or everywhere.
    pub changed: Option<Region>,
}

impl Recipe {
    /// Makes the file.
    ///
    /// # Errors
    /// [`Error::TooSmall`] if the picture has no room for it, or what encoders and decoders say.
    pub fn make(&self, original: &Original) -> Result<Made, Error> {
        match self {
            Self::Benign(benign) => benign.make(original).map(Made::from),
            Self::Lie(lie) => lie.make(original),
            Self::Watermarked(middle, save) => {
                let picture = watermark::marked(&original.picture, *middle);
                save.write(&picture, &original.camera).map(Made::from)
            }
            Self::Declared(declaration) => declaration
                .write(&original.picture, &mut Random::new(original.seed))
                .map(Made::from),
        }
    }
}

impl From<Vec<u8>> for Made {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            changed: None,
        }
    }
}

impl Save {
    /// Writes the file.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn write(self, picture: &RgbImage, camera: &Camera) -> Result<Vec<u8>, Error> {
        match self {
            Self::Png => png::encode(picture),
            Self::Jpeg(quality) => jpeg::encode(picture, quality),
            Self::WithExif(quality) => {
                let thumbnail = camera.thumbnail(picture)?;
                camera.write(picture, quality, thumbnail.as_deref())
            }
        }
    }

    /// In a word or two.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Png => "PNG".to_owned(),
            Self::Jpeg(quality) => quality.to_string(),
            Self::WithExif(quality) => format!("{quality} with Exif"),
        }
    }
}
