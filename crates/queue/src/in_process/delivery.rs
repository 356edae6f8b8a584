//! An envelope in hand.

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::port::{QueueError, Settle};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use tokio::time::Instant;

use super::kind_queue::KindQueue;
use crate::low_slots::LowSlot;

/// The longest delay of a retry; a longer one comes back sooner and is judged again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Settles one delivery, or gives it back when it is dropped.
pub(super) struct InHand {
    queue: Arc<KindQueue>,
    /// Gone once it is settled.
    envelope: Option<Arc<Envelope>>,
    /// Freed with this value, after the envelope went back: its subscription may take it again.
    _low_slot: Option<LowSlot>,
}

impl InHand {
    pub(super) fn new(
        queue: Arc<KindQueue>,
        envelope: Arc<Envelope>,
        low_slot: Option<LowSlot>,
    ) -> Self {
        Self {
            queue,
            envelope: Some(envelope),
            _low_slot: low_slot,
        }
    }
}

#[async_trait]
impl Settle for InHand {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.envelope = None;
        Ok(())
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        if let Some(envelope) = self.envelope.take() {
            let at = Instant::now() + after.min(RETRY_AFTER_MAX);
            self.queue.give_back_at(envelope, at);
        }
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError> {
        if let Some(envelope) = self.envelope.take() {
            self.queue.aside.keep(envelope, why);
        }
        Ok(())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if let Some(envelope) = self.envelope.take() {
            self.queue.give_back(envelope);
        }
    }
}
