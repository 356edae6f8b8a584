//! WebP: the chunks of its RIFF container.

use serde::{Deserialize, Serialize};

use super::{Block, BlockKind, Structure};
use crate::bytes::{Order, index, slice, u32_at};
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

const HEADER_BYTES: usize = 12;
const ORDER_CHUNKS_MAX: usize = 64;

/// How a WebP file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebpLayout {
    /// Names of the chunks in their order, cut after 64.
    pub chunk_order: String,
    /// Chunks found.
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
    let declared = u32_at(bytes, 4, Order::Little)
        .map_or(0, index)
        .saturating_add(8);
    let end = declared.min(bytes.len());
    let mut names: Vec<String> = Vec::new();
    let mut at = HEADER_BYTES;
    while at < end {
        if layout.chunks == limits.chunks_max {
            let detail = "the container has more chunks than any encoder writes";
            structure
                .limits
                .push(LimitHit::structure("chunks_max", limits.chunks_max, detail));
            break;
        }
        let Some((kind, data)) = chunk(bytes, at) else {
            layout.truncated = true;
            break;
        };
        layout.chunks += 1;
        if names.len() < ORDER_CHUNKS_MAX {
            names.push(kind.escape_ascii().to_string().trim_end().to_owned());
        }
        note(kind, at + 8, data, structure);
        // Chunks begin at even places.
        at = at.saturating_add(8 + data.len() + data.len() % 2);
    }
    if layout.chunks == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Webp.mime().to_owned(),
            reason: "the first chunk is cut off".to_owned(),
        });
    }
    layout.chunk_order = names.join(" ");
    layout.truncated |= declared > bytes.len();
    if layout.truncated {
        structure.truncated("the container");
    } else {
        layout.trailing_bytes = structure.trailing(bytes, end);
    }
    Ok(layout)
}

fn chunk(bytes: &[u8], at: usize) -> Option<([u8; 4], &[u8])> {
    let kind = *slice(bytes, at, 4)?.first_chunk::<4>()?;
    let len = index(u32_at(bytes, at.checked_add(4)?, Order::Little)?);
    Some((kind, slice(bytes, at.checked_add(8)?, len)?))
}

fn note(kind: [u8; 4], offset: usize, data: &[u8], structure: &mut Structure) {
    // Some writers put the JPEG prefix in front.
    const JPEG_PREFIX: &[u8] = b"Exif\0\0";
    let (block, skip) = match &kind {
        b"EXIF" if data.starts_with(JPEG_PREFIX) => (BlockKind::Exif, JPEG_PREFIX.len()),
        b"EXIF" => (BlockKind::Exif, 0),
        b"XMP " => (BlockKind::Xmp, 0),
        b"ICCP" => (BlockKind::Icc, 0),
        b"ANIM" => return structure.fact("animated", "an animated picture"),
        b"C2PA" => {
            return structure.fact(
                "jumbf",
                "a JUMBF container, where content credentials are kept",
            );
        }
        _ => return,
    };
    structure.block(Block::new(block, offset + skip, data.len() - skip));
}

#[cfg(test)]
mod tests;
