//! Vorbis comments (xiph.org, "Ogg Vorbis I format specification: comment field"): the vendor and named texts. FLAC,
//! Vorbis and Opus share them.

use super::{Structure, Tag};
use crate::bytes::{Order, index, slice, u32_at};

/// Comments that are looked at.
const COMMENTS_MAX: u32 = 1_000;

/// The names of comments that are kept, in capitals, and what they mean.
const KEPT: [(&[u8], &str); 6] = [
    (b"ENCODER", "Software"),
    (b"ENCODED-BY", "EncodedBy"),
    (b"COMMENT", "Comment"),
    (b"DESCRIPTION", "Comment"),
    (b"ARTIST", "Artist"),
    (b"COPYRIGHT", "Copyright"),
];

/// Reads the comments in `data`, which begins at `offset` of the file; answers the name of the library that wrote them.
pub(super) fn read(data: &[u8], offset: usize, structure: &mut Structure) -> Option<String> {
    let vendor = field(data, 0)?;
    let tag = Tag::of("Software", vendor, None);
    let name = tag.value.clone();
    structure.tag(tag);
    let count_at = 4 + vendor.len();
    let comments = u32_at(data, count_at, Order::Little).unwrap_or_default();
    let mut at = count_at + 4;
    for _ in 0..comments.min(COMMENTS_MAX) {
        let Some(comment) = field(data, at) else {
            break;
        };
        note(comment, offset + at + 4, structure);
        at += 4 + comment.len();
    }
    Some(name)
}

fn note(comment: &[u8], offset: usize, structure: &mut Structure) {
    let Some(equals) = comment.iter().position(|&byte| byte == b'=') else {
        return;
    };
    let (name, value) = comment.split_at(equals);
    let known = KEPT
        .iter()
        .find(|(kept, _)| kept.eq_ignore_ascii_case(name));
    if let Some((_, key)) = known {
        let value = value.get(1..).unwrap_or_default();
        structure.tag(Tag::of(key, value, Some(offset + equals + 1)));
    }
}

/// A length of four bytes, and so many bytes.
fn field(data: &[u8], at: usize) -> Option<&[u8]> {
    let len = index(u32_at(data, at, Order::Little)?);
    slice(data, at.checked_add(4)?, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_and_comments_are_read() {
        let long = format!("Comment={}", "x".repeat(400));
        let data = crate::samples::vorbis_comments("Lavf60", &["encoder=Lavc", "TITLE=t", &long]);
        let mut structure = Structure::default();
        assert_eq!(read(&data, 100, &mut structure).as_deref(), Some("Lavf60"));
        let keys: Vec<&str> = structure.tags.iter().map(|tag| tag.key.as_str()).collect();
        assert_eq!(keys, ["Software", "Software", "Comment"]);
        let file = [vec![0; 100], data].concat();
        let whole = structure.tags[2].whole.expect("long").slice(&file);
        assert_eq!(whole, [b'x'; 400]);
    }

    #[test]
    fn comments_are_bounded() {
        let found = |n: usize| {
            let mut comments = vec!["TITLE=t"; n];
            comments.push("ENCODER=x");
            let data = crate::samples::vorbis_comments("v", &comments);
            let mut structure = Structure::default();
            read(&data, 0, &mut structure);
            structure.tags.len()
        };
        assert_eq!((found(999), found(1_000)), (2, 1));
    }

    #[test]
    fn what_is_cut_is_not_read() {
        let data = crate::samples::vorbis_comments("Lavf60", &["encoder=Lavc"]);
        for end in 0..data.len() {
            let mut structure = Structure::default();
            let found = read(&data[..end], 0, &mut structure);
            assert_eq!(found.is_some(), end >= 10, "{end}");
            assert!(structure.tags.len() <= 1);
        }
    }
}
