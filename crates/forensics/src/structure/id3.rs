//! ID3v2 tags (id3.org, versions 2.2 to 2.4): which software wrote a sound file, and what else it says.

use super::{Structure, Tag};
use crate::bytes::{Order, slice, u32_at};
use crate::text::clip;

const HEADER_BYTES: usize = 10;
/// Frames that are looked at in one tag.
const FRAMES_MAX: usize = 1_000;
/// Longest text that is decoded.
const TEXT_BYTES_MAX: usize = 64 * 1024;

const FLAG_UNSYNCHRONISED: u8 = 0x80;
const FLAG_EXTENDED: u8 = 0x40;
const FLAG_FOOTER: u8 = 0x10;

/// The texts that are kept, by the name of their frame in versions 2.3 and 2.2.
const TEXTS: [(&[u8], &[u8], &str); 5] = [
    (b"TSSE", b"TSS", "Software"),
    (b"TENC", b"TEN", "EncodedBy"),
    (b"TCOP", b"TCR", "Copyright"),
    (b"TPE1", b"TP1", "Artist"),
    (b"COMM", b"COM", "Comment"),
];

/// Where the tag at this place ends; nothing if there is none.
pub(crate) fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let head = slice(bytes, at, HEADER_BYTES)?;
    let size = synchsafe(head.get(6..)?)?;
    if !head.starts_with(b"ID3") {
        return None;
    }
    let footer = if head.get(5)? & FLAG_FOOTER == 0 {
        0
    } else {
        HEADER_BYTES
    };
    at.checked_add(HEADER_BYTES + size + footer)
}

/// Reads the tag at this place; answers where it ends.
pub(super) fn read(bytes: &[u8], at: usize, structure: &mut Structure) -> Option<usize> {
    let end = end_of(bytes, at)?;
    let [_, _, _, version, _, flags, ..] = *slice(bytes, at, HEADER_BYTES)? else {
        return Some(end);
    };
    // What is unsynchronised would have to be copied first, and hardly anybody writes it.
    if flags & FLAG_UNSYNCHRONISED != 0 && version < 4 {
        return Some(end);
    }
    let until = end.min(bytes.len());
    let mut frames = at + HEADER_BYTES;
    if flags & FLAG_EXTENDED != 0 {
        frames = frames.saturating_add(extended_bytes(bytes, frames, version).unwrap_or_default());
    }
    for _ in 0..FRAMES_MAX {
        match frame(bytes, frames, until, version, structure) {
            Some(next) => frames = next,
            None => break,
        }
    }
    Some(end)
}

/// Four bytes of seven bits.
fn synchsafe(raw: &[u8]) -> Option<usize> {
    raw.get(..4)?.iter().try_fold(0_usize, |size, &byte| {
        (byte < 0x80).then_some(size << 7 | usize::from(byte))
    })
}

fn extended_bytes(bytes: &[u8], at: usize, version: u8) -> Option<usize> {
    let raw = slice(bytes, at, 4)?;
    if version >= 4 {
        return synchsafe(raw);
    }
    crate::bytes::index(u32_at(raw, 0, Order::Big)?).checked_add(4)
}

/// Reads one frame; answers where the next begins. Padding is zeros, and ends the tag.
fn frame(
    bytes: &[u8],
    at: usize,
    until: usize,
    version: u8,
    structure: &mut Structure,
) -> Option<usize> {
    let (name_bytes, header_bytes) = if version < 3 {
        (3, 6)
    } else {
        (4, HEADER_BYTES)
    };
    let name = slice(bytes, at, name_bytes)?;
    if !name
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return None;
    }
    let raw = slice(bytes, at.checked_add(name_bytes)?, name_bytes)?;
    let len = match (version, raw) {
        (..=2, [a, b, c]) => usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c),
        (4.., raw) => synchsafe(raw)?,
        (_, raw) => crate::bytes::index(u32_at(raw, 0, Order::Big)?),
    };
    let data_at = at.checked_add(header_bytes)?;
    let next = data_at.checked_add(len).filter(|&next| next <= until)?;
    note(name, bytes.get(data_at..next)?, structure);
    Some(next)
}

fn note(name: &[u8], data: &[u8], structure: &mut Structure) {
    if matches!(name, b"GEOB" | b"GEO") && data.windows(4).take(256).any(|part| part == b"c2pa") {
        structure.content_credentials();
        return;
    }
    let known = TEXTS
        .iter()
        .find(|(frame, old, _)| *frame == name || *old == name);
    let Some((_, _, key)) = known else {
        return;
    };
    let Some((&encoding, text)) = data.split_first() else {
        return;
    };
    let text = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
    // A comment has a language and a description before it.
    let text = if *key == "Comment" {
        after_description(text, encoding)
    } else {
        text
    };
    let value = decode(text, encoding);
    structure.tag(Tag {
        key: (*key).to_owned(),
        value: clip(value.trim_matches(['\0', ' ', '\n', '\r'])),
        whole: None,
    });
}

fn after_description(text: &[u8], encoding: u8) -> &[u8] {
    const LANGUAGE_BYTES: usize = 3;
    let text = text.get(LANGUAGE_BYTES..).unwrap_or_default();
    let (end, len) = if is_wide(encoding) {
        let end = text.chunks_exact(2).position(|pair| pair == [0, 0]);
        (end.map(|pair| 2 * pair), 2)
    } else {
        (text.iter().position(|&byte| byte == 0), 1)
    };
    end.and_then(|end| text.get(end + len..)).unwrap_or(text)
}

fn is_wide(encoding: u8) -> bool {
    encoding == 1 || encoding == 2
}

/// 0 Latin-1, 1 UTF-16 with a mark of its order, 2 UTF-16 big-endian, 3 UTF-8.
fn decode(text: &[u8], encoding: u8) -> String {
    if is_wide(encoding) {
        let (little, text) = match text {
            [0xff, 0xfe, rest @ ..] => (true, rest),
            [0xfe, 0xff, rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let units = text.chunks_exact(2).map(|pair| match *pair {
            [a, b] if little => u16::from_le_bytes([a, b]),
            [a, b] => u16::from_be_bytes([a, b]),
            _ => 0,
        });
        return char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    match std::str::from_utf8(text) {
        Ok(text) if encoding == 3 || text.is_ascii() => text.to_owned(),
        Ok(_) | Err(_) => text.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(version: u8, frames: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, data) in frames {
            let len = u32::try_from(data.len()).expect("small").to_be_bytes();
            body.extend_from_slice(name);
            body.extend_from_slice(&len[4 - name.len()..]);
            body.extend_from_slice(&[0, 0][..if name.len() == 4 { 2 } else { 0 }]);
            body.extend_from_slice(data);
        }
        let size = u8::try_from(body.len()).expect("small");
        assert!(size < 0x80);
        [b"ID3".as_slice(), &[version, 0, 0, 0, 0, 0, size], &body].concat()
    }

    fn texts(bytes: &[u8]) -> Vec<(String, String)> {
        let mut structure = Structure::default();
        assert_eq!(read(bytes, 0, &mut structure), Some(bytes.len()));
        let tags = structure.tags.into_iter();
        tags.map(|tag| (tag.key, tag.value)).collect()
    }

    #[test]
    fn texts_are_read_in_every_version_and_encoding() {
        let wide = b"\x01\xff\xfeL\0a\0v\0f\0";
        let table: [(u8, &[u8], &[u8]); 4] = [
            (4, b"TSSE", b"\x03Lavf\0"),
            (3, b"TSSE", wide),
            (3, b"TSSE", b"\x02\0L\0a\0v\0f"),
            (2, b"TSS", b"\0Lavf"),
        ];
        for (version, name, data) in table {
            let found = texts(&tag(version, &[(name, data)]));
            assert_eq!(found, [("Software".to_owned(), "Lavf".to_owned())]);
        }
    }

    #[test]
    fn other_frames_are_passed_over() {
        let found = texts(&tag(4, &[(b"PRIV", b"\0x"), (b"TSSE", b"\0y")]));
        assert_eq!(found, [("Software".to_owned(), "y".to_owned())]);
    }

    #[test]
    fn a_comment_follows_its_description() {
        let narrow = tag(4, &[(b"COMM", b"\x03engwhat\0words")]);
        assert_eq!(texts(&narrow)[0].1, "words");
        let wide = tag(4, &[(b"COMM", b"\x01eng\xff\xfea\0\0\0\xff\xfew\0")]);
        assert_eq!(texts(&wide)[0].1, "w");
    }

    #[test]
    fn frames_are_bounded() {
        let found = |n: usize| {
            let frames = [b"TXX\0\0\0".repeat(n), b"TSS\0\0\x02\0x".to_vec()].concat();
            let size = u32::try_from(frames.len()).expect("small");
            let size = [size >> 14, size >> 7 & 0x7f, size & 0x7f];
            let size = size.map(|part| u8::try_from(part).expect("seven bits"));
            texts(&[b"ID3\x02\0\0\0".as_slice(), &size, &frames].concat()).len()
        };
        assert_eq!((found(999), found(1_000)), (1, 0));
    }

    #[test]
    fn a_tag_ends_where_it_says() {
        assert_eq!(end_of(b"ID3\x04\0\0\0\0\x01\x00", 0), Some(138));
        assert_eq!(end_of(b"ID3\x04\0\x10\0\0\0\x01", 0), Some(21));
        assert_eq!(end_of(b"ID3\x04\0\0\0\0\0\x80", 0), None);
        assert_eq!(end_of(b"ID3\x04", 0), None);
        assert_eq!(end_of(b"no tag at all", 0), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(version in 0u8..6, flags in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..80)) {
            for name in [b"COMM".as_slice(), b"TSS", b""] {
                let bytes = [b"ID3".as_slice(), &[version, 0, flags, 0, 0, 0, 70], name, &body].concat();
                let _end = read(&bytes, 0, &mut Structure::default());
            }
        }
    }
}
