//! How many false alarms as good as this one chance would make (a contrario; Desolneux, Moisan and Morel, "From Gestalt
//! Theory to Image Analysis", 2008, chapter 3), as log10: expectation of how often, in all places that were looked at,
//! pixels that vote at random agree as much.

use std::f64::consts::{LN_10, TAU};

use crate::bytes::count;

/// Pixels of a block. They vote by the same blocks, so that many of them count as one vote.
const BLOCK_PIXELS: u64 = 64;
/// Grids that votes are spread over, and that are looked at.
const GRIDS: f64 = 64.0;
/// Terms of a sum that are smaller than this share of it change nothing.
const NEGLIGIBLE: f64 = 1e-17;
/// Up to here logarithms are summed, from here on the series is exact to the last digits.
const SERIES_FROM: u64 = 16;

/// For `votes` for one grid among `pixels`: `64 · P[Bin(⌊pixels / 64⌋, 1/64) ≥ ⌊votes / 64⌋]` as log10.
pub(super) fn of_grid(pixels: u64, votes: u64) -> f64 {
    GRIDS.log10() + log10_tail(pixels / BLOCK_PIXELS, votes / BLOCK_PIXELS, 1.0 / GRIDS)
}

/// The same for `votes` in a rectangle of `pixels`, of all rectangles in a picture of these sides:
/// `64 · X² Y² · P[…]` as log10.
pub(super) fn of_rectangle(sides: (usize, usize), pixels: u64, votes: u64) -> f64 {
    let rectangles = 2.0 * (count(sides.0) as f64).log10() + 2.0 * (count(sides.1) as f64).log10();
    rectangles + of_grid(pixels, votes)
}

/// `log10 P[Bin(trials, p) ≥ hits]` for 0 < p < 1.
fn log10_tail(trials: u64, hits: u64, p: f64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    if hits > trials {
        return f64::NEG_INFINITY;
    }
    // Terms get smaller from the mean on. So the side of it is summed that does not hold the mean.
    let ln_tail = if hits as f64 > trials as f64 * p {
        ln_upper(trials, hits, p)
    } else {
        (-ln_upper(trials, trials - (hits - 1), 1.0 - p).exp()).ln_1p()
    };
    ln_tail.min(0.0) / LN_10
}

/// `ln P[Bin(trials, p) ≥ hits]` for hits above the mean: the first term and the ratios to it of those that follow.
fn ln_upper(trials: u64, hits: u64, p: f64) -> f64 {
    let odds = p / (1.0 - p);
    let (mut sum, mut term) = (1.0, 1.0);
    for hits in hits..trials {
        term *= (trials - hits) as f64 / (hits + 1) as f64 * odds;
        sum += term;
        if term < sum * NEGLIGIBLE {
            break;
        }
    }
    let misses = trials - hits;
    let ways = ln_factorial(trials) - ln_factorial(hits) - ln_factorial(misses);
    ways + hits as f64 * p.ln() + misses as f64 * (-p).ln_1p() + f64::ln(sum)
}

/// `ln n!`, from [`SERIES_FROM`] on by the series of Stirling (Abramowitz and Stegun, 6.1.41).
fn ln_factorial(n: u64) -> f64 {
    if n < SERIES_FROM {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    let inverse = 1.0 / n;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square * (1.0 / 360.0 - square * (1.0 / 1_260.0 - square * (1.0 / 1_680.0))));
    n * n.ln() - n + 0.5 * (TAU * n).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(seen: f64, expected: f64, tolerance: f64) {
        assert!(
            (seen - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{seen} instead of {expected}"
        );
    }

    /// By Pascal's triangle and plain sums.
    fn exact(trials: u64, hits: u64, p: f64) -> f64 {
        let mut ways = vec![1.0_f64];
        for _ in 0..trials {
            let shifted = std::iter::once(0.0).chain(ways.iter().copied());
            let padded = ways.iter().copied().chain(std::iter::once(0.0));
            ways = shifted.zip(padded).map(|(a, b)| a + b).collect();
        }
        (0..)
            .zip(ways)
            .filter(|(k, _)| *k >= hits)
            .map(|(k, ways)| {
                let k = i32::try_from(k).expect("small");
                ways * p.powi(k) * (1.0 - p).powi(i32::try_from(trials).expect("small") - k)
            })
            .sum()
    }

    #[test]
    fn tails_of_small_numbers_are_exact() {
        for trials in 0..=40 {
            for hits in 0..=trials {
                for p in [1.0 / 64.0, 0.3, 0.5] {
                    let seen = log10_tail(trials, hits, p);
                    near(seen, exact(trials, hits, p).log10(), 1e-12);
                }
            }
        }
    }

    #[test]
    fn known_values() {
        near(log10_tail(48, 48, 0.5), -14.449_439_791_871_5, 1e-12);
        near(log10_tail(1, 1, 1.0 / 64.0), -1.806_179_973_983_9, 1e-12);
        // All but none and all but one of a million: 1 - (1 - p)^n, and p^n.
        near(
            log10_tail(1_000_000, 1, 1e-6),
            0.632_120_742_768_355_f64.log10(),
            1e-8,
        );
        near(
            log10_tail(1_000_000, 1_000_000, 1.0 / 64.0),
            -1_806_179.973_983_9,
            1e-12,
        );
        assert_eq!(log10_tail(10, 0, 0.5), 0.0);
        assert_eq!(log10_tail(10, 11, 0.5), f64::NEG_INFINITY);
        assert_eq!(log10_tail(0, 0, 0.5), 0.0);
    }

    #[test]
    fn factorials_meet_where_the_series_begins() {
        for n in SERIES_FROM - 2..SERIES_FROM + 3 {
            let sum: f64 = (2..=n).map(|factor| (factor as f64).ln()).sum();
            near(ln_factorial(n), sum, 1e-14);
        }
    }

    #[test]
    fn tails_of_large_numbers_fall_without_a_step() {
        // As many blocks as 64 megapixels have. The median is by the mean, and nothing is not a number.
        let (trials, p) = (1_000_000, 1.0 / 64.0);
        near(log10_tail(trials, 15_625, p), 0.5_f64.log10(), 1e-2);
        let mut before = 0.0;
        for hits in (0..=trials).step_by(997) {
            let tail = log10_tail(trials, hits, p);
            assert!(tail <= before, "{hits}: {tail} after {before}");
            before = tail;
        }
        assert!(before < -1_000_000.0);
    }

    #[test]
    fn rectangles_pay_for_their_number() {
        let (pixels, votes) = (128 * 128, 128 * 64);
        let difference = of_rectangle((100, 1_000), pixels, votes) - of_grid(pixels, votes);
        near(difference, 10.0, 1e-12);
    }

    #[test]
    fn a_grid_is_surprising_from_three_blocks_that_agree_on() {
        assert!(of_grid(3 * 64, 3 * 64) < -2.0);
        assert!(of_grid(2 * 64, 2 * 64) > -2.0);
        assert_eq!(of_grid(0, 0), GRIDS.log10());
    }
}
