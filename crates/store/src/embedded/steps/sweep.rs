//! What the clock asks for.

use std::sync::Arc;

use assay_core::id::JobId;
use assay_core::job::Job;
use assay_core::port::{StoreError, Swept};
use assay_core::retention::Retention;
use assay_core::state::JobState;
use assay_core::transition::{self, Record, Transition};
use redb::ReadableDatabase;

use crate::embedded::batch::{Batch, unavailable};
use crate::embedded::disk::{Fault, fault};
use crate::embedded::entry::Entry;
use crate::embedded::tables::{EXPIRY, place_key};

/// Leases that nobody looked at for this long, in milliseconds, lapsed in a gap: the machine slept or the
/// store was away, and their workers could not renew them.
const REAP_GAP_MS: u64 = 10_000;
/// How long such leases are extended from now, in milliseconds.
const GAP_LEASE_MS: u64 = 10_000;

pub(in crate::embedded) fn promote_due(
    batch: &mut Batch<'_>,
    limit: usize,
) -> Result<Swept, StoreError> {
    let ids = batch.ground.clockwork.due.until(batch.now_ms(), limit);
    step_each(batch, &ids, transition::due)
}

pub(in crate::embedded) fn reap(batch: &mut Batch<'_>, limit: usize) -> Result<Swept, StoreError> {
    let now_ms = batch.now_ms();
    let clockwork = batch.ground.clockwork;
    let gap_ms = now_ms.saturating_sub(clockwork.reaped_at_ms);
    batch.changes.reaped = true;
    if gap_ms > REAP_GAP_MS {
        extend_leases(batch, now_ms)?;
    }
    let grace_end = now_ms.saturating_sub(transition::REAP_GRACE_MS);
    let clockwork = batch.ground.clockwork;
    let lapsed = clockwork.leases.until(grace_end, limit);
    let reaped = step_each(batch, &lapsed, transition::reap)?;
    let overdue = clockwork
        .deadlines
        .until(now_ms, limit.saturating_sub(reaped.jobs));
    let ended = step_each(batch, &overdue, transition::deadline)?;
    Ok(Swept {
        jobs: reaped.jobs + ended.jobs,
        publish: Vec::new(),
    })
}

/// After a gap no lease is taken for lapsed; each gets the time to be renewed.
fn extend_leases(batch: &mut Batch<'_>, now_ms: u64) -> Result<(), StoreError> {
    for id in batch.ground.clockwork.leases.until(now_ms, usize::MAX) {
        let Some(mut entry) = batch.find(id)? else {
            continue;
        };
        let mut job = Job::clone(&entry.job);
        if let Some(holder) = &mut job.holder {
            holder.expires_at_ms = now_ms.saturating_add(GAP_LEASE_MS);
            entry.job = Arc::new(job);
            batch.record_quietly(entry, None);
        }
    }
    Ok(())
}

/// Takes every held job from its worker: at start, the process that ran them is dead.
pub(in crate::embedded) fn lose_workers(batch: &mut Batch<'_>) -> Result<Swept, StoreError> {
    let ids = batch.ground.clockwork.leases.until(u64::MAX, usize::MAX);
    step_each(batch, &ids, transition::lose_worker)
}

/// Offers the envelopes again that their lane has passed over.
pub(in crate::embedded) fn sweep_outbox(
    batch: &mut Batch<'_>,
    limit: usize,
) -> Result<Swept, StoreError> {
    let ids = batch.ground.clockwork.passed_over(batch.now_ms(), limit);
    for id in &ids {
        if let Some(mut entry) = batch.find(*id)? {
            entry.offered_at_ms = batch.now_ms();
            batch.record_quietly(entry, None);
            batch.changes.offers.push(*id);
        }
    }
    Ok(Swept {
        jobs: ids.len(),
        publish: Vec::new(),
    })
}

pub(in crate::embedded) fn expire(
    batch: &mut Batch<'_>,
    limit: usize,
) -> Result<Swept, StoreError> {
    let now_ms = batch.now_ms();
    let mut ids = batch.ground.clockwork.expiry.until(now_ms, limit);
    if ids.len() < limit {
        let filed = expired_in_tables(batch, now_ms, limit - ids.len()).map_err(unavailable)?;
        ids.extend(filed);
    }
    let retention = batch.ground.config.retention();
    let mut jobs = 0;
    for id in ids {
        let Some(entry) = batch.find(id)? else {
            continue;
        };
        let is_dead = entry.job.state == JobState::DeadLettered;
        match expires_at_ms(&entry, retention) {
            Some(expires_at_ms) if expires_at_ms <= now_ms => {
                batch
                    .changes
                    .expired
                    .extend(is_dead.then_some(entry.job.kind));
                batch.forget(entry);
                jobs += 1;
            }
            // It was filed under an earlier time: the retention has been raised since.
            Some(_) if is_dead => batch.record_quietly(entry, None),
            // Put back by hand since.
            Some(_) | None => {}
        }
    }
    forget_tombstones(batch, now_ms.saturating_sub(retention.ended_ms), limit);
    Ok(Swept {
        jobs,
        publish: Vec::new(),
    })
}

/// When an ended job may be forgotten. The time that it was filed under holds, but for a dead letter: that is kept as long
/// as the settings say today, and it has no result that would have to be filed again.
fn expires_at_ms(entry: &Entry, retention: Retention) -> Option<u64> {
    let state = entry.job.state;
    match entry.filed {
        Some(filed)
            if state.is_terminal() && filed.state == state && state != JobState::DeadLettered =>
        {
            Some(filed.expires_at_ms)
        }
        Some(_) | None => transition::expires_at_ms(&entry.job, retention),
    }
}

fn forget_tombstones(batch: &mut Batch<'_>, oldest_ms: u64, limit: usize) {
    let tombstones = batch.ground.shelf.tombstones().iter();
    let stale: Vec<_> = tombstones
        .filter(|(_, at_ms)| **at_ms < oldest_ms)
        .map(|(id, _)| *id)
        .take(limit)
        .collect();
    for id in stale {
        batch.set_tombstone(id, None);
    }
}

/// Ended jobs of the tables whose time has come and that are not in memory.
fn expired_in_tables(batch: &Batch<'_>, now_ms: u64, limit: usize) -> Result<Vec<JobId>, Fault> {
    let read = batch.ground.database.begin_read().map_err(fault)?;
    let expiry = read.open_table(EXPIRY).map_err(fault)?;
    let end = place_key(now_ms, JobId::from_bytes([u8::MAX; 16]));
    let mut ids = Vec::new();
    for row in expiry.range::<&[u8; 24]>(..=&end).map_err(fault)? {
        if ids.len() == limit {
            break;
        }
        let (key, _) = row.map_err(fault)?;
        let Some(id) = key.value().last_chunk::<16>() else {
            continue;
        };
        let id = JobId::from_bytes(*id);
        let elsewhere =
            batch.ground.shelf.get(id).is_some() || batch.changes.gone.contains_key(&id);
        if !elsewhere {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn step_each(
    batch: &mut Batch<'_>,
    ids: &[JobId],
    step: impl Fn(Record<'_>, u64) -> Option<Transition>,
) -> Result<Swept, StoreError> {
    let mut jobs = 0;
    for id in ids {
        let Some(entry) = batch.find(*id)? else {
            continue;
        };
        if let Some(transition) = step(entry.record(), batch.now_ms()) {
            batch.record(entry, transition);
            jobs += 1;
        }
    }
    Ok(Swept {
        jobs,
        publish: Vec::new(),
    })
}
