//! A worker's ear at the queue.
//!
//! A task takes for it, so that nothing is lost on the way when whoever waits goes away: what comes then is
//! kept for a moment for the next to ask, and given back after that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::Lane;
use assay_core::port::{Delivery, QueueError, Subscription};
use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::low_slots::LowSlots;
use super::source::Source;
use crate::redis::link::LinkError;

/// How long what nobody waits for any more is kept for the next to ask.
const KEPT: Duration = Duration::from_millis(50);
/// How often a waiting worker looks for itself: a wake-up may be lost.
const POLL_PERIOD: Duration = Duration::from_secs(1);

type Answer = Result<Option<Vec<Delivery>>, QueueError>;

/// Somebody who wants at most `slots` deliveries.
pub(super) struct Wish {
    slots: usize,
    answer: oneshot::Sender<Answer>,
}

/// The worker's end.
pub(super) struct Ear {
    wishes: mpsc::Sender<Wish>,
    low_slots: Arc<LowSlots>,
}

/// The task's end.
pub(super) struct Taker {
    wishes: mpsc::Receiver<Wish>,
    sources: VecDeque<Source>,
    low_slots: Arc<LowSlots>,
    news: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
    /// Taken for somebody who went away.
    kept: VecDeque<Delivery>,
}

/// A subscription: the ear, and the task's end, which is to be run.
pub(super) fn pair(
    sources: VecDeque<Source>,
    low_slots: Arc<LowSlots>,
    news: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
) -> (Ear, Taker) {
    let (sender, wishes) = mpsc::channel(1);
    let ear = Ear {
        wishes: sender,
        low_slots: Arc::clone(&low_slots),
    };
    let taker = Taker {
        wishes,
        sources,
        low_slots,
        news,
        closed,
        kept: VecDeque::new(),
    };
    (ear, taker)
}

#[async_trait]
impl Subscription for Ear {
    async fn take(&mut self, slots: usize) -> Answer {
        let (answer, receiver) = oneshot::channel();
        let slots = slots.max(1);
        // The task ends when the queue is closed.
        if self.wishes.send(Wish { slots, answer }).await.is_err() {
            return Ok(None);
        }
        receiver.await.unwrap_or(Ok(None))
    }

    fn bound_low(&mut self, max: usize) {
        self.low_slots.bound(max);
    }
}

impl Taker {
    /// Ends when the queue is closed or the worker's end is gone. What was kept goes back.
    pub(super) async fn run(mut self) {
        loop {
            let wish = tokio::select! {
                wish = self.wishes.recv() => wish,
                () = closed(&mut self.closed) => return,
                () = tokio::time::sleep(KEPT), if !self.kept.is_empty() => {
                    self.kept.clear();
                    continue;
                }
            };
            let Some(wish) = wish else { return };
            self.grant(wish).await;
        }
    }

    /// Takes until there is something, or until nobody waits for it any more.
    async fn grant(&mut self, mut wish: Wish) {
        while !wish.answer.is_closed() {
            if *self.closed.borrow() {
                return self.answer(wish, Ok(None));
            }
            self.heed_bound();
            if !self.kept.is_empty() {
                return self.hand_out(wish);
            }
            self.news.mark_unchanged();
            match self.take(wish.slots).await {
                Ok(deliveries) if deliveries.is_empty() => self.wait(&mut wish).await,
                Ok(deliveries) => self.kept.extend(deliveries),
                Err(error) => {
                    let why = error.to_string();
                    return self.answer(wish, Err(QueueError::Unavailable { why }));
                }
            }
        }
    }

    /// Takes from each group in turn until the slots are full.
    async fn take(&mut self, slots: usize) -> Result<Vec<Delivery>, LinkError> {
        let mut taken = Vec::new();
        for _ in 0..self.sources.len() {
            let Some(mut source) = self.sources.pop_front() else {
                break;
            };
            let read = source.take(slots.saturating_sub(taken.len())).await;
            self.sources.push_back(source);
            match read {
                Ok(deliveries) => taken.extend(deliveries),
                Err(error) if taken.is_empty() => return Err(error),
                // What is in hand already is not lost for it.
                Err(_) => break,
            }
            if taken.len() >= slots {
                break;
            }
        }
        Ok(taken)
    }

    /// Waits for a reason to look again.
    async fn wait(&mut self, wish: &mut Wish) {
        let poll_at = Instant::now() + POLL_PERIOD;
        let comes_back = self.sources.iter().filter_map(Source::comes_back_at).min();
        tokio::select! {
            // Who sends news closes the queue before it goes away.
            _ = self.news.changed() => {}
            () = closed(&mut self.closed) => {}
            () = self.low_slots.freed.notified() => {}
            () = wish.answer.closed() => {}
            () = tokio::time::sleep_until(comes_back.unwrap_or(poll_at).min(poll_at)) => {}
        }
    }

    /// Gives back what was kept under a wider bound of the low lane.
    fn heed_bound(&mut self) {
        let low_slots = &self.low_slots;
        self.kept
            .retain(|delivery| delivery.envelope.lane != Lane::Low || !low_slots.is_exceeded());
    }

    fn hand_out(&mut self, wish: Wish) {
        let count = wish.slots.min(self.kept.len());
        let deliveries = self.kept.drain(..count).collect();
        self.answer(wish, Ok(Some(deliveries)));
    }

    /// Answers; what was in the answer for somebody who went away is kept.
    fn answer(&mut self, wish: Wish, answer: Answer) {
        if let Err(Ok(Some(deliveries))) = wish.answer.send(answer) {
            let later = std::mem::take(&mut self.kept);
            self.kept.extend(deliveries);
            self.kept.extend(later);
        }
    }
}

/// Waits until the queue is closed. One that is gone is closed.
async fn closed(closed: &mut watch::Receiver<bool>) {
    drop(closed.wait_for(|closed| *closed).await);
}
