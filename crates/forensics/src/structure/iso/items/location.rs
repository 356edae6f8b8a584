//! Where items lie (`iloc`). Its numbers are of widths that the box itself chooses, down to none.

use crate::bytes::{Order, index_u64, u16_at, u32_at, u64_at};

/// Where an item lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// In one piece. It may lie beyond the end.
    At { offset: usize, len: usize },
    /// In several pieces.
    Scattered,
    /// In another file, or within another item.
    Elsewhere,
    /// The table does not say.
    Missing,
}

/// The numbers at the start of the table.
struct Widths {
    offset: usize,
    length: usize,
    base: usize,
    index: usize,
    version: u8,
}

struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
}

/// Where these items lie. `inner_at` is where the data begins that the index itself holds.
pub(super) fn find(body: &[u8], inner_at: usize, ids: &[u32]) -> Vec<Location> {
    let mut found = vec![Location::Missing; ids.len()];
    let mut cursor = Cursor { body, at: 0 };
    // A table that ends early gives what came before its end.
    let _ended = fill(&mut cursor, inner_at, ids, &mut found);
    found
}

/// Goes through the table as far as it goes. What an item does not ask for is jumped over, so that no count of pieces
/// costs time.
fn fill(
    cursor: &mut Cursor<'_>,
    inner_at: usize,
    ids: &[u32],
    found: &mut [Location],
) -> Option<()> {
    let widths = cursor.widths()?;
    let items = if widths.version < 2 {
        u32::from(cursor.short()?)
    } else {
        cursor.long()?
    };
    for _ in 0..items {
        let id = if widths.version < 2 {
            u32::from(cursor.short()?)
        } else {
            cursor.long()?
        };
        let location = cursor.item(&widths, inner_at)?;
        let wanted = ids.iter().zip(found.iter_mut());
        for (_, slot) in wanted.filter(|(wanted, _)| **wanted == id) {
            *slot = location;
        }
    }
    Some(())
}

impl Cursor<'_> {
    fn widths(&mut self) -> Option<Widths> {
        let version = *self.body.first()?;
        self.at = 4;
        let [sizes, more] = self.short()?.to_be_bytes();
        let widths = Widths {
            offset: usize::from(sizes >> 4),
            length: usize::from(sizes & 15),
            base: usize::from(more >> 4),
            index: if version == 0 {
                0
            } else {
                usize::from(more & 15)
            },
            version,
        };
        Some(widths)
    }

    fn item(&mut self, widths: &Widths, inner_at: usize) -> Option<Location> {
        let method = if widths.version == 0 {
            0
        } else {
            self.short()? & 15
        };
        let file = self.short()?;
        let base = self.number(widths.base)?;
        let pieces = usize::from(self.short()?);
        let piece_bytes = widths.index + widths.offset + widths.length;
        let pieces_at = self.at;
        self.at = pieces_at.checked_add(pieces.checked_mul(piece_bytes)?)?;
        if self.at > self.body.len() {
            return None;
        }
        let start = match (file, method) {
            (0, 0) => 0,
            (0, 1) => inner_at,
            _ => return Some(Location::Elsewhere),
        };
        if pieces != 1 {
            return Some(if pieces == 0 {
                Location::Missing
            } else {
                Location::Scattered
            });
        }
        let mut piece = Cursor {
            body: self.body,
            at: pieces_at + widths.index,
        };
        let offset = base.saturating_add(piece.number(widths.offset)?);
        let len = piece.number(widths.length)?;
        // No length stands for the whole file.
        if len == 0 {
            return Some(Location::Missing);
        }
        Some(Location::At {
            offset: start.saturating_add(index_u64(offset)),
            len: index_u64(len),
        })
    }

    fn short(&mut self) -> Option<u16> {
        let number = u16_at(self.body, self.at, Order::Big)?;
        self.at += 2;
        Some(number)
    }

    fn long(&mut self) -> Option<u32> {
        let number = u32_at(self.body, self.at, Order::Big)?;
        self.at += 4;
        Some(number)
    }

    /// A number of this many bytes. Only none, four and eight exist.
    fn number(&mut self, width: usize) -> Option<u64> {
        let number = match width {
            0 => 0,
            4 => u64::from(u32_at(self.body, self.at, Order::Big)?),
            8 => u64_at(self.body, self.at, Order::Big)?,
            _ => return None,
        };
        self.at += width;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_place_are_read() {
        // Version 1, offsets and lengths of four bytes, two items.
        let body = b"\x01\0\0\0\x44\0\0\x02\
            \0\x01\0\0\0\0\0\x01\0\0\0\x64\0\0\0\x0a\
            \0\x02\0\x01\0\0\0\x01\0\0\0\x05\0\0\0\x03";
        let at = |offset, len| Location::At { offset, len };
        assert_eq!(
            find(body, 1_000, &[1, 2, 3]),
            [at(100, 10), at(1_005, 3), Location::Missing]
        );
    }

    #[test]
    fn pieces_are_not_gone_through() {
        // Widths of zero: 65 535 pieces cost no byte, and no time.
        let item = b"\0\x01\0\0\xff\xff";
        let many = [b"\0\0\0\0\0\0\xff\xff".as_slice(), &item.repeat(65_535)].concat();
        assert_eq!(find(&many, 0, &[1]), [Location::Scattered]);
        assert_eq!(
            find(b"\0\0\0\0\x33\0\0\x01\0\x01\0\0\0\x01\0\0\0\0\0\0", 0, &[1]),
            [Location::Missing]
        );
    }

    #[test]
    fn other_files_are_not_ours() {
        let body = b"\0\0\0\0\x44\0\0\x01\0\x01\0\x01\0\x01\0\0\0\x64\0\0\0\x0a";
        assert_eq!(find(body, 0, &[1]), [Location::Elsewhere]);
    }
}
