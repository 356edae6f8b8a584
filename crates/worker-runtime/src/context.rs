//! What a handler gets beside its payload.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::job::{CHECKPOINT_BYTES_MAX, Job};
use assay_core::port::{JobStore, StoreError, Written};
use assay_core::retry::{Interruption, InterruptionReason};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Stop};
use crate::job_error::JobError;
use crate::progress::Reporter;

/// The attempt, as its handler sees it.
pub struct JobContext {
    attempt: Arc<Attempt>,
    checkpoint: Option<Vec<u8>>,
    progress: Reporter,
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
}

impl JobContext {
    pub(crate) fn new(
        attempt: Arc<Attempt>,
        checkpoint: Option<Vec<u8>>,
        progress: Reporter,
        store: Arc<dyn JobStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            attempt,
            checkpoint,
            progress,
            store,
            clock,
        }
    }

    /// The record as the attempt found it: id, tenant, the client's labels.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.attempt.job
    }

    /// Which attempt this is, 1 for the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.job.attempt
    }

    /// How long the attempt may still take before its job's deadline.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        let deadline_at_ms = self.attempt.job.times.deadline_at_ms;
        Duration::from_millis(deadline_at_ms.saturating_sub(self.clock.now_ms()))
    }

    /// Waits until the attempt should end: the job was cancelled, or the worker shuts down. End soon
    /// with [`JobError::Stopped`], or with the output if it is ready.
    pub async fn cancelled(&self) {
        self.attempt.stopping().cancelled().await;
    }

    /// Whether the attempt should end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.attempt.stopping().is_cancelled()
    }

    /// [`JobContext::cancelled`] as a token, for whatever outlives a borrow of this.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.attempt.stopping().child_token()
    }

    /// Where progress is reported against the declared steps.
    #[must_use]
    pub fn progress(&self) -> &Reporter {
        &self.progress
    }

    /// What the attempt before left behind.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&[u8]> {
        self.checkpoint.as_deref()
    }

    /// Records what the next attempt should know, should there be one. Returns when it is recorded.
    ///
    /// # Errors
    /// [`CheckpointError`]; as a [`JobError`] it says what the attempt should end with.
    pub async fn save_checkpoint(&self, checkpoint: Vec<u8>) -> Result<(), CheckpointError> {
        let bytes = checkpoint.len();
        if bytes > CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::TooLarge { bytes });
        }
        match self.store.checkpoint(&self.attempt.lease, checkpoint).await {
            Ok(Written::Recorded) => Ok(()),
            Ok(Written::Fenced) => {
                self.attempt.stop(Stop::Fenced);
                Err(CheckpointError::Fenced)
            }
            Err(error) => Err(CheckpointError::Store(error)),
        }
    }
}

impl std::fmt::Debug for JobContext {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("JobContext")
            .field("job_id", &self.attempt.job.id)
            .field("attempt", &self.attempt.job.attempt)
            .finish_non_exhaustive()
    }
}

/// Why a checkpoint was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// More than [`CHECKPOINT_BYTES_MAX`].
    #[error(
        "save checkpoint: {bytes} bytes are more than the {CHECKPOINT_BYTES_MAX} that are kept"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Another worker has the job.
    #[error("save checkpoint: another worker has the job")]
    Fenced,
    /// The store did not answer.
    #[error("save checkpoint")]
    Store(#[source] StoreError),
}

impl From<CheckpointError> for JobError {
    fn from(error: CheckpointError) -> Self {
        let interrupted = |reason| {
            Self::Interrupted(Interruption {
                reason,
                retry_after_ms: None,
            })
        };
        match error {
            CheckpointError::TooLarge { .. } => {
                Self::permanent_from("checkpoint_too_large", &error)
            }
            CheckpointError::Fenced => interrupted(InterruptionReason::LeaseLost),
            CheckpointError::Store(_) => interrupted(InterruptionReason::StoreOutage),
        }
    }
}
