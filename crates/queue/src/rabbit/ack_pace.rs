//! When the broker is told what was acknowledged. Pure.
//!
//! Each frame is an entry in the log of a quorum queue, and has it send what may be sent next. A frame that stands for
//! many deliveries costs a fraction of many frames, and what it brings comes together. So acknowledgements wait for
//! others, for a moment, as long as the worker loses nothing by it: it has more in hand than it can run, or the broker
//! may send it more all the same.

use std::time::Duration;

use assay_core::lanes::low_slots_max;
use tokio::time::Instant;

/// How long an acknowledgement may wait for others. Far below [`super::buffers::REFILL_PATIENCE`], which a lane is
/// given to send more.
const ACK_PATIENCE: Duration = Duration::from_millis(10);
/// Most acknowledgements that wait.
const ACKS_WAITING_MAX: usize = 64;

/// The pace of one subscription.
#[derive(Debug)]
pub(super) struct AckPace {
    concurrency: usize,
    /// The least that any lane may have out.
    sent_ahead: usize,
    waiting_max: usize,
    /// Since when the first waits.
    since: Option<Instant>,
}

impl AckPace {
    /// The pace of a worker that runs so many jobs at once.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            sent_ahead: low_slots_max(concurrency),
            waiting_max: (concurrency / 2).clamp(1, ACKS_WAITING_MAX),
            since: None,
        }
    }

    /// Whether the broker is to be told now of so many acknowledgements, while so many deliveries are in hand.
    pub(super) fn is_due(&mut self, waiting: usize, in_hand: usize, now: Instant) -> bool {
        if waiting == 0 {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let is_idle = in_hand == 0;
        let may_starve = in_hand <= self.concurrency && in_hand + waiting >= self.sent_ahead;
        let is_due =
            is_idle || may_starve || waiting >= self.waiting_max || since + ACK_PATIENCE <= now;
        if is_due {
            self.since = None;
        }
        is_due
    }

    /// When the broker is to be told at the latest.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.since.map(|since| since + ACK_PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn who_may_need_more_is_not_kept_waiting() {
        let (mut pace, now) = (AckPace::new(8), Instant::now());
        let least = low_slots_max(8);
        assert!(pace.is_due(1, 0, now), "nothing else is in hand");
        assert!(!pace.is_due(1, least - 2, now), "every lane may have more");
        assert!(pace.is_due(1, least - 1, now), "a lane may have no more");
        assert!(pace.is_due(1, 8, now), "all that is in hand runs");
        assert!(!pace.is_due(1, 9, now), "one waits in hand");
        assert_eq!(pace.due_at(), Some(now + ACK_PATIENCE));
    }

    #[test]
    fn as_many_wait_as_the_bound_says() {
        for (concurrency, bound) in [(1, 1), (2, 1), (8, 4), (128, 64), (1_000, 64)] {
            let (mut pace, now) = (AckPace::new(concurrency), Instant::now());
            let full = 2 * concurrency;
            assert!(!pace.is_due(bound - 1, full, now), "{concurrency}");
            assert!(pace.is_due(bound, full, now), "{concurrency}");
        }
    }

    #[test]
    fn none_waits_for_long() {
        let (mut pace, now) = (AckPace::new(100), Instant::now());
        assert_eq!(pace.due_at(), None);
        assert!(!pace.is_due(1, 200, now));
        assert_eq!(pace.due_at(), Some(now + ACK_PATIENCE));
        assert!(!pace.is_due(2, 200, now + ACK_PATIENCE - MS));
        assert!(pace.is_due(2, 200, now + ACK_PATIENCE));
        assert!(
            !pace.is_due(1, 200, now + ACK_PATIENCE),
            "the next begins anew"
        );
        assert_eq!(pace.due_at(), Some(now + 2 * ACK_PATIENCE));
        assert!(!pace.is_due(0, 200, now), "it was told by other means");
        assert_eq!(pace.due_at(), None);
    }
}
