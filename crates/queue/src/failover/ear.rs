//! A worker's ear at both ways.

use std::pin::pin;
use std::sync::Arc;

use assay_core::kind::JobKind;
use assay_core::lanes::low_slots_max;
use assay_core::port::{Delivery, JobQueue, QueueError, Subscription};
use async_trait::async_trait;
use futures::future::{Either, select};
use tokio::time::Instant;

use super::arm::{Arm, Failed};
use super::counted::counted;
use super::turns::{TURN, Turns, Way};
use crate::low_slots::LowSlots;

/// One subscription. Asks both ways, whose takes take nothing when they are dropped; so neither does this.
pub(super) struct Ear {
    arms: [Arm; 2],
    /// What is in hand of the low lane, from each way.
    low: [Arc<LowSlots>; 2],
    /// How much of it may be in hand from both.
    low_max: usize,
    concurrency: usize,
    turns: Turns,
}

/// What was heard.
enum Heard {
    From(Way, Result<Option<Vec<Delivery>>, Failed>),
    /// To be asked anew.
    News,
}

impl Ear {
    pub(super) fn new(ways: [Arc<dyn JobQueue>; 2], kind: JobKind, concurrency: usize) -> Self {
        Self {
            arms: ways.map(|queue| Arm::new(queue, kind, concurrency)),
            low: [(); 2].map(|()| Arc::new(LowSlots::of(concurrency))),
            low_max: low_slots_max(concurrency),
            concurrency,
            turns: Turns::new(Instant::now()),
        }
    }

    /// Waits until there is a way that deliveries may come by. The other is subscribed to when it can be.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when neither way can be subscribed to.
    pub(super) async fn subscribed(&mut self) -> Result<(), QueueError> {
        let [first, second] = &mut self.arms;
        let up = {
            let (first, second) = (pin!(first.subscribed()), pin!(second.subscribed()));
            match select(first, second).await {
                Either::Left((up, other)) => or_else(up, other).await,
                Either::Right((up, other)) => or_else(up, other).await,
            }
        };
        up.map_err(|Failed| self.failure())
    }

    async fn ask(&mut self, slots: usize) -> Heard {
        let alone = self.turns.begin(Instant::now());
        let in_hand = self.low.each_ref().map(|low| low.in_hand());
        let is_full = in_hand[0] + in_hand[1] >= self.low_max;
        let left_by = |other: Way| self.low_max.saturating_sub(in_hand[other as usize]);
        let (low_first, low_second) = (left_by(Way::Second), left_by(Way::First));
        let [first, second] = &mut self.arms;
        let [freed_first, freed_second] = self.low.each_ref().map(|low| low.freed.notified());
        tokio::select! {
            biased;
            taken = first.take(slots, low_first), if alone != Some(Way::Second) => Heard::From(Way::First, taken),
            taken = second.take(slots, low_second), if alone != Some(Way::First) => Heard::From(Way::Second, taken),
            () = freed_first, if is_full => Heard::News,
            () = freed_second, if is_full => Heard::News,
            () = tokio::time::sleep(TURN), if alone.is_some() => Heard::News,
        }
    }

    fn receive(&mut self, way: Way, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        self.turns.taken(way, Instant::now());
        let low = &self.low[way as usize];
        let counted = |delivery| counted(delivery, low);
        deliveries.into_iter().map(counted).collect()
    }

    fn is_down(&self) -> bool {
        let now = Instant::now();
        self.arms.iter().all(|arm| arm.is_down(now))
    }

    /// Why nothing comes by either way.
    fn failure(&self) -> QueueError {
        let why = self.arms.iter().filter_map(Arm::failure);
        let why: Vec<_> = why.map(ToString::to_string).collect();
        QueueError::Unavailable {
            why: why.join("; "),
        }
    }
}

async fn or_else(
    up: Result<(), Failed>,
    other: impl Future<Output = Result<(), Failed>>,
) -> Result<(), Failed> {
    match up {
        Ok(()) => Ok(()),
        Err(Failed) => other.await,
    }
}

#[async_trait]
impl Subscription for Ear {
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        loop {
            match self.ask(slots.max(1)).await {
                Heard::From(way, Ok(Some(deliveries))) => {
                    return Ok(Some(self.receive(way, deliveries)));
                }
                Heard::From(_, Err(Failed)) if self.is_down() => return Err(self.failure()),
                Heard::From(_, Ok(None) | Err(Failed)) | Heard::News => {}
            }
            if self.arms.iter().all(Arm::is_closed) {
                return Ok(None);
            }
        }
    }

    fn bound_low(&mut self, max: usize) {
        self.low_max = max.min(low_slots_max(self.concurrency));
    }
}
