//! A worker's ear at the queue.

use std::pin::pin;
use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::Lane;
use assay_core::port::{Delivery, QueueError, Subscription};
use async_trait::async_trait;
use tokio::time::Instant;

use super::delivery::InHand;
use super::kind_queue::{KindQueue, Look};
use super::waiting::Room;
use crate::low_slots::LowSlots;

/// One subscription. Takes between two awaits, so a take that is dropped while it waits took nothing.
pub(super) struct Taker {
    queue: Arc<KindQueue>,
    low_slots: Arc<LowSlots>,
    clock: Arc<dyn Clock>,
}

impl Taker {
    pub(super) fn new(
        queue: Arc<KindQueue>,
        low_slots: Arc<LowSlots>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            queue,
            low_slots,
            clock,
        }
    }

    fn look(&self, slots: usize) -> Look {
        let room = Room {
            slots: slots.max(1),
            low: self.low_slots.free(),
        };
        self.queue.look(room, Instant::now(), self.clock.now_ms())
    }

    fn deliver(&self, taken: Vec<Arc<Envelope>>) -> Vec<Delivery> {
        let deliver = |envelope: Arc<Envelope>| {
            let low_slot = (envelope.lane == Lane::Low).then(|| self.low_slots.take());
            let in_hand = InHand::new(Arc::clone(&self.queue), Arc::clone(&envelope), low_slot);
            Delivery::new(envelope, Box::new(in_hand))
        };
        taken.into_iter().map(deliver).collect()
    }

    /// Looks, and if there is nothing waits for news before the caller looks again.
    async fn look_or_wait(&self, slots: usize) -> Option<Look> {
        // Listening begins before the look, or news between look and wait would be missed.
        let mut urgent = pin!(self.queue.urgent.notified());
        let mut low = pin!(self.queue.low.notified());
        let mut freed = pin!(self.low_slots.freed.notified());
        urgent.as_mut().enable();
        let low_is_full = self.low_slots.free() == 0;
        if low_is_full {
            freed.as_mut().enable();
        } else {
            low.as_mut().enable();
        }
        let comes_back_at = match self.look(slots) {
            Look::Empty(comes_back_at) => comes_back_at,
            found @ (Look::Taken(_) | Look::Closed) => return Some(found),
        };
        tokio::select! {
            () = urgent => {}
            () = low, if !low_is_full => {}
            () = freed, if low_is_full => {}
            () = alarm(comes_back_at) => {}
        }
        None
    }
}

#[async_trait]
impl Subscription for Taker {
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        // Under load there is something, and nobody needs to listen.
        let mut look = Some(self.look(slots));
        loop {
            match look {
                Some(Look::Taken(taken)) => return Ok(Some(self.deliver(taken))),
                Some(Look::Closed) => return Ok(None),
                Some(Look::Empty(_)) | None => look = self.look_or_wait(slots).await,
            }
        }
    }

    fn bound_low(&mut self, max: usize) {
        self.low_slots.bound(max);
    }
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
