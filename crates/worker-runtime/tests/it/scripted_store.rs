//! The worker's side of a store, by the rules of core, with a journal and failures when told.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::event::{EventId, JobEvent};
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, JobSpec};
use assay_core::port::*;
use assay_core::progress::Progress;
use assay_core::state::JobState;
use assay_core::transition::{self, Admission, ClaimStep, Record, Settling, Transition};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use crate::world::{Journal, PausedClock};

/// A record and what hangs on it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) job: Job,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) checkpoint: Option<Vec<u8>>,
    pub(crate) result: Option<ResultBody>,
}

/// What the store does wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// So many settlements are recorded and answered with an error.
    pub(crate) settles_unknown: usize,
    /// Settlements and renewals find no store.
    pub(crate) down: bool,
    /// So many claims find no store.
    pub(crate) claims_down: usize,
    /// So many jobs are cancelled between their claim and its answer.
    pub(crate) cancels_at_claim: usize,
    /// No cancellation is heard, only answered to renewals.
    pub(crate) deaf: bool,
    /// Records can't be read by their ids.
    pub(crate) unreadable: bool,
}

pub(crate) struct ScriptedStore {
    clock: Arc<PausedClock>,
    journal: Journal,
    rows: Mutex<BTreeMap<JobId, Row>>,
    lost: Mutex<BTreeMap<JobId, Row>>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) reports: Mutex<Vec<(u64, Progress)>>,
    pub(crate) rejected: Mutex<Vec<&'static str>>,
    events: broadcast::Sender<Arc<JobEvent>>,
    changed: watch::Sender<u64>,
}

fn down() -> StoreError {
    StoreError::Unavailable {
        why: "told so".to_owned(),
    }
}

impl ScriptedStore {
    pub(crate) fn new(clock: Arc<PausedClock>, journal: Journal) -> Self {
        Self {
            clock,
            journal,
            rows: Mutex::default(),
            lost: Mutex::default(),
            faults: Mutex::default(),
            reports: Mutex::default(),
            rejected: Mutex::default(),
            events: broadcast::Sender::new(64),
            changed: watch::Sender::new(0),
        }
    }

    pub(crate) fn add(&self, id: JobId, spec: &JobSpec) -> Arc<Envelope> {
        let step = transition::submit(id, spec, Admission::Queue, self.clock.now_ms());
        let envelope = Arc::new(step.envelope.unwrap());
        let row = Row {
            job: step.job,
            envelope: Arc::clone(&envelope),
            checkpoint: None,
            result: None,
        };
        self.rows.lock().insert(id, row);
        envelope
    }

    pub(crate) fn row(&self, id: JobId) -> Row {
        self.rows.lock()[&id].clone()
    }

    pub(crate) fn change(&self, id: JobId, change: impl FnOnce(&mut Row)) {
        change(self.rows.lock().get_mut(&id).unwrap());
        self.changed.send_modify(|count| *count += 1);
    }

    /// Loses the record for one settlement; the next claim finds it as it was in `before`.
    pub(crate) fn lose(&self, id: JobId, before: Row) {
        self.rows.lock().remove(&id);
        self.lost.lock().insert(id, before);
    }

    pub(crate) fn forget(&self, id: JobId) {
        self.rows.lock().remove(&id);
    }

    /// Waits until the record is as wanted, for at most ten minutes of paused time.
    pub(crate) async fn wait(&self, id: JobId, wanted: impl Fn(&Row) -> bool) -> Row {
        let mut changed = self.changed.subscribe();
        let seen = async {
            loop {
                if let Some(row) = self.rows.lock().get(&id).filter(|row| wanted(row)) {
                    return row.clone();
                }
                changed.changed().await.unwrap();
            }
        };
        let limit = std::time::Duration::from_secs(600);
        match tokio::time::timeout(limit, seen).await {
            Ok(row) => row,
            Err(_) => panic!("never came about; the record is {:#?}", self.row(id).job),
        }
    }

    /// Changes a record that is there.
    fn change_if<T>(&self, id: JobId, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let changed = self.rows.lock().get_mut(&id).map(change);
        self.changed.send_modify(|count| *count += 1);
        changed
    }

    fn claim_now(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        {
            let mut faults = self.faults.lock();
            if faults.claims_down > 0 {
                faults.claims_down -= 1;
                return Err(down());
            }
        }
        let (envelope, now_ms) = (&request.envelope, self.clock.now_ms());
        let mut rows = self.rows.lock();
        if let Some(before) = self.lost.lock().remove(&envelope.job_id) {
            rows.insert(envelope.job_id, before);
        }
        let Some(row) = rows.get_mut(&envelope.job_id) else {
            return Ok(Claim::Orphan);
        };
        let (worker, lease_ms) = (&request.worker, request.lease_ms);
        match transition::claim(row.record(), envelope, worker, lease_ms, now_ms) {
            ClaimStep::Run(step) => drop(row.keep(*step)),
            ClaimStep::Not(verdict, step) => {
                if let Some(step) = step {
                    drop(row.keep(*step));
                }
                return Ok(Claim::Not(verdict));
            }
        }
        self.journal.note("claim");
        let job = &row.job;
        let claimed = Claimed {
            job: job.clone(),
            lease: Lease {
                job_id: job.id,
                tenant: job.tenant.clone(),
                token: job.token,
                worker: request.worker,
            },
            checkpoint: row.checkpoint.clone(),
        };
        drop(rows);
        self.changed.send_modify(|count| *count += 1);
        Ok(Claim::Run(Box::new(claimed)))
    }

    async fn cancel_at_claim(&self, job: &Job) {
        {
            let mut faults = self.faults.lock();
            if faults.cancels_at_claim == 0 {
                return;
            }
            faults.cancels_at_claim -= 1;
        }
        self.cancel(&job.tenant, job.id).await.unwrap();
        // Whoever listens hears it before the claim is answered.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    fn is_down(&self) -> bool {
        self.faults.lock().down
    }

    fn reject(&self, what: &'static str) {
        self.rejected.lock().push(what);
    }
}

impl Row {
    fn record(&self) -> Record<'_> {
        Record {
            job: &self.job,
            envelope: &self.envelope,
        }
    }

    /// Keeps what a step answered; the envelope that it raised, if any.
    fn keep(&mut self, step: Transition) -> Option<Envelope> {
        self.job = step.job;
        let raised = step.envelope?;
        self.envelope = Arc::new(raised.clone());
        Some(raised)
    }
}

#[async_trait]
impl JobStore for ScriptedStore {
    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        let claim = self.claim_now(request)?;
        if let Claim::Run(claimed) = &claim {
            self.cancel_at_claim(&claimed.job).await;
        }
        Ok(claim)
    }

    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError> {
        if self.is_down() {
            return Err(down());
        }
        let now_ms = self.clock.now_ms();
        let renewed = self.change_if(lease.job_id, |row| {
            let renewed = transition::renew(&row.job, lease.token, lease_ms, now_ms);
            if let Some(job) = renewed.job {
                row.job = *job;
            }
            renewed.answer
        });
        Ok(renewed.unwrap_or(Renewal::Missing))
    }

    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError> {
        let now_ms = self.clock.now_ms();
        let recorded = self.change_if(lease.job_id, |row| {
            let step = transition::report(row.record(), lease.token, progress.clone(), now_ms)?;
            drop(row.keep(step));
            Some(())
        });
        if recorded.flatten().is_none() {
            self.reject("report");
            return Ok(Written::Fenced);
        }
        self.reports.lock().push((now_ms, progress));
        Ok(Written::Recorded)
    }

    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError> {
        let recorded = self.change_if(lease.job_id, |row| {
            let holds = transition::holds(&row.job, lease.token);
            if holds {
                row.checkpoint = Some(checkpoint);
            }
            holds
        });
        if recorded == Some(true) {
            return Ok(Written::Recorded);
        }
        self.reject("checkpoint");
        Ok(Written::Fenced)
    }

    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError> {
        if self.is_down() {
            return Err(down());
        }
        let now_ms = self.clock.now_ms();
        let settled = self.change_if(lease.job_id, |row| {
            let settling = transition::settle(row.record(), lease.token, &settlement, now_ms);
            let raised = match settling {
                Settling::Recorded(step) => {
                    self.journal.note("record");
                    row.result = settlement.result.clone();
                    row.keep(*step)
                }
                Settling::Repeated => None,
                Settling::Fenced => return Settled::Fenced,
            };
            Settled::Recorded {
                job: Box::new(row.job.clone()),
                publish: raised.into_iter().collect(),
            }
        });
        let mut faults = self.faults.lock();
        if faults.settles_unknown > 0 {
            faults.settles_unknown -= 1;
            let why = "told so".to_owned();
            return Err(StoreError::Unknown { why });
        }
        if settled == Some(Settled::Fenced) {
            self.reject("settle");
        }
        Ok(settled.unwrap_or(Settled::Missing))
    }

    async fn events(&self, _interest: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        Ok(Box::new(Events(self.events.subscribe())))
    }

    async fn cancel(&self, _tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError> {
        let now_ms = self.clock.now_ms();
        let asked = self.change_if(id, |row| {
            let transition::Cancelled::Asked(mut step) = transition::cancel(row.record(), now_ms)
            else {
                return None;
            };
            let event = step.events.pop();
            drop(row.keep(*step));
            Some((row.job.clone(), event?))
        });
        let Some((job, event)) = asked.flatten() else {
            return Ok(CancelAnswer::Unknown);
        };
        if !self.faults.lock().deaf {
            drop(self.events.send(Arc::new(event)));
        }
        Ok(CancelAnswer::Cancelling(job))
    }

    async fn promote(&self, _id: JobId, _generation: u64) -> Result<(), StoreError> {
        self.journal.note("promote");
        Ok(())
    }

    async fn withdraw(&self, _id: JobId, _generation: u64) -> Result<bool, StoreError> {
        Err(down())
    }

    async fn submit(&self, _id: JobId, _spec: JobSpec) -> Result<Submitted, StoreError> {
        Err(down())
    }

    async fn get(&self, _tenant: &Tenant, id: JobId) -> Result<Option<Job>, StoreError> {
        if self.is_down() || self.faults.lock().unreadable {
            return Err(down());
        }
        Ok(self.rows.lock().get(&id).map(|row| row.job.clone()))
    }

    async fn get_with_envelope(
        &self,
        _tenant: &Tenant,
        _id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        Err(down())
    }

    async fn inline_result(
        &self,
        _tenant: &Tenant,
        _id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Err(down())
    }

    async fn list(&self, _request: &ListRequest) -> Result<Page, StoreError> {
        Err(down())
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Err(down())
    }

    async fn clear(
        &self,
        _tenant: &Tenant,
        _id: JobId,
        _states: &[JobState],
    ) -> Result<ClearAnswer, StoreError> {
        Err(down())
    }

    async fn edit(
        &self,
        _tenant: &Tenant,
        _id: JobId,
        _wish: EditWish,
    ) -> Result<EditAnswer, StoreError> {
        Err(down())
    }

    async fn forget(
        &self,
        _tenant: &Tenant,
        _id: JobId,
        _seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError> {
        Err(down())
    }

    async fn redrive(&self, _tenant: &Tenant, _id: JobId) -> Result<RedriveAnswer, StoreError> {
        Err(down())
    }

    async fn history(
        &self,
        _tenant: &Tenant,
        _id: JobId,
        _after: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        Err(down())
    }

    async fn promote_due(&self, _limit: usize) -> Result<Swept, StoreError> {
        Err(down())
    }

    async fn reap(&self, _limit: usize) -> Result<Swept, StoreError> {
        Err(down())
    }

    async fn sweep_outbox(&self, _limit: usize) -> Result<Swept, StoreError> {
        Err(down())
    }

    async fn expire(&self, _limit: usize) -> Result<Swept, StoreError> {
        Err(down())
    }

    fn durability(&self) -> Durability {
        Durability::ProcessDeath
    }
}

struct Events(broadcast::Receiver<Arc<JobEvent>>);

#[async_trait]
impl EventStream for Events {
    async fn next(&mut self) -> Option<EventItem> {
        match self.0.recv().await {
            Ok(event) => Some(EventItem::Event(event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(EventItem::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
