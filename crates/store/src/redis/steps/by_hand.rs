//! What people ask for: to put jobs back, to edit dead letters and have them forgotten, to clear a queue.

use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use assay_core::port::{
    ClearAnswer, EditAnswer, EditWish, ForgetAnswer, RedriveAnswer, StoreError,
};
use assay_core::state::JobState;
use assay_core::transition::{self, Cancelled, Editing, Unfit};

use super::{Plan, owned};
use crate::redis::RedisStore;

impl RedisStore {
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
            let retention_ms = scribe.retention.longest_ms();
            match transition::redrive(known.record(), deadline_ms, retention_ms, now_ms) {
                Some(transition) => {
                    let job = transition.job.clone();
                    let change = scribe.record(known, transition, None);
                    let publish = change.to_publish().into_iter().next();
                    Plan::write(change, RedriveAnswer::Queued(job, publish))
                }
                None => Plan::Answer(RedriveAnswer::NotRedrivable(Job::clone(&known.job))),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_clear(
        &self,
        tenant: &Tenant,
        id: JobId,
        states: &[JobState],
    ) -> Result<ClearAnswer, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = owned(found, tenant) else {
                return Plan::Answer(ClearAnswer::Unknown);
            };
            match transition::clear(known.record(), states, scribe.now_ms) {
                Some(Cancelled::Now(transition) | Cancelled::Asked(transition)) => {
                    let answer = ClearAnswer::Cleared(transition.job.clone());
                    Plan::write(scribe.untold().record(known, *transition, None), answer)
                }
                Some(Cancelled::AskedBefore) => {
                    Plan::Answer(ClearAnswer::Cleared(Job::clone(&known.job)))
                }
                Some(Cancelled::Ended) | None => {
                    Plan::Answer(ClearAnswer::Left(Job::clone(&known.job)))
                }
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_edit(
        &self,
        tenant: &Tenant,
        id: JobId,
        wish: &EditWish,
    ) -> Result<EditAnswer, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = owned(found, tenant) else {
                return Plan::Answer(EditAnswer::Unknown);
            };
            let job = || Job::clone(&known.job);
            match transition::edit(known.record(), wish, scribe.now_ms) {
                Editing::Now(transition) => {
                    let answer = EditAnswer::Edited(transition.job.clone());
                    Plan::write(scribe.edit(known, *transition), answer)
                }
                Editing::Repeated => Plan::Answer(EditAnswer::Edited(job())),
                Editing::Unfit(Unfit::Changed) => Plan::Answer(EditAnswer::Changed(job())),
                Editing::Unfit(Unfit::NotDead) => Plan::Answer(EditAnswer::NotDead(job())),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_forget(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = owned(found, tenant) else {
                return Plan::Answer(ForgetAnswer::Unknown);
            };
            let job = || Job::clone(&known.job);
            match transition::forgettable(&known.job, seen) {
                Ok(()) => Plan::write(scribe.replace_by_tombstone(known), ForgetAnswer::Forgotten),
                Err(Unfit::Changed) => Plan::Answer(ForgetAnswer::Changed(job())),
                Err(Unfit::NotDead) => Plan::Answer(ForgetAnswer::NotDead(job())),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}
