//! Deliveries of the low lane, which are counted over both ways.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::Lane;
use assay_core::port::{Delivery, QueueError, Settle};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;

use crate::low_slots::{LowSlot, LowSlots};

/// Settles a delivery as its own way does, and counts until that is done.
struct Counted {
    delivery: Delivery,
    /// Freed with this value, after the delivery.
    _slot: LowSlot,
}

/// The delivery, counted among those of its way as long as it is in hand if it is of the low lane.
pub(super) fn counted(delivery: Delivery, low_slots: &Arc<LowSlots>) -> Delivery {
    if delivery.envelope.lane != Lane::Low {
        return delivery;
    }
    let envelope = Arc::clone(&delivery.envelope);
    let counted = Counted {
        delivery,
        _slot: low_slots.take(),
    };
    Delivery::new(envelope, Box::new(counted))
}

#[async_trait]
impl Settle for Counted {
    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        let Self { delivery, _slot } = *self;
        delivery.ack().await
    }

    async fn retry(self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        let Self { delivery, _slot } = *self;
        delivery.retry(after).await
    }

    async fn dead_letter(self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError> {
        let Self { delivery, _slot } = *self;
        delivery.dead_letter(why).await
    }
}
