//! A simple model of a store: random steps on it and on the store must agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::claim::Verdict;
use assay_core::id::JobId;
use assay_core::port::{
    CancelAnswer, Claim, ClearAnswer, EditAnswer, ForgetAnswer, Lease, RedriveAnswer, Renewal,
    Settled, Written,
};
use assay_core::retry::{Decision, InterruptionReason};
use assay_core::state::JobState;
use assay_core::transition::{DUE_RETENTION_MS, REAP_GRACE_MS};

use super::dead_letter::{death, wish};
use super::fence::progress;
use super::{KIND, LEASE_MS, Settings, Subject, expect, failure, id, settlement, tenant};

/// How many jobs the steps are about.
const JOBS: u64 = 4;
/// So many lapses are longer than the retention of all jobs but dead letters.
const AGE_LAPSES: u64 = Settings::RETENTION_MS / (LEASE_MS + REAP_GRACE_MS) + 1;
/// How long a retry or a park of these steps takes, in milliseconds.
const DELAY_MS: u64 = 500;

/// One random step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    action: Action,
    job: u8,
    /// Use the lease before the latest.
    stale: bool,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Submit,
    Claim,
    Renew,
    Report,
    Succeed,
    Fail,
    Retry,
    Park,
    RunAgain,
    ConfirmCancel,
    Cancel,
    Redrive,
    Wait,
    Lapse,
    PromoteDue,
    Reap,
    Die,
    Edit,
    Forget,
    Clear,
    Age,
}

const ACTIONS: [Action; 21] = [
    Action::Submit,
    Action::Claim,
    Action::Renew,
    Action::Report,
    Action::Succeed,
    Action::Fail,
    Action::Retry,
    Action::Park,
    Action::RunAgain,
    Action::ConfirmCancel,
    Action::Cancel,
    Action::Redrive,
    Action::Wait,
    Action::Lapse,
    Action::PromoteDue,
    Action::Reap,
    Action::Die,
    Action::Edit,
    Action::Forget,
    Action::Clear,
    Action::Age,
];

impl Step {
    /// The step that a random number stands for.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        let [kind, job, stale, _] = number.to_le_bytes();
        let action = ACTIONS[usize::from(kind) % ACTIONS.len()];
        Self {
            // Claims are what makes the others meaningful.
            action: if kind > 200 { Action::Claim } else { action },
            job: job % u8::try_from(JOBS).unwrap_or(1),
            stale: stale > 220,
        }
    }
}

/// What the model knows of a job.
#[derive(Clone, Debug)]
struct Known {
    state: JobState,
    interruptions: u32,
    errors: u32,
    attempt: u32,
    due_ms: u64,
    /// The latest time that it ever had to wait for, and when it ended.
    last_due_ms: Option<u64>,
    ended_ms: Option<u64>,
    lapses_ms: u64,
    leases: Vec<Lease>,
    payload: Vec<u8>,
}

impl Known {
    /// Notes when it ended, if it just has, and that it has not, if it was put back; and for when it waits.
    fn note(&mut self, now_ms: u64) {
        if waits(self.state) {
            self.last_due_ms = self.last_due_ms.max(Some(self.due_ms));
        }
        let noted = self.ended_ms.or(Some(now_ms));
        self.ended_ms = noted.filter(|_| self.state.is_terminal());
    }

    fn expires_ms(&self) -> Option<u64> {
        let retention_ms = match self.state {
            JobState::DeadLettered => Settings::DEAD_LETTER_RETENTION_MS,
            _ => Settings::RETENTION_MS,
        };
        let after_due_ms = self
            .last_due_ms
            .map_or(0, |due_ms| due_ms + DUE_RETENTION_MS);
        Some((self.ended_ms? + retention_ms).max(after_due_ms))
    }
}

/// Takes the steps on the store and on the model, and compares every answer and every record.
pub async fn any_order_of_steps_agrees_with_the_model(subject: Subject, steps: Vec<Step>) {
    let mut known: BTreeMap<JobId, Known> = BTreeMap::new();
    for step in steps {
        let job_id = id(step.job);
        take(&subject, &mut known, step, job_id).await;
        let now_ms = subject.now_ms();
        known.values_mut().for_each(|known| known.note(now_ms));
        for (id, known) in &known {
            let job = subject.job(*id).await;
            assert_eq!(job.state, known.state, "after {step:?}");
            assert_eq!(job.attempt, known.attempt, "after {step:?}");
            let counters = job.counters;
            let counted = [counters.interruptions, counters.errors, counters.crashes];
            let expected = [known.interruptions, known.errors, 0];
            assert_eq!(counted, expected, "after {step:?}");
            let latest = known.leases.last().map_or(0, |lease| lease.token);
            assert_eq!(job.token, latest, "after {step:?}");
            let carried = subject
                .with_envelope(*id)
                .await
                .map(|(_, envelope)| envelope);
            let carried = carried.map(|envelope| (envelope.generation, envelope.payload));
            let expected = (job.generation, known.payload.clone());
            assert_eq!(carried, Some(expected), "after {step:?}");
        }
        let counts = expect("count", subject.store.counts().await);
        for state in JobState::ALL {
            let expected = known.values().filter(|known| known.state == state).count();
            assert_eq!(
                counts.get(KIND, state),
                expected as u64,
                "{state} after {step:?}"
            );
        }
    }
}

async fn take(subject: &Subject, known: &mut BTreeMap<JobId, Known>, step: Step, id: JobId) {
    let now_ms = subject.now_ms();
    match step.action {
        Action::Submit => submit(subject, known, id).await,
        Action::Wait => subject.clock.advance(DELAY_MS / 2),
        Action::Lapse => lapse(subject, known).await,
        Action::Age => {
            for _ in 0..AGE_LAPSES {
                lapse(subject, known).await;
            }
            let now_ms = subject.now_ms();
            let before = known.len();
            known.retain(|_, known| known.expires_ms().is_none_or(|at_ms| at_ms > now_ms));
            assert_eq!(subject.expire().await, before - known.len());
        }
        Action::PromoteDue => {
            let due = known.values_mut().filter(|known| waits(known.state));
            let due: Vec<_> = due.filter(|known| known.due_ms <= now_ms).collect();
            assert_eq!(subject.promote_due().await, due.len());
            due.into_iter()
                .for_each(|known| known.state = JobState::Queued);
        }
        Action::Reap => assert_eq!(subject.reap().await, reap_known(known, now_ms)),
        Action::Claim
        | Action::Renew
        | Action::Report
        | Action::Succeed
        | Action::Fail
        | Action::Retry
        | Action::Park
        | Action::RunAgain
        | Action::ConfirmCancel
        | Action::Cancel
        | Action::Redrive
        | Action::Die
        | Action::Edit
        | Action::Clear => {
            if let Some(known) = known.get_mut(&id) {
                take_on(subject, known, step, id).await;
            }
        }
        Action::Forget => {
            let state = known.get(&id).map(|known| known.state);
            let forgotten = subject.forget(id, None).await == ForgetAnswer::Forgotten;
            assert_eq!(forgotten, state == Some(JobState::DeadLettered));
            if forgotten {
                known.remove(&id);
            }
        }
    }
}

/// In steps without a gap, or leases would be extended.
async fn lapse(subject: &Subject, known: &mut BTreeMap<JobId, Known>) {
    let now_ms = subject.now_ms();
    subject.reap().await;
    reap_known(known, now_ms);
    subject.clock.advance(LEASE_MS + REAP_GRACE_MS);
}

fn waits(state: JobState) -> bool {
    matches!(state, JobState::Retrying | JobState::Waiting)
}

async fn submit(subject: &Subject, known: &mut BTreeMap<JobId, Known>, id: JobId) {
    let mut spec = subject.spec();
    // The same request each time, whenever it comes.
    spec.deadline_at_ms = u64::MAX / 2;
    let existed = known.contains_key(&id);
    let answer = subject.try_submit(id, spec).await;
    let exists = matches!(answer, assay_core::port::Submitted::Exists(_));
    assert_eq!(exists, existed, "{answer:?}");
    known.entry(id).or_insert_with(|| Known {
        state: JobState::Queued,
        interruptions: 0,
        errors: 0,
        attempt: 0,
        due_ms: 0,
        last_due_ms: None,
        ended_ms: None,
        lapses_ms: 0,
        leases: Vec::new(),
        payload: b"payload".to_vec(),
    });
}

fn reap_known(known: &mut BTreeMap<JobId, Known>, now_ms: u64) -> usize {
    let mut reaped = 0;
    for known in known.values_mut() {
        let held = matches!(known.state, JobState::Running | JobState::Cancelling);
        if held && known.lapses_ms + REAP_GRACE_MS <= now_ms {
            lose_lease(known);
            known.note(now_ms);
            reaped += 1;
        }
    }
    reaped
}

fn lose_lease(known: &mut Known) {
    known.interruptions += 1;
    known.state = match known.state {
        JobState::Cancelling => JobState::Cancelled,
        _ => JobState::Queued,
    };
}

async fn take_on(subject: &Subject, known: &mut Known, step: Step, id: JobId) {
    let now_ms = subject.now_ms();
    match step.action {
        Action::Claim => claim(subject, known, id).await,
        Action::Cancel => {
            let answer = expect("cancel", subject.store.cancel(&tenant(), id).await);
            let (state, agrees) = match known.state {
                JobState::Running | JobState::Cancelling => (
                    JobState::Cancelling,
                    matches!(answer, CancelAnswer::Cancelling(_)),
                ),
                ended if ended.is_terminal() => (ended, matches!(answer, CancelAnswer::Ended(_))),
                _ => (
                    JobState::Cancelled,
                    matches!(answer, CancelAnswer::Cancelled(_)),
                ),
            };
            assert!(agrees, "{answer:?} when {}", known.state);
            known.state = state;
        }
        Action::Clear => {
            let cleared = subject.clear(id, &[JobState::Queued]).await;
            let meant = known.state == JobState::Queued;
            assert_eq!(
                matches!(cleared, ClearAnswer::Cleared(_)),
                meant,
                "{cleared:?}"
            );
            if meant {
                known.state = JobState::Cancelled;
            }
        }
        Action::Edit => {
            let payload = now_ms.to_be_bytes();
            let edited = subject.edit(id, wish(&payload)).await;
            let dead = known.state == JobState::DeadLettered;
            assert_eq!(matches!(edited, EditAnswer::Edited(_)), dead, "{edited:?}");
            if dead {
                known.payload = payload.to_vec();
            }
        }
        Action::Redrive => {
            let may = matches!(known.state, JobState::Failed | JobState::DeadLettered);
            let answer = subject.redrive(id).await;
            assert_eq!(
                matches!(answer, RedriveAnswer::Queued(..)),
                may,
                "{answer:?}"
            );
            if may {
                known.state = JobState::Queued;
                (known.interruptions, known.errors, known.attempt) = (0, 0, 0);
            }
        }
        _ => {
            let back = if step.stale { 2 } else { 1 };
            let place = known.leases.len().checked_sub(back);
            let lease = place.and_then(|place| known.leases.get(place)).cloned();
            if let Some(lease) = lease {
                write(subject, known, step, &lease, now_ms).await;
            }
        }
    }
}

async fn claim(subject: &Subject, known: &mut Known, id: JobId) {
    let now_ms = subject.now_ms();
    let mut envelope = assay_core::envelope::Envelope::clone(&*subject.envelope(id).await);
    envelope.generation = subject.job(id).await.generation;
    let answer = subject.try_claim(Arc::new(envelope), "any").await;
    let held = matches!(known.state, JobState::Running | JobState::Cancelling);
    let verdict = match known.state {
        _ if held && known.lapses_ms > now_ms => Some(Verdict::Busy {
            for_ms: known.lapses_ms - now_ms,
        }),
        JobState::Cancelled | JobState::Cancelling => Some(Verdict::Cancelled),
        JobState::Succeeded | JobState::Failed | JobState::DeadLettered => Some(Verdict::Done),
        state if waits(state) && known.due_ms > now_ms => Some(Verdict::Early {
            for_ms: known.due_ms - now_ms,
        }),
        JobState::Running => {
            lose_lease(known);
            None
        }
        _ => None,
    };
    match (verdict, answer) {
        (None, Claim::Run(claimed)) => {
            let before = known.leases.last().map_or(0, |lease| lease.token);
            assert!(claimed.lease.token > before);
            known.state = JobState::Running;
            known.attempt += 1;
            known.lapses_ms = now_ms + LEASE_MS;
            known.leases.push(claimed.lease);
        }
        (expected, answer) => assert_eq!(Some(answer), expected.map(Claim::Not)),
    }
}

async fn write(subject: &Subject, known: &mut Known, step: Step, lease: &Lease, now_ms: u64) {
    let latest = known.leases.last().map(|lease| lease.token) == Some(lease.token);
    let running = matches!(known.state, JobState::Running | JobState::Cancelling);
    let holds = latest && running;
    let reason = InterruptionReason::BreakerOpen;
    let (decision, after) = match step.action {
        Action::Renew => {
            let answer = expect("renew", subject.store.renew(lease, LEASE_MS).await);
            let expected = match known.state {
                _ if !holds => Renewal::Fenced,
                JobState::Cancelling => Renewal::Cancelling,
                _ => Renewal::Held,
            };
            assert_eq!(answer, expected);
            if holds {
                known.lapses_ms = known.lapses_ms.max(now_ms + LEASE_MS);
            }
            return;
        }
        Action::Report => {
            let answer = subject.store.report(lease, progress(50, now_ms)).await;
            let recorded = expect("report", answer) == Written::Recorded;
            assert_eq!(recorded, holds);
            return;
        }
        Action::Succeed => (Decision::Succeed, JobState::Succeeded),
        Action::Fail => (Decision::Fail(failure()), JobState::Failed),
        Action::Die => (death(), JobState::DeadLettered),
        Action::Retry => (
            Decision::Retry {
                failure: failure(),
                after_ms: DELAY_MS,
            },
            JobState::Retrying,
        ),
        Action::Park => (
            Decision::Park {
                until_ms: now_ms + DELAY_MS,
                reason,
            },
            JobState::Waiting,
        ),
        Action::RunAgain => (
            Decision::RunAgain {
                reason: InterruptionReason::Drain,
                after_ms: 0,
            },
            JobState::Queued,
        ),
        _ => (Decision::Cancel, JobState::Cancelled),
    };
    let fails = matches!(step.action, Action::Fail | Action::Retry | Action::Die);
    let interrupts = matches!(step.action, Action::Park | Action::RunAgain);
    let answer = subject.try_settle(lease, settlement(decision)).await;
    if !holds {
        // A repeat of what the same lease settled may be told so.
        let repeat = latest && known.state == after;
        assert!(repeat || answer == Settled::Fenced, "{answer:?}");
        return;
    }
    assert!(matches!(answer, Settled::Recorded { .. }), "{answer:?}");
    known.errors += u32::from(fails);
    known.interruptions += u32::from(interrupts);
    known.due_ms = now_ms + DELAY_MS;
    known.state = match (known.state, after) {
        (JobState::Cancelling, JobState::Succeeded | JobState::Failed) => after,
        (JobState::Cancelling, _) => JobState::Cancelled,
        _ => after,
    };
}
