//! What clients ask for.

use std::sync::Arc;

use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::{CancelAnswer, RedriveAnswer, RefusalReason, StoreError, Submitted};
use assay_core::transition::{self, Admission, Cancelled};

use crate::embedded::batch::Batch;
use crate::embedded::entry::Entry;

/// When a client that was refused for a full queue should ask again, in milliseconds.
const QUEUE_FULL_RETRY_MS: u64 = 1_000;
/// When a client that was refused for a full disk should ask again, in milliseconds.
pub(in crate::embedded) const DISK_FULL_RETRY_MS: u64 = 10_000;

pub(in crate::embedded) fn submit(
    batch: &mut Batch<'_>,
    id: JobId,
    spec: &JobSpec,
) -> Result<Submitted, StoreError> {
    if let Some(entry) = batch.find(id)? {
        let job = Job::clone(&entry.job);
        return Ok(if job.fingerprint == spec.fingerprint() {
            Submitted::Exists(job)
        } else {
            Submitted::Conflict(job)
        });
    }
    let limit = batch.ground.config.queued_jobs_max;
    if batch.live(spec.kind) >= limit {
        return Err(StoreError::Refused {
            reason: RefusalReason::QueueFull { limit },
            retry_after_ms: QUEUE_FULL_RETRY_MS,
        });
    }
    if batch.ground.disk_is_full {
        return Err(disk_full());
    }
    let mut made = transition::submit(id, spec, Admission::Queue, batch.now_ms());
    let Some(envelope) = made.envelope.take() else {
        return Err(StoreError::Unavailable {
            why: "the new job has no envelope".into(),
        });
    };
    let job = batch.add(made, Arc::new(envelope));
    Ok(Submitted::Queued(Job::clone(&job)))
}

pub(in crate::embedded) fn disk_full() -> StoreError {
    StoreError::Refused {
        reason: RefusalReason::DiskFull,
        retry_after_ms: DISK_FULL_RETRY_MS,
    }
}

pub(in crate::embedded) fn cancel(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
) -> Result<CancelAnswer, StoreError> {
    let Some(entry) = batch.find(id)? else {
        batch.bury(id);
        return Ok(CancelAnswer::Unknown);
    };
    if !belongs(&entry, tenant) {
        return Ok(CancelAnswer::Unknown);
    }
    let job = |job: &Job| job.clone();
    Ok(match transition::cancel(entry.record(), batch.now_ms()) {
        Cancelled::Now(transition) => {
            CancelAnswer::Cancelled(job(&batch.record(entry, *transition)))
        }
        Cancelled::Asked(transition) => {
            CancelAnswer::Cancelling(job(&batch.record(entry, *transition)))
        }
        Cancelled::AskedBefore => CancelAnswer::Cancelling(job(&entry.job)),
        Cancelled::Ended => CancelAnswer::Ended(job(&entry.job)),
    })
}

pub(in crate::embedded) fn redrive(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
) -> Result<RedriveAnswer, StoreError> {
    let found = batch.find(id)?.filter(|entry| belongs(entry, tenant));
    let Some(entry) = found else {
        return Ok(RedriveAnswer::Unknown);
    };
    let retention_ms = batch.ground.config.retention_ms;
    let (deadline_ms, now_ms) = (entry.deadline_ms, batch.now_ms());
    let redriven = transition::redrive(entry.record(), deadline_ms, retention_ms, now_ms);
    Ok(match redriven {
        Some(transition) => {
            let job = batch.record(entry, transition);
            RedriveAnswer::Queued(Job::clone(&job), None)
        }
        None => RedriveAnswer::NotRedrivable(Job::clone(&entry.job)),
    })
}

fn belongs(entry: &Entry, tenant: &Tenant) -> bool {
    entry.job.tenant == *tenant
}
