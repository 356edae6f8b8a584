//! WebP: the chunks of its RIFF container.

use serde::{Deserialize, Serialize};

use super::riff::{self, Container, Names};
use super::{Block, BlockKind, Structure};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

/// How a WebP file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebpLayout {
    /// Names of the chunks in their order, cut after 64.
    pub chunk_order: String,
    /// Whole chunks found.
    pub chunks: u32,
    /// Whether a chunk is cut off.
    pub truncated: bool,
    /// Bytes after the end that the container declares.
    pub trailing_bytes: u64,
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<WebpLayout, Refusal> {
    let mut layout = WebpLayout::default();
    let container = Container::of(bytes);
    let mut chunks = container.chunks(bytes, limits);
    let mut names = Names::default();
    for chunk in chunks.by_ref().filter(|chunk| !chunk.is_cut) {
        layout.chunks += 1;
        names.push(chunk.kind);
        note(chunk.kind, chunk.offset, chunk.data, structure);
    }
    if layout.chunks == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Webp.mime().to_owned(),
            reason: "the first chunk is cut off".to_owned(),
        });
    }
    layout.chunk_order = names.join();
    let ending = riff::tell_ending(
        "picture",
        bytes,
        &container,
        chunks.end(),
        limits,
        structure,
    );
    layout.truncated = ending.truncated;
    layout.trailing_bytes = ending.trailing_bytes;
    Ok(layout)
}

fn note(kind: [u8; 4], offset: usize, data: &[u8], structure: &mut Structure) {
    // Some writers put the JPEG prefix in front.
    const JPEG_PREFIX: &[u8] = b"Exif\0\0";
    let (block, skip) = match &kind {
        b"EXIF" if data.starts_with(JPEG_PREFIX) => (BlockKind::Exif, JPEG_PREFIX.len()),
        b"EXIF" => (BlockKind::Exif, 0),
        b"XMP " => (BlockKind::Xmp, 0),
        b"ICCP" => (BlockKind::Icc, 0),
        b"ANIM" => return structure.fact_once("animated", "an animated picture"),
        b"C2PA" => return structure.content_credentials(),
        _ => return,
    };
    structure.block(Block::new(block, offset + skip, data.len() - skip));
}

#[cfg(test)]
mod tests;
