//! Writes the invisible watermark that the diffusers library puts into pictures of SDXL: a public key of 48 bits, by the
//! method `dwtDct` of the invisible-watermark package (which, despite its name, takes no DCT).
//!
//! One level of the Haar wavelet of the U plane is cut into blocks of 4 × 4 coefficients. In each the largest
//! coefficient but the first is moved so that its remainder by 36 says one bit: a quarter of 36 for 0, three quarters
//! for 1. U is taken of samples that are real numbers, where `OpenCV`'s U has an offset of one half, or of bytes
//! ([`Middle`]).

use image::RgbImage;

/// The key, first bit first.
pub const KEY: u64 = 0b1011_0011_1110_1100_1001_0000_0111_1011_1011_0001_1001_1110;
/// Bits of the key.
pub const KEY_BITS: usize = 48;

/// By how much the coefficients that carry the same bit lie apart.
const STEP: f32 = 36.0;
/// Coefficients of a block each way.
const BLOCK: usize = 4;
/// Pixels that one coefficient of the first level covers, each way.
const CELL: u32 = 2;
/// Pixels of a block each way.
const BLOCK_PIXELS: u32 = 8;

/// Where `OpenCV` has the middle of the U plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Middle {
    /// At 0.5, of samples that are real numbers: as the diffusers library writes.
    Real,
    /// At 128, of bytes.
    Byte,
}

impl Middle {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Real, Self::Byte];

    const fn level(self) -> f32 {
        match self {
            Self::Real => 0.5,
            Self::Byte => 128.0,
        }
    }
}

/// The picture with the mark in it; parts that fill no block stay as they are.
#[must_use]
pub fn marked(picture: &RgbImage, middle: Middle) -> RgbImage {
    let mut picture = picture.clone();
    let (columns, rows) = (
        picture.width() / BLOCK_PIXELS,
        picture.height() / BLOCK_PIXELS,
    );
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    for ((column, row), bit) in places.zip(key_bits().cycle()) {
        let (x, y) = (column * BLOCK_PIXELS, row * BLOCK_PIXELS);
        mark(&mut picture, x, y, middle, bit);
    }
    picture
}

/// The bits in their order.
pub fn key_bits() -> impl Iterator<Item = bool> + Clone {
    (0..KEY_BITS).map(|at| KEY >> (KEY_BITS - 1 - at) & 1 == 1)
}

/// Writes one bit into the block whose upper left pixel is `(x, y)`.
fn mark(picture: &mut RgbImage, x: u32, y: u32, middle: Middle, bit: bool) {
    let coefficients = low_pass(picture, x, y, middle);
    let mut largest = (1, 0.0_f32);
    for (at, value) in coefficients.iter().enumerate().skip(1) {
        if value.abs() > largest.1.abs() {
            largest = (at, *value);
        }
    }
    let (at, value) = largest;
    let remainder = if bit { 0.75 } else { 0.25 };
    let size = ((value.abs() / STEP).floor() + remainder) * STEP;
    let wanted = if value >= 0.0 { size } else { -size };
    let (column, row) = (cell(at % BLOCK), cell(at / BLOCK));
    // Half of a coefficient's change goes to each of its four pixels.
    shift(picture, x + column, y + row, (wanted - value) / 2.0);
}

/// In pixels, where a coefficient begins.
fn cell(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(0) * CELL
}

/// The 16 low-pass coefficients of a block, row by row: half of the sum of four pixels.
fn low_pass(picture: &RgbImage, x: u32, y: u32, middle: Middle) -> [f32; BLOCK * BLOCK] {
    std::array::from_fn(|at| {
        let (left, top) = (x + cell(at % BLOCK), y + cell(at / BLOCK));
        let cells = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let sum: f32 = cells
            .map(|(dx, dy)| u_at(picture, left + dx, top + dy) + middle.level())
            .iter()
            .sum();
        sum / 2.0
    })
}

/// U of one pixel with its middle at 0: `0.492 (B - Y)`.
fn u_at(picture: &RgbImage, x: u32, y: u32) -> f32 {
    let [red, green, blue] = picture.get_pixel(x, y).0.map(f32::from);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    0.492 * (blue - luma)
}

/// Changes U of the 2 × 2 pixels at `(x, y)`, with Y and V as they are.
fn shift(picture: &mut RgbImage, x: u32, y: u32, change: f32) {
    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let [_, green, blue] = &mut picture.get_pixel_mut(x + dx, y + dy).0;
        *green = moved(*green, -0.395 * change);
        *blue = moved(*blue, 2.032 * change);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the range of a pixel first"
)]
fn moved(level: u8, change: f32) -> u8 {
    (f32::from(level) + change).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::FIRST;

    /// Bits of the key that a majority of the blocks says.
    fn agreeing(picture: &RgbImage, middle: Middle) -> usize {
        let mut votes = [0_i32; KEY_BITS];
        let (columns, rows) = (picture.width() / 8, picture.height() / 8);
        for at in 0..columns * rows {
            let block = low_pass(picture, at % columns * 8, at / columns * 8, middle);
            let largest = block[1..]
                .iter()
                .fold(0.0, |most: f32, value| most.max(value.abs()));
            let vote = &mut votes[usize::try_from(at).unwrap() % KEY_BITS];
            *vote += if largest % STEP > STEP / 2.0 { 1 } else { -1 };
        }
        let said = votes.map(|vote| vote > 0);
        key_bits()
            .zip(said)
            .filter(|(key, said)| key == said)
            .count()
    }

    #[test]
    fn the_key_reads_back_from_a_marked_picture_and_from_no_other() {
        for seed in 0..4 {
            let picture = FIRST.sized(320, 256).develop(seed).unwrap();
            for middle in Middle::ALL {
                let clean = agreeing(&picture, middle);
                assert!((12..=36).contains(&clean), "{seed}, {middle:?}: {clean}");
                // With the middle at 128 all coefficients are about as large, and one that was moved may not be the
                // largest any more.
                let least = match middle {
                    Middle::Real => 46,
                    Middle::Byte => 43,
                };
                let read = agreeing(&marked(&picture, middle), middle);
                assert!(read >= least, "{seed}, {middle:?}: {read}");
            }
        }
    }

    #[test]
    fn the_mark_is_not_seen() {
        let picture = FIRST.sized(320, 256).develop(1).unwrap();
        let marked = marked(&picture, Middle::Real);
        let apart = picture.as_raw().iter().zip(marked.as_raw());
        let mean = apart.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>()
            / picture.as_raw().len() as f64;
        assert!((0.05..2.0).contains(&mean), "{mean}");
    }

    #[test]
    fn the_key_is_the_published_one() {
        let text: String = key_bits().map(|bit| if bit { '1' } else { '0' }).collect();
        assert_eq!(text, "101100111110110010010000011110111011000110011110");
    }

    #[test]
    fn a_picture_smaller_than_a_block_stays_as_it_is() {
        let picture = RgbImage::from_pixel(7, 9, image::Rgb([9, 99, 199]));
        assert_eq!(marked(&picture, Middle::Real), picture);
    }
}
