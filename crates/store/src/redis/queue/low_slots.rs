//! Keeps the low lane from filling a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_core::lanes::low_slots_max;
use tokio::sync::Notify;

/// How many entries of the low lane one subscription may hold, and holds.
pub(super) struct LowSlots {
    max: usize,
    held: AtomicUsize,
    /// Told when one is settled or given back.
    pub(super) freed: Notify,
}

/// One entry of the low lane in hand, until it is dropped.
pub(super) struct LowSlot(Arc<LowSlots>);

impl LowSlots {
    pub(super) fn of(concurrency: usize) -> Self {
        Self {
            max: low_slots_max(concurrency),
            held: AtomicUsize::new(0),
            freed: Notify::new(),
        }
    }

    /// How many more may be taken.
    pub(super) fn free(&self) -> usize {
        self.max.saturating_sub(self.held.load(Ordering::Acquire))
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
}
