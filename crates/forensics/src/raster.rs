//! Decoded pictures in full size, as the file stores them: not turned by their orientation, for block grids lie in
//! stored pixels.

use std::io::Cursor;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, RgbImage};

use crate::bytes::index;
use crate::fingerprint::Missing;
use crate::levels::{Levels, Unread};
use crate::limits::Limits;
use crate::sniff::{Format, Sniff};
use crate::structure::Structure;
use crate::text::clip;

/// Samples of one kind in rows, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

impl Plane {
    /// A plane of `width` samples a row; nothing if the samples do not fill whole rows, or if there are none.
    #[must_use]
    pub fn new(width: usize, samples: Vec<u8>) -> Option<Self> {
        let height = samples.len().checked_div(width)?;
        (height > 0 && width * height == samples.len()).then_some(Self {
            width,
            height,
            samples,
        })
    }

    /// Samples of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// All samples, row by row.
    #[must_use]
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The rows from the top.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.samples.chunks_exact(self.width)
    }

    /// The 8 × 8 samples whose upper left one is at `(x, y)`, row by row; nothing if they reach over an edge.
    #[must_use]
    pub fn block(&self, x: usize, y: usize) -> Option<[u8; 64]> {
        if x.checked_add(8)? > self.width || y.checked_add(8)? > self.height {
            return None;
        }
        let mut block = [0; 64];
        let rows = self.samples.chunks_exact(self.width).skip(y);
        for (cells, row) in block.chunks_exact_mut(8).zip(rows) {
            cells.copy_from_slice(row.get(x..x + 8)?);
        }
        Some(block)
    }
}

/// The luma of ITU-R BT.601, which JPEG stores, rounded: `0.299 R + 0.587 G + 0.114 B`.
#[must_use]
pub fn luma(picture: &RgbImage) -> Option<Plane> {
    let samples = picture.as_raw().chunks_exact(3).map(luma_of).collect();
    Plane::new(index(picture.width()), samples)
}

/// In 65,536ths, with half of one for rounding; the factors sum to 65,536, so the result is a byte.
fn luma_of(rgb: &[u8]) -> u8 {
    let weighted: u32 = rgb
        .iter()
        .zip([19_595, 38_470, 7_471])
        .map(|(&sample, weight)| u32::from(sample) * weight)
        .sum();
    u8::try_from((weighted + 32_768) >> 16).unwrap_or(u8::MAX)
}

/// Decodes within bounds.
///
/// # Errors
/// Why the picture could not be decoded.
pub fn decode(
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> Result<DynamicImage, Missing> {
    let format = if sniff.format == Format::Jpeg {
        ImageFormat::Jpeg
    } else if sniff.format == Format::Png {
        ImageFormat::Png
    } else {
        let mime = sniff.mime.clone();
        return Err(Missing::NotDecoded { mime });
    };
    if let Some(hit) = structure.limits.first() {
        let detail = hit.detail.clone();
        return Err(Missing::Limit { detail });
    }
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(limits.side_pixels_max);
    bounds.max_image_height = Some(limits.side_pixels_max);
    bounds.max_alloc = Some(limits.decode_bytes_max);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    reader
        .decode()
        .map_err(|error| undecoded(bytes, &error, limits))
}

/// A decoder says what it met; that a JPEG is of a kind that hardly anybody reads is the better reason.
fn undecoded(bytes: &[u8], error: &ImageError, limits: &Limits) -> Missing {
    let detail = clip(&error.to_string());
    match error {
        ImageError::Limits(_) => Missing::Limit { detail },
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Unsupported(_)
        | ImageError::IoError(_) => match Levels::read(bytes, limits) {
            Err(Unread::Unsupported { what }) => Missing::Unsupported {
                detail: format!("{what} is not supported"),
            },
            Ok(_) | Err(Unread::NoJpeg | Unread::Damaged { .. } | Unread::Limit { .. }) => {
                Missing::Damaged { detail }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_of_grey_is_grey_and_the_range_is_kept() {
        for level in 0..=255 {
            assert_eq!(luma_of(&[level; 3]), level);
        }
        assert_eq!(luma_of(&[255, 0, 0]), 76);
        assert_eq!(luma_of(&[0, 255, 0]), 150);
        assert_eq!(luma_of(&[0, 0, 255]), 29);
    }

    #[test]
    fn a_block_ends_at_the_edge() {
        let plane = Plane::new(9, (0..81).collect()).expect("whole rows");
        let block = plane.block(1, 1).expect("inside");
        assert_eq!((block[0], block[7], block[8], block[63]), (10, 17, 19, 80));
        assert!(plane.block(2, 1).is_none());
        assert!(plane.block(1, 2).is_none());
        assert!(plane.block(usize::MAX, 0).is_none());
    }

    #[test]
    fn samples_that_fill_no_whole_rows_are_no_plane() {
        assert!(Plane::new(3, vec![0; 7]).is_none());
        assert!(Plane::new(3, Vec::new()).is_none());
        assert!(Plane::new(0, vec![0; 7]).is_none());
    }
}
