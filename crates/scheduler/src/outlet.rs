//! Where envelopes go that the store says must be published.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::port::{JobQueue, JobStore};
use futures::{StreamExt, stream};

use crate::activity::Error;

/// How many envelopes wait for their confirms at a time.
pub const PUBLISH_CONCURRENCY: usize = 64;

/// A store and the queue beside it. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Outlet {
    /// The records.
    pub(crate) store: Arc<dyn JobStore>,
    queue: Arc<dyn JobQueue>,
}

impl Outlet {
    /// Publishes on `queue` and promotes on `store`.
    #[must_use]
    pub fn new(store: Arc<dyn JobStore>, queue: Arc<dyn JobQueue>) -> Self {
        Self { store, queue }
    }

    /// Whether the queue is known to take nothing now. What a sweep leaves alone meanwhile goes out as soon as it
    /// does; what it takes out of its place is not looked at again before a publish of it had its time.
    pub(crate) fn is_shut(&self) -> bool {
        self.queue.accepts().is_err()
    }

    /// Publishes each envelope, and tells the store of each that is in the queue. One that fails holds
    /// up no other; the store keeps it and answers with it again.
    ///
    /// # Errors
    /// The first failure, after all were tried.
    pub async fn publish(&self, envelopes: Vec<Envelope>) -> Result<(), Error> {
        let of = envelopes.len();
        let failures: Vec<Failure> = stream::iter(envelopes)
            .map(|envelope| self.carry(envelope))
            .buffer_unordered(PUBLISH_CONCURRENCY)
            .filter_map(|carried| std::future::ready(carried.err()))
            .collect()
            .await;
        let failed = failures.len();
        match failures.into_iter().next() {
            None => Ok(()),
            Some(Failure::Queue(source)) => Err(Error::Publish { failed, of, source }),
            Some(Failure::Store(source)) => Err(Error::Store {
                step: "mark published jobs as queued",
                source,
            }),
        }
    }

    async fn carry(&self, envelope: Envelope) -> Result<(), Failure> {
        let published = self.queue.publish(&envelope).await;
        published.map_err(Failure::Queue)?;
        let promoted = self
            .store
            .promote(envelope.job_id, envelope.generation)
            .await;
        promoted.map_err(Failure::Store)
    }
}

enum Failure {
    Queue(assay_core::port::QueueError),
    Store(assay_core::port::StoreError),
}
