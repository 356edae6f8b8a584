//! When a failed task is started again. Pure.

use std::time::Duration;

/// Bounds on starting a failed task again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Delay after the first failure; doubles with each further one.
    pub delay_first: Duration,
    /// The longest delay.
    pub delay_max: Duration,
    /// So many failures in a row are too many: the process stops.
    pub failures_max: u32,
    /// Running this long forgets earlier failures.
    pub stable_after: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            delay_first: Duration::from_millis(100),
            delay_max: Duration::from_secs(10),
            failures_max: 10,
            stable_after: Duration::from_secs(60),
        }
    }
}

impl Restart {
    /// Failures in a row, after one more that came `ran` after its start.
    #[must_use]
    pub fn count(&self, failures: u32, ran: Duration) -> u32 {
        if ran >= self.stable_after {
            1
        } else {
            failures.saturating_add(1)
        }
    }

    /// How long to wait after the given number of failures in a row; `None` when there were too many.
    #[must_use]
    pub fn delay(&self, failures: u32) -> Option<Duration> {
        if failures >= self.failures_max {
            return None;
        }
        let doublings = failures.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Some(self.delay_first.saturating_mul(factor).min(self.delay_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_bound_and_end() {
        let restart = Restart::default();
        let ms = |failures| restart.delay(failures).map(|delay| delay.as_millis());
        assert_eq!([ms(1), ms(2), ms(3)], [Some(100), Some(200), Some(400)]);
        assert_eq!(
            [ms(7), ms(8), ms(9)],
            [Some(6_400), Some(10_000), Some(10_000)]
        );
        assert_eq!(ms(10), None);
        let patient = Restart {
            failures_max: u32::MAX,
            ..restart
        };
        assert_eq!(patient.delay(u32::MAX - 1), Some(restart.delay_max));
    }

    #[test]
    fn a_stable_run_forgets_failures() {
        let restart = Restart::default();
        assert_eq!(restart.count(8, Duration::from_millis(59_999)), 9);
        assert_eq!(restart.count(8, Duration::from_secs(60)), 1);
    }
}
