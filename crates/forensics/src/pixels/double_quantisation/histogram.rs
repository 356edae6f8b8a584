//! How often each level occurs in one mode of the DCT, and how periodic that is.

use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Levels beyond this size are not counted: there are few, and each tells little.
pub(super) const LEVEL_MAX: u16 = 60;
/// Sizes of levels that are counted: 0 to [`LEVEL_MAX`].
pub(super) const SIZES: usize = 61;
/// Levels that are counted.
const BINS: usize = 2 * SIZES - 1;
/// What varies more slowly, in cycles per level, is the shape that any histogram has.
const FREQUENCY_MIN: f64 = 0.12;

/// `COSINE[n] = cos(2π n / BINS)`.
static COSINE: LazyLock<[f64; BINS]> =
    LazyLock::new(|| std::array::from_fn(|n| (TAU * n as f64 / BINS as f64).cos()));
/// The sine of the same.
static SINE: LazyLock<[f64; BINS]> =
    LazyLock::new(|| std::array::from_fn(|n| (TAU * n as f64 / BINS as f64).sin()));

/// Counts of the levels −60 to 60.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    bins: [u32; BINS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: [0; BINS] }
    }
}

impl Histogram {
    pub(super) fn add(&mut self, level: i16) {
        let bin = i32::from(level) + i32::from(LEVEL_MAX);
        let bin = usize::try_from(bin).ok();
        if let Some(count) = bin.and_then(|bin| self.bins.get_mut(bin)) {
            *count += 1;
        }
    }

    /// Counts by size: signs do not matter, as pictures have both alike.
    pub(super) fn sizes(&self) -> [u32; SIZES] {
        let centre = SIZES - 1;
        std::array::from_fn(|size| match size {
            0 => self.bins[centre],
            _ => self.bins[centre + size] + self.bins[centre - size],
        })
    }

    /// Levels other than 0.
    pub(super) fn non_zero(&self) -> u32 {
        self.sizes().iter().skip(1).sum()
    }

    /// The most that the spectrum rises above what it fell to at lower frequencies, relative to the mean: 0 to 1.
    ///
    /// The histogram of a mode falls smoothly to both sides of zero, so its spectrum falls too. If the coefficients were
    /// multiples of a larger step before, it has teeth, and its spectrum peaks (Popescu and Farid, "Statistical tools
    /// for digital forensics", 2004, section 3). The count of zeros is replaced by the mean of its neighbours': it
    /// stands out in any picture.
    pub(super) fn periodicity(&self) -> f64 {
        let weighted = self.weighted();
        let total: f64 = weighted.iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let (mut least, mut most) = (1.0f64, 0.0f64);
        for cycles in 1..SIZES {
            let height = magnitude(&weighted, cycles) / total;
            least = least.min(height);
            if cycles as f64 / BINS as f64 > FREQUENCY_MIN {
                most = most.max(height - least);
            }
        }
        most
    }

    /// The counts under a Hann window, so that the end of the range makes no peaks of its own.
    fn weighted(&self) -> [f64; BINS] {
        let centre = SIZES - 1;
        let mut counts = self.bins.map(f64::from);
        counts[centre] = (counts[centre - 1] + counts[centre + 1]) / 2.0;
        for (bin, count) in counts.iter_mut().enumerate() {
            *count *= 0.5 - 0.5 * (TAU * bin as f64 / (BINS - 1) as f64).cos();
        }
        counts
    }
}

/// The magnitude of the discrete Fourier transform at so many cycles per range.
fn magnitude(counts: &[f64; BINS], cycles: usize) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (bin, count) in counts.iter().enumerate() {
        let phase = bin * cycles % BINS;
        real += count * COSINE[phase];
        imaginary += count * SINE[phase];
    }
    f64::hypot(real, imaginary)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A two-sided exponential histogram, of which only multiples of `step` are kept.
    fn comb(step: i16) -> Histogram {
        let mut histogram = Histogram::default();
        for level in -60..=60i16 {
            let count = if level % step == 0 {
                4000 >> (level.unsigned_abs() / 8)
            } else {
                0
            };
            for _ in 0..count {
                histogram.add(level);
            }
        }
        histogram
    }

    #[test]
    fn levels_are_counted_up_to_the_bound_of_either_sign() {
        let mut histogram = Histogram::default();
        for level in [60, -60, 61, -61, i16::MAX, i16::MIN, 0, 1] {
            histogram.add(level);
        }
        let sizes = histogram.sizes();
        assert_eq!((sizes[0], sizes[1], sizes[60]), (1, 1, 2));
        assert_eq!(histogram.non_zero(), 3);
    }

    #[test]
    fn only_teeth_are_periodic() {
        let smooth = comb(1).periodicity();
        assert!(smooth < 0.1, "{smooth}");
        for step in [2, 3, 4, 6, 10] {
            let toothed = comb(step).periodicity();
            assert!(toothed > 0.6, "{step}: {toothed}");
        }
    }

    #[test]
    fn nothing_and_zeros_alone_are_not_periodic() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.periodicity(), 0.0);
        histogram.add(0);
        assert_eq!(histogram.periodicity(), 0.0);
    }
}
