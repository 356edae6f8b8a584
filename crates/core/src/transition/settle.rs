//! An attempt ends: the decision comes true.

use crate::job::Job;
use crate::port::Settlement;
use crate::retry::{Decision, Failure, InterruptionReason, Outcome};
use crate::state::{JobState, StateEvent};

use super::lease::{forward, holds};
use super::resume::resumes;
use super::{Draft, Record, Transition};

/// The answer to a settlement, with what must be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Settling {
    /// Write this.
    Recorded(Box<Transition>),
    /// The same lease settled the same way before: its answer got lost. Nothing is written again.
    Repeated,
    /// The lease is not the latest: nothing is written.
    Fenced,
}

/// Ends the attempt that holds `token`.
#[must_use]
pub fn settle(record: Record<'_>, token: u64, settlement: &Settlement, now_ms: u64) -> Settling {
    let decision = &settlement.decision;
    if !holds(record.job, token) {
        return if is_repeat(record.job, token, decision) {
            Settling::Repeated
        } else {
            Settling::Fenced
        };
    }
    let Ok(mut draft) = Draft::after(record, event_of(decision), now_ms) else {
        return Settling::Fenced;
    };
    count(&mut draft.job, decision);
    if let Some(progress) = &settlement.progress {
        let progress = forward(progress.clone(), record.job.progress.as_deref());
        draft.job.progress = Some(Box::new(progress));
    }
    follow(&mut draft, settlement, now_ms);
    let message = message_of(decision);
    Settling::Recorded(Box::new(draft.finish(&message)))
}

/// What the new state means for the rest of the record.
fn follow(draft: &mut Draft<'_>, settlement: &Settlement, now_ms: u64) {
    match draft.job.state {
        JobState::Succeeded => {
            if let Some(progress) = &mut draft.job.progress {
                progress.complete(now_ms);
            }
            draft.job.result = settlement.result.as_ref().map(|body| body.reference());
            draft.job.failure = None;
        }
        JobState::Retrying | JobState::Waiting => {
            let due_at_ms = due_of(&settlement.decision, now_ms);
            draft.raise(Some(due_at_ms), resumes(&settlement.decision));
        }
        JobState::Queued => draft.raise(None, resumes(&settlement.decision)),
        JobState::DeadLettered => {
            if let Decision::DeadLetter { reason, .. } = &settlement.decision {
                draft.job.dead_letter = Some(*reason);
            }
        }
        _ => {}
    }
}

fn event_of(decision: &Decision) -> StateEvent {
    match decision {
        Decision::Succeed => StateEvent::Succeed,
        Decision::Fail(_) => StateEvent::Fail,
        Decision::Retry { .. } => StateEvent::Retry,
        Decision::DeadLetter { .. } => StateEvent::DeadLetter,
        // A delay is waited out in the store, which is exact about it; a queue is not.
        Decision::RunAgain { after_ms, .. } if *after_ms > 0 => StateEvent::Park,
        Decision::RunAgain { .. } => StateEvent::Interrupt,
        Decision::Park { .. } => StateEvent::Park,
        Decision::Cancel => StateEvent::ConfirmCancel,
    }
}

fn due_of(decision: &Decision, now_ms: u64) -> u64 {
    match decision {
        Decision::Retry { after_ms, .. } | Decision::RunAgain { after_ms, .. } => {
            now_ms.saturating_add(*after_ms)
        }
        Decision::Park { until_ms, .. } => *until_ms,
        Decision::Succeed | Decision::Fail(_) | Decision::DeadLetter { .. } | Decision::Cancel => {
            now_ms
        }
    }
}

/// Counts what the attempt came to, and notes why.
pub(super) fn count(job: &mut Job, decision: &Decision) {
    let counter = match decision {
        Decision::Succeed | Decision::Cancel => return,
        Decision::Fail(failure)
        | Decision::Retry { failure, .. }
        | Decision::DeadLetter { failure, .. } => {
            job.failure = Some(Box::new(failure.clone()));
            job.counters = job.counters.after(&Outcome::Failed(failure.clone()));
            return;
        }
        Decision::RunAgain {
            reason: InterruptionReason::WorkerLost,
            ..
        } => &mut job.counters.crashes,
        Decision::RunAgain { .. } | Decision::Park { .. } => &mut job.counters.interruptions,
    };
    *counter = counter.saturating_add(1);
}

fn message_of(decision: &Decision) -> String {
    match decision {
        Decision::Succeed | Decision::Cancel => String::new(),
        Decision::Fail(Failure { message, .. })
        | Decision::Retry {
            failure: Failure { message, .. },
            ..
        }
        | Decision::DeadLetter {
            failure: Failure { message, .. },
            ..
        } => message.clone(),
        Decision::RunAgain { reason, .. } | Decision::Park { reason, .. } => {
            format!("interrupted: {}", reason.as_str())
        }
    }
}

/// Whether the record looks as this decision left it.
fn is_repeat(job: &Job, token: u64, decision: &Decision) -> bool {
    let left = match decision {
        Decision::Succeed => JobState::Succeeded,
        Decision::Fail(_) => JobState::Failed,
        Decision::Retry { .. } => JobState::Retrying,
        Decision::DeadLetter { .. } => JobState::DeadLettered,
        Decision::Park { .. } => JobState::Waiting,
        Decision::RunAgain { after_ms, .. } if *after_ms > 0 => JobState::Waiting,
        Decision::RunAgain { .. } => JobState::Queued,
        Decision::Cancel => JobState::Cancelled,
    };
    job.token == token && job.state == left
}
