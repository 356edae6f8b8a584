//! EXIF fields. The directories were surveyed before the parser sees them.

use exif::{Context, In, Reader, Tag, Value};
use serde::{Deserialize, Serialize};

use super::{Metadata, Place, comment};
use crate::limits::Limits;
use crate::structure::directory;
use crate::text::clip;

const PROCESSING_SOFTWARE: Tag = Tag(Context::Tiff, 0x000b);
const XP_COMMENT: Tag = Tag(Context::Tiff, 0x9c9c);

/// Text fields that marks are looked for in.
const TEXTS: [(Tag, &str); 9] = [
    (Tag::Make, "Make"),
    (Tag::Model, "Model"),
    (Tag::Software, "Software"),
    (PROCESSING_SOFTWARE, "ProcessingSoftware"),
    (Tag::ImageDescription, "ImageDescription"),
    (Tag::Artist, "Artist"),
    (Tag::Copyright, "Copyright"),
    (Tag::UserComment, "UserComment"),
    (XP_COMMENT, "XPComment"),
];

/// The fields that tell of origin and history, cut to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exif {
    /// Maker of the camera, as the file says.
    pub make: Option<String>,
    /// The camera, as the file says.
    pub model: Option<String>,
    /// Software that wrote the file, as it says.
    pub software: Option<String>,
    /// When the picture was taken, `YYYY:MM:DD hh:mm:ss`.
    pub taken: Option<String>,
    /// When the file was last changed.
    pub modified: Option<String>,
    /// Width for which the fields were written.
    pub width: Option<u32>,
    /// Height for which the fields were written.
    pub height: Option<u32>,
    /// How to turn the picture, 1 to 8.
    pub orientation: Option<u32>,
    /// Entries in all directories.
    pub entries: u32,
    /// Whether there is an embedded small picture.
    pub has_thumbnail: bool,
    /// Bytes of the maker's note.
    pub maker_note_bytes: u32,
    /// Whether a position is recorded.
    pub has_position: bool,
}

/// Reads one block. The first that can be read is the file's; others would only be a disguise.
pub(super) fn read(tiff: &[u8], limits: &Limits, metadata: &mut Metadata) {
    if metadata.exif.is_some() {
        metadata.fact("second_exif", "a second EXIF block, which was not read");
        return;
    }
    let survey = directory::survey(tiff, limits);
    // The structure stage reports the hit; a caller that skipped it must not hang here.
    if survey.hit.is_some() {
        return;
    }
    let Some(fields) = parse(tiff, metadata) else {
        return;
    };
    for (tag, key) in TEXTS {
        if let Some(value) = text(&fields, tag) {
            metadata.text(Place::Exif, key, &value);
        }
    }
    let shown = |tag| {
        text(&fields, tag)
            .map(|value| clip(value.trim()))
            .filter(|v| !v.is_empty())
    };
    let number = |tag| fields.get_field(tag, In::PRIMARY)?.value.get_uint(0);
    metadata.exif = Some(Exif {
        make: shown(Tag::Make),
        model: shown(Tag::Model),
        software: shown(Tag::Software),
        taken: shown(Tag::DateTimeOriginal),
        modified: shown(Tag::DateTime),
        width: number(Tag::PixelXDimension),
        height: number(Tag::PixelYDimension),
        orientation: number(Tag::Orientation),
        entries: survey.entries,
        has_thumbnail: survey.has_thumbnail,
        maker_note_bytes: survey.maker_note_bytes,
        has_position: fields.get_field(Tag::GPSLatitude, In::PRIMARY).is_some(),
    });
}

fn parse(tiff: &[u8], metadata: &mut Metadata) -> Option<exif::Exif> {
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let error = match reader.read_raw(tiff.to_vec()) {
        Ok(fields) => return Some(fields),
        Err(error) => error,
    };
    match error.distill_partial_result(|_| ()) {
        Ok(fields) => {
            metadata.fact("exif_damaged", "some EXIF fields cannot be read");
            Some(fields)
        }
        Err(error) => {
            metadata.fact("exif_unreadable", format!("EXIF cannot be read: {error}"));
            None
        }
    }
}

fn text(fields: &exif::Exif, tag: Tag) -> Option<String> {
    let value = &fields.get_field(tag, In::PRIMARY)?.value;
    if let Value::Ascii(parts) = value {
        let joined = parts.join(b" ".as_slice());
        return Some(String::from_utf8_lossy(&joined).into_owned());
    }
    let (Value::Undefined(raw, _) | Value::Byte(raw)) = value else {
        return None;
    };
    Some(if tag == Tag::UserComment {
        comment::decode(raw)
    } else if tag == XP_COMMENT {
        comment::utf16(raw)
    } else {
        String::from_utf8_lossy(raw).into_owned()
    })
}
