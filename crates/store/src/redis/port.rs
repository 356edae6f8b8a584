//! The port, method by method.

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
use async_trait::async_trait;

use super::RedisStore;
use super::channel::Events;
use super::link::LinkError;

#[async_trait]
impl JobStore for RedisStore {
    async fn submit(&self, id: JobId, spec: JobSpec) -> Result<Submitted, StoreError> {
        if self.committer().is_none() {
            return Err(StoreError::Refused {
                reason: RefusalReason::ShuttingDown,
                retry_after_ms: 1_000,
            });
        }
        self.take_submit(id, &spec).await
    }

    async fn promote(&self, id: JobId, generation: u64) -> Result<(), StoreError> {
        self.take_promote(id, generation).await
    }

    async fn withdraw(&self, id: JobId, generation: u64) -> Result<bool, StoreError> {
        self.take_withdraw(id, generation).await
    }

    async fn get(&self, tenant: &Tenant, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read_record(tenant, id).await
    }

    async fn get_with_envelope(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        self.read_with_envelope(tenant, id).await
    }

    async fn inline_result(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_result(tenant, id).await
    }

    async fn list(&self, request: &ListRequest) -> Result<Page, StoreError> {
        self.read_page(request).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read_counts().await
    }

    async fn cancel(&self, tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError> {
        self.take_cancel(tenant, id).await
    }

    async fn clear(
        &self,
        tenant: &Tenant,
        id: JobId,
        states: &[JobState],
    ) -> Result<ClearAnswer, StoreError> {
        self.take_clear(tenant, id, states).await
    }

    async fn redrive(&self, tenant: &Tenant, id: JobId) -> Result<RedriveAnswer, StoreError> {
        self.take_redrive(tenant, id).await
    }

    async fn edit(
        &self,
        tenant: &Tenant,
        id: JobId,
        wish: EditWish,
    ) -> Result<EditAnswer, StoreError> {
        self.take_edit(tenant, id, &wish).await
    }

    async fn forget(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        self.take_forget(tenant, id, seen).await
    }

    async fn history(
        &self,
        tenant: &Tenant,
        id: JobId,
        after: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        self.read_history(tenant, id, after).await
    }

    async fn events(&self, interest: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        let events = Events::listen(&self.link, &self.keys, interest).await;
        Ok(Box::new(events.map_err(LinkError::of_read)?))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        self.take_claim(&request).await
    }

    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError> {
        self.take_renew(lease, lease_ms).await
    }

    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError> {
        self.take_report(lease, &progress).await
    }

    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError> {
        self.take_checkpoint(lease, &checkpoint).await
    }

    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError> {
        self.take_settle(lease, &settlement).await
    }

    async fn promote_due(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep_due(limit).await
    }

    async fn reap(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep_lapsed(limit).await
    }

    async fn sweep_outbox(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep_entries(limit).await
    }

    async fn expire(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep_expired(limit).await
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}
