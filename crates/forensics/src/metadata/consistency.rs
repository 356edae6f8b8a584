//! Where metadata contradicts the picture. These are facts, not votes: converters and honest edits do the same.

use super::{Exif, Metadata};
use crate::sniff::Sniff;
use crate::structure::{JpegLayout, Layout, Structure};

/// Facts of the structure that tell of software after the camera.
const SOFTWARE_SIGNS: [&str; 4] = [
    "photoshop_segment",
    "ducky_segment",
    "adobe_segment",
    "photoshop_tables",
];
/// How an application segment with a JFIF header is called.
const JFIF: &str = "APP0 JFIF";

pub(super) fn check(sniff: &Sniff, structure: &Structure, metadata: &mut Metadata) {
    let Some(exif) = metadata.exif.clone() else {
        return;
    };
    describe(&exif, metadata);
    check_size(sniff, &exif, metadata);
    check_dates(&exif, metadata);
    let jpeg = match &structure.layout {
        Some(Layout::Jpeg(layout)) => Some(layout),
        _ => None,
    };
    if let Some(camera) = exif.make.as_deref().or(exif.model.as_deref()) {
        check_software(camera, structure, metadata);
        if let Some(layout) = jpeg {
            check_library(camera, layout, metadata);
        }
    }
    if let Some(layout) = jpeg {
        check_thumbnail(layout, metadata);
    }
}

fn describe(exif: &Exif, metadata: &mut Metadata) {
    if exif.has_thumbnail {
        metadata.fact("thumbnail", "EXIF holds a small picture");
    }
    if exif.maker_note_bytes > 0 {
        metadata.fact(
            "maker_note",
            format!("a maker's note of {} bytes", exif.maker_note_bytes),
        );
    }
}

/// Either way round: the fields are not always turned with the picture.
fn check_size(sniff: &Sniff, exif: &Exif, metadata: &mut Metadata) {
    let (Some(size), Some(width), Some(height)) = (sniff.size, exif.width, exif.height) else {
        return;
    };
    let same = (width, height) == (size.width, size.height);
    let turned = (height, width) == (size.width, size.height);
    // Zero means that the writer left the field empty.
    if !same && !turned && width > 0 && height > 0 {
        metadata.fact(
            "size_contradiction",
            format!(
                "EXIF was written for {width} x {height}, the picture is {} x {}: cropped or resized since",
                size.width, size.height
            ),
        );
    }
}

/// Dates as EXIF writes them compare as text.
fn check_dates(exif: &Exif, metadata: &mut Metadata) {
    let (Some(taken), Some(modified)) = (exif.taken.as_deref(), exif.modified.as_deref()) else {
        return;
    };
    if is_date(taken) && is_date(modified) && taken > modified {
        metadata.fact(
            "date_contradiction",
            format!("taken {taken}, but last changed {modified}, which is earlier"),
        );
    }
}

/// `YYYY:MM:DD hh:mm:ss`, and not the zeros of a clock that was never set.
fn is_date(text: &str) -> bool {
    const PATTERN: &[u8; 19] = b"0000:00:00 00:00:00";
    let shape = text.len() == PATTERN.len()
        && text
            .bytes()
            .zip(PATTERN)
            .all(|(byte, pattern)| match pattern {
                b'0' => byte.is_ascii_digit(),
                separator => byte == *separator,
            });
    shape && !text.starts_with("0000")
}

/// The tables of the IJG are no sign: phones, too, use those that most software uses.
fn check_software(camera: &str, structure: &Structure, metadata: &mut Metadata) {
    for sign in SOFTWARE_SIGNS {
        if structure.facts.iter().any(|fact| fact.fact == sign) {
            metadata.fact(
                "software_after_camera",
                format!(
                    "EXIF names a camera of {camera}, and the file has a {sign}, as software writes it and cameras \
                     rarely do: probably exported or edited since"
                ),
            );
        }
    }
}

/// The IJG library begins with a JFIF header, a camera with EXIF (Exif 2.32, 4.5.4): only both habits of the library
/// together are told.
fn check_library(camera: &str, layout: &JpegLayout, metadata: &mut Metadata) {
    let begins_with_jfif = layout.applications.first().is_some_and(|id| id == JFIF);
    let Some(quality) = layout.quality.filter(|quality| quality.exact) else {
        return;
    };
    if begins_with_jfif {
        metadata.fact(
            "library_after_camera",
            format!(
                "EXIF names a camera of {camera}, and the header is that of the IJG library, at quality {}: most \
                 programs that save a picture again write it, and some phones do: perhaps saved again since",
                quality.quality
            ),
        );
    }
}

/// Whoever saves a picture again with the IJG library often leaves the small one as the camera made it.
fn check_thumbnail(layout: &JpegLayout, metadata: &mut Metadata) {
    let small = layout.thumbnail.and_then(|thumbnail| thumbnail.quality);
    let (Some(large), Some(small)) = (layout.quality, small) else {
        return;
    };
    if large.exact && !small.exact {
        metadata.fact(
            "thumbnail_of_another_encoder",
            format!(
                "the small picture has quantisation tables of an encoder's own, the picture itself those of the IJG \
                 library at quality {}: perhaps saved again after the small one was made",
                large.quality
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, Field, with_segments};
    use crate::sniff::{Hints, sniff};
    use crate::structure::structure;

    fn facts(jpeg: &[u8], fact: &str) -> Vec<String> {
        let limits = crate::Limits::default();
        let sniff = sniff(jpeg, &Hints::default(), &limits).expect("a JPEG");
        let structure = structure(jpeg, &sniff, &limits).expect("has a frame");
        let metadata = crate::metadata(jpeg, &sniff, &structure, &limits);
        let same = metadata
            .facts
            .into_iter()
            .filter(|known| known.fact == fact);
        same.map(|fact| fact.detail).collect()
    }

    /// The sample with EXIF of a camera, in front of the JFIF header of its encoder or behind it.
    fn photo(first: bool, model: u16) -> Vec<u8> {
        let exif = samples::exif_segment(&samples::tiff(&[Field::Text(model, "A1")]));
        let jpeg = samples::jpeg(90);
        // The start marker, and the JFIF header behind it.
        let (start, rest) = jpeg.split_at(if first { 2 } else { 20 });
        [start, &exif, rest].concat()
    }

    #[test]
    fn habits_of_the_library_are_told_only_together() {
        for tag in [0x010f, 0x0110] {
            let told = facts(&photo(false, tag), "library_after_camera");
            assert_eq!(told.len(), 1, "{tag:x}");
            assert!(told[0].contains("quality 90"), "{told:?}");
        }
        assert!(facts(&photo(true, 0x010f), "library_after_camera").is_empty());
        let no_camera = photo(false, 0x0131);
        assert!(facts(&no_camera, "library_after_camera").is_empty());
        let mut own_tables = photo(false, 0x010f);
        change_a_step(&mut own_tables);
        assert!(facts(&own_tables, "library_after_camera").is_empty());
    }

    /// The last table that is found, which is the picture's own.
    fn change_a_step(jpeg: &mut [u8]) {
        let table = jpeg.windows(2).rposition(|pair| pair == [0xff, 0xdb]);
        jpeg[table.expect("has a table") + 6] += 1;
    }

    #[test]
    fn tables_of_the_small_picture_are_held_against_the_large_one() {
        let mut own = samples::jpeg_of(&samples::picture(16, 8), 60);
        change_a_step(&mut own);
        let plain = samples::jpeg_of(&samples::picture(16, 8), 60);
        let with = |small: &[u8]| {
            let fields = |offset| {
                let len = u32::try_from(small.len()).expect("small");
                samples::tiff(&[Field::Long(0x0201, offset), Field::Long(0x0202, len)])
            };
            let offset = u32::try_from(fields(0).len()).expect("small");
            let tiff = [fields(offset), small.to_vec()].concat();
            with_segments(&samples::jpeg(90), &[samples::exif_segment(&tiff)])
        };
        let fact = "thumbnail_of_another_encoder";
        assert_eq!(facts(&with(&own), fact).len(), 1);
        assert!(facts(&with(&plain), fact).is_empty());
        let mut both = with(&own);
        change_a_step(&mut both);
        assert!(facts(&both, fact).is_empty());
    }

    #[test]
    fn only_whole_dates_are_compared() {
        assert!(is_date("2024:05:06 07:08:09"));
        for text in [
            "",
            "2024-05-06 07:08:09",
            "0000:00:00 00:00:00",
            "2024:05:06",
            "2024:05:06 07:08:0é",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
