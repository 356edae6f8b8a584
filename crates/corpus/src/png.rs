//! PNG files, with text inside as generators put it.

use std::io::Cursor;

use flate2::Crc;
use image::{ImageFormat, RgbImage};

use crate::error::Error;

/// What every PNG file begins with.
pub const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The signature and the header chunk, which must come first.
const FRONT_BYTES: usize = SIGNATURE.len() + 25;

/// Writes the picture without loss.
///
/// # Errors
/// What the encoder says.
pub fn encode(picture: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|source| Error::Encode { source })?;
    Ok(png.into_inner())
}

/// `png` with a `tEXt` chunk behind its header. `text` is to be Latin-1; generators write plain ASCII.
#[must_use]
pub fn with_text(png: &[u8], keyword: &str, text: &str) -> Vec<u8> {
    let (front, rest) = png.split_at(png.len().min(FRONT_BYTES));
    [
        front,
        &chunk(&[keyword.as_bytes(), &[0], text.as_bytes()].concat()),
        rest,
    ]
    .concat()
}

fn chunk(content: &[u8]) -> Vec<u8> {
    let named = [b"tEXt".as_slice(), content].concat();
    let mut crc = Crc::new();
    crc.update(&named);
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [
        length.to_be_bytes().as_slice(),
        &named,
        &crc.sum().to_be_bytes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_a_picture_and_carries_the_text() {
        let png = with_text(
            &encode(&RgbImage::new(8, 8)).unwrap(),
            "parameters",
            "Steps: 20",
        );
        assert_eq!(&png[33..33 + 8], b"\0\0\0\x14tEXt");
        assert!(
            image::load_from_memory(&png).is_ok(),
            "a wrong checksum would be refused"
        );
    }
}
