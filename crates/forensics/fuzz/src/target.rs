//! The targets. Each is a function of bytes, named like its file in `fuzz_targets`.

use std::fmt::Debug;

use assay_forensics::levels::Levels;
use assay_forensics::metadata::{Place, Text};
use assay_forensics::pixels::Inspection;
use assay_forensics::{Format, Hints, Limits, Metadata, Sniff, Structure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::container;

/// Pixels of a picture whose pixels are looked at: larger ones cost time, and show the parsers nothing new.
const ANALYSED_PIXELS_MAX: u64 = 128 * 128;
/// Pixels of a JPEG whose coefficients are read.
const READ_PIXELS_MAX: u64 = 512 * 512;

/// What [`markers`] takes as the place of a text, by its first byte.
const PLACES: [Place; 5] = [
    Place::Png,
    Place::JpegComment,
    Place::Exif,
    Place::Xmp,
    Place::Container,
];

/// A whole file through all stages.
pub fn analysis(bytes: &[u8]) {
    let limits = Limits {
        pixels_max: ANALYSED_PIXELS_MAX,
        ..Limits::default()
    };
    let analysis = assay_forensics::analyze(bytes, &hints(), &limits);
    survives(&analysis);
}

/// A whole file through the first look.
pub fn sniff(bytes: &[u8]) {
    let looked = assay_forensics::sniff(bytes, &hints(), &Limits::default());
    survives(&looked);
}

/// A whole JPEG.
pub fn jpeg(bytes: &[u8]) {
    walk(bytes, &[Format::Jpeg]);
}

/// A whole PNG.
pub fn png(bytes: &[u8]) {
    walk(bytes, &[Format::Png]);
}

/// A whole WebP.
pub fn webp(bytes: &[u8]) {
    walk(bytes, &[Format::Webp]);
}

/// A whole WAV or AVI.
pub fn riff(bytes: &[u8]) {
    walk(bytes, &[Format::Wav, Format::Avi]);
}

/// A whole file of boxes.
pub fn iso_media(bytes: &[u8]) {
    let formats = [
        Format::Mp4,
        Format::Mov,
        Format::M4a,
        Format::Heif,
        Format::Avif,
    ];
    walk(bytes, &formats);
}

/// A whole TIFF.
pub fn tiff(bytes: &[u8]) {
    walk(bytes, &[Format::Tiff]);
}

/// A whole PDF.
pub fn pdf(bytes: &[u8]) {
    walk(bytes, &[Format::Pdf]);
}

/// A whole MP3.
pub fn mp3(bytes: &[u8]) {
    walk(bytes, &[Format::Mp3]);
}

/// A whole FLAC.
pub fn flac(bytes: &[u8]) {
    walk(bytes, &[Format::Flac]);
}

/// A whole Ogg.
pub fn ogg(bytes: &[u8]) {
    walk(bytes, &[Format::Ogg]);
}

/// The directories of EXIF, in a JPEG.
pub fn exif(bytes: &[u8]) {
    walk(&container::jpeg_with_exif(bytes), &[Format::Jpeg]);
}

/// The directories of EXIF with a small picture in them, held against the JPEG that they come in.
pub fn exif_thumbnail(bytes: &[u8]) {
    let file = container::jpeg_with_exif(bytes);
    let Some((sniff, structure)) = walk(&file, &[Format::Jpeg]) else {
        return;
    };
    if assay_forensics::metadata::exif_thumbnail(&file, &structure).is_some() {
        let limits = Limits::default();
        let inspection = Inspection::Thumbnail;
        let found = assay_forensics::inspect(inspection, &file, &sniff, &structure, &limits);
        assert!(!found.is_empty(), "an inspection says something");
    }
}

/// A packet of XMP, in a JPEG.
pub fn xmp(bytes: &[u8]) {
    walk(&container::jpeg_with_xmp(bytes), &[Format::Jpeg]);
}

/// A chunk of text, in a PNG; the first byte is its kind.
pub fn png_text(bytes: &[u8]) {
    walk(&container::png_with_text(bytes), &[Format::Png]);
}

/// Texts as metadata holds them: lines of a place, a name, `=` and the text.
pub fn markers(bytes: &[u8]) {
    let texts = bytes.split(|&byte| byte == b'\n').filter_map(|line| {
        let (&place, rest) = line.split_first()?;
        let rest = String::from_utf8_lossy(rest);
        let (key, value) = rest.split_once('=')?;
        Some(Text {
            place: PLACES[usize::from(place) % PLACES.len()],
            key: key.to_owned(),
            value: value.to_owned(),
        })
    });
    let metadata = Metadata {
        texts: texts.collect(),
        ..Metadata::default()
    };
    survives(&assay_forensics::markers(&metadata));
}

/// The coefficients of a JPEG.
pub fn levels(bytes: &[u8]) {
    let limits = Limits {
        pixels_max: READ_PIXELS_MAX,
        ..Limits::default()
    };
    if let Ok(levels) = Levels::read(bytes, &limits) {
        assert_eq!(levels.columns() * levels.rows(), levels.blocks().len());
    }
}

/// Takes a whole file through the stages that read no pixels. Bytes without the magic of these formats are taken for the
/// first of them, so that damage to the magic hides no parser.
fn walk(bytes: &[u8], formats: &[Format]) -> Option<(Sniff, Structure)> {
    let limits = Limits::default();
    let mut sniff = assay_forensics::sniff(bytes, &hints(), &limits).ok()?;
    if !formats.contains(&sniff.format) {
        sniff.format = *formats.first()?;
        sniff.mime = sniff.format.mime().to_owned();
    }
    let structure = assay_forensics::structure(bytes, &sniff, &limits).ok()?;
    survives(&structure);
    for block in &structure.blocks {
        let len = u64::try_from(block.slice(bytes).len());
        assert_eq!(len, Ok(block.bytes), "{block:?} lies in the file");
    }
    let metadata = assay_forensics::metadata(bytes, &sniff, &structure, &limits);
    survives(&metadata);
    survives(&assay_forensics::markers(&metadata));
    Some((sniff, structure))
}

fn hints() -> Hints {
    Hints {
        file_name: Some("holiday.jpg".to_owned()),
        declared_mime: Some("image/png".to_owned()),
    }
}

/// Fails if the answer does not come out of JSON as it went in.
fn survives<T: Serialize + DeserializeOwned + Debug>(answer: &T) {
    let json = serde_json::to_value(answer).expect("has a form in JSON");
    let read: T = serde_json::from_value(json.clone()).expect("can be read again");
    assert_eq!(serde_json::to_value(read).ok(), Some(json));
}
