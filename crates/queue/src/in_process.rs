//! A queue inside one process: the store hands envelopes out after its commits, workers take them.
//!
//! It remembers nothing beyond the process. The store keeps every envelope until its job has ended and
//! hands all that were queued out again at the next start.
//!
//! What bounds it: an envelope enters when a job is queued, so no more wait here than the store admits
//! unfinished jobs per kind (`store.queued_jobs_max`). The same generation may be handed out a second
//! time only by a sweep of the store's outbox or at a start, and its claim then answers "stale" or "done"
//! at the cost of one look-up; nothing here compares ids, because the claim does anyway.
//!
//! Deliveries in hand are not counted as waiting. Nothing runs per envelope: no task, no timer. A delay
//! after [`retry`](assay_core::port::Delivery::retry) is watched by the takers that wait.

use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::JobKind;
use assay_core::port::{HandOut, JobQueue, LaneDepth, QueueError, Subscription};
use async_trait::async_trait;
use tokio::time::Instant;

mod dead_letters;
mod delivery;
mod kind_queue;

mod taker;
mod waiting;

pub use dead_letters::{DEAD_LETTERS_KEPT_MAX, DeadLetter, DeadLetters};

use crate::low_slots::LowSlots;
use dead_letters::Aside;
use kind_queue::KindQueue;
use taker::Taker;

/// Envelopes of every kind, waiting in this process.
pub struct InProcessQueue {
    kinds: [Arc<KindQueue>; JobKind::ALL.len()],
    aside: Arc<Aside>,
    clock: Arc<dyn Clock>,
}

impl InProcessQueue {
    /// An empty queue. The age of envelopes is told by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let aside = Arc::new(Aside::default());
        Self {
            kinds: JobKind::ALL.map(|_| Arc::new(KindQueue::new(Arc::clone(&aside)))),
            aside,
            clock,
        }
    }

    /// Ends every subscription, also those that wait, and takes nothing in any more. What still waits
    /// is the store's to hand out again.
    pub fn close(&self) {
        for kind in &self.kinds {
            kind.close();
        }
    }

    /// What was moved out of the way since the start.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters {
        self.aside.report()
    }

    fn of(&self, kind: JobKind) -> &Arc<KindQueue> {
        &self.kinds[kind as usize]
    }
}

#[async_trait]
impl JobQueue for InProcessQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        self.of(envelope.kind).push(Arc::new(envelope.clone()))
    }

    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        Ok(Box::new(Taker::new(
            Arc::clone(self.of(kind)),
            Arc::new(LowSlots::of(concurrency)),
            Arc::clone(&self.clock),
        )))
    }

    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        Ok(self.of(kind).depth(Instant::now()))
    }
}

impl HandOut for InProcessQueue {
    fn hand_out(&self, envelope: Arc<Envelope>) {
        // A closed queue refuses; the store still has the envelope and hands it out at the next start.
        if let Err(refused) = self.of(envelope.kind).push(envelope) {
            tracing::debug!(reason = %refused, "left an envelope to the next start");
        }
    }
}
