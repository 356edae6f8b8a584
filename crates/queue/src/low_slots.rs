//! Keeps the low lane from filling a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_core::lanes::low_slots_max;
use tokio::sync::Notify;

/// How many envelopes of the low lane one subscription may have in hand, and has.
pub(crate) struct LowSlots {
    max: usize,
    /// What others leave of `max`.
    bound: AtomicUsize,
    in_hand: AtomicUsize,
    /// Told when one is given back.
    pub(crate) freed: Notify,
}

impl LowSlots {
    /// All but one of `concurrency`, and at least one.
    pub(crate) fn of(concurrency: usize) -> Self {
        let max = low_slots_max(concurrency);
        Self {
            max,
            bound: AtomicUsize::new(max),
            in_hand: AtomicUsize::new(0),
            freed: Notify::new(),
        }
    }

    /// How many more may be taken.
    pub(crate) fn free(&self) -> usize {
        let bound = self.bound.load(Ordering::Acquire);
        bound.saturating_sub(self.in_hand())
    }

    /// How many there are in hand.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::Acquire)
    }

    /// Lets no more than `bound` be in hand, or as many as the concurrency allows.
    pub(crate) fn bound(&self, bound: usize) {
        self.bound.store(bound.min(self.max), Ordering::Release);
    }

    /// Takes one until the answer is dropped. The only taker of a subscription asked [`LowSlots::free`].
    pub(crate) fn take(self: &Arc<Self>) -> LowSlot {
        self.in_hand.fetch_add(1, Ordering::AcqRel);
        LowSlot(Arc::clone(self))
    }
}

/// One envelope of the low lane in hand.
pub(crate) struct LowSlot(Arc<LowSlots>);

impl Drop for LowSlot {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let slots = Arc::new(LowSlots::of(3));
        let (one, other) = (slots.take(), slots.take());
        assert_eq!(slots.free(), 0);
        drop(one);
        assert_eq!(slots.free(), 1);
        drop(other);
        assert_eq!(slots.free(), 2);
    }

    #[test]
    fn a_bound_counts_what_is_in_hand_and_never_allows_more() {
        let slots = Arc::new(LowSlots::of(3));
        let _one = slots.take();
        for (bound, free) in [(2, 1), (1, 0), (0, 0), (9, 1)] {
            slots.bound(bound);
            assert_eq!(slots.free(), free, "a bound of {bound}");
        }
    }
}
