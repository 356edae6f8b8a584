//! Goes from chunk to chunk and checks each checksum.

use flate2::Crc;

use crate::bytes::{Order, index, slice, u32_at};
use crate::limits::Limits;

const SIGNATURE_BYTES: usize = 8;
/// The standard's own bound on the length of a chunk.
const CHUNK_BYTES_MAX: u32 = 0x7fff_ffff;

pub(super) struct Chunk<'a> {
    pub(super) kind: [u8; 4],
    /// Where `data` begins in the file.
    pub(super) offset: usize,
    pub(super) data: &'a [u8],
    pub(super) checksum_holds: bool,
}

/// Why there are no more chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end chunk; the index is that of the byte after it.
    Chunk(usize),
    /// The bytes ran out.
    Missing,
    ChunksMax,
}

pub(super) struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
    end: Option<End>,
    seen: u32,
    chunks_max: u32,
}

impl Chunk<'_> {
    pub(super) fn name(&self) -> String {
        self.kind.escape_ascii().to_string()
    }
}

impl<'a> Chunks<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self {
            bytes,
            at: SIGNATURE_BYTES,
            end: None,
            seen: 0,
            chunks_max: limits.chunks_max,
        }
    }

    pub(super) fn end(&self) -> End {
        self.end.unwrap_or(End::Missing)
    }

    fn chunk(&mut self) -> Option<Chunk<'a>> {
        let len = u32_at(self.bytes, self.at, Order::Big).filter(|&len| len <= CHUNK_BYTES_MAX)?;
        let kind = *slice(self.bytes, self.at.checked_add(4)?, 4)?.first_chunk::<4>()?;
        let offset = self.at.checked_add(8)?;
        let data = slice(self.bytes, offset, index(len))?;
        let checksum_at = offset.checked_add(data.len())?;
        let checksum = u32_at(self.bytes, checksum_at, Order::Big)?;
        self.at = checksum_at + 4;
        let mut crc = Crc::new();
        crc.update(&kind);
        crc.update(data);
        Some(Chunk {
            kind,
            offset,
            data,
            checksum_holds: crc.sum() == checksum,
        })
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        if self.end.is_some() {
            return None;
        }
        if self.seen == self.chunks_max {
            self.end = Some(if self.at < self.bytes.len() {
                End::ChunksMax
            } else {
                End::Missing
            });
            return None;
        }
        let Some(chunk) = self.chunk() else {
            self.end = Some(End::Missing);
            return None;
        };
        self.seen += 1;
        if &chunk.kind == b"IEND" {
            self.end = Some(End::Chunk(self.at));
        }
        Some(chunk)
    }
}
