//! The header of a box.

use crate::bytes::{Order, index, index_u64, slice, u32_at, u64_at};

/// Version and flags, which many boxes have before their fields.
pub(super) const VERSION_BYTES: usize = 4;
const USER_TYPE_BYTES: usize = 16;

/// A box. Its body may be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IsoBox<'a> {
    pub(super) kind: [u8; 4],
    /// The type of a `uuid` box.
    pub(super) user_type: Option<[u8; USER_TYPE_BYTES]>,
    /// Where `body` begins in the file.
    pub(super) body_at: usize,
    pub(super) body: &'a [u8],
    /// Where the next box begins.
    pub(super) end: usize,
    /// Whether it should go on beyond the end of what holds it.
    pub(super) is_cut: bool,
}

impl<'a> IsoBox<'a> {
    /// The box at this place within `until`; nothing if its header is not there, or says less than its own length.
    pub(super) fn at(bytes: &'a [u8], at: usize, until: usize) -> Option<Self> {
        let held = bytes.get(..until)?;
        let size = u32_at(held, at, Order::Big)?;
        let kind = *slice(held, at + 4, 4)?.first_chunk::<4>()?;
        let (mut header, size) = match size {
            // To the end of what holds it.
            0 => (8, until - at),
            1 => (16, index_u64(u64_at(held, at + 8, Order::Big)?)),
            size => (8, index(size)),
        };
        let user_type = if &kind == b"uuid" {
            let raw = slice(held, at + header, USER_TYPE_BYTES)?;
            header += USER_TYPE_BYTES;
            raw.first_chunk().copied()
        } else {
            None
        };
        if size < header {
            return None;
        }
        let declared_end = at.saturating_add(size);
        let end = declared_end.min(until);
        let body_at = at + header;
        Some(Self {
            kind,
            user_type,
            body_at,
            body: held.get(body_at..end).unwrap_or_default(),
            end,
            is_cut: declared_end > until,
        })
    }

    pub(super) fn name(&self) -> String {
        name(self.kind)
    }

    /// Version and flags, and the fields behind them.
    pub(super) fn versioned(&self) -> Option<(u8, u32, &'a [u8])> {
        let head = u32_at(self.body, 0, Order::Big)?;
        let [version, ..] = head.to_be_bytes();
        Some((version, head & 0x00ff_ffff, self.body.get(VERSION_BYTES..)?))
    }
}

/// The name of a box, its copyright sign as such.
pub(super) fn name(kind: [u8; 4]) -> String {
    kind.iter()
        .map(|&byte| match byte {
            b' '..=b'~' | 0xa9 => char::from(byte),
            _ => '?',
        })
        .collect()
}

/// Whether these bytes may be the name of a box.
pub(super) fn is_name(kind: [u8; 4]) -> bool {
    kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: &[u8]) -> Option<(usize, usize, bool)> {
        IsoBox::at(bytes, 0, bytes.len()).map(|b| (b.body_at, b.body.len(), b.is_cut))
    }

    #[test]
    fn every_way_to_write_a_size_is_read() {
        assert_eq!(at(b"\0\0\0\x0afreexy"), Some((8, 2, false)));
        assert_eq!(at(b"\0\0\0\0mdatxyz"), Some((8, 3, false)));
        assert_eq!(
            at(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12xyz"),
            Some((16, 2, false))
        );
        let user = [b"\0\0\0\x1auuid".as_slice(), &[7; 16], b"xy"].concat();
        assert_eq!(at(&user), Some((24, 2, false)));
    }

    #[test]
    fn impossible_sizes_are_told() {
        assert_eq!(at(b"\0\0\0\x07free"), None);
        assert_eq!(at(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f"), None);
        assert_eq!(at(b"\0\0\0\x01mdat\0\0\0\0"), None);
        assert_eq!(at(b"\0\0\0\x17uuid0123456789abcdef"), None);
        assert_eq!(at(b"\xff\xff\xff\xfffreexy"), Some((8, 2, true)));
        let huge = b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xffxy";
        assert_eq!(at(huge), Some((16, 2, true)));
    }
}
