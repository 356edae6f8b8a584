//! What has passed through each queue, and what should have.

use async_trait::async_trait;

use super::{QueueError, StoreError};
use crate::kind::{JobKind, Lane};

/// Knows the latest marker that came out of each lane.
///
/// Contract: a marker is a message that goes through a lane like an envelope and reaches no handler. One that
/// came out proves that what was published well before it has been delivered, or is lost. An older one than
/// is known changes nothing.
#[async_trait]
pub trait Markers: Send + Sync {
    /// Notes that a marker came out that was published at `published_at_ms`, in milliseconds since the epoch.
    ///
    /// # Errors
    /// [`StoreError`]: a later one says the same.
    async fn passed(
        &self,
        kind: JobKind,
        lane: Lane,
        published_at_ms: u64,
    ) -> Result<(), StoreError>;

    /// When the latest marker that came out was published, in milliseconds since the epoch; `None` before the
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn latest(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError>;
}

/// Sends markers through the lanes of a queue.
#[async_trait]
pub trait MarkerQueue: Send + Sync {
    /// Puts a marker behind everything that is in a lane, which says that it was published at `published_at_ms`, in
    /// milliseconds since the epoch. Whoever takes it out tells [`Markers::passed`].
    ///
    /// # Errors
    /// [`QueueError`]: it may not come out; another says the same later.
    async fn publish_marker(
        &self,
        kind: JobKind,
        lane: Lane,
        published_at_ms: u64,
    ) -> Result<(), QueueError>;
}

/// Knows the jobs whose envelope is in a queue elsewhere and was not claimed.
///
/// Contract: a job is among them from its promote until it is claimed, ends, or another envelope of it is to
/// be published. Its time is when it was published, or when it is due if that is later.
#[async_trait]
pub trait SentJobs: Send + Sync {
    /// Has jobs of a lane published again whose time is before `before_ms` (milliseconds since the epoch), the
    /// oldest first and `limit` at most: [`JobStore::sweep_outbox`](super::JobStore::sweep_outbox) offers
    /// their envelopes from now on, under the generation that they have. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`]: some may be offered again.
    async fn send_again(
        &self,
        kind: JobKind,
        lane: Lane,
        before_ms: u64,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// The time of the oldest job of a lane, in milliseconds since the epoch; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn oldest_ms(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError>;
}
