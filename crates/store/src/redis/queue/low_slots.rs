//! Keeps the low lane from filling a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_core::lanes::low_slots_max;
use tokio::sync::Notify;

/// How many entries of the low lane one subscription may hold, and holds.
pub(super) struct LowSlots {
    max: usize,
    /// What others leave of `max`.
    bound: AtomicUsize,
    held: AtomicUsize,
    /// Told when one is settled or given back.
    pub(super) freed: Notify,
}

/// One entry of the low lane in hand, until it is dropped.
pub(super) struct LowSlot(Arc<LowSlots>);

impl LowSlots {
    pub(super) fn of(concurrency: usize) -> Self {
        let max = low_slots_max(concurrency);
        Self {
            max,
            bound: AtomicUsize::new(max),
            held: AtomicUsize::new(0),
            freed: Notify::new(),
        }
    }

    /// How many more may be taken.
    pub(super) fn free(&self) -> usize {
        let bound = self.bound.load(Ordering::Acquire);
        bound.saturating_sub(self.held.load(Ordering::Acquire))
    }

    /// Lets no more than `bound` be held, or as many as the concurrency allows.
    pub(super) fn bound(&self, bound: usize) {
        self.bound.store(bound.min(self.max), Ordering::Release);
    }

    /// Whether more are held than the bound allows, which was wider before.
    pub(super) fn is_exceeded(&self) -> bool {
        self.held.load(Ordering::Acquire) > self.bound.load(Ordering::Acquire)
    }

    /// Takes one; whoever takes for the subscription asked [`LowSlots::free`] before.
    pub(super) fn take(self: &Arc<Self>) -> LowSlot {
        self.held.fetch_add(1, Ordering::AcqRel);
        LowSlot(Arc::clone(self))
    }
}

impl Drop for LowSlot {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::AcqRel);
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
    fn a_bound_counts_what_is_held_and_never_allows_more() {
        let slots = Arc::new(LowSlots::of(3));
        let _one = slots.take();
        for (bound, free) in [(2, 1), (1, 0), (0, 0), (9, 1)] {
            slots.bound(bound);
            assert_eq!(slots.free(), free, "a bound of {bound}");
            assert_eq!(slots.is_exceeded(), bound == 0);
        }
    }
}
