//! The size of a picture as its header declares it, read without decoding.

use serde::{Deserialize, Serialize};

use super::format::Format;
use crate::bytes::{Order, slice, u16_at, u32_at};
use crate::limits::Limits;
use crate::structure::{directory, iso, jpeg};

/// Size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// The area.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The declared size; nothing if the header is not there or is of a format whose headers we do not read.
pub(super) fn declared(bytes: &[u8], format: Format, limits: &Limits) -> Option<Size> {
    match format {
        Format::Jpeg => jpeg::declared_size(bytes, limits),
        Format::Png => png(bytes),
        Format::Gif => gif(bytes),
        Format::Webp => webp(bytes),
        Format::Bmp => bmp(bytes),
        Format::Tiff => directory::declared_size(bytes, limits),
        Format::Heif | Format::Avif => iso::declared_size(bytes, limits),
        Format::JpegXl
        | Format::Mp4
        | Format::Mov
        | Format::M4a
        | Format::Matroska
        | Format::Avi
        | Format::Wav
        | Format::Mp3
        | Format::Flac
        | Format::Ogg
        | Format::Pdf
        | Format::Zip
        | Format::Text
        | Format::Unknown => None,
    }
}

fn png(bytes: &[u8]) -> Option<Size> {
    if slice(bytes, 12, 4)? != b"IHDR" {
        return None;
    }
    Some(Size {
        width: u32_at(bytes, 16, Order::Big)?,
        height: u32_at(bytes, 20, Order::Big)?,
    })
}

fn gif(bytes: &[u8]) -> Option<Size> {
    Some(Size {
        width: u16_at(bytes, 6, Order::Little)?.into(),
        height: u16_at(bytes, 8, Order::Little)?.into(),
    })
}

fn bmp(bytes: &[u8]) -> Option<Size> {
    if u32_at(bytes, 14, Order::Little)? == 12 {
        return Some(Size {
            width: u16_at(bytes, 18, Order::Little)?.into(),
            height: u16_at(bytes, 20, Order::Little)?.into(),
        });
    }
    // Signed: a negative height means rows from the top.
    let side = |at| u32_at(bytes, at, Order::Little).map(|raw| raw.cast_signed().unsigned_abs());
    Some(Size {
        width: side(18)?,
        height: side(22)?,
    })
}

fn webp(bytes: &[u8]) -> Option<Size> {
    match slice(bytes, 12, 4)? {
        // 14 bits each; the upper two are the scale.
        b"VP8 " => Some(Size {
            width: u32::from(u16_at(bytes, 26, Order::Little)? & 0x3fff),
            height: u32::from(u16_at(bytes, 28, Order::Little)? & 0x3fff),
        }),
        b"VP8L" => {
            let bits = u32_at(bytes, 21, Order::Little)?;
            Some(Size {
                width: (bits & 0x3fff) + 1,
                height: (bits >> 14 & 0x3fff) + 1,
            })
        }
        b"VP8X" => {
            let u24 = |at| match slice(bytes, at, 3)? {
                [a, b, c] => Some(u32::from_le_bytes([*a, *b, *c, 0]) + 1),
                _ => None,
            };
            Some(Size {
                width: u24(24)?,
                height: u24(27)?,
            })
        }
        _ => None,
    }
}
