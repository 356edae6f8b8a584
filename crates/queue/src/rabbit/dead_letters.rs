//! Looks through what was moved out of the way.

use std::sync::Arc;
use std::time::Duration;

use assay_core::port::{DeadLetter, DeadLetterReader, Delivery, QueueError, Settle};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::ShortString;

use super::link::Live;
use super::message::{self, Received};

/// Reads over a channel of its own. What is not settled stays when that ends.
pub(super) struct Reader {
    live: Arc<Live>,
    channel: Channel,
    queue: ShortString,
}

impl Reader {
    pub(super) async fn new(live: Arc<Live>, queue: ShortString) -> Result<Self, QueueError> {
        let channel = live.channel().await?;
        Ok(Self {
            live,
            channel,
            queue,
        })
    }
}

#[async_trait]
impl DeadLetterReader for Reader {
    async fn next(&mut self) -> Result<Option<DeadLetter>, QueueError> {
        let got = self
            .channel
            .basic_get(self.queue.clone(), BasicGetOptions::default());
        let Some(got) = self.live.answered("read a dead letter", got).await? else {
            return Ok(None);
        };
        let why = message::reason(&got.delivery.properties);
        let letter = Letter {
            live: Arc::clone(&self.live),
            channel: self.channel.clone(),
            tag: got.delivery.delivery_tag,
        };
        let delivery = match message::read(&got.delivery.properties, &got.delivery.data) {
            Received::Envelope(envelope) => Some(Delivery::new(envelope, Box::new(letter))),
            Received::Newer | Received::Garbage | Received::Marker { .. } => None,
        };
        Ok(Some(DeadLetter { why, delivery }))
    }
}

/// One letter, until its reader ends.
struct Letter {
    live: Arc<Live>,
    channel: Channel,
    tag: u64,
}

/// What is not acknowledged stays where it is: it is out of the way already.
#[async_trait]
impl Settle for Letter {
    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        let acked = self.channel.basic_ack(self.tag, BasicAckOptions::default());
        self.live.answered("acknowledge a dead letter", acked).await
    }

    async fn retry(self: Box<Self>, _after: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead_letter(self: Box<Self>, _why: DeadLetterReason) -> Result<(), QueueError> {
        Ok(())
    }
}
