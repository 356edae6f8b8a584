//! Writes the Exif segment of a photograph, with its thumbnail.
//!
//! Not here: reading. Tests read it back with somebody else's reader.

use crate::error::Error;
use crate::jpeg::{self, SEGMENT_BYTES_MAX};

/// What the camera says about one photograph.
#[derive(Debug, Clone, Copy)]
pub struct Exif<'a> {
    /// The camera's maker.
    pub make: &'a str,
    /// The camera's name.
    pub model: &'a str,
    /// When the picture was taken: `YYYY:MM:DD HH:MM:SS`.
    pub taken: &'a str,
    /// Width of the picture in pixels.
    pub width: u16,
    /// Height of the picture in pixels.
    pub height: u16,
    /// A whole JPEG file, if there is one.
    pub thumbnail: Option<&'a [u8]>,
}

/// The marker of the segment.
const APPLICATION_1: u8 = 0xe1;
const SIGNATURE: &[u8] = b"Exif\0\0";
/// Little-endian, and the first directory right behind.
const HEADER: &[u8] = b"II*\0\x08\0\0\0";

const EXIF_DIRECTORY: u16 = 0x8769;
const THUMBNAIL_OFFSET: u16 = 0x0201;

/// Offsets are written at the end, when all places are known.
const UNKNOWN: Value = Value::Long(0);

impl Exif<'_> {
    /// The whole segment, from its marker on.
    ///
    /// # Errors
    /// [`Error::SegmentTooLong`] if the thumbnail or a text does not fit.
    pub fn segment(&self) -> Result<Vec<u8>, Error> {
        jpeg::segment(APPLICATION_1, &[SIGNATURE, &self.tiff()?].concat())
    }

    /// Directory 0 (the picture), the Exif directory, and if there is a thumbnail directory 1 and the thumbnail.
    fn tiff(&self) -> Result<Vec<u8>, Error> {
        let (mut picture, exif) = (self.picture(), self.shot());
        let exif_at = HEADER.len() + picture.size();
        let small_at = exif_at + exif.size();
        picture.set(EXIF_DIRECTORY, Value::Long(offset(exif_at)?));
        let next = if self.thumbnail.is_some() {
            small_at
        } else {
            0
        };
        Ok([
            HEADER,
            &picture.bytes(HEADER.len(), next)?,
            &exif.bytes(exif_at, 0)?,
            &self.small_part(small_at)?,
        ]
        .concat())
    }

    /// Directory 1, which stands at `at`, and the thumbnail.
    fn small_part(&self, at: usize) -> Result<Vec<u8>, Error> {
        let Some(thumbnail) = self.thumbnail else {
            return Ok(Vec::new());
        };
        let mut small = small(thumbnail)?;
        small.set(THUMBNAIL_OFFSET, Value::Long(offset(at + small.size())?));
        Ok([&small.bytes(at, 0)?, thumbnail].concat())
    }

    fn picture(&self) -> Directory {
        Directory(vec![
            (0x010f, Value::Ascii(self.make.to_owned())),
            (0x0110, Value::Ascii(self.model.to_owned())),
            // As the sensor was held: rows from the top.
            (0x0112, Value::Short(1)),
            (0x011a, Value::Rational(72, 1)),
            (0x011b, Value::Rational(72, 1)),
            // Inches.
            (0x0128, Value::Short(2)),
            (0x0132, Value::Ascii(self.taken.to_owned())),
            (EXIF_DIRECTORY, UNKNOWN),
        ])
    }

    fn shot(&self) -> Directory {
        Directory(vec![
            // Exposure time, aperture, sensitivity.
            (0x829a, Value::Rational(1, 250)),
            (0x829d, Value::Rational(56, 10)),
            (0x8827, Value::Short(200)),
            // Exif 2.32.
            (0x9000, Value::Undefined(*b"0232")),
            // Taken, and turned into numbers.
            (0x9003, Value::Ascii(self.taken.to_owned())),
            (0x9004, Value::Ascii(self.taken.to_owned())),
            // Focal length in millimetres.
            (0x920a, Value::Rational(35, 1)),
            // sRGB.
            (0xa001, Value::Short(1)),
            (0xa002, Value::Short(self.width)),
            (0xa003, Value::Short(self.height)),
        ])
    }
}

fn small(thumbnail: &[u8]) -> Result<Directory, Error> {
    let length = offset(thumbnail.len())?;
    Ok(Directory(vec![
        // JPEG.
        (0x0103, Value::Short(6)),
        (0x011a, Value::Rational(72, 1)),
        (0x011b, Value::Rational(72, 1)),
        (0x0128, Value::Short(2)),
        (THUMBNAIL_OFFSET, UNKNOWN),
        (0x0202, Value::Long(length)),
    ]))
}

enum Value {
    Ascii(String),
    Short(u16),
    Long(u32),
    Rational(u32, u32),
    Undefined([u8; 4]),
}

impl Value {
    const fn kind(&self) -> u16 {
        match self {
            Self::Ascii(_) => 2,
            Self::Short(_) => 3,
            Self::Long(_) => 4,
            Self::Rational(..) => 5,
            Self::Undefined(_) => 7,
        }
    }

    fn count(&self) -> Result<u32, Error> {
        match self {
            Self::Ascii(text) => offset(text.len() + 1),
            Self::Short(_) | Self::Long(_) | Self::Rational(..) => Ok(1),
            Self::Undefined(bytes) => offset(bytes.len()),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Ascii(text) => [text.as_bytes(), &[0]].concat(),
            Self::Short(number) => number.to_le_bytes().to_vec(),
            Self::Long(number) => number.to_le_bytes().to_vec(),
            Self::Rational(above, below) => [above.to_le_bytes(), below.to_le_bytes()].concat(),
            Self::Undefined(bytes) => bytes.to_vec(),
        }
    }
}

/// Entries by rising tag, as the format wants them.
struct Directory(Vec<(u16, Value)>);

/// Values up to this size stand in the entry itself.
const IN_ENTRY_BYTES: usize = 4;
const ENTRY_BYTES: usize = 12;

impl Directory {
    fn set(&mut self, tag: u16, value: Value) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.0 == tag) {
            entry.1 = value;
        }
    }

    fn size(&self) -> usize {
        let outside = self
            .0
            .iter()
            .map(|(_, value)| value.bytes().len())
            .filter(|size| *size > IN_ENTRY_BYTES);
        // Values begin at even places.
        self.table_size() + outside.map(|size| size.next_multiple_of(2)).sum::<usize>()
    }

    /// The count, the entries, and the place of the next directory.
    fn table_size(&self) -> usize {
        2 + ENTRY_BYTES * self.0.len() + 4
    }

    /// The directory as it stands at `at`; `next` is where the next one stands, or 0.
    fn bytes(&self, at: usize, next: usize) -> Result<Vec<u8>, Error> {
        let (mut table, mut outside) = (Vec::new(), Vec::new());
        table.extend(
            u16::try_from(self.0.len())
                .unwrap_or(u16::MAX)
                .to_le_bytes(),
        );
        for (tag, value) in &self.0 {
            table.extend(tag.to_le_bytes());
            table.extend(value.kind().to_le_bytes());
            table.extend(value.count()?.to_le_bytes());
            let mut bytes = value.bytes();
            if bytes.len() <= IN_ENTRY_BYTES {
                bytes.resize(IN_ENTRY_BYTES, 0);
                table.extend(bytes);
            } else {
                table.extend(offset(at + self.table_size() + outside.len())?.to_le_bytes());
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                outside.extend(bytes);
            }
        }
        table.extend(offset(next)?.to_le_bytes());
        table.extend(outside);
        Ok(table)
    }
}

fn offset(place: usize) -> Result<u32, Error> {
    u32::try_from(place).map_err(|_| Error::SegmentTooLong {
        bytes: place,
        bytes_max: SEGMENT_BYTES_MAX,
    })
}

#[cfg(test)]
mod tests {
    use exif::{In, Reader, Tag};

    use super::*;

    fn sample(thumbnail: &[u8]) -> Exif<'_> {
        Exif {
            make: "Maker",
            model: "M",
            taken: "2026:05:17 10:21:44",
            width: 1600,
            height: 1200,
            thumbnail: Some(thumbnail),
        }
    }

    #[test]
    fn a_foreign_reader_finds_every_value() {
        let segment = sample(b"thumbnail").segment().unwrap();
        let read = Reader::new().read_raw(segment[10..].to_vec()).unwrap();
        let text = |tag, of| read.get_field(tag, of).unwrap().display_value().to_string();
        assert_eq!(text(Tag::Make, In::PRIMARY), "\"Maker\"");
        assert_eq!(text(Tag::Model, In::PRIMARY), "\"M\"");
        assert_eq!(
            text(Tag::DateTimeOriginal, In::PRIMARY),
            "2026-05-17 10:21:44"
        );
        assert_eq!(text(Tag::ExposureTime, In::PRIMARY), "1/250");
        assert_eq!(text(Tag::FNumber, In::PRIMARY), "5.6");
        assert_eq!(text(Tag::PixelXDimension, In::PRIMARY), "1600");
        assert_eq!(text(Tag::PixelYDimension, In::PRIMARY), "1200");
        assert_eq!(text(Tag::ExifVersion, In::PRIMARY), "2.32");
        let number = |tag| {
            read.get_field(tag, In::THUMBNAIL)
                .unwrap()
                .value
                .get_uint(0)
                .unwrap()
        };
        let start = usize::try_from(number(Tag::JPEGInterchangeFormat)).unwrap();
        let length = usize::try_from(number(Tag::JPEGInterchangeFormatLength)).unwrap();
        assert_eq!(&read.buf()[start..start + length], b"thumbnail");
    }

    #[test]
    fn a_segment_is_as_long_as_it_may_be_and_no_longer() {
        let rest = sample(b"").segment().unwrap().len() - 4;
        let full = vec![0; SEGMENT_BYTES_MAX - rest];
        assert_eq!(sample(&full).segment().unwrap()[2..4], [0xff, 0xff]);
        let over = vec![0; SEGMENT_BYTES_MAX - rest + 1];
        assert!(matches!(
            sample(&over).segment(),
            Err(Error::SegmentTooLong { bytes: 65_534, .. })
        ));
    }
}
