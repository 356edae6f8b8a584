//! How many attempts run at once, and how a suspect gets the worker to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The slots of a worker: one per attempt, taken before its job is claimed.
#[derive(Debug)]
pub(crate) struct Slots {
    permits: Arc<Semaphore>,
    count: u32,
    suspect_in_hand: AtomicBool,
}

impl Slots {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(count as usize)),
            count,
            suspect_in_hand: AtomicBool::new(false),
        })
    }

    /// Waits for a free slot; first come, first served. May be cancelled.
    pub(crate) async fn free(self: &Arc<Self>) -> Slot {
        self.slot(self.acquire(1).await)
    }

    /// Takes a free slot if there is one and nobody waits for it.
    pub(crate) fn try_free(self: &Arc<Self>) -> Option<Slot> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(self.slot(permit))
    }

    /// Waits until no attempt is left.
    pub(crate) async fn all_free(&self) {
        drop(self.acquire(self.count).await);
    }

    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    pub(crate) fn used(&self) -> usize {
        self.count()
            .saturating_sub(self.permits.available_permits())
    }

    async fn acquire(&self, permits: u32) -> OwnedSemaphorePermit {
        match Arc::clone(&self.permits).acquire_many_owned(permits).await {
            Ok(permit) => permit,
            // The slots are never closed.
            Err(_) => std::future::pending().await,
        }
    }

    fn slot(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Slot {
        Slot {
            slots: Arc::clone(self),
            permit: Some(permit),
            suspect: false,
        }
    }
}

/// Leave to run one attempt; free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    permit: Option<OwnedSemaphorePermit>,
    suspect: bool,
}

impl Slot {
    /// Declares that this attempt may kill its worker. At most one such attempt is in a worker's hands,
    /// or the first would count its crash against the second as well: false when there is one.
    pub(crate) fn declare_suspect(&mut self) -> bool {
        self.suspect = !self.slots.suspect_in_hand.swap(true, Ordering::AcqRel);
        self.suspect
    }

    /// Waits until this is the only attempt. Its own slot is given up meanwhile: it waits for all of
    /// them in line with everybody else, so nobody waits for somebody who waits for them.
    pub(crate) async fn take_all(&mut self) {
        drop(self.permit.take());
        self.permit = Some(self.slots.acquire(self.slots.count).await);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.suspect {
            self.slots.suspect_in_hand.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_suspect_waits_for_all_and_holds_back_whoever_comes_later() {
        let slots = Slots::new(3);
        let mut suspect = slots.free().await;
        let other = slots.free().await;
        assert!(suspect.declare_suspect());
        let mut alone = Box::pin(async move {
            suspect.take_all().await;
            suspect
        });
        assert!((&mut alone).now_or_never().is_none());
        assert!(slots.try_free().is_none(), "one slot is free, but promised");
        let mut later = Box::pin(slots.free());
        assert!((&mut later).now_or_never().is_none());
        drop(other);
        let suspect = (&mut alone).now_or_never().unwrap();
        assert_eq!(slots.used(), 3);
        assert!((&mut later).now_or_never().is_none());
        drop(suspect);
        let _later = later.now_or_never().unwrap();
        assert_eq!(slots.used(), 1);
    }

    #[tokio::test]
    async fn one_suspect_at_a_time() {
        let slots = Slots::new(2);
        let (mut first, mut second) = (slots.free().await, slots.free().await);
        assert!(first.declare_suspect());
        assert!(!second.declare_suspect());
        drop(second);
        assert!(
            !slots.free().await.declare_suspect(),
            "the first is still in hand"
        );
        drop(first);
        assert!(slots.free().await.declare_suspect());
    }
}
