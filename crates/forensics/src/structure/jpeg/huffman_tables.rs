//! Whether Huffman tables are the examples of the standard, which most encoders use as they are, or were made for the
//! picture.

use serde::{Deserialize, Serialize};

use super::tables::{Class, Codes};

/// Where the Huffman tables of a file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuffmanTables {
    /// All are those of ITU-T T.81, K.3.3.
    Standard,
    /// At least one is not.
    Own,
}

/// Codes by length, 1 to 16 bits, and their symbols.
type Example = ([u8; 16], &'static [u8]);

/// Tables K.3 and K.4: categories of differences of luminance and chrominance.
const DC: [Example; 2] = [
    (
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
    (
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
];

/// Tables K.5 and K.6, as far as their codes have up to eleven bits. Longer codes follow in the order of their symbols.
const AC: [Example; 2] = [
    (
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
        &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51,
            0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1,
            0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82,
        ],
    ),
    (
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
        &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07,
            0x61, 0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09,
            0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25,
            0xf1,
        ],
    ),
];

impl HuffmanTables {
    /// With one table more.
    pub(super) fn with(known: Option<Self>, codes: &Codes<'_>) -> Self {
        if known == Some(Self::Own) || !is_standard(codes) {
            Self::Own
        } else {
            Self::Standard
        }
    }
}

fn is_standard(codes: &Codes<'_>) -> bool {
    let examples = match codes.class {
        Class::Dc => &DC,
        Class::Ac => &AC,
    };
    examples.iter().any(|(counts, start)| {
        let Some(rest) = codes.symbols.strip_prefix(*start) else {
            return false;
        };
        let follows = match codes.class {
            Class::Dc => rest.is_empty(),
            Class::Ac => rest.iter().copied().eq(others(start)),
        };
        codes.counts == counts && follows
    })
}

/// The symbols of a picture of 8 bits that are not among these, in their order.
fn others(start: &[u8]) -> impl Iterator<Item = u8> {
    let is_other = |symbol: &u8| matches!(symbol & 0x0f, 1..=10) && !start.contains(symbol);
    (0..=u8::MAX).filter(is_other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::structure::jpeg::tables::huffman;

    /// The contents of the DHT segments of an encoder that uses the examples.
    fn segments() -> Vec<Vec<u8>> {
        let jpeg = samples::jpeg(90);
        let at = jpeg.windows(2).enumerate();
        let starts = at.filter(|(_, pair)| *pair == [0xff, 0xc4]);
        starts
            .map(|(at, _)| {
                let len = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
                jpeg[at + 4..at + 2 + len].to_vec()
            })
            .collect()
    }

    #[test]
    fn examples_of_the_standard_are_known() {
        let segments = segments();
        let tables: Vec<Codes<'_>> = segments.iter().flat_map(|data| huffman(data)).collect();
        assert_eq!(tables.len(), 4);
        assert!(tables.iter().all(is_standard));
        let all = tables
            .iter()
            .fold(None, |known, codes| Some(HuffmanTables::with(known, codes)));
        assert_eq!(all, Some(HuffmanTables::Standard));
    }

    #[test]
    fn one_other_table_makes_them_the_encoders_own() {
        for (number, segment) in segments().iter().enumerate() {
            for at in 1..segment.len() {
                let mut changed = segment.clone();
                // Counts stay within the segment.
                if at < 17 && changed[at] > 0 {
                    changed[at] -= 1;
                } else if at >= 17 {
                    changed[at] ^= 0x01;
                } else {
                    continue;
                }
                let own = huffman(&changed).fold(None, |known, codes| {
                    Some(HuffmanTables::with(known, &codes))
                });
                assert_eq!(own, Some(HuffmanTables::Own), "{number} {at}");
            }
        }
    }
}
