//! Tables as their segments define them (ITU-T T.81, B.2.4), and the order of coefficients in a file.

use std::iter;

/// Coefficients of a block.
pub(crate) const COEFFICIENTS: usize = 64;

/// Index in rows of the n-th coefficient of the file (ITU-T T.81, figure A.6).
pub(crate) const ZIGZAG: [u8; COEFFICIENTS] = [
    0, 1, 8, 16, 9, 2, 3, 10, //
    17, 24, 32, 25, 18, 11, 4, 5, //
    12, 19, 26, 33, 40, 48, 41, 34, //
    27, 20, 13, 6, 7, 14, 21, 28, //
    35, 42, 49, 56, 57, 50, 43, 36, //
    29, 22, 15, 23, 30, 37, 44, 51, //
    58, 59, 52, 45, 38, 31, 39, 46, //
    53, 60, 61, 54, 47, 55, 62, 63,
];

/// What a Huffman table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Differences of mean values.
    Dc,
    /// Runs of zeros, and what follows them.
    Ac,
}

/// A Huffman table of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes<'a> {
    pub(crate) class: Class,
    /// Number that scans refer to.
    pub(crate) id: u8,
    /// Codes of each length from 1 to 16 bits.
    pub(crate) counts: &'a [u8; 16],
    /// One symbol per code, shortest codes first.
    pub(crate) symbols: &'a [u8],
}

/// Number and 64 steps, in zigzag order, of each whole table of a DQT segment.
pub(crate) fn quantisation(mut data: &[u8]) -> impl Iterator<Item = (u8, [u16; COEFFICIENTS])> {
    iter::from_fn(move || {
        let (&head, rest) = data.split_first()?;
        let mut steps = [0; COEFFICIENTS];
        if head >> 4 == 0 {
            let (raw, after) = rest.split_at_checked(COEFFICIENTS)?;
            for (step, &byte) in steps.iter_mut().zip(raw) {
                *step = u16::from(byte);
            }
            data = after;
        } else {
            let (raw, after) = rest.split_at_checked(2 * COEFFICIENTS)?;
            for (step, pair) in steps.iter_mut().zip(raw.chunks_exact(2)) {
                *step = pair.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
            }
            data = after;
        }
        Some((head & 0x0f, steps))
    })
}

/// Each whole table of a DHT segment.
pub(crate) fn huffman(mut data: &[u8]) -> impl Iterator<Item = Codes<'_>> {
    iter::from_fn(move || {
        let (&head, rest) = data.split_first()?;
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let len = counts.iter().copied().map(usize::from).sum();
        let (symbols, after) = rest.split_at_checked(len)?;
        data = after;
        Some(Codes {
            class: if head >> 4 == 0 { Class::Dc } else { Class::Ac },
            id: head & 0x0f,
            counts,
            symbols,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_one_coefficient() {
        let mut places = ZIGZAG;
        places.sort_unstable();
        assert!(places.iter().copied().eq(0..64));
    }

    #[test]
    fn a_segment_may_hold_several_tables() {
        let data = [vec![0x01], vec![7; 64], vec![0x12], vec![1; 128]].concat();
        let tables: Vec<_> = quantisation(&data).collect();
        assert_eq!(tables, [(1, [7; 64]), (2, [0x0101; 64])]);
        assert_eq!(quantisation(&data[..data.len() - 1]).count(), 1);

        let mut counts = [0; 16];
        counts[1] = 2;
        let one = [vec![0x13], counts.to_vec(), vec![5, 6]].concat();
        let data = [one.clone(), one].concat();
        let tables: Vec<_> = huffman(&data).collect();
        assert_eq!(tables.len(), 2);
        assert_eq!((tables[0].class, tables[0].id), (Class::Ac, 3));
        assert_eq!(tables[0].symbols, [5, 6]);
        assert_eq!(huffman(&data[..data.len() - 1]).count(), 1);
    }
}
