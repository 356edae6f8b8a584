//! Application segments: who wrote them, and what metadata they carry.

use super::segments::{APP0, Segment};
use crate::structure::{Block, BlockKind, Structure};
use crate::text::clip;

/// Identifiers that are written out per file; more are of no use to a reader.
const IDENTIFIER_CHARS_MAX: usize = 32;

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_PART: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// Segments with a known start: what they hold, and how many bytes to skip to get at it.
const CARRIERS: [(u8, &[u8], BlockKind); 5] = [
    (1, EXIF, BlockKind::Exif),
    (1, XMP, BlockKind::Xmp),
    (1, XMP_PART, BlockKind::XmpPart),
    (2, ICC, BlockKind::Icc),
    (13, PHOTOSHOP, BlockKind::Photoshop),
];

/// Segments that tell which software wrote the file, or what else it contains.
const SIGNS: [(u8, &[u8], &str, &str); 6] = [
    (
        2,
        b"MPF\0",
        "multi_picture",
        "further pictures follow the first (multi-picture format)",
    ),
    (
        11,
        b"JP",
        "jumbf",
        "a JUMBF container, where content credentials are kept",
    ),
    (
        12,
        b"Ducky",
        "ducky_segment",
        "written by \"Save for Web\" of Adobe Photoshop",
    ),
    (
        13,
        PHOTOSHOP,
        "photoshop_segment",
        "image resources of Adobe Photoshop",
    ),
    (
        14,
        b"Adobe",
        "adobe_segment",
        "written by an encoder that follows Adobe",
    ),
    (
        0,
        b"JFXX\0",
        "jfif_thumbnail",
        "a small picture in a JFIF extension",
    ),
];

/// Notes what the segment carries; returns its identifier, once per run of equal ones.
pub(super) fn note(segment: &Segment<'_>, structure: &mut Structure) -> Option<String> {
    let number = segment.marker - APP0;
    for (app, magic, kind) in CARRIERS {
        if app == number && segment.data.starts_with(magic) {
            let offset = segment.offset + magic.len();
            structure.block(Block::new(kind, offset, segment.data.len() - magic.len()));
        }
    }
    for (app, magic, fact, detail) in SIGNS {
        let is_new = structure.facts.iter().all(|known| known.fact != fact);
        if app == number && is_new && segment.data.starts_with(magic) {
            structure.fact(fact, detail);
        }
    }
    identifier(number, segment.data)
}

pub(super) fn comment(segment: &Segment<'_>, structure: &mut Structure) {
    structure.block(Block::new(
        BlockKind::Comment,
        segment.offset,
        segment.data.len(),
    ));
}

/// `APP1 Exif`: the number and the printable start of the data.
fn identifier(number: u8, data: &[u8]) -> Option<String> {
    let printable: String = data
        .iter()
        .take(IDENTIFIER_CHARS_MAX)
        .take_while(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .map(|&byte| char::from(byte))
        .collect();
    Some(clip(format!("APP{number} {printable}").trim_end()))
}
