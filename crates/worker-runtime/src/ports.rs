//! What a worker is given of the outside.

use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::id::{InvalidId, WorkerId};
use assay_core::port::{
    Claim, ClaimRequest, ContentStore, JobQueue, JobStore, QueueControl, StoreError,
};

use crate::jitter::Jitter;

/// Everything outside of a worker, and who it is. Cloning gives other handles to the same.
#[derive(Clone)]
pub struct Ports {
    /// Where deliveries come from.
    pub queue: Arc<dyn JobQueue>,
    /// Where jobs are recorded.
    pub store: Arc<dyn JobStore>,
    /// Whether jobs are to be taken.
    pub control: Arc<dyn QueueControl>,
    /// Where large results go.
    pub contents: Arc<dyn ContentStore>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance, for delays.
    pub jitter: Jitter,
    /// Which worker this is; another one after each start.
    pub worker: WorkerId,
}

impl Ports {
    pub(crate) async fn claim(
        &self,
        envelope: &Arc<Envelope>,
        lease_ms: u64,
    ) -> Result<Claim, StoreError> {
        let request = ClaimRequest {
            envelope: Arc::clone(envelope),
            worker: self.worker.clone(),
            lease_ms,
        };
        self.store.claim(request).await
    }
}

/// An identity for this start of a worker called `name`: name, process id, chance.
///
/// # Errors
/// When `name` is too long or has control characters.
pub fn worker_id(name: &str) -> Result<WorkerId, InvalidId> {
    WorkerId::new(format!(
        "{name}-{}-{:016x}",
        std::process::id(),
        rand::random::<u64>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a container every process has the same number.
    #[test]
    fn two_starts_of_one_process_id_are_two_workers() {
        let first = worker_id("worker").unwrap();
        let prefix = format!("worker-{}-", std::process::id());
        assert!(first.as_str().starts_with(&prefix));
        assert_ne!(first, worker_id("worker").unwrap());
        assert!(worker_id(&"w".repeat(128)).is_err());
    }
}
