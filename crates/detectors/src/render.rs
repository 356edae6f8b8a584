//! What detectors are shown of a picture besides the file itself: small, in samples; saved again; smaller.
//!
//! [`render`] is pure, and parses what a stranger sent. A service has it run where such bytes may be parsed, in a child
//! process, and gives the panel a [`Renderer`] that does so. Requests and answers have a JSON form for that.

use std::fs::File;
use std::io::Cursor;
use std::sync::Arc;

use assay_forensics::raster::decode;
use assay_forensics::{Format, Hints, Limits, clip, sniff, structure};
use async_trait::async_trait;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use serde::{Deserialize, Serialize};

pub use crate::picture::{Fit, Pixels};
use crate::picture::{from_text, to_text};

/// Quality of a picture that is saved again: below that of cameras, above that of messengers.
const SAVED_AGAIN_QUALITY: u8 = 85;
/// Quality of a picture that is made smaller: what the smaller size does should be all that is seen.
const SMALLER_QUALITY: u8 = 95;
/// Three quarters of each side.
const SMALLER: (u32, u32) = (3, 4);

/// The media type of files that are rendered.
pub(crate) const RENDERED_MIME: &str = "image/jpeg";

/// What is to be made of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rendition {
    /// What happens to it first.
    pub variant: Variant,
    /// What it becomes.
    pub form: Form,
}

/// Something harmless that happens to pictures on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Nothing.
    Original,
    /// It is saved as a JPEG of quality 85.
    SavedAgain,
    /// It is made smaller, to three quarters of each side.
    Smaller,
}

impl Variant {
    /// All that is not the original.
    pub const CHANGED: [Self; 2] = [Self::SavedAgain, Self::Smaller];

    /// The word for people, and for keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::SavedAgain => "saved_again",
            Self::Smaller => "smaller",
        }
    }
}

/// What a picture becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A JPEG.
    File,
    /// Samples of this size.
    Pixels {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// How it is made to fit.
        fit: Fit,
    },
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rendered {
    /// A JPEG.
    File(#[serde(serialize_with = "to_text", deserialize_with = "from_text")] Vec<u8>),
    /// Samples.
    Pixels(Pixels),
}

/// Why nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "class", content = "why", rename_all = "snake_case")]
pub enum RenderError {
    /// The file is none of the pictures that can be decoded, or is damaged, or above a bound.
    #[error("{0}")]
    Undecodable(String),
    /// The machine failed, not the file.
    #[error("render a picture: {0}")]
    Machine(String),
}

/// Has renditions made, where a stranger's bytes may be parsed.
#[async_trait]
pub trait Renderer: Send + Sync {
    /// Makes a rendition of the picture in `file`. Several are asked for at the same time, of one open file: it is to
    /// be read by position, or opened again.
    async fn render(&self, file: &Arc<File>, rendition: Rendition)
    -> Result<Rendered, RenderError>;
}

/// Makes a rendition of the picture that `bytes` are. It is turned as its orientation says, for a detector would turn
/// the original so, and what is rendered says nothing of it.
///
/// # Errors
/// The picture cannot be decoded within `limits`.
pub fn render(
    bytes: &[u8],
    rendition: Rendition,
    limits: &Limits,
) -> Result<Rendered, RenderError> {
    let picture = open(bytes, limits)?;
    match rendition.form {
        Form::File => match rendition.variant {
            Variant::Original | Variant::SavedAgain => save(&picture, SAVED_AGAIN_QUALITY),
            Variant::Smaller => save(&smaller(&picture), SMALLER_QUALITY),
        }
        .map(Rendered::File),
        Form::Pixels { width, height, fit } => {
            let picture = match rendition.variant {
                Variant::Original => picture,
                Variant::SavedAgain => open(&save(&picture, SAVED_AGAIN_QUALITY)?, limits)?,
                Variant::Smaller => smaller(&picture),
            };
            fitted(&picture, width, height, fit).map(Rendered::Pixels)
        }
    }
}

fn fitted(
    picture: &DynamicImage,
    width: u32,
    height: u32,
    fit: Fit,
) -> Result<Pixels, RenderError> {
    let fitted = match fit {
        Fit::Stretch => picture.resize_exact(width, height, FilterType::Triangle),
        Fit::Crop => picture.resize_to_fill(width, height, FilterType::Triangle),
    };
    let samples = fitted.into_rgb8().into_raw();
    let wrong = || RenderError::Machine(format!("there is no picture of {width} x {height}"));
    Pixels::new(width, height, samples).ok_or_else(wrong)
}

fn open(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, RenderError> {
    let refused =
        |refusal: assay_forensics::Refusal| RenderError::Undecodable(clip(&refusal.to_string()));
    let sniff = sniff(bytes, &Hints::default(), limits).map_err(refused)?;
    let structure = structure(bytes, &sniff, limits).map_err(refused)?;
    let mut picture = decode(bytes, &sniff, &structure, limits)
        .map_err(|missing| RenderError::Undecodable(clip(&format!("{missing:?}"))))?;
    picture.apply_orientation(orientation(bytes, sniff.format));
    Ok(DynamicImage::ImageRgb8(picture.into_rgb8()))
}

/// How the picture wants to be turned; as it lies if it does not say.
fn orientation(bytes: &[u8], format: Format) -> Orientation {
    let format = if format == Format::Jpeg {
        ImageFormat::Jpeg
    } else {
        ImageFormat::Png
    };
    let decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder();
    let said = decoder.and_then(|mut decoder| decoder.orientation());
    said.unwrap_or(Orientation::NoTransforms)
}

fn smaller(picture: &DynamicImage) -> DynamicImage {
    let (part, whole) = SMALLER;
    let of = |side: u32| (side / whole * part + side % whole * part / whole).max(1);
    let (width, height) = (of(picture.width()), of(picture.height()));
    picture.resize_exact(width, height, FilterType::Triangle)
}

fn save(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, RenderError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    picture
        .write_with_encoder(encoder)
        .map_err(|error| RenderError::Machine(clip(&error.to_string())))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
