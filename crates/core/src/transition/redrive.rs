//! Somebody puts a failed or dead job back by hand.

use crate::job::{JOB_LIFE_MS_MAX, Job};
use crate::retry::Counters;
use crate::state::StateEvent;

use super::{Draft, Record, Transition};

/// When a job must have ended for good, in milliseconds since the epoch: its content is kept for the longest
/// life of a job and the longest retention, counted from the submit.
#[must_use]
pub fn redriven_until_ms(job: &Job, retention_ms: u64) -> u64 {
    let created_at_ms = job.times.created_at_ms;
    created_at_ms
        .saturating_add(JOB_LIFE_MS_MAX)
        .saturating_add(retention_ms)
}

/// Queues a failed or dead-lettered job again; `None` for any other, and for one that is so old that its
/// content may be gone ([`redriven_until_ms`]). Counters start at zero, events and tokens go on, and the job
/// gets `deadline_ms` from now: as long as it was given to run at its submit, if it may live for so long.
#[must_use]
pub fn redrive(
    record: Record<'_>,
    deadline_ms: u64,
    retention_ms: u64,
    now_ms: u64,
) -> Option<Transition> {
    let until_ms = redriven_until_ms(record.job, retention_ms);
    if now_ms >= until_ms {
        return None;
    }
    let mut draft = Draft::after(record, StateEvent::Redrive, now_ms).ok()?;
    let job = &mut draft.job;
    job.counters = Counters::default();
    job.attempt = 0;
    job.progress = None;
    job.failure = None;
    job.dead_letter = None;
    job.worker = None;
    job.result = None;
    job.times.started_at_ms = None;
    job.times.finished_at_ms = None;
    job.times.deadline_at_ms = now_ms.saturating_add(deadline_ms).min(until_ms);
    draft.raise(None, false);
    Some(draft.finish("redriven"))
}
