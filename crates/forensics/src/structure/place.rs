//! Where metadata lies in a file.

use serde::{Deserialize, Serialize};

use crate::bytes::count;
use crate::text::{TEXT_CHARS_MAX, clip};

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// EXIF: a TIFF header and directories.
    Exif,
    /// An XMP packet, or the main part of one that is split.
    Xmp,
    /// A part of an extended XMP packet in JPEG, with its 40-byte header.
    XmpPart,
    /// A colour profile.
    Icc,
    /// Photoshop image resources.
    Photoshop,
    /// A JPEG comment.
    Comment,
    /// PNG `tEXt`.
    Text,
    /// PNG `zTXt`.
    CompressedText,
    /// PNG `iTXt`.
    InternationalText,
}

/// A stretch of the file with metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it holds.
    pub kind: BlockKind,
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Block {
    pub(crate) fn new(kind: BlockKind, offset: usize, len: usize) -> Self {
        Self {
            kind,
            offset: count(offset),
            bytes: count(len),
        }
    }

    /// The block in its file; empty if it is not of this file.
    #[must_use]
    pub fn slice<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let Self { offset, bytes, .. } = *self;
        Span { offset, bytes }.slice(file)
    }
}

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Span {
    pub(crate) fn new(offset: usize, len: usize) -> Self {
        Self {
            offset: count(offset),
            bytes: count(len),
        }
    }

    /// The stretch in its file; empty if it is not of this file.
    #[must_use]
    pub fn slice<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let range = usize::try_from(self.offset).ok().and_then(|start| {
            let len = usize::try_from(self.bytes).ok()?;
            Some(start..start.checked_add(len)?)
        });
        range.and_then(|range| file.get(range)).unwrap_or_default()
    }
}

/// A text that stands in a field of the container itself, e.g. the name of the software that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its name: that of the EXIF field of the same meaning (`Software`, `Make`, `Model`, `Comment`, `Artist`,
    /// `Copyright`), else the container's own.
    pub key: String,
    /// Its text, cut and cleaned.
    pub value: String,
    /// Where the whole text stands, if it stands in the file as it is.
    pub whole: Option<Span>,
}

impl Tag {
    /// A text as it stands in the file, UTF-8 or else Latin-1, and where that is.
    pub(crate) fn of(key: &str, raw: &[u8], at: Option<usize>) -> Self {
        let value = match std::str::from_utf8(raw) {
            Ok(text) => clip(text.trim()),
            Err(_) => {
                let start = raw.iter().take(TEXT_CHARS_MAX);
                clip(&start.map(|&byte| char::from(byte)).collect::<String>())
            }
        };
        let is_long = raw.len() > TEXT_CHARS_MAX;
        Self {
            key: key.to_owned(),
            value,
            whole: at.filter(|_| is_long).map(|at| Span::new(at, raw.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_short_and_found_whole() {
        let short = Tag::of("Software", b"Lavf\xe9 ", Some(8));
        assert_eq!((short.value.as_str(), short.whole), ("Lavf\u{e9} ", None));
        let long = Tag::of("Comment", "\u{e9}".repeat(400).as_bytes(), Some(8));
        assert_eq!(long.value.chars().count(), TEXT_CHARS_MAX);
        assert_eq!(long.whole, Some(Span::new(8, 800)));
        assert_eq!(Tag::of("Comment", &[b'x'; 400], None).whole, None);
    }

    #[test]
    fn block_of_another_file_is_empty() {
        let block = Block::new(BlockKind::Exif, 2, 3);
        assert_eq!(block.slice(b"abcdef"), b"cde");
        assert_eq!(block.slice(b"abcd"), b"");
        let far = Block {
            offset: u64::MAX,
            ..block
        };
        assert_eq!(far.slice(b"abcdef"), b"");
    }
}
