//! JPEG files as cameras lay them out.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::material::Error;

const START: [u8; 2] = [0xff, 0xd8];
const JFIF: [u8; 2] = [0xff, 0xe0];
const SCAN: [u8; 2] = [0xff, 0xda];

pub(crate) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder
        .encode_image(picture)
        .map_err(|source| Error::Encode { source })?;
    Ok(bytes)
}

/// Takes the JFIF segment out: cameras write Exif in its place.
pub(crate) fn without_jfif(jpeg: &[u8]) -> Vec<u8> {
    with_segment(jpeg, &[])
}

/// Puts `segment` in front of all others, in place of the JFIF segment.
pub(crate) fn with_segment(jpeg: &[u8], segment: &[u8]) -> Vec<u8> {
    let rest = jpeg.strip_prefix(&START).unwrap_or(jpeg);
    let rest = match rest {
        [marker_0, marker_1, high, low, ..] if [*marker_0, *marker_1] == JFIF => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            rest.get(2 + length..).unwrap_or_default()
        }
        _ => rest,
    };
    [&START, segment, rest].concat()
}

/// Where the compressed pixels of the first scan begin. Segments in front of it may hold other JPEG files.
pub(crate) fn scan_start(jpeg: &[u8]) -> Option<usize> {
    let mut at = START.len();
    loop {
        let &[marker_0, marker_1, high, low] = jpeg.get(at..at + 4)? else {
            return None;
        };
        let after = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker_0 != 0xff {
            return None;
        }
        if [marker_0, marker_1] == SCAN {
            return Some(after);
        }
        at = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_takes_the_place_of_jfif() {
        let jpeg = encode(&RgbImage::new(16, 16), 90).unwrap();
        assert_eq!(jpeg[2..4], JFIF);
        let camera_like = with_segment(&jpeg, &[0xff, 0xe1, 0, 2]);
        assert_eq!(camera_like[..6], [0xff, 0xd8, 0xff, 0xe1, 0, 2]);
        assert_ne!(camera_like[6..8], JFIF);
        assert!(image::load_from_memory(&camera_like).is_ok());
        assert_eq!(with_segment(&without_jfif(&jpeg), &[]), without_jfif(&jpeg));
    }

    #[test]
    fn the_scan_is_found_behind_all_segments() {
        let jpeg = encode(&RgbImage::new(16, 16), 90).unwrap();
        let start = scan_start(&jpeg).unwrap();
        assert!(start > 100 && start < jpeg.len());
        assert_eq!(scan_start(&jpeg[..20]), None);
        assert_eq!(scan_start(b"no picture"), None);
    }
}
