//! Chance, and how long to wait before something is tried again.

use std::sync::Arc;
use std::time::Duration;

use assay_core::retry::{ATTEMPTS_LIMIT, RetryPolicy};

/// Delays between tries at a store or queue that does not answer: 10 ms to 2 s.
const TRIES: RetryPolicy = RetryPolicy {
    attempts_max: ATTEMPTS_LIMIT,
    base_ms: 50,
    cap_ms: 2_000,
};
const DELAY_MS_MIN: u64 = 10;

/// Where chance comes from: draws from 0..1.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    /// From this thread's random generator.
    #[must_use]
    pub fn random() -> Self {
        Self(Arc::new(rand::random::<f64>))
    }

    /// Always `share`, for tests.
    #[must_use]
    pub fn fixed(share: f64) -> Self {
        Self(Arc::new(move || share))
    }

    pub(crate) fn draw(&self) -> f64 {
        (self.0)()
    }
}

impl std::fmt::Debug for Jitter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Jitter")
    }
}

/// Growing delays between the tries at one thing.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    jitter: Jitter,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(jitter: &Jitter) -> Self {
        Self {
            jitter: jitter.clone(),
            failures: 0,
        }
    }

    /// How long to wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let delay_ms = TRIES.delay_ms(self.failures, Some(DELAY_MS_MIN), self.jitter.draw());
        Duration::from_millis(delay_ms)
    }

    /// Forgets the failures.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_between_a_floor_and_a_cap() {
        let mut highest = Backoff::new(&Jitter::fixed(1.0));
        let delays: Vec<_> = (0..8).map(|_| highest.next().as_millis()).collect();
        assert_eq!(delays, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
        highest.reset();
        assert_eq!(highest.next().as_millis(), 50);
        assert_eq!(Backoff::new(&Jitter::fixed(0.0)).next().as_millis(), 10);
    }
}
