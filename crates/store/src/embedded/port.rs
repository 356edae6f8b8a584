//! The port, method by method: writes go to the writer, reads to what is committed.

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

use super::batch::Batch;
use super::disk::{read_ended, read_result};
use super::steps::{self, disk_full};
use super::{EmbeddedStore, list};

/// Nothing was written, for want of room.
fn no_room() -> StoreError {
    StoreError::Unavailable {
        why: "the disk that holds the data folder is full".into(),
    }
}

#[async_trait]
impl JobStore for EmbeddedStore {
    async fn submit(&self, id: JobId, spec: JobSpec) -> Result<Submitted, StoreError> {
        if self.sender.lock().is_none() {
            return Err(StoreError::Refused {
                reason: RefusalReason::ShuttingDown,
                retry_after_ms: 1_000,
            });
        }
        self.change(move |batch| steps::submit(batch, id, &spec), disk_full)
            .await
    }

    /// A submit queues at once here, so there is never anything to promote.
    async fn promote(&self, _id: JobId, _generation: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Nobody refuses an envelope here: what is recorded stays.
    async fn withdraw(&self, id: JobId, _generation: u64) -> Result<bool, StoreError> {
        self.read(|shelf, database| {
            Ok(shelf.get(id).is_none() && read_ended(database, id)?.is_none())
        })
    }

    async fn get(&self, tenant: &Tenant, id: JobId) -> Result<Option<Job>, StoreError> {
        let job = self.read(|shelf, database| {
            if let Some(entry) = shelf.get(id) {
                return Ok(Some(Job::clone(&entry.job)));
            }
            let ended = read_ended(database, id)?;
            Ok(ended.map(|entry| Job::clone(&entry.job)))
        })?;
        Ok(job.filter(|job| job.tenant == *tenant))
    }

    async fn get_with_envelope(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        let found = self.read(|shelf, database| match shelf.get(id) {
            Some(entry) => Ok(Some(entry.clone())),
            None => read_ended(database, id),
        })?;
        let owned = found.filter(|entry| entry.job.tenant == *tenant);
        Ok(owned.map(|entry| (Job::clone(&entry.job), Envelope::clone(&entry.envelope))))
    }

    async fn inline_result(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if self
            .get(tenant, id)
            .await?
            .is_none_or(|job| job.result.is_none())
        {
            return Ok(None);
        }
        self.read(|shelf, database| match shelf.get(id) {
            Some(entry) if entry.result.is_some() => {
                Ok(entry.result.as_ref().map(|bytes| bytes.to_vec()))
            }
            _ => read_result(database, id),
        })
    }

    async fn list(&self, request: &ListRequest) -> Result<Page, StoreError> {
        self.read(|shelf, database| list::page(shelf, database, request))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(|shelf, _| Ok(shelf.counts().clone()))
    }

    async fn cancel(&self, tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError> {
        let tenant = tenant.clone();
        self.change(move |batch| steps::cancel(batch, &tenant, id), no_room)
            .await
    }

    async fn clear(
        &self,
        tenant: &Tenant,
        id: JobId,
        states: &[JobState],
    ) -> Result<ClearAnswer, StoreError> {
        let (tenant, states) = (tenant.clone(), states.to_vec());
        let clear = move |batch: &mut Batch<'_>| steps::clear(batch, &tenant, id, &states);
        self.change(clear, no_room).await
    }

    async fn redrive(&self, tenant: &Tenant, id: JobId) -> Result<RedriveAnswer, StoreError> {
        let tenant = tenant.clone();
        self.change(move |batch| steps::redrive(batch, &tenant, id), no_room)
            .await
    }

    async fn edit(
        &self,
        tenant: &Tenant,
        id: JobId,
        wish: EditWish,
    ) -> Result<EditAnswer, StoreError> {
        let tenant = tenant.clone();
        let edit = move |batch: &mut Batch<'_>| steps::edit(batch, &tenant, id, &wish);
        self.change(edit, disk_full).await
    }

    async fn forget(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        let tenant = tenant.clone();
        let forget = move |batch: &mut Batch<'_>| steps::forget(batch, &tenant, id, seen);
        self.change(forget, no_room).await
    }

    async fn history(
        &self,
        tenant: &Tenant,
        id: JobId,
        after: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        let found = self.read(|shelf, database| match shelf.get(id) {
            Some(entry) => Ok(Some((entry.job.tenant.clone(), entry.events.clone()))),
            None => {
                let ended = read_ended(database, id)?;
                Ok(ended.map(|entry| (entry.job.tenant.clone(), entry.events)))
            }
        })?;
        let Some((_, events)) = found.filter(|(of, _)| of == tenant) else {
            return Ok(None);
        };
        let events = events.unpack(tenant, id);
        let events = events.map_err(|error| StoreError::Unavailable {
            why: error.to_string(),
        })?;
        Ok(Some(History::behind(after, &events)))
    }

    async fn events(&self, interest: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        Ok(Box::new(self.listeners.listen(interest)))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        self.change(move |batch| steps::claim(batch, &request), no_room)
            .await
    }

    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError> {
        let lease = lease.clone();
        self.change(move |batch| steps::renew(batch, &lease, lease_ms), no_room)
            .await
    }

    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError> {
        let lease = lease.clone();
        self.change(move |batch| steps::report(batch, &lease, progress), no_room)
            .await
    }

    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError> {
        let lease = lease.clone();
        self.change(
            move |batch| steps::checkpoint(batch, &lease, checkpoint),
            no_room,
        )
        .await
    }

    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError> {
        let lease = lease.clone();
        self.change(
            move |batch| steps::settle(batch, &lease, settlement),
            no_room,
        )
        .await
    }

    async fn promote_due(&self, limit: usize) -> Result<Swept, StoreError> {
        self.change(move |batch| steps::promote_due(batch, limit), no_room)
            .await
    }

    async fn reap(&self, limit: usize) -> Result<Swept, StoreError> {
        self.change(move |batch| steps::reap(batch, limit), no_room)
            .await
    }

    async fn sweep_outbox(&self, limit: usize) -> Result<Swept, StoreError> {
        self.change(move |batch| steps::sweep_outbox(batch, limit), no_room)
            .await
    }

    async fn expire(&self, limit: usize) -> Result<Swept, StoreError> {
        self.change(move |batch| steps::expire(batch, limit), no_room)
            .await
    }

    fn durability(&self) -> Durability {
        Durability::PowerCut
    }
}
