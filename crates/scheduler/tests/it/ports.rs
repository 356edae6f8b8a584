//! Ports that do what a test says and remember what they were asked.

mod broker;
mod queue;
mod store;

pub(crate) use broker::{ScriptedBroker, ScriptedLetters};
pub(crate) use queue::ScriptedQueue;
pub(crate) use store::ScriptedStore;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{StoreError, Swept};

pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

pub(crate) fn envelope(number: u8) -> Envelope {
    let spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW_MS);
    let mut envelope = Envelope::new(JobId::from_bytes([number; 16]), &spec, NOW_MS);
    envelope.generation = u64::from(number);
    envelope
}

/// A sweep that changed so many jobs, all published by the store itself.
pub(crate) fn swept(jobs: usize) -> Swept {
    Swept {
        jobs,
        publish: Vec::new(),
    }
}

pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable {
        why: "connection refused".to_owned(),
    }
}
