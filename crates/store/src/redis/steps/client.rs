//! What clients ask for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use assay_core::envelope::Envelope;
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::{CancelAnswer, RefusalReason, StoreError, Submitted};
use assay_core::state::JobState;
use assay_core::transition::{self, Cancelled};

use super::{FULL_RETRY_MS, Plan, owned};
use crate::redis::RedisStore;
use crate::redis::change::Origin;
use crate::redis::link::store_full;
use crate::redis::record::Found;

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
                return Plan::Answer(Ok(if job.fingerprint != fingerprint {
                    Submitted::Conflict(job)
                } else if job.state == JobState::Accepted {
                    Submitted::Publish(job, Envelope::clone(&known.envelope))
                } else {
                    Submitted::Exists(job)
                }));
            }
            if is_full {
                return Plan::Answer(Err(store_full()));
            }
            let mut made = transition::submit(id, spec, scribe.admission(), scribe.now_ms);
            let Some(envelope) = made.envelope.take().map(Arc::new) else {
                let why = "the new job has no envelope".into();
                return Plan::Answer(Err(StoreError::Unavailable { why }));
            };
            let of_group = limit.div_ceil(scribe.keys.groups().len() as u64);
            let origin = Origin::Submitted { limit: of_group };
            let mut change = scribe.add(found, &made, Arc::clone(&envelope), origin);
            change.refusal = Some(StoreError::Refused {
                reason: RefusalReason::QueueFull { limit },
                retry_after_ms: FULL_RETRY_MS,
            });
            let answer = match scribe.outbox {
                None => Submitted::Queued(made.job),
                Some(_) => Submitted::Publish(made.job, Envelope::clone(&envelope)),
            };
            Plan::write(change, Ok(answer))
        });
        stepped.await?.answer
    }

    /// Notes that the envelope of a job was published; another generation changes nothing.
    pub(in crate::redis) async fn take_promote(
        &self,
        id: JobId,
        generation: u64,
    ) -> Result<(), StoreError> {
        if self.outbox.is_none() {
            return Ok(());
        }
        let stepped = self.step(id, |found, scribe| {
            let known = found.job();
            match known.filter(|known| transition::needs(&known.job, generation)) {
                Some(known) => Plan::write(scribe.promote(known), ()),
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
            Found::Job(known)
                if scribe.outbox.is_some() && transition::withdrawable(&known.job, generation) =>
            {
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
                    Plan::write(scribe.untold().record(known, *transition, None), answer)
                }
                Cancelled::Asked(transition) => {
                    let answer = CancelAnswer::Cancelling(transition.job.clone());
                    Plan::write(scribe.untold().record(known, *transition, None), answer)
                }
                Cancelled::AskedBefore => {
                    Plan::Answer(CancelAnswer::Cancelling(Job::clone(&known.job)))
                }
                Cancelled::Ended => Plan::Answer(CancelAnswer::Ended(Job::clone(&known.job))),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}
