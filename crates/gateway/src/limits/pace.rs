//! How slowly a body may come. Pure.
//!
//! Only the time that is spent waiting for its sender counts: what the server takes to write it down is no fault of
//! theirs.

use std::time::Duration;

/// A body that is coming in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    idle: Duration,
    bytes_per_s_min: u64,
    waited: Duration,
    bytes: u64,
}

/// What was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slow {
    /// The next part.
    Part,
    /// All of it.
    Whole,
}

impl Pace {
    /// Each part may take `idle`; together they may take that and a second for each `bytes_per_s_min` bytes that came.
    pub(crate) fn new(idle: Duration, bytes_per_s_min: u64) -> Self {
        Self {
            idle,
            bytes_per_s_min: bytes_per_s_min.max(1),
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// How long the next part may take.
    pub(crate) fn patience(&self) -> Duration {
        self.left().min(self.idle)
    }

    /// What was too slow when the patience ran out.
    pub(crate) fn slow(&self) -> Slow {
        if self.left() < self.idle {
            Slow::Whole
        } else {
            Slow::Part
        }
    }

    /// A part of so many bytes came after so long.
    pub(crate) fn came(&mut self, after: Duration, bytes: usize) {
        self.waited = self.waited.saturating_add(after);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn left(&self) -> Duration {
        let whole_ms = self.bytes.saturating_mul(1_000) / self.bytes_per_s_min;
        let allowed = self.idle.saturating_add(Duration::from_millis(whole_ms));
        allowed.saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_body_as_fast_as_the_bound_comes_to_its_end_and_a_slower_one_does_not() {
        for (after, ends) in [(SECOND, true), (SECOND + SECOND / 10, false)] {
            let mut pace = Pace::new(IDLE, 100);
            let mut parts = 0;
            while pace.patience() >= after && parts < 1_000 {
                pace.came(after, 100);
                parts += 1;
            }
            assert_eq!(parts == 1_000, ends, "{after:?}");
            // It has as long as one part may take, once.
            assert!(parts >= 290, "{parts}");
            assert_eq!(pace.slow(), if ends { Slow::Part } else { Slow::Whole });
        }
    }

    #[test]
    fn a_part_that_does_not_come_is_waited_for_no_longer_than_one_may_take() {
        let mut pace = Pace::new(IDLE, 100);
        assert_eq!((pace.patience(), pace.slow()), (IDLE, Slow::Part));
        pace.came(Duration::ZERO, 1_000_000);
        assert_eq!((pace.patience(), pace.slow()), (IDLE, Slow::Part));
    }

    #[test]
    fn drops_use_the_patience_up() {
        let mut pace = Pace::new(IDLE, 100);
        pace.came(IDLE - SECOND, 1);
        let left = SECOND + Duration::from_millis(10);
        assert_eq!((pace.patience(), pace.slow()), (left, Slow::Whole));
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        let mut pace = Pace::new(Duration::MAX, 0);
        pace.came(Duration::MAX, usize::MAX);
        pace.came(Duration::MAX, usize::MAX);
        assert_eq!(pace.patience(), Duration::ZERO);
    }
}
