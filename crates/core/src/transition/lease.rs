//! What the holder of a lease may do while its attempt runs.

use crate::job::Job;
use crate::port::Renewal;
use crate::progress::Progress;
use crate::state::JobState;

use super::{Draft, Record, Transition};

/// Whether `token` is the right to write (a checkpoint, say): the latest lease of a job whose attempt
/// has not ended.
#[must_use]
pub fn holds(job: &Job, token: u64) -> bool {
    job.token == token
        && job.holder.is_some()
        && matches!(job.state, JobState::Running | JobState::Cancelling)
}

/// The answer to a renewal, with the record if it changed. A renewal is no event: nobody watches it.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewed {
    /// What the worker is told.
    pub answer: Renewal,
    /// The record with the longer lease.
    pub job: Option<Box<Job>>,
}

/// Extends a lease by `lease_ms` from now; a lease never gets shorter.
#[must_use]
pub fn renew(job: &Job, token: u64, lease_ms: u64, now_ms: u64) -> Renewed {
    if !holds(job, token) {
        return Renewed {
            answer: Renewal::Fenced,
            job: None,
        };
    }
    let mut renewed = job.clone();
    if let Some(holder) = &mut renewed.holder {
        let until_ms = now_ms.saturating_add(lease_ms);
        holder.expires_at_ms = holder.expires_at_ms.max(until_ms);
    }
    let answer = match job.state {
        JobState::Cancelling => Renewal::Cancelling,
        _ => Renewal::Held,
    };
    Renewed {
        answer,
        job: Some(Box::new(renewed)),
    }
}

/// Records how far the attempt is; `None` under a stale token. It never goes back.
#[must_use]
pub fn report(
    record: Record<'_>,
    token: u64,
    progress: Progress,
    now_ms: u64,
) -> Option<Transition> {
    if !holds(record.job, token) {
        return None;
    }
    let mut draft = Draft::new(record, now_ms);
    let message = progress.message.clone();
    let progress = forward(progress, record.job.progress.as_deref());
    draft.job.progress = Some(Box::new(progress));
    Some(draft.finish(&message))
}

/// `progress`, but not behind what was recorded `before`.
pub(super) fn forward(mut progress: Progress, before: Option<&Progress>) -> Progress {
    let reached = before.map_or(0, |before| before.basis_points);
    progress.basis_points = progress.basis_points.max(reached);
    progress
}
