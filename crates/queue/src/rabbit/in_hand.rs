//! A delivery in hand.

use std::sync::Arc;
use std::time::Duration;

use assay_core::port::{QueueError, Settle};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use tokio::time::Instant;

use super::buffers::{Held, Receipt};
use super::desk::{Desk, Order};
use super::message::MessageId;
use crate::low_slots::LowSlot;
use crate::metric_definitions::{GivenBack, given_back};

/// The longest delay of a retry; a longer one comes back sooner and is judged again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// A delay below this is not worth a copy on the broker: this subscription holds the envelope meanwhile.
const HELD_MAX: Duration = Duration::from_millis(250);
/// How long what could not be put off is held before it goes back: it would come again at once.
const GIVE_BACK_PAUSE: Duration = Duration::from_secs(1);

/// Settles one delivery, or gives it back when it is dropped.
pub(super) struct InHand {
    desk: Arc<Desk>,
    /// Gone once it is settled.
    held: Option<Held>,
    /// Freed with this value.
    _low_slot: Option<LowSlot>,
}

impl InHand {
    pub(super) fn new(desk: Arc<Desk>, held: Held, low_slot: Option<LowSlot>) -> Self {
        desk.took();
        Self {
            desk,
            held: Some(held),
            _low_slot: low_slot,
        }
    }

    /// What is settled, if it still can be: a channel that is gone takes its deliveries along, and they come again.
    fn receipt(&self) -> Result<Receipt, QueueError> {
        let receipt = self.held.as_ref().map(|held| held.at);
        let usable = receipt.filter(|at| self.desk.is_current(*at));
        usable.ok_or_else(|| QueueError::Unavailable {
            why: "the connection that brought the delivery was lost, so it comes again".into(),
        })
    }

    fn settle(&mut self, order: Order) {
        self.held = None;
        self.desk.order(order);
    }

    /// After what it asks for was published, or was not.
    fn settle_after(
        &mut self,
        at: Receipt,
        published: Result<(), QueueError>,
    ) -> Result<(), QueueError> {
        match published {
            Ok(()) => self.settle(Order::Ack(at)),
            Err(_) => {
                given_back(GivenBack::NotPutOff, 1);
                self.settle(Order::GiveBackAt(at, Instant::now() + GIVE_BACK_PAUSE));
            }
        }
        published
    }
}

/// Waits for the broker only where something is published. An acknowledgement that is lost on the way leaves the
/// envelope there; it comes again, and its claim finds out what it is worth.
#[async_trait]
impl Settle for InHand {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        let at = self.receipt()?;
        self.settle(Order::Ack(at));
        Ok(())
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        let at = self.receipt()?;
        let after = after.min(RETRY_AFTER_MAX);
        let Some(held) = &self.held else {
            return Ok(());
        };
        if after < HELD_MAX {
            let order = Order::HoldUntil(Instant::now() + after, held.clone());
            self.settle(order);
            return Ok(());
        }
        let message = (MessageId::of(&held.envelope), held.body.clone());
        // Rounded up: times on the broker are whole milliseconds.
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX) + 1;
        let not_before_ms = self.desk.clock.now_ms().saturating_add(after_ms);
        let (kind, publisher) = (held.envelope.kind, Arc::clone(&self.desk.publisher));
        let published = publisher
            .at(kind, at.place, message, Some(not_before_ms))
            .await;
        self.settle_after(at, published)
    }

    async fn dead_letter(mut self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError> {
        let at = self.receipt()?;
        let Some(held) = &self.held else {
            return Ok(());
        };
        let message = (MessageId::of(&held.envelope), held.body.clone());
        let (kind, publisher) = (held.envelope.kind, Arc::clone(&self.desk.publisher));
        let published = publisher.dead_letter(kind, message, why).await;
        self.settle_after(at, published)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            given_back(GivenBack::Dropped, 1);
            self.desk.order(Order::GiveBack(held.at));
        }
        self.desk.let_go();
    }
}
