//! What the clock does to jobs: due times, lapsed leases, deadlines, retention.

use crate::job::Job;
use crate::retention::Retention;
use crate::retry::{DeadLetterReason, Decision, Failure, FailureClass, decide_crash, decide_lapse};
use crate::state::{JobState, StateEvent};
use crate::worker::{Lapse, Presence};

use super::resume::{resumes, resumes_when_due};
use super::settle::count;
use super::{Draft, Record, Transition};

/// How long after its lease lapsed a job is taken from its worker: a late renewal still saves it.
pub const REAP_GRACE_MS: u64 = 2_000;
/// How long a record is kept after its job was last due, whatever the retention: a delayed copy of its
/// envelope may come that late.
pub const DUE_RETENTION_MS: u64 = 24 * 60 * 60 * 1000;

/// Whether the job waits for a time that has come.
#[must_use]
pub fn is_due(job: &Job, now_ms: u64) -> bool {
    let waits = matches!(
        job.state,
        JobState::Scheduled | JobState::Retrying | JobState::Waiting
    );
    waits && job.times.due_at_ms.is_some_and(|due| due <= now_ms)
}

/// Queues a job that is due; `None` if it is not.
#[must_use]
pub fn due(record: Record<'_>, now_ms: u64) -> Option<Transition> {
    if !is_due(record.job, now_ms) {
        return None;
    }
    let mut draft = Draft::after(record, StateEvent::Queue, now_ms).ok()?;
    draft.raise(None, resumes_when_due(record.job));
    Some(draft.finish(""))
}

/// Whether the job's lease lapsed longer ago than the grace time.
#[must_use]
pub fn is_reapable(job: &Job, now_ms: u64) -> bool {
    let lapsed = |expires_at_ms: u64| expires_at_ms.saturating_add(REAP_GRACE_MS) <= now_ms;
    !job.state.is_terminal() && job.holder.as_ref().is_some_and(|h| lapsed(h.expires_at_ms))
}

/// Takes a job from a worker whose lease lapsed; `None` while it holds.
#[must_use]
pub fn reap(record: Record<'_>, now_ms: u64) -> Option<Transition> {
    if !is_reapable(record.job, now_ms) {
        return None;
    }
    lose_lease(record, now_ms)
}

/// Takes a job from a worker whose lease lapsed, for what a registry knows of that worker: its death makes
/// it a crash. `None` while the lease holds, or while nobody can say whether the worker lives.
#[must_use]
pub fn reap_from(record: Record<'_>, presence: Presence, now_ms: u64) -> Option<Transition> {
    if !is_reapable(record.job, now_ms) {
        return None;
    }
    match presence.judge_lapse() {
        Lapse::Crash => lose_worker(record, now_ms),
        Lapse::Interruption => lose_lease(record, now_ms),
        Lapse::Undecided => None,
    }
}

/// Takes a job from a worker whose lease lapsed, without a grace time. That the worker is silent does not
/// prove it dead, so this is an interruption. `None` for a job that no worker holds.
pub(super) fn lose_lease(record: Record<'_>, now_ms: u64) -> Option<Transition> {
    let job = record.job;
    let holder = job.holder.as_ref()?;
    let message = format!("worker {} lost its lease", holder.worker);
    let decision = decide_lapse(job.times.deadline_at_ms, now_ms);
    take(record, &decision, &message, now_ms)
}

/// Takes a job from a worker that is known to be dead, whatever its lease says: it counts as a crash and
/// runs again, unless it was the last crash it may have. `None` for a job that no worker holds.
#[must_use]
pub fn lose_worker(record: Record<'_>, now_ms: u64) -> Option<Transition> {
    let job = record.job;
    let holder = job.holder.as_ref()?;
    let failure = Failure::new(
        FailureClass::Crashed,
        "worker_lost",
        format!("worker {} was lost", holder.worker),
    );
    let message = failure.message.clone();
    let decision = decide_crash(&job.counters, failure, job.times.deadline_at_ms, now_ms);
    take(record, &decision, &message, now_ms)
}

/// Takes a job from its worker as `decision` says: it runs again, or it was the last time.
fn take(record: Record<'_>, decision: &Decision, message: &str, now_ms: u64) -> Option<Transition> {
    let event = match decision {
        Decision::DeadLetter { .. } => StateEvent::DeadLetter,
        _ => StateEvent::Queue,
    };
    let mut draft = Draft::after(record, event, now_ms).ok()?;
    count(&mut draft.job, decision);
    match (draft.job.state, decision) {
        (JobState::DeadLettered, Decision::DeadLetter { reason, .. }) => {
            draft.job.dead_letter = Some(*reason);
        }
        (JobState::Queued, _) => draft.raise(None, resumes(decision)),
        _ => {}
    }
    Some(draft.finish(message))
}

/// Whether the job should have ended by now.
#[must_use]
pub fn is_past_deadline(job: &Job, now_ms: u64) -> bool {
    !job.state.is_terminal() && job.times.deadline_at_ms <= now_ms
}

/// Ends a job that is past its deadline, running or not; `None` if it is not.
#[must_use]
pub fn deadline(record: Record<'_>, now_ms: u64) -> Option<Transition> {
    if !is_past_deadline(record.job, now_ms) {
        return None;
    }
    let mut draft = Draft::after(record, StateEvent::DeadLetter, now_ms).ok()?;
    let failure = Failure::new(
        FailureClass::TimedOut,
        DeadLetterReason::DeadlineExceeded.as_str(),
        format!("not ended by its deadline, {} before", record.job.state),
    );
    // Whoever waits for a cancel gets that: apply() decides.
    if draft.job.state == JobState::DeadLettered {
        draft.job.dead_letter = Some(DeadLetterReason::DeadlineExceeded);
        draft.job.failure = Some(Box::new(failure.clone()));
    }
    Some(draft.finish(&failure.message))
}

/// When the record of an ended job may be forgotten; `None` for one that has not ended.
#[must_use]
pub fn expires_at_ms(job: &Job, retention: Retention) -> Option<u64> {
    let ended = job
        .times
        .finished_at_ms
        .filter(|_| job.state.is_terminal())?;
    let kept_until_ms = ended.saturating_add(retention.of_ms(job.state));
    // A record of before there was a last one has the due time alone.
    let due_at_ms = job.times.last_due_at_ms.max(job.times.due_at_ms);
    let after_due_ms = due_at_ms.map_or(0, |due| due.saturating_add(DUE_RETENTION_MS));
    Some(kept_until_ms.max(after_due_ms))
}
