//! Huffman codes (ITU-T T.81, annex C): codes of a length follow each other, and shorter ones come first.

use super::unread::Fault;
use crate::structure::jpeg::tables::Codes;

/// Codes up to this length are decoded by one look; most codes of a picture are shorter.
const SHORT_BITS: usize = 9;
const LENGTH_MAX: usize = 16;

/// A table to decode with.
pub(super) struct Huffman {
    /// By the next nine bits: the symbol of the code that they begin with and the length of the code; length 0 if the
    /// code is longer, or there is none.
    short: [(u8, u8); 1 << SHORT_BITS],
    /// By length.
    runs: [Run; LENGTH_MAX + 1],
    symbols: Vec<u8>,
}

/// Codes of one length.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The first 16 bits that are beyond the codes of this length and of all shorter ones.
    end: u32,
    /// The first code.
    code: u32,
    /// Where its symbol is.
    place: usize,
}

impl Default for Huffman {
    /// A table without codes.
    fn default() -> Self {
        Self {
            short: [(0, 0); 1 << SHORT_BITS],
            runs: [Run::default(); LENGTH_MAX + 1],
            symbols: Vec::new(),
        }
    }
}

impl Huffman {
    pub(super) fn new(codes: &Codes<'_>) -> Result<Self, Fault> {
        let mut table = Self {
            symbols: codes.symbols.to_vec(),
            ..Self::default()
        };
        let mut code = 0;
        let mut place = 0;
        for (bits, &count) in (1..=LENGTH_MAX).zip(codes.counts) {
            code <<= 1;
            let end = code + u32::from(count);
            if end > 1u32 << bits {
                return Err("a Huffman table has more codes than there can be");
            }
            table.runs[bits] = Run {
                end: end << (LENGTH_MAX - bits),
                code,
                place,
            };
            let after = place + usize::from(count);
            let symbols = codes.symbols.get(place..after).unwrap_or_default();
            if bits <= SHORT_BITS {
                table.fill(code, bits, symbols);
            }
            (code, place) = (end, after);
        }
        Ok(table)
    }

    /// Enters short codes of one length; each begins as many nine bits as can follow it.
    fn fill(&mut self, first: u32, bits: usize, symbols: &[u8]) {
        let followers = 1 << (SHORT_BITS - bits);
        let start = crate::bytes::index(first) * followers;
        let entries = self.short.get_mut(start..).unwrap_or_default();
        for (entries, &symbol) in entries.chunks_exact_mut(followers).zip(symbols) {
            // At most nine.
            entries.fill((symbol, u8::try_from(bits).unwrap_or_default()));
        }
    }

    /// The symbol of the code with which these 16 bits begin, and the length of the code.
    #[inline]
    pub(super) fn look_up(&self, next: u32) -> Option<(u8, u32)> {
        let (symbol, bits) = self.short[(next >> (LENGTH_MAX - SHORT_BITS)) as usize & 0x1ff];
        if bits != 0 {
            return Some((symbol, bits.into()));
        }
        self.look_up_long(next)
    }

    #[cold]
    fn look_up_long(&self, next: u32) -> Option<(u8, u32)> {
        for bits in SHORT_BITS + 1..=LENGTH_MAX {
            let run = self.runs[bits];
            if next < run.end {
                let code = next >> (LENGTH_MAX - bits);
                let place = run.place + crate::bytes::index(code.checked_sub(run.code)?);
                let symbol = *self.symbols.get(place)?;
                return Some((symbol, u32::try_from(bits).ok()?));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::jpeg::tables::Class;

    fn table(counts: &[(usize, u8)], symbols: &[u8]) -> Result<Huffman, Fault> {
        let mut all = [0; 16];
        for &(bits, count) in counts {
            all[bits - 1] = count;
        }
        Huffman::new(&Codes {
            class: Class::Ac,
            id: 0,
            counts: &all,
            symbols,
        })
    }

    #[test]
    fn codes_of_every_length_are_found() {
        // 0, 10, 110, … and at last two codes of 16 bits.
        let counts: Vec<(usize, u8)> = (1..=15).map(|bits| (bits, 1)).chain([(16, 2)]).collect();
        let symbols: Vec<u8> = (1..=17).collect();
        let table = table(&counts, &symbols).expect("a whole tree");
        for bits in 1..=15u32 {
            let code = 0xffff_u32 << (17 - bits) & 0xffff;
            let symbol = u8::try_from(bits).expect("small");
            assert_eq!(table.look_up(code), Some((symbol, bits)), "{bits}");
            let tail = (1 << (16 - bits)) - 1;
            assert_eq!(table.look_up(code | tail), Some((symbol, bits)), "{bits}");
        }
        assert_eq!(table.look_up(0xfffe), Some((16, 16)));
        assert_eq!(table.look_up(0xffff), Some((17, 16)));
    }

    #[test]
    fn bits_without_a_code_are_none() {
        let table = table(&[(2, 3), (12, 1)], &[1, 2, 3, 4]).expect("room is left");
        assert_eq!(table.look_up(0b10 << 14), Some((3, 2)));
        assert_eq!(table.look_up(0xc000), Some((4, 12)));
        assert_eq!(table.look_up(0xc010), None);
        assert_eq!(table.look_up(0xffff), None);
        assert_eq!(Huffman::default().look_up(0), None);
    }

    #[test]
    fn too_many_codes_are_refused() {
        assert!(table(&[(1, 2)], &[0; 2]).is_ok());
        assert!(table(&[(1, 3)], &[0; 3]).is_err());
        assert!(table(&[(1, 2), (16, 1)], &[0; 3]).is_err());
        assert!(table(&[(8, 255), (9, 2)], &[0; 257]).is_ok());
        assert!(table(&[(8, 255), (9, 3)], &[0; 258]).is_err());
    }
}
