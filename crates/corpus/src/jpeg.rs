//! JPEG files as cameras lay them out.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::error::Error;

const START: [u8; 2] = [0xff, 0xd8];
const JFIF: [u8; 2] = [0xff, 0xe0];
const SCAN: [u8; 2] = [0xff, 0xda];
const APPLICATIONS: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
const COMMENT: u8 = 0xfe;

/// A segment says its length in two bytes, which count themselves.
pub const SEGMENT_BYTES_MAX: usize = 65_533;

/// Writes a baseline file with the tables of the IJG at `quality`, colours in full size.
///
/// # Errors
/// What the encoder says.
pub fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder
        .encode_image(picture)
        .map_err(|source| Error::Encode { source })?;
    Ok(bytes)
}

/// What a viewer shows of a file.
///
/// # Errors
/// What the decoder says.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Error> {
    let picture = image::load_from_memory(bytes).map_err(|source| Error::Decode { source })?;
    Ok(picture.into_rgb8())
}

/// The picture after it was written at `quality` and read again.
///
/// # Errors
/// What encoder and decoder say.
pub fn through(picture: &RgbImage, quality: u8) -> Result<RgbImage, Error> {
    decode(&encode(picture, quality)?)
}

/// A marker segment, from its marker on.
///
/// # Errors
/// [`Error::SegmentTooLong`].
pub fn segment(marker: u8, content: &[u8]) -> Result<Vec<u8>, Error> {
    let too_long = || Error::SegmentTooLong {
        bytes: content.len(),
        bytes_max: SEGMENT_BYTES_MAX,
    };
    // The length counts its own two bytes.
    let length = u16::try_from(content.len() + 2).map_err(|_| too_long())?;
    Ok([&[0xff, marker], length.to_be_bytes().as_slice(), content].concat())
}

/// A comment.
///
/// # Errors
/// [`Error::SegmentTooLong`].
pub fn comment(text: &str) -> Result<Vec<u8>, Error> {
    segment(COMMENT, text.as_bytes())
}

/// The file without Exif, comments and all that applications put into it; the picture stays bit for bit.
#[must_use]
pub fn stripped(jpeg: &[u8]) -> Vec<u8> {
    let Some(scan) = scan_start(jpeg) else {
        return jpeg.to_vec();
    };
    let mut kept = START.to_vec();
    let mut at = START.len();
    while at < scan {
        let Some(&[_, marker, high, low]) = jpeg.get(at..at + 4) else {
            break;
        };
        let after = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        if !(APPLICATIONS.contains(&marker) || marker == COMMENT) {
            kept.extend(jpeg.get(at..after).unwrap_or_default());
        }
        at = after;
    }
    kept.extend(jpeg.get(scan..).unwrap_or_default());
    kept
}

/// Takes the JFIF segment out: cameras write Exif in its place.
#[must_use]
pub fn without_jfif(jpeg: &[u8]) -> Vec<u8> {
    with_segment(jpeg, &[])
}

/// Puts `segment` in front of all others, in place of the JFIF segment.
#[must_use]
pub fn with_segment(jpeg: &[u8], segment: &[u8]) -> Vec<u8> {
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
#[must_use]
pub fn scan_start(jpeg: &[u8]) -> Option<usize> {
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
    fn stripping_takes_all_metadata_and_no_pixel() {
        let jpeg = encode(&RgbImage::new(16, 16), 90).unwrap();
        let told = [
            &START,
            segment(0xe1, b"Exif").unwrap().as_slice(),
            &comment("words").unwrap(),
            &jpeg[2..],
        ]
        .concat();
        assert_eq!(stripped(&told), without_jfif(&jpeg));
        assert_eq!(decode(&stripped(&told)).unwrap(), decode(&jpeg).unwrap());
        assert_eq!(stripped(b"no picture"), b"no picture");
    }

    #[test]
    fn a_segment_is_as_long_as_it_may_be_and_no_longer() {
        let full = segment(0xe1, &[0; SEGMENT_BYTES_MAX]).unwrap();
        assert_eq!(full[2..4], [0xff, 0xff]);
        assert!(matches!(
            segment(0xe1, &[0; SEGMENT_BYTES_MAX + 1]),
            Err(Error::SegmentTooLong { bytes: 65_534, .. })
        ));
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
