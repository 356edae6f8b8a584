//! A delivery in hand.

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::port::{QueueError, Settle};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::holdings::{Holdings, Place};
use super::low_slots::LowSlot;
use super::settler::{Fate, Message, Order};
use crate::metric_definitions::redis::{Redelivery, redelivered};

/// The longest delay of a retry; a longer one comes back sooner and is judged again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Where deliveries are settled.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) holdings: Arc<Holdings>,
    pub(super) messages: mpsc::Sender<Message>,
}

/// Settles one delivery, or gives it back when it is dropped.
pub(super) struct InHand {
    desk: Desk,
    envelope: Arc<Envelope>,
    /// Gone once it is settled.
    place: Option<Place>,
    /// Freed with this value.
    _low_slot: Option<LowSlot>,
}

impl Desk {
    /// Has an entry settled without waiting for it. What can't be asked for is left to the sweep of what
    /// nobody touches.
    pub(super) fn settle_soon(&self, place: Place, fate: Fate) {
        self.holdings.remove(&place);
        let order = Order {
            place,
            fate,
            done: None,
        };
        if self.messages.try_send(Message::Settle(order)).is_err() {
            tracing::debug!("left a delivery to be found untouched");
        }
    }

    async fn settle(
        &self,
        place: Place,
        fate: Fate,
        done: Option<oneshot::Sender<Result<(), QueueError>>>,
    ) -> Result<(), QueueError> {
        self.holdings.remove(&place);
        let order = Order { place, fate, done };
        let sent = self.messages.send(Message::Settle(order)).await;
        sent.map_err(|_| closed())
    }

    async fn settle_now(&self, place: Place, fate: Fate) -> Result<(), QueueError> {
        let (done, answer) = oneshot::channel();
        self.settle(place, fate, Some(done)).await?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

fn closed() -> QueueError {
    QueueError::Unavailable {
        why: "it was closed".into(),
    }
}

impl InHand {
    pub(super) fn new(
        desk: Desk,
        envelope: Arc<Envelope>,
        place: Place,
        low_slot: Option<LowSlot>,
    ) -> Self {
        desk.holdings.add(place.clone(), Instant::now());
        Self {
            desk,
            envelope,
            place: Some(place),
            _low_slot: low_slot,
        }
    }
}

/// Does not wait for Redis, except for what people are to see: a slot would stand still meanwhile. An answer
/// that is lost leaves the entry untouched; it comes again, and its claim finds out what it is worth.
#[async_trait]
impl Settle for InHand {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        match self.place.take() {
            Some(place) => self.desk.settle(place, Fate::Acknowledged, None).await,
            None => Ok(()),
        }
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        let after_ms = after.min(RETRY_AFTER_MAX).as_millis();
        // A millisecond more: Redis cuts its time to whole ones.
        let after_ms = u64::try_from(after_ms)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        match self.place.take() {
            Some(place) => {
                self.desk
                    .settle(place, Fate::Later { after_ms }, None)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn dead_letter(mut self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError> {
        let Some(place) = self.place.take() else {
            return Ok(());
        };
        let envelope = Some(self.envelope.encode());
        self.desk
            .settle_now(place, Fate::Dead { why, envelope })
            .await
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            redelivered(place.streams.kind, Redelivery::GivenBack);
            self.desk.settle_soon(place, Fate::Back);
        }
    }
}
