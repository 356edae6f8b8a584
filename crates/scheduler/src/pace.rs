//! When an activity is next. Pure.

use std::time::Duration;

/// The longest wait after a failure, unless the period itself is longer.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// How often an activity is activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the end of an activation to the next.
    pub period: Duration,
}

/// How an activation ended, as far as the next one cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It did all there was.
    Done,
    /// It stopped at its limit.
    Full,
    /// It failed, and so did those just before it.
    Failed {
        /// How many in a row, with this one.
        in_a_row: u32,
    },
}

impl Pace {
    /// How long after its start a loop activates first: somewhere in the first period, so that many
    /// loops that start together do not stay together. `chance` is 0 to 1.
    #[must_use]
    pub fn first(&self, chance: f64) -> Duration {
        self.period.mul_f64(chance.clamp(0.0, 1.0))
    }

    /// How long to wait after an activation.
    #[must_use]
    pub fn next(&self, ended: Ended) -> Duration {
        match ended {
            Ended::Done => self.period,
            Ended::Full => Duration::ZERO,
            Ended::Failed { in_a_row } => {
                let factor = 1_u32.checked_shl(in_a_row).unwrap_or(u32::MAX);
                let doubled = self.period.saturating_mul(factor);
                doubled.min(BACKOFF_MAX.max(self.period))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Pace = Pace {
        period: Duration::from_millis(50),
    };
    const SLOW: Pace = Pace {
        period: Duration::from_secs(3_600),
    };

    #[test]
    fn more_to_do_is_done_at_once() {
        assert_eq!(FAST.next(Ended::Full), Duration::ZERO);
        assert_eq!(FAST.next(Ended::Done), FAST.period);
    }

    #[test]
    fn failures_double_the_period_up_to_a_bound() {
        let ms = |in_a_row| FAST.next(Ended::Failed { in_a_row }).as_millis();
        assert_eq!([ms(1), ms(2), ms(6)], [100, 200, 3_200]);
        assert_eq!([ms(7), ms(8), ms(u32::MAX)], [5_000, 5_000, 5_000]);
    }

    #[test]
    fn a_long_period_is_never_shortened_by_failures() {
        assert_eq!(SLOW.next(Ended::Failed { in_a_row: 1 }), SLOW.period);
        assert_eq!(SLOW.next(Ended::Failed { in_a_row: 40 }), SLOW.period);
    }

    #[test]
    fn the_first_activation_is_somewhere_in_the_first_period() {
        assert_eq!(FAST.first(0.0), Duration::ZERO);
        assert_eq!(FAST.first(0.5), Duration::from_millis(25));
        assert_eq!(FAST.first(7.0), FAST.period);
    }
}
