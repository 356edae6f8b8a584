//! A queue of envelopes, at least once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::envelope::Envelope;
use crate::kind::{JobKind, Lane};
use crate::retry::DeadLetterReason;

/// Carries envelopes from whoever queues a job to a worker of its kind.
///
/// Contract: a published envelope is delivered at least once, until a delivery of it is acknowledged
/// or dead-lettered. A delivery that is dropped unsettled is delivered again. Envelopes of one lane
/// come roughly in order of publishing, resumed ones before all others of their lane; lanes are read by
/// weight, and an old envelope of any lane is not starved. Duplicates are the claim's business, not the
/// queue's.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Puts an envelope into the queue of its kind and lane. Returns when the adapter's promise holds
    /// for it: what was published survives what the adapter says it survives.
    ///
    /// # Errors
    /// [`QueueError::Refused`]: proven that it is not in the queue. [`QueueError::Unknown`]: it may be.
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError>;

    /// Publishes, and answers what took the envelope, as [`JobQueue::system`] names it: a queue that has several
    /// ways may have taken another than usual.
    ///
    /// # Errors
    /// As [`JobQueue::publish`].
    async fn publish_and_tell(&self, envelope: &Envelope) -> Result<&'static str, QueueError> {
        self.publish(envelope).await.map(|()| self.system())
    }

    /// Whether it would take an envelope now, as far as is known without asking: what admission looks at before
    /// a job is recorded.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when it is known that it would not.
    fn accepts(&self) -> Result<(), QueueError> {
        Ok(())
    }

    /// Starts to receive envelopes of `kind`, for a worker that runs `concurrency` jobs at a time.
    /// At most `concurrency - 1` (but at least one) of them are of the low lane.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue can't be reached.
    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError>;

    /// What carries the envelopes, as traces name it (OpenTelemetry's `messaging.system`): the product where
    /// one does, as in `redis`; this program itself where none does.
    fn system(&self) -> &'static str {
        "assay"
    }

    /// How much waits in each lane of `kind`, undelivered.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue can't be reached.
    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError>;
}

/// A worker's ear at the queue.
#[async_trait]
pub trait Subscription: Send {
    /// Waits until at least one envelope is there and takes at most `slots` of them (at least 1).
    /// `None` after the queue was closed. Safe to drop while waiting: nothing is taken then.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue can't be reached; taking again may succeed.
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError>;

    /// Says how many envelopes of the low lane may be in hand at the end of each later take, those counted that are
    /// now: for a worker that has others from elsewhere. Never more than its concurrency allows.
    fn bound_low(&mut self, max: usize);
}

/// An envelope in hand, not yet settled. Settling consumes it, so nothing is settled twice; dropping
/// it unsettled gives it back.
pub struct Delivery {
    /// What was delivered.
    pub envelope: Arc<Envelope>,
    settle: Box<dyn Settle>,
}

/// How an adapter settles one of its deliveries. Dropping it unsettled must give the envelope back.
#[async_trait]
pub trait Settle: Send {
    /// Forgets the envelope.
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;
    /// Delivers it again, not before `after`.
    async fn retry(self: Box<Self>, after: Duration) -> Result<(), QueueError>;
    /// Moves it out of the way, for people.
    async fn dead_letter(self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError>;
}

impl Delivery {
    /// Pairs an envelope with the way to settle it.
    #[must_use]
    pub fn new(envelope: Arc<Envelope>, settle: Box<dyn Settle>) -> Self {
        Self { envelope, settle }
    }

    /// Forgets the envelope: what it asked for is recorded elsewhere.
    ///
    /// # Errors
    /// The envelope comes again then, and its claim finds it done.
    pub async fn ack(self) -> Result<(), QueueError> {
        self.settle.ack().await
    }

    /// Asks for the envelope again, not before `after`.
    ///
    /// # Errors
    /// The envelope comes again then, perhaps sooner.
    pub async fn retry(self, after: Duration) -> Result<(), QueueError> {
        self.settle.retry(after).await
    }

    /// Moves the envelope out of the way, for people.
    ///
    /// # Errors
    /// The envelope comes again then.
    pub async fn dead_letter(self, why: DeadLetterReason) -> Result<(), QueueError> {
        self.settle.dead_letter(why).await
    }
}

/// Where a store that is its own queue's source puts what may run now. Called after the commit that
/// made it so, and at start for everything that was queued before.
pub trait HandOut: Send + Sync {
    /// Offers an envelope to the workers. Must not block.
    fn hand_out(&self, envelope: Arc<Envelope>);
}

/// What waits in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneDepth {
    /// Which lane.
    pub lane: Lane,
    /// Envelopes that wait, undelivered.
    pub ready: u64,
    /// When the oldest of them was published, in milliseconds since the epoch.
    pub oldest_published_at_ms: Option<u64>,
}

/// Why the queue did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Proven not to be in the queue.
    #[error("publish envelope: the queue refused it: {why}")]
    Refused {
        /// What the queue said.
        why: String,
    },
    /// It may be in the queue.
    #[error("publish envelope: no answer from the queue, it may hold it or not")]
    Unknown,
    /// The queue can't be reached, and was given nothing.
    #[error("reach the queue: {why}")]
    Unavailable {
        /// What went wrong.
        why: String,
    },
}
