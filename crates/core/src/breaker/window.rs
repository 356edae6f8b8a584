//! The sliding window: how many of the recent calls failed or were slow.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::WindowConfig;

/// A time-based window is kept as this many slices, so its memory does not depend on the call rate.
const TIME_SLICES: u64 = 10;

/// What a window holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls with a result.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow, failed or not.
    pub slow: u64,
}

impl Counts {
    fn add(&mut self, sample: Sample) {
        self.calls += 1;
        self.failures += u64::from(sample.failed);
        self.slow += u64::from(sample.slow);
    }

    fn subtract(&mut self, sample: Sample) {
        self.calls -= 1;
        self.failures -= u64::from(sample.failed);
        self.slow -= u64::from(sample.slow);
    }
}

/// One result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Window {
    Count {
        size: usize,
        samples: VecDeque<Sample>,
        total: Counts,
    },
    Time {
        slice_ms: u64,
        slices: VecDeque<Slice>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Slice {
    number: u64,
    counts: Counts,
}

impl Window {
    pub(super) fn new(config: WindowConfig) -> Self {
        match config {
            WindowConfig::Count { calls } => Self::Count {
                size: usize::try_from(calls).unwrap_or(usize::MAX),
                samples: VecDeque::new(),
                total: Counts::default(),
            },
            WindowConfig::Time { span_ms } => Self::Time {
                slice_ms: (span_ms / TIME_SLICES).max(1),
                slices: VecDeque::new(),
            },
        }
    }

    pub(super) fn record(&mut self, sample: Sample, now_ms: u64) {
        match self {
            Self::Count {
                size,
                samples,
                total,
            } => {
                if samples.len() >= *size
                    && let Some(oldest) = samples.pop_front()
                {
                    total.subtract(oldest);
                }
                samples.push_back(sample);
                total.add(sample);
            }
            Self::Time { slice_ms, slices } => {
                let number = now_ms / *slice_ms;
                forget(slices, number);
                match slices.back_mut() {
                    // Equal, or the clock stepped back a little: the newest slice takes it.
                    Some(newest) if newest.number >= number => newest.counts.add(sample),
                    Some(_) | None => {
                        let mut counts = Counts::default();
                        counts.add(sample);
                        slices.push_back(Slice { number, counts });
                    }
                }
            }
        }
    }

    /// The counts as of `now_ms`.
    pub(super) fn counts(&self, now_ms: u64) -> Counts {
        match self {
            Self::Count { total, .. } => *total,
            Self::Time { slice_ms, slices } => {
                let number = now_ms / *slice_ms;
                let mut sum = Counts::default();
                for slice in slices.iter().filter(|slice| is_live(slice, number)) {
                    sum.calls += slice.counts.calls;
                    sum.failures += slice.counts.failures;
                    sum.slow += slice.counts.slow;
                }
                sum
            }
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Count { samples, total, .. } => {
                samples.clear();
                *total = Counts::default();
            }
            Self::Time { slices, .. } => slices.clear(),
        }
    }
}

/// Drops slices that are too old, and those so far ahead that only a clock set back explains them.
fn forget(slices: &mut VecDeque<Slice>, number: u64) {
    slices.retain(|slice| is_live(slice, number));
}

fn is_live(slice: &Slice, number: u64) -> bool {
    slice.number.abs_diff(number) < TIME_SLICES
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Sample = Sample {
        failed: true,
        slow: false,
    };
    const SLOW: Sample = Sample {
        failed: false,
        slow: true,
    };

    fn counts(calls: u64, failures: u64, slow: u64) -> Counts {
        Counts {
            calls,
            failures,
            slow,
        }
    }

    #[test]
    fn count_window_forgets_the_oldest_beyond_its_size() {
        let mut window = Window::new(WindowConfig::Count { calls: 3 });
        for _ in 0..3 {
            window.record(FAILED, 0);
        }
        assert_eq!(window.counts(0), counts(3, 3, 0));
        window.record(SLOW, 0);
        assert_eq!(window.counts(u64::MAX), counts(3, 2, 1));
        window.clear();
        assert_eq!(window.counts(0), Counts::default());
    }

    #[test]
    fn time_window_forgets_by_age() {
        let mut window = Window::new(WindowConfig::Time { span_ms: 1_000 });
        window.record(FAILED, 10_000);
        window.record(SLOW, 10_900);
        assert_eq!(window.counts(10_999), counts(2, 1, 1));
        assert_eq!(window.counts(11_000), counts(1, 0, 1));
        assert_eq!(window.counts(11_899), counts(1, 0, 1));
        assert_eq!(window.counts(11_900), Counts::default());
        window.record(FAILED, 12_000);
        assert_eq!(window.counts(12_000), counts(1, 1, 0));
    }

    #[test]
    fn time_window_survives_a_clock_that_steps_back() {
        let mut window = Window::new(WindowConfig::Time { span_ms: 1_000 });
        window.record(FAILED, 1_000_000);
        window.record(FAILED, 999_800);
        assert_eq!(window.counts(1_000_000), counts(2, 2, 0));
        // A long way back: what was seen "in the future" must not count for the next hour.
        window.record(SLOW, 500_000);
        assert_eq!(window.counts(500_000), counts(1, 0, 1));
    }

    #[test]
    fn memory_is_bounded_by_the_slices() {
        let mut window = Window::new(WindowConfig::Time { span_ms: 100 });
        for now_ms in 0..10_000 {
            window.record(FAILED, now_ms);
        }
        let Window::Time { slices, .. } = &window else {
            panic!("built from a time span");
        };
        assert!(slices.len() <= 10, "{} slices", slices.len());
    }
}
