use std::collections::BTreeSet;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{JobQueue, LaneDepth, QueueError, Subscription};
use async_trait::async_trait;
use parking_lot::Mutex;

use super::NOW_MS;

/// Remembers what was published; refuses what it was told to.
#[derive(Default)]
pub(crate) struct ScriptedQueue {
    published: Mutex<Vec<JobId>>,
    refused: BTreeSet<JobId>,
    unmeasurable: bool,
    shut: bool,
}

impl ScriptedQueue {
    pub(crate) fn refusing(envelopes: &[Envelope]) -> Self {
        Self {
            refused: envelopes.iter().map(|envelope| envelope.job_id).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn unmeasurable() -> Self {
        Self {
            unmeasurable: true,
            ..Self::default()
        }
    }

    /// Known to take nothing.
    pub(crate) fn shut() -> Self {
        Self {
            shut: true,
            ..Self::default()
        }
    }

    /// In no order: publishes wait for their confirms side by side.
    pub(crate) fn published(&self) -> BTreeSet<JobId> {
        self.published.lock().iter().copied().collect()
    }
}

#[async_trait]
impl JobQueue for ScriptedQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        // As if a confirm were awaited.
        tokio::task::yield_now().await;
        if self.refused.contains(&envelope.job_id) {
            return Err(QueueError::Refused {
                why: "blocked".to_owned(),
            });
        }
        self.published.lock().push(envelope.job_id);
        Ok(())
    }

    fn accepts(&self) -> Result<(), QueueError> {
        if self.shut {
            return Err(QueueError::Unavailable {
                why: "blocked".to_owned(),
            });
        }
        Ok(())
    }

    async fn subscribe(&self, _: JobKind, _: usize) -> Result<Box<dyn Subscription>, QueueError> {
        panic!("the scheduler consumes nothing")
    }

    /// Seven in the high lane of batches, the oldest two and a half seconds old.
    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        if self.unmeasurable {
            return Err(QueueError::Unavailable {
                why: "closed".to_owned(),
            });
        }
        Ok(Lane::ALL.map(|lane| {
            let waits = kind == JobKind::Batch && lane == Lane::High;
            LaneDepth {
                lane,
                ready: if waits { 7 } else { 0 },
                oldest_published_at_ms: waits.then_some(NOW_MS - 2_500),
            }
        }))
    }
}
