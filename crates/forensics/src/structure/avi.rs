//! AVI: the chunks, the streams, and what tells of the writer.

use serde::{Deserialize, Serialize};

use super::riff::{self, Chunk, Chunks, Container, Names};
use super::{Structure, Tag};
use crate::bytes::{Order, slice, u32_at};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::{Format, Size};

/// Streams that are written out.
const STREAMS_MAX: usize = 16;
/// Lists within lists that are looked into: headers, and the streams in them.
const LISTS_DEPTH_MAX: u32 = 2;

/// How an AVI file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AviLayout {
    /// Names of the chunks in their order, lists as the names of what they hold, cut after 64.
    pub chunk_order: String,
    /// Chunks found.
    pub chunks: u32,
    /// Size of the pictures.
    pub size: Option<Size>,
    /// Pictures that the header declares.
    pub frames: u32,
    /// Streams as kind and codec, e.g. `vids H264`.
    pub streams: Vec<String>,
    /// Further containers of the same file: large files are written in parts (OpenDML).
    pub parts: u32,
    /// Whether a chunk is cut off.
    pub truncated: bool,
    /// Bytes after the end that the last container declares.
    pub trailing_bytes: u64,
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<AviLayout, Refusal> {
    let mut layout = AviLayout::default();
    let mut names = Names::default();
    let container = Container::of(bytes);
    let mut chunks = container.chunks(bytes, limits);
    for chunk in chunks.by_ref() {
        layout.chunks += 1;
        names.push(name(&chunk));
        note(bytes, &chunk, limits, 0, &mut layout, structure);
    }
    if layout.chunks == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Avi.mime().to_owned(),
            reason: "the first chunk is cut off".to_owned(),
        });
    }
    layout.chunk_order = names.join();
    let rest = further_parts(bytes, container.end, limits, &mut layout);
    if layout.parts > 0 {
        layout.truncated = rest > bytes.len();
        if layout.truncated {
            structure.truncated("a further part of the container");
        } else {
            layout.trailing_bytes = structure.trailing_after("video", bytes, rest);
        }
    } else {
        let ending = riff::tell_ending("video", bytes, &container, chunks.end(), limits, structure);
        layout.truncated = ending.truncated;
        layout.trailing_bytes = ending.trailing_bytes;
    }
    Ok(layout)
}

/// Goes past containers that continue the first; answers where the last of them ends.
fn further_parts(bytes: &[u8], end: usize, limits: &Limits, layout: &mut AviLayout) -> usize {
    let mut at = end;
    while layout.parts < limits.chunks_max
        && slice(bytes, at, 4) == Some(b"RIFF")
        && slice(bytes, at.saturating_add(8), 4) == Some(b"AVIX")
    {
        let part = Container::of(bytes.get(at..).unwrap_or_default());
        layout.parts += 1;
        at = at.saturating_add(part.declared_end);
    }
    at
}

fn name(chunk: &Chunk<'_>) -> [u8; 4] {
    match (&chunk.kind, chunk.data.first_chunk::<4>()) {
        (b"LIST", Some(form)) => *form,
        _ => chunk.kind,
    }
}

fn note(
    bytes: &[u8],
    chunk: &Chunk<'_>,
    limits: &Limits,
    depth: u32,
    layout: &mut AviLayout,
    structure: &mut Structure,
) {
    match &name(chunk) {
        b"INFO" => riff::note_info(bytes, chunk, limits, structure),
        b"hdrl" | b"strl" if depth < LISTS_DEPTH_MAX => {
            let until = chunk.offset + chunk.data.len();
            let inside = Chunks::new(bytes, chunk.offset + 4, until, limits);
            for chunk in inside {
                note(bytes, &chunk, limits, depth + 1, layout, structure);
            }
        }
        b"avih" => {
            let number = |at| u32_at(chunk.data, at, Order::Little);
            layout.frames = number(16).unwrap_or_default();
            layout.size = number(32)
                .zip(number(36))
                .map(|(width, height)| Size { width, height });
        }
        b"strh" => note_stream(chunk, layout),
        b"ISFT" => structure.tag(Tag::of("Software", chunk.data, Some(chunk.offset))),
        b"C2PA" => structure.content_credentials(),
        _ => {}
    }
}

fn note_stream(chunk: &Chunk<'_>, layout: &mut AviLayout) {
    if layout.streams.len() == STREAMS_MAX {
        return;
    }
    if let Some((kind, codec)) = chunk.data.get(..8).map(|head| head.split_at(4)) {
        let text = format!("{} {}", kind.escape_ascii(), codec.escape_ascii());
        layout.streams.push(text.trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests;
