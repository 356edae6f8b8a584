//! The JPEG that EXIF carries in its second directory (EXIF 2.32, section 4.5.1, and JPEG Interchange Format).

use crate::bytes::{Order, index, slice, u16_at, u32_at};
use crate::limits::EXIF_ENTRIES_MAX;
use crate::structure::{BlockKind, Structure};

/// Bytes of a thumbnail. A JPEG segment has 64 KiB at most, blocks of other formats more.
pub const THUMBNAIL_BYTES_MAX: usize = 256 * 1024;

const ENTRY_BYTES: usize = 12;
const TYPE_SHORT: u16 = 3;
const TYPE_LONG: u16 = 4;
const TAG_START: u16 = 0x0201;
const TAG_BYTES: u16 = 0x0202;
const JPEG_START: [u8; 2] = [0xff, 0xd8];

/// The thumbnail of the file's EXIF, if it has one and it is a JPEG. Only the first block counts, as for its fields.
#[must_use]
pub fn exif_thumbnail<'a>(bytes: &'a [u8], structure: &Structure) -> Option<&'a [u8]> {
    let block = structure
        .blocks
        .iter()
        .find(|block| block.kind == BlockKind::Exif)?;
    thumbnail(block.slice(bytes))
}

/// Follows one pointer and reads one directory, so it ends whatever the bytes say.
fn thumbnail(tiff: &[u8]) -> Option<&[u8]> {
    let order = match tiff.get(..4)? {
        b"II\x2a\0" => Order::Little,
        b"MM\0\x2a" => Order::Big,
        _ => return None,
    };
    let first = index(u32_at(tiff, 4, order)?);
    let entries = usize::from(u16_at(tiff, first, order)?);
    let next_at = first.checked_add(2 + entries * ENTRY_BYTES)?;
    let second = index(u32_at(tiff, next_at, order)?);
    if second == 0 {
        return None;
    }
    let start = number(tiff, second, TAG_START, order)?;
    let len = number(tiff, second, TAG_BYTES, order)?;
    let jpeg = slice(tiff, start, len)?;
    (len <= THUMBNAIL_BYTES_MAX && jpeg.starts_with(&JPEG_START)).then_some(jpeg)
}

/// The value of the entry with this tag in the directory at `at`, if it is a number.
fn number(tiff: &[u8], at: usize, tag: u16, order: Order) -> Option<usize> {
    let entries = u16_at(tiff, at, order)?;
    if u32::from(entries) > EXIF_ENTRIES_MAX {
        return None;
    }
    let entry = (0..usize::from(entries))
        .filter_map(|number| at.checked_add(2 + number * ENTRY_BYTES))
        .find(|&entry| u16_at(tiff, entry, order) == Some(tag))?;
    let value_at = entry.checked_add(8)?;
    match u16_at(tiff, entry.checked_add(2)?, order)? {
        TYPE_SHORT => u16_at(tiff, value_at, order).map(usize::from),
        TYPE_LONG => u32_at(tiff, value_at, order).map(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;
    use crate::samples;
    use crate::sniff::{Hints, sniff};
    use crate::structure::structure;

    const JPEG: &[u8] = b"\xff\xd8\xff\xd9";

    /// A big-endian TIFF with an empty first directory, a second one with `fillers` entries more, and a JPEG.
    fn tiff(jpeg: &[u8], fillers: u16) -> Vec<u8> {
        let mut bytes = b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\x0e".to_vec();
        let entries = fillers + 2;
        let start = 14 + 2 + 12 * u32::from(entries) + 4;
        let len = u32::try_from(jpeg.len()).expect("small");
        bytes.extend(entries.to_be_bytes());
        let fillers = (0..fillers).map(|_| (0x9999, 0));
        for (tag, value) in fillers.chain([(TAG_START, start), (TAG_BYTES, len)]) {
            bytes.extend(tag.to_be_bytes());
            bytes.extend(TYPE_LONG.to_be_bytes());
            bytes.extend(1u32.to_be_bytes());
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend([0; 4]);
        bytes.extend(jpeg);
        bytes
    }

    fn of_file(file: &[u8]) -> Option<Vec<u8>> {
        let limits = Limits::default();
        let sniff = sniff(file, &Hints::default(), &limits).expect("within limits");
        let structure = structure(file, &sniff, &limits).expect("intact");
        exif_thumbnail(file, &structure).map(<[u8]>::to_vec)
    }

    #[test]
    fn it_is_found_in_jpeg_and_png() {
        let small = samples::jpeg_of(&samples::picture(40, 30), 80);
        let exif = tiff(&small, 0);
        let jpeg = samples::with_segments(&samples::jpeg(90), &[samples::exif_segment(&exif)]);
        assert_eq!(of_file(&jpeg), Some(small.clone()));
        let png = samples::with_chunks(&samples::png(), &[samples::chunk(b"eXIf", &exif)]);
        assert_eq!(of_file(&png), Some(small));
    }

    #[test]
    fn a_file_without_one_has_none() {
        assert_eq!(of_file(&samples::jpeg(90)), None);
        let exif = samples::exif_segment(&samples::tiff(&[samples::Field::Text(0x010f, "Maker")]));
        assert_eq!(
            of_file(&samples::with_segments(&samples::jpeg(90), &[exif])),
            None
        );
    }

    #[test]
    fn what_is_no_jpeg_or_lies_outside_is_none() {
        assert_eq!(thumbnail(&tiff(JPEG, 0)), Some(JPEG));
        assert_eq!(thumbnail(&tiff(b"BM\0\0", 0)), None);
        let whole = tiff(JPEG, 0);
        for len in 0..whole.len() {
            assert_eq!(thumbnail(&whole[..len]), None, "{len}");
        }
    }

    #[test]
    fn bytes_and_entries_are_bounded() {
        let of_bytes = |len: usize| {
            let mut jpeg = JPEG.to_vec();
            jpeg.resize(len, 0);
            thumbnail(&tiff(&jpeg, 0)).map(<[u8]>::len)
        };
        assert_eq!(of_bytes(THUMBNAIL_BYTES_MAX), Some(THUMBNAIL_BYTES_MAX));
        assert_eq!(of_bytes(THUMBNAIL_BYTES_MAX + 1), None);
        let fillers = u16::try_from(EXIF_ENTRIES_MAX).expect("small") - 2;
        assert!(thumbnail(&tiff(JPEG, fillers)).is_some());
        assert!(thumbnail(&tiff(JPEG, fillers + 1)).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            is_tiff in any::<bool>(),
        ) {
            if is_tiff {
                bytes.splice(..bytes.len().min(8), *b"II\x2a\0\x08\0\0\0");
            }
            let jpeg = thumbnail(&bytes);
            prop_assert!(jpeg.is_none_or(|jpeg| jpeg.starts_with(&JPEG_START)));
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0usize..60, value in any::<u8>()) {
            let mut bytes = tiff(JPEG, 1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            let jpeg = thumbnail(&bytes);
            prop_assert!(jpeg.is_none_or(|jpeg| jpeg.starts_with(&JPEG_START)));
        }
    }
}
