//! How long a call is repeated. Pure.

use std::time::Duration;

/// Bounds on repeating a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Failures in a row after which the call is given up.
    tries_max: u32,
    /// Delay after the first failure; doubles with each further one.
    delay_first: Duration,
    /// The longest delay, also of those that a server asks for.
    delay_max: Duration,
}

impl Patience {
    /// For a call that somebody waits for: given up after about five seconds.
    pub(crate) const CALL: Self = Self {
        tries_max: 6,
        delay_first: Duration::from_millis(200),
        delay_max: Duration::from_secs(2),
    };

    /// For a stream that runs for long: survives a server that is started anew.
    pub(crate) const STREAM: Self = Self {
        tries_max: 12,
        delay_first: Duration::from_millis(200),
        delay_max: Duration::from_secs(5),
    };

    /// The delay after so many failures in a row, the server's wish if it has one; `None` after too many.
    pub(crate) fn delay(self, tries: u32, asked: Option<Duration>) -> Option<Duration> {
        if tries >= self.tries_max {
            return None;
        }
        let doublings = tries.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let delay = asked.unwrap_or_else(|| self.delay_first.saturating_mul(factor));
        Some(delay.min(self.delay_max))
    }

    /// How long it lasts when no server asks for delays: all of them together, in whole seconds.
    pub(crate) fn seconds(self) -> u64 {
        let delays = (1..self.tries_max).filter_map(|tries| self.delay(tries, None));
        delays.sum::<Duration>().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_bound_and_end() {
        let ms = |tries| {
            Patience::CALL
                .delay(tries, None)
                .map(|delay| delay.as_millis())
        };
        assert_eq!([ms(1), ms(2), ms(3)], [Some(200), Some(400), Some(800)]);
        assert_eq!([ms(5), ms(6)], [Some(2_000), None]);
        // 0.2 + 0.4 + 0.8 + 1.6 + 2 s.
        assert_eq!(Patience::CALL.seconds(), 5);
    }

    #[test]
    fn a_server_may_ask_for_a_delay_within_the_bound() {
        let asked = |ms| Patience::CALL.delay(1, Some(Duration::from_millis(ms)));
        assert_eq!(asked(50), Some(Duration::from_millis(50)));
        assert_eq!(asked(60_000), Some(Duration::from_secs(2)));
    }
}
