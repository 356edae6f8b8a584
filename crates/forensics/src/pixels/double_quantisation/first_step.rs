//! The step of an earlier quantisation of one mode.
//!
//! For each step that may have been, the levels that both quantisations would leave are predicted from the coefficients
//! of the shifted grid; the step that explains the levels of the file best is taken (Bianchi and Piva, "Image forgery
//! localization via block-grained analysis of JPEG artifacts", 2012, section III-B; they compare by least squares, here
//! it is by likelihood).

use super::calibration::Sizes;
use super::histogram::{Histogram, SIZES};

/// Levels other than 0 that a mode must have to be looked at.
pub(super) const NON_ZERO_MIN: u32 = 400;
/// How many times the later step the earlier may be; three teeth are left then in what is counted.
const RATIO_MAX: u16 = 20;
/// How much better, in nats per level, an earlier quantisation must explain the levels than none.
const GAIN_MIN: f64 = 0.05;
/// Deviation of a coefficient from a multiple of the earlier step: what rounding of pixels to whole numbers, as colours
/// and as luma, adds between two compressions.
const ROUNDING: f64 = 0.45;
/// Share of levels that may come from elsewhere, so that the best explanation need not explain all.
const ELSEWHERE: f64 = 0.1;
/// Stands for shares that were never seen.
const SHARE_MIN: f64 = 1e-6;
/// The logistic curve of `1.702 x` is the normal distribution, but for 0.01 (Camilli, 1994).
const LOGISTIC: f64 = 1.702;

/// The step by which the mode was quantised before `second`; nothing if it was not, by none larger than `second`, or if
/// there is too little to tell from.
pub(super) fn first_step(second: u16, sizes: &Sizes, histogram: &Histogram) -> Option<u16> {
    if histogram.non_zero() < NON_ZERO_MIN {
        return None;
    }
    let seen = shares(histogram.sizes().map(f64::from));
    let once = shares(sizes.levels(second));
    let last = second.saturating_mul(RATIO_MAX).min(u16::from(u8::MAX));
    let (first, gain) = (second.saturating_add(1)..=last)
        .map(|first| {
            let twice = shares(twice(sizes, first, second));
            (first, gain(&seen, &once, &twice))
        })
        .max_by(|(_, left), (_, right)| left.total_cmp(right))?;
    (gain >= GAIN_MIN).then_some(first)
}

/// The sizes of levels after quantisation by `first`, decoding, and quantisation by `second`.
fn twice(sizes: &Sizes, first: u16, second: u16) -> [f64; SIZES] {
    let mut levels = [0.0; SIZES];
    let ratio = f64::from(first) / f64::from(second);
    for (multiple, count) in sizes.multiples(first).enumerate() {
        let place = multiple as f64 * ratio;
        spread(&mut levels, place, ROUNDING / f64::from(second), count);
    }
    levels
}

/// Spreads `count` over the levels around `place`.
fn spread(levels: &mut [f64; SIZES], place: f64, deviation: f64, count: f64) {
    let below = |edge: f64| 1.0 / (1.0 + (-LOGISTIC * (edge - place) / deviation).exp());
    for offset in [-2.0, -1.0, 0.0, 1.0, 2.0] {
        let level = place.round() + offset;
        let share = below(level + 0.5) - below(level - 0.5);
        #[expect(clippy::cast_possible_truncation, reason = "whole, and not negative")]
        let size = level.abs() as usize;
        if let Some(level) = levels.get_mut(size) {
            *level += count * share;
        }
    }
}

/// Shares of the sizes above 0; of zeros there are as many as the picture has smooth places, which tells nothing.
fn shares(mut counts: [f64; SIZES]) -> [f64; SIZES] {
    counts[0] = 0.0;
    let total: f64 = counts.iter().sum();
    counts.map(|count| count / total.max(1.0))
}

/// By how much likelier, in nats per level, what was seen is after two quantisations than after one.
fn gain(seen: &[f64; SIZES], once: &[f64; SIZES], twice: &[f64; SIZES]) -> f64 {
    let of_size = |((seen, once), twice): ((&f64, &f64), &f64)| {
        let mixed = (1.0 - ELSEWHERE) * twice + ELSEWHERE * once;
        seen * ((mixed + SHARE_MIN) / (once + SHARE_MIN)).ln()
    };
    seen.iter().zip(once).zip(twice).map(of_size).sum()
}
