//! The time of the store: Redis's own, so that all processes agree on it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use assay_core::clock::Clock;

/// How far from Redis's time a decision may be made, in milliseconds. What was decided farther off is not
/// written but decided again.
pub const CLOCK_SKEW_MS_MAX: u64 = 500;

/// Where the store's time comes from.
#[derive(Clone)]
pub enum TimeSource {
    /// Redis's clock.
    Server,
    /// A clock that is given, for tests.
    Given(Arc<dyn Clock>),
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Server => "Server",
            Self::Given(_) => "Given",
        })
    }
}

/// Redis's time, as its answers tell it and a monotonic clock goes on from there.
#[derive(Debug)]
pub(crate) struct ServerClock {
    began: Instant,
    /// Redis's time when this clock began, in milliseconds since the epoch.
    offset_ms: AtomicU64,
}

impl ServerClock {
    /// A clock that was told `server_ms` by an answer to what was sent at `sent`.
    pub(crate) fn new(server_ms: u64, sent: Instant) -> Self {
        let clock = Self {
            began: sent,
            offset_ms: AtomicU64::new(0),
        };
        let half_ms = millis(sent, Instant::now()) / 2;
        clock
            .offset_ms
            .store(server_ms.saturating_sub(half_ms), Ordering::Relaxed);
        clock
    }

    /// Learns from an answer that came just now. The time that it tells is at most as old as the answer
    /// took; the estimate stays if that is true of it too, and else goes to the nearer end.
    pub(crate) fn learn(&self, server_ms: u64, sent: Instant) {
        self.learn_at(server_ms, sent, Instant::now());
    }

    fn learn_at(&self, server_ms: u64, sent: Instant, received: Instant) {
        let least = server_ms.saturating_sub(millis(self.began, received));
        // A millisecond more: both times were cut to whole ones.
        let most = least + millis(sent, received) + 1;
        let offset_ms = self.offset_ms.load(Ordering::Relaxed);
        self.offset_ms
            .store(offset_ms.clamp(least, most), Ordering::Relaxed);
    }

    /// Makes the estimate wrong.
    #[cfg(test)]
    pub(crate) fn err_by(&self, ms: i64) {
        let offset_ms = self.offset_ms.load(Ordering::Relaxed);
        self.offset_ms
            .store(offset_ms.saturating_add_signed(ms), Ordering::Relaxed);
    }

    fn at(&self, instant: Instant) -> u64 {
        self.offset_ms.load(Ordering::Relaxed) + millis(self.began, instant)
    }
}

impl Clock for ServerClock {
    fn now_ms(&self) -> u64 {
        self.at(Instant::now())
    }
}

fn millis(from: Instant, to: Instant) -> u64 {
    let elapsed = to.saturating_duration_since(from).as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}

/// The clock that decisions are made by.
#[derive(Clone)]
pub(crate) enum StoreClock {
    Server(Arc<ServerClock>),
    Given(Arc<dyn Clock>),
}

impl StoreClock {
    pub(crate) fn now_ms(&self) -> u64 {
        match self {
            Self::Server(clock) => clock.now_ms(),
            Self::Given(clock) => clock.now_ms(),
        }
    }

    /// The time that Redis compares with its own; `None` when it shall not.
    pub(crate) fn stamp_ms(&self) -> Option<u64> {
        match self {
            Self::Server(clock) => Some(clock.now_ms()),
            Self::Given(_) => None,
        }
    }

    /// Learns from an answer of Redis.
    pub(crate) fn learn(&self, server_ms: u64, sent: Instant) {
        if let Self::Server(clock) = self {
            clock.learn(server_ms, sent);
        }
    }

    pub(crate) fn shared(&self) -> Arc<dyn Clock> {
        match self {
            Self::Server(clock) => Arc::clone(clock) as Arc<dyn Clock>,
            Self::Given(clock) => Arc::clone(clock),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SERVER_MS: u64 = 1_700_000_000_000;

    fn clock() -> (ServerClock, Instant) {
        let began = Instant::now();
        let clock = ServerClock {
            began,
            offset_ms: AtomicU64::new(SERVER_MS),
        };
        (clock, began)
    }

    #[test]
    fn it_goes_on_between_answers() {
        let (clock, began) = clock();
        assert_eq!(clock.at(began + Duration::from_millis(70)), SERVER_MS + 70);
    }

    #[test]
    fn a_slow_answer_says_little_and_a_quick_one_much() {
        let (clock, began) = clock();
        let at = |ms| began + Duration::from_millis(ms);
        // Took 400 ms: anything from 900 to 1,300 fits, and so does the estimate.
        clock.learn_at(SERVER_MS + 900, at(600), at(1_000));
        assert_eq!(clock.at(at(1_000)), SERVER_MS + 1_000);
        // Took no time and says 1,900: the estimate was ahead.
        clock.learn_at(SERVER_MS + 1_900, at(2_000), at(2_000));
        assert_eq!(clock.at(at(2_000)), SERVER_MS + 1_901);
        // Redis's clock was set forward.
        clock.learn_at(SERVER_MS + 9_000, at(3_000), at(3_000));
        assert_eq!(clock.at(at(3_000)), SERVER_MS + 9_000);
    }
}
