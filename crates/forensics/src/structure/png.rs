//! PNG: chunks in their order, checksums checked.

mod chunks;

use serde::{Deserialize, Serialize};

use chunks::{Chunk, Chunks, End};

use super::{Block, BlockKind, Structure};
use crate::bytes::{Order, count, u32_at};
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

/// Chunk names that are written out in `chunk_order`.
const ORDER_CHUNKS_MAX: usize = 64;
const HEADER_BYTES: usize = 13;

/// How a PNG is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PngLayout {
    /// Bits per sample.
    pub bit_depth: u8,
    /// Colour type as in the header: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
    pub colour_type: u8,
    /// Whether it is interlaced.
    pub interlaced: bool,
    /// Whether it is animated.
    pub animated: bool,
    /// Names of the chunks in their order, runs as one, cut after 64.
    pub chunk_order: String,
    /// Chunks found.
    pub chunks: u32,
    /// Bytes of compressed picture data.
    pub data_bytes: u64,
    /// Chunks whose checksum is wrong.
    pub bad_checksums: u32,
    /// Whether the end chunk is missing.
    pub truncated: bool,
    /// Bytes after the end chunk.
    pub trailing_bytes: u64,
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<PngLayout, Refusal> {
    let mut layout = PngLayout::default();
    let mut chunks = Chunks::new(bytes, limits);
    let mut order: Vec<String> = Vec::new();
    let mut first_bad = None;
    for chunk in chunks.by_ref() {
        layout.chunks += 1;
        if layout.chunks == 1 {
            header(&chunk, &mut layout)?;
        }
        if !chunk.checksum_holds {
            layout.bad_checksums += 1;
            first_bad.get_or_insert_with(|| chunk.name());
        }
        note_name(&mut order, chunk.name());
        note_chunk(&chunk, &mut layout, structure);
    }
    if layout.chunks == 0 {
        return Err(corrupt("the first chunk is cut off"));
    }
    layout.chunk_order = order.join(" ");
    if let Some(name) = first_bad {
        let bad = layout.bad_checksums;
        structure.fact(
            "bad_checksum",
            format!("{bad} chunks with a wrong checksum, the first is {name}"),
        );
    }
    tell_ending(bytes, chunks.end(), limits, &mut layout, structure);
    Ok(layout)
}

fn tell_ending(
    bytes: &[u8],
    end: End,
    limits: &Limits,
    layout: &mut PngLayout,
    structure: &mut Structure,
) {
    match end {
        End::Chunk(end) => layout.trailing_bytes = structure.trailing(bytes, end),
        End::Missing => {
            layout.truncated = true;
            structure.truncated("the picture data: there is no end chunk");
        }
        End::ChunksMax => {
            let detail = "the picture has more chunks than any encoder writes";
            structure
                .limits
                .push(LimitHit::structure("chunks_max", limits.chunks_max, detail));
        }
    }
}

fn header(chunk: &Chunk<'_>, layout: &mut PngLayout) -> Result<(), Refusal> {
    if &chunk.kind != b"IHDR" || chunk.data.len() != HEADER_BYTES {
        return Err(corrupt("the first chunk is not the header"));
    }
    if u32_at(chunk.data, 0, Order::Big) == Some(0) || u32_at(chunk.data, 4, Order::Big) == Some(0)
    {
        return Err(corrupt("the header declares a picture without pixels"));
    }
    if let [.., bit_depth, colour_type, _, _, interlace] = *chunk.data {
        layout.bit_depth = bit_depth;
        layout.colour_type = colour_type;
        layout.interlaced = interlace != 0;
    }
    Ok(())
}

fn note_name(order: &mut Vec<String>, name: String) {
    if order.len() < ORDER_CHUNKS_MAX && order.last() != Some(&name) {
        order.push(name);
    }
}

fn note_chunk(chunk: &Chunk<'_>, layout: &mut PngLayout, structure: &mut Structure) {
    let kind = match &chunk.kind {
        b"tEXt" => BlockKind::Text,
        b"zTXt" => BlockKind::CompressedText,
        b"iTXt" => BlockKind::InternationalText,
        b"eXIf" => BlockKind::Exif,
        b"iCCP" => BlockKind::Icc,
        b"IDAT" => {
            layout.data_bytes += count(chunk.data.len());
            return;
        }
        b"acTL" => {
            layout.animated = true;
            return structure.fact(
                "animated",
                "an animated picture; its first frame is looked at",
            );
        }
        b"caBX" => {
            return structure.fact(
                "jumbf",
                "a JUMBF container, where content credentials are kept",
            );
        }
        _ => return,
    };
    structure.block(Block::new(kind, chunk.offset, chunk.data.len()));
}

fn corrupt(reason: &str) -> Refusal {
    Refusal::CorruptMedia {
        mime: Format::Png.mime().to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
