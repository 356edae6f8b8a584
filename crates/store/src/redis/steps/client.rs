//! What clients ask for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::{CancelAnswer, RedriveAnswer, RefusalReason, StoreError, Submitted};
use assay_core::transition::{self, Admission, Cancelled};

use super::{Plan, owned};
use crate::redis::RedisStore;
use crate::redis::change::Origin;
use crate::redis::link::store_full;
use crate::redis::record::Found;

/// When a client that was refused for a full queue should ask again, in milliseconds.
const QUEUE_FULL_RETRY_MS: u64 = 1_000;
/// Most cancelled ids without a record that are remembered: cancels of further ones leave no trace.
const TOMBSTONES_MAX: u64 = 10_000;

impl RedisStore {
    pub(in crate::redis) async fn take_submit(
        &self,
        id: JobId,
        spec: &JobSpec,
    ) -> Result<Submitted, StoreError> {
        let limit = self.config.queued_jobs_max;
        let is_full = self.is_full.load(Ordering::Relaxed);
        let fingerprint = spec.fingerprint();
        let stepped = self.step_on_new(id, |found, scribe| {
            if let Some(known) = found.job() {
                let job = Job::clone(&known.job);
                return Plan::Answer(Ok(if job.fingerprint == fingerprint {
                    Submitted::Exists(job)
                } else {
                    Submitted::Conflict(job)
                }));
            }
            if is_full {
                return Plan::Answer(Err(store_full()));
            }
            let mut made = transition::submit(id, spec, Admission::Queue, scribe.now_ms);
            let Some(envelope) = made.envelope.take() else {
                let why = "the new job has no envelope".into();
                return Plan::Answer(Err(StoreError::Unavailable { why }));
            };
            let of_group = limit.div_ceil(scribe.keys.groups().len() as u64);
            let origin = Origin::Submitted { limit: of_group };
            let mut change = scribe.add(found, &made, Arc::new(envelope), origin);
            change.refusal = Some(StoreError::Refused {
                reason: RefusalReason::QueueFull { limit },
                retry_after_ms: QUEUE_FULL_RETRY_MS,
            });
            Plan::write(change, Ok(Submitted::Queued(made.job)))
        });
        stepped.await?.answer
    }

    /// Marks a job as queued whose envelope was published; an older generation changes nothing.
    pub(in crate::redis) async fn take_promote(
        &self,
        id: JobId,
        generation: u64,
    ) -> Result<(), StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let known = found.job();
            let promoted = known.and_then(|known| {
                let promoted = transition::promote(known.record(), generation, scribe.now_ms)?;
                Some(scribe.record(known, promoted, None))
            });
            match promoted {
                Some(change) => Plan::write(change, ()),
                None => Plan::Answer(()),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    /// Forgets a job whose envelope was refused; whether nothing is left of it.
    pub(in crate::redis) async fn take_withdraw(
        &self,
        id: JobId,
        generation: u64,
    ) -> Result<bool, StoreError> {
        let stepped = self.step(id, |found, scribe| match found {
            Found::Absent | Found::Tombstone(_) => Plan::Answer(true),
            Found::Job(known) if transition::withdrawable(&known.job, generation) => {
                Plan::write(scribe.forget(known), true)
            }
            Found::Job(_) => Plan::Answer(false),
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_cancel(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<CancelAnswer, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            if matches!(found, Found::Absent) {
                let of_group = TOMBSTONES_MAX.div_ceil(scribe.keys.groups().len() as u64);
                return Plan::write(scribe.bury(id, of_group), CancelAnswer::Unknown);
            }
            let Some(known) = owned(found, tenant) else {
                return Plan::Answer(CancelAnswer::Unknown);
            };
            match transition::cancel(known.record(), scribe.now_ms) {
                Cancelled::Now(transition) => {
                    let answer = CancelAnswer::Cancelled(transition.job.clone());
                    Plan::write(scribe.record(known, *transition, None), answer)
                }
                Cancelled::Asked(transition) => {
                    let answer = CancelAnswer::Cancelling(transition.job.clone());
                    Plan::write(scribe.record(known, *transition, None), answer)
                }
                Cancelled::AskedBefore => {
                    Plan::Answer(CancelAnswer::Cancelling(Job::clone(&known.job)))
                }
                Cancelled::Ended => Plan::Answer(CancelAnswer::Ended(Job::clone(&known.job))),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_redrive(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<RedriveAnswer, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = owned(found, tenant) else {
                return Plan::Answer(RedriveAnswer::Unknown);
            };
            let (deadline_ms, now_ms) = (known.deadline_ms, scribe.now_ms);
            let retention_ms = scribe.retention_ms;
            match transition::redrive(known.record(), deadline_ms, retention_ms, now_ms) {
                Some(transition) => {
                    let answer = RedriveAnswer::Queued(transition.job.clone(), None);
                    Plan::write(scribe.record(known, transition, None), answer)
                }
                None => Plan::Answer(RedriveAnswer::NotRedrivable(Job::clone(&known.job))),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}
