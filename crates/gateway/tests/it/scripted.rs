//! The embedded store, answering submits like stores that are not their own queue, or not well.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::{
    CancelAnswer, Claim, ClaimRequest, ClearAnswer, Counts, Durability, EditAnswer, EditWish,
    EventStream, ForgetAnswer, History, Interest, JobStore, Lease, ListRequest, Page,
    RedriveAnswer, RefusalReason, Renewal, Settled, Settlement, StoreError, Submitted, Swept,
    Written,
};
use assay_core::progress::Progress;
use assay_core::state::JobState;
use assay_store::EmbeddedStore;
use async_trait::async_trait;
use parking_lot::Mutex;

/// What happens to a submit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script {
    /// It is recorded and must be published.
    Publish,
    /// The same, and somebody else publishes it at the same time: it can't be withdrawn.
    PublishElsewhere,
    /// The same, and then the store can't be reached.
    PublishAndVanish,
    /// It is recorded, and the answer is lost the first time.
    LoseAnswer,
    /// It is refused.
    DiskFull,
    /// It is never answered.
    Hang,
    /// It is recorded. People may do so many things to jobs by hand, then the store can't be reached.
    BreaksAfter(usize),
}

pub(crate) struct ScriptedStore {
    pub(crate) script: Script,
    pub(crate) inner: Arc<EmbeddedStore>,
    /// What was promoted and withdrawn.
    pub(crate) noted: Arc<Mutex<Vec<Noted>>>,
}

/// What a store was told of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    Promoted(JobId, u64),
    Withdrawn(JobId, u64),
    ByHand(JobId),
}

impl ScriptedStore {
    /// Notes what somebody does to a job by hand, unless it is one too many.
    fn by_hand(&self, id: JobId) -> Result<(), StoreError> {
        let mut noted = self.noted.lock();
        let by_hand = |noted: &&Noted| matches!(noted, Noted::ByHand(_));
        let done = noted.iter().filter(by_hand).count();
        match self.script {
            Script::BreaksAfter(most) if done >= most => Err(StoreError::Unavailable {
                why: "the connection broke".to_owned(),
            }),
            Script::BreaksAfter(_) => {
                noted.push(Noted::ByHand(id));
                Ok(())
            }
            Script::Publish
            | Script::PublishElsewhere
            | Script::PublishAndVanish
            | Script::LoseAnswer
            | Script::DiskFull
            | Script::Hang => Ok(()),
        }
    }
}

#[async_trait]
impl JobStore for ScriptedStore {
    async fn submit(&self, id: JobId, spec: JobSpec) -> Result<Submitted, StoreError> {
        if let Script::DiskFull = self.script {
            return Err(StoreError::Refused {
                reason: RefusalReason::DiskFull,
                retry_after_ms: 250,
            });
        }
        if let Script::Hang = self.script {
            return std::future::pending().await;
        }
        let asked = spec.clone();
        let submitted = self.inner.submit(id, spec).await?;
        match (self.script, submitted) {
            (
                Script::Publish | Script::PublishElsewhere | Script::PublishAndVanish,
                Submitted::Queued(mut job) | Submitted::Exists(mut job),
            ) => {
                job.state = JobState::Accepted;
                let envelope = Envelope::new(id, &asked, job.times.created_at_ms);
                Ok(Submitted::Publish(job, envelope))
            }
            (Script::LoseAnswer, Submitted::Queued(_)) => Err(StoreError::Unknown {
                why: "the connection broke".to_owned(),
            }),
            (_, submitted) => Ok(submitted),
        }
    }

    async fn promote(&self, id: JobId, generation: u64) -> Result<(), StoreError> {
        self.noted.lock().push(Noted::Promoted(id, generation));
        self.inner.promote(id, generation).await
    }

    async fn withdraw(&self, id: JobId, generation: u64) -> Result<bool, StoreError> {
        self.noted.lock().push(Noted::Withdrawn(id, generation));
        match self.script {
            Script::PublishAndVanish => Err(StoreError::Unavailable {
                why: "the connection broke".to_owned(),
            }),
            Script::Publish => Ok(true),
            Script::PublishElsewhere
            | Script::LoseAnswer
            | Script::DiskFull
            | Script::Hang
            | Script::BreaksAfter(_) => Ok(false),
        }
    }

    async fn get(&self, tenant: &Tenant, id: JobId) -> Result<Option<Job>, StoreError> {
        self.inner.get(tenant, id).await
    }

    async fn get_with_envelope(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        self.inner.get_with_envelope(tenant, id).await
    }

    async fn inline_result(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.inline_result(tenant, id).await
    }

    async fn list(&self, request: &ListRequest) -> Result<Page, StoreError> {
        self.inner.list(request).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.inner.counts().await
    }

    async fn cancel(&self, tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError> {
        self.inner.cancel(tenant, id).await
    }

    async fn clear(
        &self,
        tenant: &Tenant,
        id: JobId,
        states: &[JobState],
    ) -> Result<ClearAnswer, StoreError> {
        self.by_hand(id)?;
        self.inner.clear(tenant, id, states).await
    }

    async fn edit(
        &self,
        tenant: &Tenant,
        id: JobId,
        wish: EditWish,
    ) -> Result<EditAnswer, StoreError> {
        self.inner.edit(tenant, id, wish).await
    }

    async fn forget(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        self.by_hand(id)?;
        self.inner.forget(tenant, id, seen).await
    }

    async fn redrive(&self, tenant: &Tenant, id: JobId) -> Result<RedriveAnswer, StoreError> {
        self.by_hand(id)?;
        match self.inner.redrive(tenant, id).await? {
            RedriveAnswer::Queued(job, None) => {
                let kept = self.inner.get_with_envelope(tenant, id).await?;
                let envelope = kept.map(|(_, envelope)| envelope);
                Ok(RedriveAnswer::Queued(job, envelope))
            }
            answer @ (RedriveAnswer::Queued(..)
            | RedriveAnswer::NotRedrivable(_)
            | RedriveAnswer::Unknown) => Ok(answer),
        }
    }

    async fn history(
        &self,
        tenant: &Tenant,
        id: JobId,
        after: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        self.inner.history(tenant, id, after).await
    }

    async fn events(&self, interest: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        self.inner.events(interest).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        self.inner.claim(request).await
    }

    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError> {
        self.inner.renew(lease, lease_ms).await
    }

    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError> {
        self.inner.report(lease, progress).await
    }

    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError> {
        self.inner.checkpoint(lease, checkpoint).await
    }

    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError> {
        self.inner.settle(lease, settlement).await
    }

    async fn promote_due(&self, limit: usize) -> Result<Swept, StoreError> {
        self.inner.promote_due(limit).await
    }

    async fn reap(&self, limit: usize) -> Result<Swept, StoreError> {
        self.inner.reap(limit).await
    }

    async fn sweep_outbox(&self, limit: usize) -> Result<Swept, StoreError> {
        self.inner.sweep_outbox(limit).await
    }

    async fn expire(&self, limit: usize) -> Result<Swept, StoreError> {
        self.inner.expire(limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}
