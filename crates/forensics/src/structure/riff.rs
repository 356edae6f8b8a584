//! RIFF: the chunks of a container. WebP, WAV and AVI share it.

use super::{Structure, Tag};
use crate::bytes::{Order, index, index_u64, slice, u32_at, u64_at};
use crate::evidence::LimitHit;
use crate::limits::Limits;

/// Signature, size and form.
pub(super) const HEADER_BYTES: usize = 12;
/// The size that stands for one of eight bytes elsewhere (RF64, EBU Tech 3306).
const SIZE_IS_ELSEWHERE: u32 = u32::MAX;
/// Chunk names that are written out.
const ORDER_CHUNKS_MAX: usize = 64;

/// The INFO chunks whose texts are kept, and what they mean.
const INFO: [(&[u8; 4], &str); 5] = [
    (b"ISFT", "Software"),
    (b"ICMT", "Comment"),
    (b"IART", "Artist"),
    (b"ICOP", "Copyright"),
    (b"ITCH", "Technician"),
];

/// How large the container says it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container {
    /// The end as declared, which may lie beyond the file.
    pub(super) declared_end: usize,
    /// The end within the file.
    pub(super) end: usize,
    /// Bytes of the chunk that is too large for a size of four bytes.
    large_bytes: Option<usize>,
}

pub(super) struct Chunk<'a> {
    pub(super) kind: [u8; 4],
    /// Where `data` begins in the file.
    pub(super) offset: usize,
    /// As far as the file goes.
    pub(super) data: &'a [u8],
    /// Whether it should be longer than the file.
    pub(super) is_cut: bool,
}

/// Why there are no more chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the container; the index is that of the byte after the last chunk.
    Container(usize),
    /// The bytes ran out.
    Cut,
    ChunksMax,
}

pub(super) struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
    until: usize,
    seen: u32,
    chunks_max: u32,
    large_bytes: Option<usize>,
    end: Option<End>,
}

/// The names of chunks in their order, cut after 64.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Container {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let size = u32_at(bytes, 4, Order::Little).unwrap_or_default();
        let (size, large_bytes) = match large(bytes) {
            Some((size, large)) => (size, Some(large)),
            None => (index(size), None),
        };
        let declared_end = size.saturating_add(8);
        Self {
            declared_end,
            end: declared_end.min(bytes.len()),
            large_bytes,
        }
    }

    pub(super) fn chunks<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Chunks<'a> {
        let mut chunks = Chunks::new(bytes, HEADER_BYTES, self.end, limits);
        chunks.large_bytes = self.large_bytes;
        chunks
    }
}

/// Sizes of the container and of its `data` chunk, if they stand in a `ds64` chunk.
fn large(bytes: &[u8]) -> Option<(usize, usize)> {
    if !bytes.starts_with(b"RF64") || slice(bytes, HEADER_BYTES, 4)? != b"ds64" {
        return None;
    }
    let at = HEADER_BYTES + 8;
    let container = u64_at(bytes, at, Order::Little)?;
    let data = u64_at(bytes, at + 8, Order::Little)?;
    Some((index_u64(container), index_u64(data)))
}

impl<'a> Chunks<'a> {
    /// The chunks that begin before `until`.
    pub(super) fn new(bytes: &'a [u8], at: usize, until: usize, limits: &Limits) -> Self {
        Self {
            bytes,
            at,
            until,
            seen: 0,
            chunks_max: limits.chunks_max,
            large_bytes: None,
            end: None,
        }
    }

    pub(super) fn end(&self) -> End {
        self.end.unwrap_or(End::Container(self.at))
    }

    fn chunk(&mut self) -> Option<Chunk<'a>> {
        let kind = *slice(self.bytes, self.at, 4)?.first_chunk::<4>()?;
        let declared = u32_at(self.bytes, self.at.checked_add(4)?, Order::Little)?;
        let offset = self.at.checked_add(8)?;
        let len = match self.large_bytes {
            Some(large) if declared == SIZE_IS_ELSEWHERE => large,
            Some(_) | None => index(declared),
        };
        let rest = self.bytes.get(offset..)?;
        let data = rest.get(..len).unwrap_or(rest);
        // Chunks begin at even places.
        self.at = offset.saturating_add(len).saturating_add(len % 2);
        Some(Chunk {
            kind,
            offset,
            data,
            is_cut: data.len() < len,
        })
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        if self.end.is_some() || self.at >= self.until {
            return None;
        }
        if self.seen == self.chunks_max {
            self.end = Some(End::ChunksMax);
            return None;
        }
        let chunk = self.chunk();
        if chunk.as_ref().is_none_or(|chunk| chunk.is_cut) {
            self.end = Some(End::Cut);
        }
        self.seen += 1;
        chunk
    }
}

impl Names {
    pub(super) fn push(&mut self, kind: [u8; 4]) {
        if self.0.len() < ORDER_CHUNKS_MAX {
            self.0
                .push(kind.escape_ascii().to_string().trim_end().to_owned());
        }
    }

    pub(super) fn join(self) -> String {
        self.0.join(" ")
    }
}

/// How a container ended.
pub(super) struct Ending {
    pub(super) truncated: bool,
    pub(super) trailing_bytes: u64,
}

/// Tells of a cut, of a wrong size, of what follows.
pub(super) fn tell_ending(
    media: &str,
    bytes: &[u8],
    container: &Container,
    end: End,
    limits: &Limits,
    structure: &mut Structure,
) -> Ending {
    let walked = match end {
        End::Container(at) => at,
        End::ChunksMax => {
            let detail = "the container has more chunks than any encoder writes";
            let hit = LimitHit::structure("chunks_max", limits.chunks_max, detail);
            structure.limits.push(hit);
            container.end
        }
        End::Cut => bytes.len(),
    };
    // The last chunk's padding is not always counted.
    if end != End::Cut && walked > container.declared_end.saturating_add(1) {
        let detail = "the container says that it is smaller than what it holds";
        structure.fact("wrong_container_size", detail);
    }
    let truncated = end == End::Cut || container.declared_end > bytes.len();
    if truncated {
        structure.truncated("the container");
    }
    let after = container.end.max(walked).min(bytes.len());
    Ending {
        truncated,
        trailing_bytes: if truncated {
            0
        } else {
            structure.trailing_after(media, bytes, after)
        },
    }
}

/// Reads the texts of a `LIST` chunk, if it is a list of them.
pub(super) fn note_info(
    bytes: &[u8],
    list: &Chunk<'_>,
    limits: &Limits,
    structure: &mut Structure,
) {
    if !list.data.starts_with(b"INFO") {
        return;
    }
    let until = list.offset + list.data.len();
    for chunk in Chunks::new(bytes, list.offset + 4, until, limits) {
        let Some((_, key)) = INFO.iter().find(|(kind, _)| **kind == chunk.kind) else {
            continue;
        };
        let data = chunk.data.split(|&byte| byte == 0).next();
        structure.tag(Tag::of(key, data.unwrap_or_default(), Some(chunk.offset)));
    }
}
