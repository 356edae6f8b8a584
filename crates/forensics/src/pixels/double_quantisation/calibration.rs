//! What the coefficients of a picture would be without a grid of blocks: those of blocks half a block beside the grid.
//!
//! Shifting the grid by four pixels both ways undoes what compression did to the histograms and keeps what the picture
//! did (Fridrich, Goljan and Hogea, "Steganalysis of JPEG images: breaking the F5 algorithm", 2002).

use super::histogram::{LEVEL_MAX, SIZES};
use crate::dct::forward_bytes;
use crate::raster::Plane;

/// Blocks that are transformed at most, spread over the picture. More would not make the histograms better by much.
const BLOCKS_MAX: usize = 16_384;
const SHIFT: usize = 4;

/// How many coefficients of one mode are smaller than each multiple of a half, signs not minded.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// At `n`: how many are below `n / 2`.
    below: Vec<u32>,
}

impl Sizes {
    /// The coefficients of a mode, up to the size at which `step` gives levels that are no longer counted.
    fn with_room_for(step: u16) -> Self {
        let halves = (2 * usize::from(LEVEL_MAX) + 1) * usize::from(step);
        Self {
            below: vec![0; halves + 1],
        }
    }

    /// Counts a coefficient, until [`Self::sum_up`].
    fn add(&mut self, coefficient: f32) {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let halves = (2.0 * coefficient.abs()) as usize;
        if let Some(count) = self.below.get_mut(halves.saturating_add(1)) {
            *count += 1;
        }
    }

    fn sum_up(&mut self) {
        let mut sum = 0;
        for count in &mut self.below {
            sum += *count;
            *count = sum;
        }
    }

    /// How many would be rounded to each multiple of `step` (0, `step`, 2 `step`, ...) within what is counted.
    pub(super) fn multiples(&self, step: u16) -> impl Iterator<Item = f64> + '_ {
        let end = move |multiple: usize| (2 * multiple + 1) * usize::from(step);
        let last = self.below.len().saturating_sub(1);
        (0..)
            .map(move |multiple| (multiple, end(multiple)))
            .take_while(move |(_, end)| *end <= last)
            .map(move |(multiple, until)| {
                let from = multiple.checked_sub(1).map_or(0, end);
                f64::from(self.smaller(until)) - f64::from(self.smaller(from))
            })
    }

    /// The sizes of levels that quantisation with `step` alone would give.
    pub(super) fn levels(&self, step: u16) -> [f64; SIZES] {
        let mut levels = [0.0; SIZES];
        for (level, count) in levels.iter_mut().zip(self.multiples(step)) {
            *level = count;
        }
        levels
    }

    fn smaller(&self, halves: usize) -> u32 {
        self.below.get(halves).copied().unwrap_or(0)
    }
}

/// The sizes of the coefficients at these places, with the steps by which each is quantised in the file.
pub(super) fn sizes<const MODES: usize>(
    luma: &Plane,
    places: [usize; MODES],
    steps: &[u16; 64],
) -> [Sizes; MODES] {
    let mut sizes = places.map(|place| Sizes::with_room_for(steps[place]));
    let whole = |side: usize| side.saturating_sub(SHIFT) / 8;
    let (columns, rows) = (whole(luma.width()), whole(luma.height()));
    let stride = (columns * rows).div_ceil(BLOCKS_MAX).max(1);
    for at in (0..columns * rows).step_by(stride) {
        let (x, y) = (SHIFT + 8 * (at % columns), SHIFT + 8 * (at / columns));
        let Some(block) = luma.block(x, y) else {
            continue;
        };
        let coefficients = forward_bytes(&block);
        for (sizes, place) in sizes.iter_mut().zip(places) {
            sizes.add(coefficients[place]);
        }
    }
    for sizes in &mut sizes {
        sizes.sum_up();
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(coefficients: &[f32], step: u16) -> Sizes {
        let mut sizes = Sizes::with_room_for(step);
        for &coefficient in coefficients {
            sizes.add(coefficient);
        }
        sizes.sum_up();
        sizes
    }

    #[test]
    fn coefficients_fall_to_the_nearest_multiple() {
        let sizes = of(&[0.2, -1.4, 1.6, 2.9, -4.4, 4.6], 3);
        let levels = sizes.levels(3);
        assert_eq!(levels[..3], [2.0, 3.0, 1.0]);
        let multiples: Vec<f64> = sizes.multiples(2).take(4).collect();
        assert_eq!(multiples, [1.0, 3.0, 2.0, 0.0]);
    }

    #[test]
    fn what_is_beyond_the_largest_level_is_not_counted() {
        let sizes = of(&[60.4, 60.6, -60.4, f32::INFINITY, f32::NAN], 1);
        let levels = sizes.levels(1);
        assert_eq!((levels[60], levels[0]), (2.0, 1.0));
        assert_eq!(levels.iter().sum::<f64>(), 3.0);
    }

    #[test]
    fn pictures_smaller_than_a_shifted_block_give_nothing() {
        let luma = Plane::new(11, vec![9; 11 * 11]).expect("whole rows");
        let [sizes] = sizes(&luma, [1], &[2; 64]);
        assert_eq!(sizes.levels(2).iter().sum::<f64>(), 0.0);
    }
}
