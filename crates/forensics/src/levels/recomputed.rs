//! Levels of a decoded picture, computed as an encoder would: where the file's own cannot be had.
//!
//! They are the file's, but for pixels that were cut to the range of a byte, as long as steps are 2 or more; a step of
//! 1 is no wider than what rounding to whole pixel values leaves behind.

use super::Levels;
use crate::dct::forward_bytes;
use crate::raster::Plane;

/// Added and taken away again, it leaves a number of less than 2^22 without its fraction.
const NO_FRACTION: f32 = 12_582_912.0;

/// The nearest whole number, halves to even, of a number of less than 2^22: without a call for each, so that the
/// compiler makes many at once.
pub(crate) fn whole(value: f32) -> f32 {
    (value + NO_FRACTION) - NO_FRACTION
}

/// A level; what lies out of range becomes the end of the range.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole, and the cast saturates"
)]
fn nearest(value: f32) -> i16 {
    whole(value) as i16
}

impl Levels {
    /// The levels that a picture with this luma would have, if it were compressed with `steps` (order as in
    /// [`Levels::new`]): whole blocks only, so up to 7 pixels at the right and at the bottom are left out. Nothing if
    /// there is no whole block, or if a step is zero.
    #[must_use]
    pub fn of_luma(luma: &Plane, steps: [u16; 64]) -> Option<Self> {
        let (columns, rows) = (luma.width() / 8, luma.height() / 8);
        if steps.contains(&0) {
            return None;
        }
        let shares = steps.map(|step| 1.0 / f32::from(step));
        let mut levels = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let coefficients = forward_bytes(&luma.block(8 * column, 8 * row)?);
                let mut block = [0; 64];
                for ((level, value), share) in block.iter_mut().zip(coefficients).zip(shares) {
                    *level = nearest(value * share);
                }
                levels.push(block);
            }
        }
        Self::new(columns, steps, levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(width: usize, height: usize) -> Plane {
        let sample = |at: usize| u8::try_from((at * at + 31 * at) % 251).expect("a byte");
        Plane::new(width, (0..width * height).map(sample).collect()).expect("whole rows")
    }

    #[test]
    fn levels_are_rounded_coefficients() {
        let luma = plane(24, 16);
        let steps = std::array::from_fn(|at| u16::try_from(1 + at / 3).expect("small"));
        let levels = Levels::of_luma(&luma, steps).expect("levels");
        assert_eq!((levels.columns(), levels.rows()), (3, 2));
        assert_eq!(levels.steps(), &steps);
        for (index, block) in levels.blocks().iter().enumerate() {
            let samples = luma
                .block(8 * (index % 3), 8 * (index / 3))
                .expect("inside");
            for (at, value) in forward_bytes(&samples).into_iter().enumerate() {
                let exact = value / f32::from(steps[at]);
                let off = (f32::from(block[at]) - exact).abs();
                assert!(off < 0.501, "block {index}, {at}: {exact}");
            }
        }
    }

    #[test]
    fn parts_of_blocks_are_left_out() {
        let size = |width, height| {
            Levels::of_luma(&plane(width, height), [1; 64]).map(|l| (l.columns(), l.rows()))
        };
        assert_eq!(size(8, 8), Some((1, 1)));
        assert_eq!(size(15, 23), Some((1, 2)));
        assert_eq!(size(7, 64), None);
        assert_eq!(size(64, 7), None);
    }

    #[test]
    fn a_step_of_zero_gives_no_levels() {
        let mut steps = [1; 64];
        assert!(Levels::of_luma(&plane(8, 8), steps).is_some());
        steps[63] = 0;
        assert!(Levels::of_luma(&plane(8, 8), steps).is_none());
    }

    #[test]
    fn rounding_is_to_the_nearest_of_either_sign() {
        let rounded = [0.4, 0.6, -0.4, -0.6, 1.5, 2.5, -1024.4, 1e9, -1e9].map(nearest);
        assert_eq!(rounded, [0, 1, 0, -1, 2, 2, -1024, i16::MAX, i16::MIN]);
    }
}
