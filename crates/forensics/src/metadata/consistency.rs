//! Where metadata contradicts the picture. These are facts, not votes: converters and honest edits do the same.

use super::{Exif, Metadata};
use crate::sniff::Sniff;
use crate::structure::Structure;

/// Facts of the structure that tell of software after the camera.
const SOFTWARE_SIGNS: [&str; 3] = ["photoshop_segment", "ducky_segment", "adobe_segment"];

pub(super) fn check(sniff: &Sniff, structure: &Structure, metadata: &mut Metadata) {
    let Some(exif) = metadata.exif.clone() else {
        return;
    };
    describe(&exif, metadata);
    check_size(sniff, &exif, metadata);
    check_dates(&exif, metadata);
    if let Some(make) = exif.make.as_deref() {
        check_software(make, structure, metadata);
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

/// The tables of a JPEG are no sign: phones, too, use those that most software uses.
fn check_software(make: &str, structure: &Structure, metadata: &mut Metadata) {
    for sign in SOFTWARE_SIGNS {
        if structure.facts.iter().any(|fact| fact.fact == sign) {
            metadata.fact(
                "software_after_camera",
                format!(
                    "EXIF names a camera of {make}, and the file has a {sign}, as software writes it and cameras \
                     rarely do: probably exported or edited since"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
