//! A worker asks to run a delivery.

use crate::claim::{Verdict, is_of_its_submit, judge, next_token};
use crate::envelope::Envelope;
use crate::id::WorkerId;
use crate::job::{Holder, Job};
use crate::retry::Counters;
use crate::state::{JobState, StateEvent, apply};
use crate::worker::{Lapse, Presence};

use super::sweep::{deadline, is_past_deadline, lose_lease, lose_worker};
use super::{Draft, Record, Transition};

/// How long a delivery waits while nobody can say whether the worker before is dead, in milliseconds.
const UNDECIDED_MS: u64 = 1_000;

/// The answer to a claim, with what must be written.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimStep {
    /// Run it, under the new token in the record.
    Run(Box<Transition>),
    /// Do not run it. What the claim found out is written if it changed the record: the deadline has
    /// passed.
    Not(Verdict, Option<Box<Transition>>),
}

/// Judges a delivery and gives its lease to `worker`.
///
/// A job that is taken over from a lapsed lease was interrupted: its worker may be dead or only slow, so
/// nothing is spent.
#[must_use]
pub fn claim(
    record: Record<'_>,
    delivery: &Envelope,
    worker: &WorkerId,
    lease_ms: u64,
    now_ms: u64,
) -> ClaimStep {
    claim_from(
        record,
        delivery,
        worker,
        lease_ms,
        Presence::Unknown,
        now_ms,
    )
}

/// The same, for what a registry knows of the worker [before](taken_over_from): its death makes a crash of
/// what it left, whoever finds that out, and while nobody can say whether it lives the delivery waits.
#[must_use]
pub fn claim_from(
    record: Record<'_>,
    delivery: &Envelope,
    worker: &WorkerId,
    lease_ms: u64,
    before: Presence,
    now_ms: u64,
) -> ClaimStep {
    if !is_of_its_submit(record.job, delivery) {
        return ClaimStep::Not(Verdict::Stale, None);
    }
    let verdict = judge(record.job, delivery.generation, now_ms);
    if verdict != Verdict::Run {
        return ClaimStep::Not(verdict, None);
    }
    let holder = Holder {
        worker: worker.clone(),
        expires_at_ms: now_ms.saturating_add(lease_ms),
    };
    if record.job.state != JobState::Running && is_past_deadline(record.job, now_ms) {
        let ended = deadline(record, now_ms);
        return ClaimStep::Not(Verdict::Done, ended.map(Box::new));
    }
    let step = if record.job.state == JobState::Running {
        take_over(record, delivery, holder, before.judge_lapse(), now_ms)
    } else {
        lend(record, delivery, holder, now_ms)
    };
    match step {
        ClaimStep::Run(mut claimed) if delivery.generation > record.job.generation => {
            // The store lost a decision, and perhaps an edit before it: the delivery has what is to be worked on.
            claimed.envelope = Some(delivery.carrying(&claimed.job, now_ms));
            ClaimStep::Run(claimed)
        }
        step @ (ClaimStep::Run(_) | ClaimStep::Not(..)) => step,
    }
}

/// The worker whose lapsed lease a claim by a delivery of `generation` would take over; `None` if there is none to take
/// over.
#[must_use]
pub fn taken_over_from(job: &Job, generation: u64, now_ms: u64) -> Option<&WorkerId> {
    let holder = job.holder.as_ref()?;
    let lapsed = job.state == JobState::Running && judge(job, generation, now_ms) == Verdict::Run;
    lapsed.then_some(&holder.worker)
}

/// Takes the job from the worker before, then claims it unless its deadline has passed or that was its last crash.
fn take_over(
    record: Record<'_>,
    delivery: &Envelope,
    holder: Holder,
    lapse: Lapse,
    now_ms: u64,
) -> ClaimStep {
    let lost = match lapse {
        Lapse::Undecided => {
            let for_ms = UNDECIDED_MS;
            return ClaimStep::Not(Verdict::Busy { for_ms }, None);
        }
        Lapse::Crash => lose_worker(record, now_ms),
        Lapse::Interruption => lose_lease(record, now_ms),
    };
    let Some(lost) = lost else {
        return ClaimStep::Not(Verdict::Stale, None);
    };
    if lost.job.state.is_terminal() {
        return ClaimStep::Not(Verdict::Done, Some(Box::new(lost)));
    }
    // This delivery is the new generation: no copy of that needs to be sent.
    let rest = Record {
        job: &lost.job,
        envelope: lost.envelope.as_ref().unwrap_or(record.envelope),
    };
    match lend(rest, delivery, holder, now_ms) {
        ClaimStep::Run(mut claimed) => {
            let mut events = lost.events;
            events.append(&mut claimed.events);
            claimed.events = events;
            claimed.envelope = claimed.envelope.or(lost.envelope);
            ClaimStep::Run(claimed)
        }
        refused @ ClaimStep::Not(..) => refused,
    }
}

fn lend(record: Record<'_>, delivery: &Envelope, holder: Holder, now_ms: u64) -> ClaimStep {
    let mut draft = Draft::new(record, now_ms);
    let job = &mut draft.job;
    if job.state.is_terminal() {
        revive(job, delivery);
    }
    let Ok(state) = apply(job.state, StateEvent::Claim) else {
        return ClaimStep::Not(Verdict::Stale, None);
    };
    job.state = state;
    if delivery.generation > job.generation {
        job.generation = delivery.generation;
        job.resumed = delivery.resumed;
    }
    job.token = next_token(job.token, now_ms);
    job.attempt = job.attempt.saturating_add(1);
    job.holder = Some(holder);
    job.progress = None;
    job.times.due_at_ms = None;
    job.times.started_at_ms.get_or_insert(now_ms);
    ClaimStep::Run(Box::new(draft.finish("")))
}

/// The store lost a redrive that the delivery still tells of.
fn revive(job: &mut Job, delivery: &Envelope) {
    job.state = JobState::Queued;
    job.counters = Counters::default();
    job.attempt = 0;
    job.failure = None;
    job.dead_letter = None;
    job.worker = None;
    job.times.started_at_ms = None;
    job.times.finished_at_ms = None;
    job.times.deadline_at_ms = job.times.deadline_at_ms.max(delivery.deadline_at_ms);
}
