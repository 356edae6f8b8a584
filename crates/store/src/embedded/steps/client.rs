//! What clients ask for.

use std::sync::Arc;

use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::{
    CancelAnswer, ClearAnswer, EditAnswer, EditWish, ForgetAnswer, RedriveAnswer, RefusalReason,
    StoreError, Submitted,
};
use assay_core::state::JobState;
use assay_core::transition::{self, Admission, Cancelled, Editing, Unfit};

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

pub(in crate::embedded) fn clear(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
    states: &[JobState],
) -> Result<ClearAnswer, StoreError> {
    let Some(entry) = own(batch, tenant, id)? else {
        return Ok(ClearAnswer::Unknown);
    };
    let cleared = transition::clear(entry.record(), states, batch.now_ms());
    Ok(match cleared {
        Some(Cancelled::Now(transition) | Cancelled::Asked(transition)) => {
            ClearAnswer::Cleared(Job::clone(&batch.record(entry, *transition)))
        }
        Some(Cancelled::AskedBefore) => ClearAnswer::Cleared(Job::clone(&entry.job)),
        Some(Cancelled::Ended) | None => ClearAnswer::Left(Job::clone(&entry.job)),
    })
}

pub(in crate::embedded) fn edit(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
    wish: &EditWish,
) -> Result<EditAnswer, StoreError> {
    let Some(entry) = own(batch, tenant, id)? else {
        return Ok(EditAnswer::Unknown);
    };
    let job = || Job::clone(&entry.job);
    Ok(
        match transition::edit(entry.record(), wish, batch.now_ms()) {
            Editing::Now(_) if batch.ground.disk_is_full => return Err(disk_full()),
            Editing::Now(transition) => {
                EditAnswer::Edited(Job::clone(&batch.record(entry, *transition)))
            }
            Editing::Repeated => EditAnswer::Edited(job()),
            Editing::Unfit(Unfit::Changed) => EditAnswer::Changed(job()),
            Editing::Unfit(Unfit::NotDead) => EditAnswer::NotDead(job()),
        },
    )
}

pub(in crate::embedded) fn forget(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
    seen: Option<EventId>,
) -> Result<ForgetAnswer, StoreError> {
    let Some(entry) = own(batch, tenant, id)? else {
        return Ok(ForgetAnswer::Unknown);
    };
    Ok(match transition::forgettable(&entry.job, seen) {
        Ok(()) => {
            batch.forget(entry);
            // In place of a record that took more room, so no bound refuses it.
            batch.set_tombstone(id, Some(batch.now_ms()));
            ForgetAnswer::Forgotten
        }
        Err(Unfit::Changed) => ForgetAnswer::Changed(Job::clone(&entry.job)),
        Err(Unfit::NotDead) => ForgetAnswer::NotDead(Job::clone(&entry.job)),
    })
}

pub(in crate::embedded) fn redrive(
    batch: &mut Batch<'_>,
    tenant: &Tenant,
    id: JobId,
) -> Result<RedriveAnswer, StoreError> {
    let Some(entry) = own(batch, tenant, id)? else {
        return Ok(RedriveAnswer::Unknown);
    };
    let retention_ms = batch.ground.config.retention().longest_ms();
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

/// The job, if it is of this tenant.
fn own(batch: &Batch<'_>, tenant: &Tenant, id: JobId) -> Result<Option<Entry>, StoreError> {
    let found = batch.find(id)?;
    Ok(found.filter(|entry| belongs(entry, tenant)))
}

fn belongs(entry: &Entry, tenant: &Tenant) -> bool {
    entry.job.tenant == *tenant
}
