//! How long a computation takes, whatever else the machine does meanwhile.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Runs while the thread that started it does.
pub(super) struct Stopwatch(Duration);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(of_this_thread())
    }

    /// Time that the thread has run for since.
    pub(super) fn stop(self) -> Duration {
        of_this_thread().saturating_sub(self.0)
    }
}

fn of_this_thread() -> Duration {
    // A thread never ran for less than no time.
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn work_takes_time_and_waiting_takes_none() {
        let (watch, started) = (Stopwatch::start(), std::time::Instant::now());
        let mut random = Random::new(1);
        let sum = (0..100_000).fold(0_u64, |sum, _| sum.wrapping_add(random.bits()));
        let cost = watch.stop();
        assert!(sum > 0 && cost > Duration::ZERO, "{cost:?}");
        assert!(cost <= started.elapsed() + Duration::from_millis(1));
    }
}
