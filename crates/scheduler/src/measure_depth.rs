//! Measures how much waits in the queues and for how long, and where all jobs stand.

use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::kind::JobKind;
use assay_core::port::{JobQueue, JobStore};
use assay_core::state::JobState;
use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::metric_definitions;

/// Shows depth and oldest age of every lane as metrics, and the number of jobs in every state. The scheduler
/// does it because it always runs: workers may be scaled to zero.
pub struct MeasureDepth {
    queue: Arc<dyn JobQueue>,
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
}

impl MeasureDepth {
    /// Measures `queue` and `store`; ages are told by `clock`.
    #[must_use]
    pub fn new(queue: Arc<dyn JobQueue>, store: Arc<dyn JobStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            queue,
            store,
            clock,
        }
    }
}

#[async_trait]
impl Activity for MeasureDepth {
    fn name(&self) -> ActivityName {
        ActivityName::MeasureDepth
    }

    async fn activate(&self) -> Result<Report, Error> {
        for kind in JobKind::ALL {
            let depth = self.queue.depth(kind).await;
            let depth = depth.map_err(|source| Error::Measure { source })?;
            let now_ms = self.clock.now_ms();
            for lane in depth {
                let oldest_ms = lane.oldest_published_at_ms.unwrap_or(now_ms);
                let age_ms = now_ms.saturating_sub(oldest_ms);
                metric_definitions::depth(kind, lane.lane, lane.ready, age_ms);
            }
        }
        let counts = self.store.counts().await.map_err(|source| Error::Store {
            step: "count jobs",
            source,
        })?;
        for kind in JobKind::ALL {
            for state in JobState::ALL {
                metric_definitions::jobs(kind, state, counts.get(kind, state));
            }
        }
        Ok(Report::default())
    }
}
