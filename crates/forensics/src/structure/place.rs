//! Where metadata lies in a file.

use serde::{Deserialize, Serialize};

use crate::bytes::count;

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
        let range = usize::try_from(self.offset).ok().and_then(|start| {
            let len = usize::try_from(self.bytes).ok()?;
            Some(start..start.checked_add(len)?)
        });
        range.and_then(|range| file.get(range)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
