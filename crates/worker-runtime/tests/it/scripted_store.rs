//! The worker's side of a store, by the rules of core, with a journal and failures when told.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::claim::{self, Verdict};
use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::event::{EventId, JobEvent};
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Holder, Job, JobSpec, Times};
use assay_core::port::*;
use assay_core::progress::Progress;
use assay_core::retry::{Decision, Outcome};
use assay_core::state::{JobState, StateEvent, apply};
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
    /// No cancellation is heard, only answered to renewals.
    pub(crate) deaf: bool,
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
        let now_ms = self.clock.now_ms();
        let envelope = Arc::new(Envelope::new(id, spec, now_ms));
        let row = Row {
            job: record(id, spec, now_ms),
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

    /// The record under a lease, if it is the latest and the job has not ended.
    fn under<T>(&self, lease: &Lease, write: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let mut rows = self.rows.lock();
        let row = rows.get_mut(&lease.job_id)?;
        let latest = row.job.token == lease.token && row.job.holder.is_some();
        if !latest || row.job.state.is_terminal() {
            return None;
        }
        let written = write(row);
        drop(rows);
        self.changed.send_modify(|count| *count += 1);
        Some(written)
    }

    fn is_down(&self) -> bool {
        self.faults.lock().down
    }

    fn reject(&self, what: &'static str) {
        self.rejected.lock().push(what);
    }
}

fn record(id: JobId, spec: &JobSpec, now_ms: u64) -> Job {
    Job {
        id,
        tenant: spec.tenant.clone(),
        kind: spec.kind,
        lane: spec.lane,
        state: JobState::Queued,
        generation: 1,
        token: 0,
        event_id: EventId::default(),
        attempt: 0,
        counters: assay_core::retry::Counters::default(),
        holder: None,
        policy: spec.policy.clone(),
        progress: None,
        failure: None,
        dead_letter: None,
        result: None,
        metadata: spec.metadata.clone(),
        fingerprint: spec.fingerprint(),
        parent: spec.parent,
        follow_ups: spec.follow_ups.clone(),
        times: Times {
            created_at_ms: now_ms,
            deadline_at_ms: spec.deadline_at_ms,
            ..Times::default()
        },
    }
}

fn settled(row: &mut Row, settlement: Settlement, now_ms: u64) -> Vec<Envelope> {
    let job = &mut row.job;
    job.holder = None;
    job.progress = settlement.progress.or_else(|| job.progress.take());
    let (event, due_at_ms) = match settlement.decision {
        Decision::Succeed => {
            row.result = settlement.result;
            job.result = row.result.as_ref().map(ResultBody::reference);
            (StateEvent::Succeed, None)
        }
        Decision::Fail(failure) => {
            job.failure = Some(failure);
            (StateEvent::Fail, None)
        }
        Decision::DeadLetter { failure, reason } => {
            job.failure = Some(failure);
            job.dead_letter = Some(reason);
            (StateEvent::DeadLetter, None)
        }
        Decision::Cancel => (StateEvent::ConfirmCancel, None),
        Decision::Retry { failure, after_ms } => {
            job.counters = job.counters.after(&Outcome::Failed(failure.clone()));
            job.failure = Some(failure);
            (StateEvent::Retry, Some(now_ms + after_ms))
        }
        Decision::RunAgain { after_ms, .. } => {
            job.counters.interruptions += 1;
            (StateEvent::Interrupt, Some(now_ms + after_ms))
        }
        Decision::Park { until_ms, .. } => {
            job.counters.interruptions += 1;
            (StateEvent::Park, Some(until_ms))
        }
    };
    job.state = apply(job.state, event).unwrap();
    if job.state.is_terminal() {
        return Vec::new();
    }
    job.generation += 1;
    job.times.due_at_ms = due_at_ms;
    let mut next = (*row.envelope).clone();
    next.generation = job.generation;
    next.due_at_ms = due_at_ms;
    row.envelope = Arc::new(next.clone());
    vec![next]
}

#[async_trait]
impl JobStore for ScriptedStore {
    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
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
        let verdict = claim::judge(&row.job, envelope.generation, now_ms);
        if verdict != Verdict::Run {
            return Ok(Claim::Not(verdict));
        }
        self.journal.note("claim");
        let job = &mut row.job;
        job.state = apply(job.state, StateEvent::Claim).unwrap();
        job.token = claim::next_token(job.token, now_ms);
        job.attempt += 1;
        job.times.due_at_ms = None;
        job.holder = Some(Holder {
            worker: request.worker.clone(),
            expires_at_ms: now_ms + request.lease_ms,
        });
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

    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError> {
        if self.is_down() {
            return Err(down());
        }
        if !self.rows.lock().contains_key(&lease.job_id) {
            return Ok(Renewal::Missing);
        }
        let expires_at_ms = self.clock.now_ms() + lease_ms;
        let renewed = self.under(lease, |row| {
            if let Some(holder) = &mut row.job.holder {
                holder.expires_at_ms = expires_at_ms;
            }
            row.job.state
        });
        Ok(match renewed {
            Some(JobState::Cancelling) => Renewal::Cancelling,
            Some(_) => Renewal::Held,
            None => Renewal::Fenced,
        })
    }

    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError> {
        let recorded = self.under(lease, |row| row.job.progress = Some(progress.clone()));
        if recorded.is_none() {
            self.reject("report");
            return Ok(Written::Fenced);
        }
        self.reports.lock().push((self.clock.now_ms(), progress));
        Ok(Written::Recorded)
    }

    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError> {
        let recorded = self.under(lease, |row| row.checkpoint = Some(checkpoint));
        if recorded.is_none() {
            self.reject("checkpoint");
        }
        Ok(recorded.map_or(Written::Fenced, |()| Written::Recorded))
    }

    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError> {
        if self.is_down() {
            return Err(down());
        }
        if !self.rows.lock().contains_key(&lease.job_id) {
            return Ok(Settled::Missing);
        }
        let now_ms = self.clock.now_ms();
        let recorded = self.under(lease, |row| {
            self.journal.note("record");
            let publish = settled(row, settlement, now_ms);
            (Box::new(row.job.clone()), publish)
        });
        let mut faults = self.faults.lock();
        if faults.settles_unknown > 0 {
            faults.settles_unknown -= 1;
            let why = "told so".to_owned();
            return Err(StoreError::Unknown { why });
        }
        if recorded.is_none() {
            self.reject("settle");
        }
        Ok(
            recorded.map_or(Settled::Fenced, |(job, publish)| Settled::Recorded {
                job,
                publish,
            }),
        )
    }

    async fn events(&self, _interest: Interest) -> Result<Box<dyn EventStream>, StoreError> {
        Ok(Box::new(Events(self.events.subscribe())))
    }

    async fn cancel(&self, _tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError> {
        let job = {
            let mut rows = self.rows.lock();
            let job = &mut rows.get_mut(&id).unwrap().job;
            job.state = apply(job.state, StateEvent::Cancel).unwrap();
            job.clone()
        };
        if !self.faults.lock().deaf {
            drop(self.events.send(Arc::new(event(&job))));
        }
        Ok(CancelAnswer::Cancelling(job))
    }

    async fn promote(&self, _id: JobId, _generation: u64) -> Result<(), StoreError> {
        self.journal.note("promote");
        Ok(())
    }

    async fn submit(&self, _id: JobId, _spec: JobSpec) -> Result<Submitted, StoreError> {
        Err(down())
    }

    async fn get(&self, _tenant: &Tenant, _id: JobId) -> Result<Option<Job>, StoreError> {
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

fn event(job: &Job) -> JobEvent {
    JobEvent {
        tenant: job.tenant.clone(),
        job_id: job.id,
        id: job.event_id,
        at_ms: 0,
        state: job.state,
        attempt: job.attempt,
        percent: 0.0,
        step: None,
        eta_ms: None,
        message: String::new(),
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
