//! One job in memory.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::job::Job;
use assay_core::state::JobState;
use assay_core::transition::Record;

use super::history::Packed;

/// A job as the store holds it in memory. Cheap to clone: large parts are shared.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) job: Arc<Job>,
    /// Carries the latest generation; the queue holds the same one.
    pub(super) envelope: Arc<Envelope>,
    /// How long the job was given at its submit, from when it could begin.
    pub(super) deadline_ms: u64,
    pub(super) events: Packed,
    /// The inline result, until it is in its table.
    pub(super) result: Option<Arc<Vec<u8>>>,
    pub(super) checkpoint: Option<Arc<Vec<u8>>>,
    /// Raised by each change, and never used again: tells what is newer, the journal or the tables.
    pub(super) revision: u64,
    /// The first commit whose changes are in the journal alone.
    pub(super) journaled_since: Option<u64>,
    /// Where the tables have it.
    pub(super) filed: Option<Filed>,
    /// When its envelope was last handed out, in milliseconds since the epoch.
    pub(super) offered_at_ms: u64,
    /// Whether its payload is another than that of the tables.
    pub(super) repacked: bool,
}

/// What the tables say of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filed {
    pub(super) state: JobState,
    /// When it may be forgotten; 0 for a job that has not ended.
    pub(super) expires_at_ms: u64,
}

impl Entry {
    pub(super) fn record(&self) -> Record<'_> {
        Record {
            job: &self.job,
            envelope: &self.envelope,
        }
    }

    /// Makes the envelope carry what the record says: only its first form is stored, or that of another payload.
    pub(super) fn refresh_envelope(&mut self) {
        let job = &self.job;
        if self.envelope.generation == job.generation {
            return;
        }
        let published_at_ms = job.times.queued_at_ms.unwrap_or(job.times.updated_at_ms);
        self.envelope = Arc::new(self.envelope.carrying(job, published_at_ms));
    }
}
