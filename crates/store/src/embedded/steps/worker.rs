//! What workers ask for.

use std::sync::Arc;

use assay_core::claim::{Missing, Verdict, judge_missing};
use assay_core::envelope::Envelope;
use assay_core::id::WorkerId;
use assay_core::job::Job;
use assay_core::port::{
    Claim, ClaimRequest, Claimed, Lease, Renewal, ResultBody, Settled, Settlement, StoreError,
    Written,
};
use assay_core::progress::Progress;
use assay_core::transition::{self, ClaimStep, Settling};

use crate::embedded::batch::Batch;
use crate::embedded::entry::Entry;
use crate::embedded::parts::Part;

pub(in crate::embedded) fn claim(
    batch: &mut Batch<'_>,
    request: &ClaimRequest,
) -> Result<Claim, StoreError> {
    let delivery = &request.envelope;
    let mut found = batch.find(delivery.job_id)?;
    if found.is_none() {
        match missing(batch, delivery) {
            Missing::Orphan => return Ok(Claim::Orphan),
            Missing::Cancelled => return Ok(Claim::Not(Verdict::Cancelled)),
            Missing::Rebuild => {
                let rebuilt = transition::rebuild(delivery, batch.now_ms());
                batch.add(rebuilt, Arc::clone(delivery));
                found = batch.find(delivery.job_id)?;
            }
        }
    }
    // Another tenant's job looks absent.
    let Some(entry) = found.filter(|entry| entry.job.tenant == delivery.tenant) else {
        return Ok(Claim::Orphan);
    };
    let (worker, lease_ms) = (&request.worker, request.lease_ms);
    let step = transition::claim(entry.record(), delivery, worker, lease_ms, batch.now_ms());
    Ok(match step {
        ClaimStep::Run(transition) => {
            let checkpoint = entry.checkpoint.as_ref().map(|bytes| bytes.to_vec());
            let job = batch.record(entry, *transition);
            Claim::Run(Box::new(claimed(&job, worker, checkpoint)))
        }
        ClaimStep::Not(verdict, transition) => {
            if let Some(transition) = transition {
                batch.record(entry, *transition);
            }
            Claim::Not(verdict)
        }
    })
}

/// What to do with a delivery that no record is found for.
fn missing(batch: &Batch<'_>, delivery: &Envelope) -> Missing {
    let ground = &batch.ground;
    judge_missing(
        delivery,
        batch.tombstone(delivery.job_id),
        ground.epoch_started_at_ms,
        ground.config.retention().shortest_ms(),
        ground.now_ms,
    )
}

fn claimed(job: &Job, worker: &WorkerId, checkpoint: Option<Vec<u8>>) -> Claimed {
    let lease = Lease {
        job_id: job.id,
        tenant: job.tenant.clone(),
        token: job.token,
        worker: worker.clone(),
    };
    Claimed {
        job: job.clone(),
        lease,
        checkpoint,
    }
}

pub(in crate::embedded) fn renew(
    batch: &mut Batch<'_>,
    lease: &Lease,
    lease_ms: u64,
) -> Result<Renewal, StoreError> {
    let Some(mut entry) = leased(batch, lease)? else {
        return Ok(Renewal::Missing);
    };
    let renewed = transition::renew(&entry.job, lease.token, lease_ms, batch.now_ms());
    if let Some(job) = renewed.job {
        entry.job = Arc::from(job);
        batch.record_quietly(entry, None);
    }
    Ok(renewed.answer)
}

pub(in crate::embedded) fn report(
    batch: &mut Batch<'_>,
    lease: &Lease,
    progress: Progress,
) -> Result<Written, StoreError> {
    let Some(entry) = leased(batch, lease)? else {
        return Ok(Written::Fenced);
    };
    let reported = transition::report(entry.record(), lease.token, progress, batch.now_ms());
    let Some(transition) = reported else {
        return Ok(Written::Fenced);
    };
    batch.record(entry, transition);
    Ok(Written::Recorded)
}

pub(in crate::embedded) fn checkpoint(
    batch: &mut Batch<'_>,
    lease: &Lease,
    checkpoint: Vec<u8>,
) -> Result<Written, StoreError> {
    let held = leased(batch, lease)?.filter(|entry| transition::holds(&entry.job, lease.token));
    let Some(mut entry) = held else {
        return Ok(Written::Fenced);
    };
    entry.checkpoint = Some(Arc::new(checkpoint));
    batch.record_quietly(entry, Some(Part::Checkpoint));
    Ok(Written::Recorded)
}

pub(in crate::embedded) fn settle(
    batch: &mut Batch<'_>,
    lease: &Lease,
    settlement: Settlement,
) -> Result<Settled, StoreError> {
    let Some(mut entry) = leased(batch, lease)? else {
        return Ok(Settled::Missing);
    };
    let recorded = |job: &Job| Settled::Recorded {
        job: Box::new(job.clone()),
        publish: Vec::new(),
    };
    let step = transition::settle(entry.record(), lease.token, &settlement, batch.now_ms());
    Ok(match step {
        Settling::Fenced => Settled::Fenced,
        Settling::Repeated => recorded(&entry.job),
        Settling::Recorded(transition) => {
            if let (Some(_), Some(ResultBody::Inline(body))) =
                (&transition.job.result, settlement.result)
            {
                entry.result = Some(Arc::new(body));
            }
            recorded(&batch.record(entry, *transition))
        }
    })
}

/// The job that a lease is for, if there is a record.
fn leased(batch: &Batch<'_>, lease: &Lease) -> Result<Option<Entry>, StoreError> {
    let found = batch.find(lease.job_id)?;
    Ok(found.filter(|entry| entry.job.tenant == lease.tenant))
}
