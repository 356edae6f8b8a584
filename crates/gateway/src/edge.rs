//! What every call may use.

use std::sync::Arc;

use assay_api::v1 as pb;
use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_core::port::{JobQueue, JobStore, QueueControl, WorkerRegistry};
use assay_service::shutdown::Stage;
use assay_service::{Shutdown, TaskGroup};
use tokio::sync::Semaphore;

use crate::access::Access;
use crate::config::Settings;
use crate::limits::Admission;
use crate::status::Refusal;
use crate::watch::Hub;

/// The gateway while it runs. The calls are its methods, a file for each concern.
pub(crate) struct Edge {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) control: Arc<dyn QueueControl>,
    pub(crate) blobs: Blobs,
    pub(crate) registry: Arc<dyn WorkerRegistry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) access: Access,
    pub(crate) mode: pb::ServerMode,
    pub(crate) settings: Settings,
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: TaskGroup,
    pub(crate) hub: Arc<Hub>,
    pub(crate) admission: Admission,
    pub(crate) uploads: Arc<Semaphore>,
    /// One permit per byte.
    pub(crate) submit_bytes: Arc<Semaphore>,
    pub(crate) started_at_ms: u64,
}

impl Edge {
    /// Refuses what would begin new work once none is taken.
    pub(crate) fn admit(&self) -> Result<(), Refusal> {
        if self.shutdown.stage() >= Stage::IntakeStopped {
            return Err(Refusal::ShuttingDown);
        }
        Ok(())
    }

    /// Refuses what would be recorded and could not be queued, as far as is known without asking.
    pub(crate) fn admit_to_queue(&self) -> Result<(), Refusal> {
        let accepts = self.queue.accepts();
        accepts.map_err(|error| Refusal::QueueUnavailable {
            why: error.to_string(),
        })
    }
}
