//! Reads bits out of a picture, in each of the ways in which they may have been written.

use image::RgbImage;

use super::{KEY, KEY_BITS};
use crate::bytes::index;

/// The rest by this of a value says a bit: of 0, or of 1 from the middle on.
pub(super) const SCALE: f32 = 36.0;
/// Pixels along a side of what holds one bit: 4 × 4 values of 2 × 2 pixels.
pub(super) const BLOCK_PIXELS: usize = 8;
/// Values along a side of a block.
const BLOCK: usize = 4;

/// A way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Whose difference to luma holds the mark.
    pub(super) colour: Colour,
    /// Where the middle of the plane lay for the encoder.
    pub(super) middle: Middle,
}

/// A colour of which there is a difference plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// As the encoder means it.
    Blue,
    /// As it was if red and blue were swapped.
    Red,
}

/// The middle of a plane of colour difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Middle {
    /// 0.5, of floating-point pictures (whatever their range).
    Float,
    /// 128, of bytes.
    Byte,
}

impl Reading {
    /// All ways.
    pub(super) const ALL: [Self; 4] = [
        Self {
            colour: Colour::Blue,
            middle: Middle::Float,
        },
        Self {
            colour: Colour::Blue,
            middle: Middle::Byte,
        },
        Self {
            colour: Colour::Red,
            middle: Middle::Float,
        },
        Self {
            colour: Colour::Red,
            middle: Middle::Byte,
        },
    ];
}

impl Middle {
    pub(super) fn level(self) -> f32 {
        match self {
            Self::Float => 0.5,
            Self::Byte => 128.0,
        }
    }
}

/// The votes for each bit of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    ones: [u32; KEY_BITS],
    votes: [u32; KEY_BITS],
}

impl Read {
    const NOTHING: Self = Self {
        ones: [0; KEY_BITS],
        votes: [0; KEY_BITS],
    };

    pub(super) fn vote(&mut self, bit: usize, is_one: bool) {
        let bit = bit % KEY_BITS;
        self.ones[bit] += u32::from(is_one);
        self.votes[bit] += 1;
    }

    /// Bits that are those of the key. The majority decides; a bit without votes is no one's.
    pub(super) fn equal_bits(&self) -> u32 {
        let bits = self.ones.iter().zip(&self.votes).enumerate();
        bits.map(|(bit, (&ones, &votes))| {
            let is_one = 2 * u64::from(ones) > u64::from(votes);
            let is_key = (KEY >> (KEY_BITS - 1 - bit)) & 1 == u64::from(is_one);
            u32::from(is_key && votes > 0)
        })
        .sum()
    }

    /// Votes for the bit that has the fewest.
    pub(super) fn votes_min(&self) -> u32 {
        self.votes.iter().copied().min().unwrap_or(0)
    }
}

/// Reads the picture in all ways, in the order of [`Reading::ALL`].
pub(super) fn read(picture: &RgbImage) -> [Read; Reading::ALL.len()] {
    let mut reads = [Read::NOTHING; Reading::ALL.len()];
    let row_bytes = 3 * index(picture.width());
    let columns = index(picture.width()) / BLOCK_PIXELS;
    if columns == 0 {
        return reads;
    }
    let mut stripe = Stripe::default();
    let stripes = picture.as_raw().chunks_exact(BLOCK_PIXELS * row_bytes);
    for (row, pixels) in stripes.enumerate() {
        stripe.fill(pixels, row_bytes);
        for (reading, read) in Reading::ALL.iter().zip(&mut reads) {
            let lines = match reading.colour {
                Colour::Blue => &stripe.blue,
                Colour::Red => &stripe.red,
            };
            // The low band of a constant is twice the constant.
            let middle = 2.0 * reading.middle.level();
            for (column, block) in blocks(lines).enumerate() {
                read.vote(row * columns + column, bit(&block, middle));
            }
        }
    }
    reads
}

/// The low bands of both difference planes over one row of blocks, without their middles.
#[derive(Default)]
struct Stripe {
    blue: [Vec<f32>; BLOCK],
    red: [Vec<f32>; BLOCK],
}

impl Stripe {
    fn fill(&mut self, pixels: &[u8], row_bytes: usize) {
        let lines = self.blue.iter_mut().zip(&mut self.red);
        for (rows, (blue, red)) in pixels.chunks_exact(2 * row_bytes).zip(lines) {
            blue.clear();
            red.clear();
            let (upper, lower) = rows.split_at(row_bytes);
            let (upper, _) = upper.as_chunks::<6>();
            let (lower, _) = lower.as_chunks::<6>();
            for (upper, lower) in upper.iter().zip(lower) {
                let [low_blue, low_red] = low(upper, lower);
                blue.push(low_blue);
                red.push(low_red);
            }
        }
    }
}

/// The Haar low band of 2 × 2 pixels, half their sum, of `0.492 (B - Y)` and of the same with red and blue swapped, with
/// `Y` of ITU-R BT.601. Two pixels of two rows, red first.
fn low(upper: &[u8; 6], lower: &[u8; 6]) -> [f32; 2] {
    let sum = |colour: usize| -> f32 {
        let levels = [
            upper[colour],
            upper[colour + 3],
            lower[colour],
            lower[colour + 3],
        ];
        f32::from(levels.map(u16::from).iter().sum::<u16>())
    };
    let (red, green, blue) = (sum(0), sum(1), sum(2));
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    let swapped = 0.299 * blue + 0.587 * green + 0.114 * red;
    [0.246 * (blue - luma), 0.246 * (red - swapped)]
}

/// The blocks of four lines of values, from left to right.
fn blocks(lines: &[Vec<f32>; BLOCK]) -> impl Iterator<Item = [f32; BLOCK * BLOCK]> {
    let [first, second, third, fourth] = lines.each_ref().map(|line| line.chunks_exact(BLOCK));
    first
        .zip(second)
        .zip(third.zip(fourth))
        .map(|((first, second), (third, fourth))| {
            let mut block = [0.0; BLOCK * BLOCK];
            let rows = [first, second, third, fourth];
            for (cells, row) in block.chunks_exact_mut(BLOCK).zip(rows) {
                cells.copy_from_slice(row);
            }
            block
        })
}

/// The bit that a block says if the plane has this middle.
fn bit(block: &[f32; BLOCK * BLOCK], middle: f32) -> bool {
    let [_, rest @ ..] = block;
    let mut largest = 0.0;
    for value in rest {
        let size = (value + middle).abs();
        if size > largest {
            largest = size;
        }
    }
    largest % SCALE > SCALE / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_but_the_first_says_the_bit() {
        let mut block = [0.0; 16];
        block[0] = 500.0;
        block[7] = -27.0;
        assert!(bit(&block, 0.0));
        block[9] = 36.0 + 9.0;
        assert!(!bit(&block, 0.0));
        block[9] = 36.0 + 27.0;
        assert!(bit(&block, 0.0));
        assert!(!bit(&[0.0; 16], 18.0));
        assert!(bit(&[0.0; 16], 18.5));
    }

    #[test]
    fn a_colour_has_the_difference_of_its_definition() {
        let blue = [0, 0, 255, 0, 0, 255];
        let [low_blue, low_red] = low(&blue, &blue);
        // Four pixels of 0.492 · 255 · (1 - 0.114), halved; and of minus 0.492 · 255 · 0.299.
        assert!((low_blue - 222.31).abs() < 0.01, "{low_blue}");
        assert!((low_red + 75.03).abs() < 0.01, "{low_red}");
        let grey = [77; 6];
        assert!(low(&grey, &grey).iter().all(|value| value.abs() < 1e-3));
    }

    #[test]
    fn bits_follow_each_other_row_by_row_and_rests_are_left_out() {
        // 52 blocks in a row of which the last is cut, two rows of blocks, and some rows more.
        let picture = RgbImage::new(8 * 52 + 7, 21);
        let [read, ..] = read(&picture);
        assert_eq!(read.votes.iter().sum::<u32>(), 104);
        assert_eq!((read.votes[0], read.votes[7], read.votes[8]), (3, 3, 2));
        assert_eq!(read.votes_min(), 2);
        let narrow = super::read(&RgbImage::new(7, 100));
        assert_eq!(narrow, [Read::NOTHING; 4]);
    }

    #[test]
    fn a_bit_without_votes_is_not_equal_to_any() {
        assert_eq!(Read::NOTHING.equal_bits(), 0);
        let mut zeros = Read::NOTHING;
        (0..KEY_BITS).for_each(|bit| zeros.vote(bit, false));
        let mut ones = Read::NOTHING;
        (0..KEY_BITS).for_each(|bit| ones.vote(bit, true));
        assert_eq!((zeros.equal_bits(), ones.equal_bits()), (21, 27));
    }
}
