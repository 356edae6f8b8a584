//! Somebody puts a failed or dead job back by hand.

use crate::retry::Counters;
use crate::state::StateEvent;

use super::{Draft, Record, Transition};

/// Queues a failed or dead-lettered job again; `None` for any other. Counters start at zero, events and
/// tokens go on, and the job gets `deadline_ms` from now: as long as it was given at its submit.
#[must_use]
pub fn redrive(record: Record<'_>, deadline_ms: u64, now_ms: u64) -> Option<Transition> {
    let mut draft = Draft::after(record, StateEvent::Redrive, now_ms).ok()?;
    let job = &mut draft.job;
    job.counters = Counters::default();
    job.attempt = 0;
    job.progress = None;
    job.failure = None;
    job.dead_letter = None;
    job.result = None;
    job.times.started_at_ms = None;
    job.times.finished_at_ms = None;
    job.times.deadline_at_ms = now_ms.saturating_add(deadline_ms);
    draft.raise(None);
    Some(draft.finish("redriven"))
}
