use std::collections::{BTreeMap, BTreeSet, VecDeque};

use assay_core::envelope::Envelope;
use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::kind::JobKind;
use assay_core::port::{
    CancelAnswer, Claim, ClaimRequest, ClearAnswer, Counts, Durability, EditAnswer, EditWish,
    EventStream, ForgetAnswer, History, Interest, JobStore, Lease, ListRequest, Page,
    RedriveAnswer, Renewal, Settled, Settlement, StoreError, Submitted, Swept, Written,
};
use assay_core::progress::Progress;
use assay_core::state::JobState;
use async_trait::async_trait;
use parking_lot::Mutex;

/// Answers sweeps from a script, then with nothing to do. Everything but clockwork, and a look at a job,
/// fails the test.
#[derive(Default)]
pub(crate) struct ScriptedStore {
    script: Mutex<BTreeMap<&'static str, VecDeque<Result<Swept, StoreError>>>>,
    calls: Mutex<Vec<(&'static str, usize)>>,
    promoted: Mutex<Vec<(JobId, u64)>>,
    promote_fails: bool,
    /// What is on record.
    pub(crate) jobs: Mutex<BTreeMap<JobId, Job>>,
}

impl ScriptedStore {
    pub(crate) fn answering(
        sweep: &'static str,
        answers: impl IntoIterator<Item = Result<Swept, StoreError>>,
    ) -> Self {
        let script = BTreeMap::from([(sweep, answers.into_iter().collect())]);
        Self {
            script: Mutex::new(script),
            ..Self::default()
        }
    }

    pub(crate) fn failing_promotes(mut self) -> Self {
        self.promote_fails = true;
        self
    }

    /// The limits that a sweep was asked with, one for each time.
    pub(crate) fn limits_of(&self, sweep: &str) -> Vec<usize> {
        let calls = self.calls.lock();
        let of_sweep = calls.iter().filter(|(name, _)| *name == sweep);
        of_sweep.map(|(_, limit)| *limit).collect()
    }

    /// In no order.
    pub(crate) fn promoted(&self) -> BTreeSet<(JobId, u64)> {
        self.promoted.lock().iter().copied().collect()
    }

    fn sweep(&self, name: &'static str, limit: usize) -> Result<Swept, StoreError> {
        self.calls.lock().push((name, limit));
        let mut script = self.script.lock();
        let next = script.get_mut(name).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| Ok(Swept::default()))
    }
}

fn not_clockwork() -> ! {
    panic!("the scheduler asked for something that is not clockwork")
}

#[async_trait]
impl JobStore for ScriptedStore {
    async fn promote(&self, id: JobId, generation: u64) -> Result<(), StoreError> {
        if self.promote_fails {
            return Err(super::unavailable());
        }
        self.promoted.lock().push((id, generation));
        Ok(())
    }

    async fn promote_due(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep("promote_due", limit)
    }

    async fn reap(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep("reap", limit)
    }

    async fn sweep_outbox(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep("sweep_outbox", limit)
    }

    async fn expire(&self, limit: usize) -> Result<Swept, StoreError> {
        self.sweep("expire", limit)
    }

    fn durability(&self) -> Durability {
        Durability::ProcessDeath
    }

    async fn submit(&self, _: JobId, _: JobSpec) -> Result<Submitted, StoreError> {
        not_clockwork()
    }

    async fn withdraw(&self, _: JobId, _: u64) -> Result<bool, StoreError> {
        not_clockwork()
    }

    async fn get(&self, _: &Tenant, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.jobs.lock().get(&id).cloned())
    }

    async fn get_with_envelope(
        &self,
        _: &Tenant,
        _: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        not_clockwork()
    }

    async fn inline_result(&self, _: &Tenant, _: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        not_clockwork()
    }

    async fn list(&self, _: &ListRequest) -> Result<Page, StoreError> {
        not_clockwork()
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        *counts.get_mut(JobKind::Batch, JobState::Retrying) = 3;
        Ok(counts)
    }

    async fn cancel(&self, _: &Tenant, _: JobId) -> Result<CancelAnswer, StoreError> {
        not_clockwork()
    }

    async fn clear(&self, _: &Tenant, _: JobId, _: &[JobState]) -> Result<ClearAnswer, StoreError> {
        not_clockwork()
    }

    async fn edit(&self, _: &Tenant, _: JobId, _: EditWish) -> Result<EditAnswer, StoreError> {
        not_clockwork()
    }

    async fn forget(
        &self,
        _: &Tenant,
        _: JobId,
        _: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        not_clockwork()
    }

    async fn redrive(&self, _: &Tenant, _: JobId) -> Result<RedriveAnswer, StoreError> {
        not_clockwork()
    }

    async fn history(
        &self,
        _: &Tenant,
        _: JobId,
        _: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        not_clockwork()
    }

    async fn events(&self, _: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        not_clockwork()
    }

    async fn claim(&self, _: ClaimRequest) -> Result<Claim, StoreError> {
        not_clockwork()
    }

    async fn renew(&self, _: &Lease, _: u64) -> Result<Renewal, StoreError> {
        not_clockwork()
    }

    async fn report(&self, _: &Lease, _: Progress) -> Result<Written, StoreError> {
        not_clockwork()
    }

    async fn checkpoint(&self, _: &Lease, _: Vec<u8>) -> Result<Written, StoreError> {
        not_clockwork()
    }

    async fn settle(&self, _: &Lease, _: Settlement) -> Result<Settled, StoreError> {
        not_clockwork()
    }
}
