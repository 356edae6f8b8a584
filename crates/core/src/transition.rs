//! What each step does to a record: the job as it was in, the job as it is out, with everything that
//! must be written in the same step.
//!
//! Every store adapter applies these functions and differs only in how it keeps what they answer, so a
//! job lives the same life in a file and in a server. Pure: time is passed in, chance was spent before.
//!
//! - A step that raises the generation answers the envelope of that generation.
//! - A step into a terminal state answers the follow-ups, whoever made the step.
//! - Each change answers one event; sequences have no gaps.
//!
//! Not here: whether an answer was durable, who is told, what is in a queue.

mod cancel;
mod claim;
mod dead_letter;
mod lease;
mod outbox;
mod redrive;
mod resume;
mod settle;
mod submit;
mod sweep;
#[cfg(test)]
mod tests;

pub use cancel::{Cancelled, cancel, clear};
pub use claim::{ClaimStep, claim, claim_from, taken_over_from};
pub use dead_letter::{Editing, Unfit, edit, forgettable};
pub use lease::{Renewed, holds, renew, report};
pub use outbox::{needs, needs_envelope, withdrawable};
pub use redrive::{redrive, redriven_until_ms};
pub use settle::{Settling, settle};
pub use submit::{Admission, promote, rebuild, submit};
pub use sweep::{
    DUE_RETENTION_MS, REAP_GRACE_MS, deadline, due, expires_at_ms, is_due, is_past_deadline,
    is_reapable, lose_worker, reap, reap_from,
};

use crate::envelope::Envelope;
use crate::event::{EventId, JobEvent};
use crate::id::JobId;
use crate::job::{DEADLINE_DEFAULT_MS, FOLLOW_UPS_MAX, Job, JobSpec};
use crate::progress::StepState;
use crate::state::{IllegalTransition, JobState, StateEvent, apply};

/// A job as a store keeps it: the record, and the envelope of its latest generation.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The record.
    pub job: &'a Job,
    /// What carries the job.
    pub envelope: &'a Envelope,
}

/// What must be written in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The record after the step.
    pub job: Job,
    /// What watchers are told.
    pub events: Vec<JobEvent>,
    /// The envelope of the generation that this step raised. Its time has come if the job is `queued`;
    /// if not, it is to be let in when it is due. That of a dead letter has another payload than before.
    pub envelope: Option<Envelope>,
    /// Jobs to submit in the same step. One that exists already was submitted before.
    pub follow_ups: Vec<(JobId, JobSpec)>,
}

/// A step in the making.
struct Draft<'a> {
    record: Record<'a>,
    job: Job,
    now_ms: u64,
}

impl<'a> Draft<'a> {
    fn new(record: Record<'a>, now_ms: u64) -> Self {
        Self {
            record,
            job: record.job.clone(),
            now_ms,
        }
    }

    /// A draft whose job is now in the state that `event` leads to.
    fn after(
        record: Record<'a>,
        event: StateEvent,
        now_ms: u64,
    ) -> Result<Self, IllegalTransition> {
        let state = apply(record.job.state, event)?;
        let mut draft = Self::new(record, now_ms);
        draft.job.state = state;
        Ok(draft)
    }

    /// Lets the job run again: at once, or when it is due.
    fn raise(&mut self, due_at_ms: Option<u64>, resumed: bool) {
        self.job.generation = self.job.generation.saturating_add(1);
        self.job.resumed = resumed;
        let times = &mut self.job.times;
        times.due_at_ms = due_at_ms;
        times.last_due_at_ms = times.last_due_at_ms.max(due_at_ms);
        if self.job.state == JobState::Queued {
            self.job.times.queued_at_ms = Some(self.now_ms);
        }
    }

    /// Takes the lease from whoever held it, unless the job goes on under it. Who it was is kept where people may ask:
    /// of jobs that fail or wait, not of the many that succeed.
    fn release(&mut self) {
        let job = &mut self.job;
        if matches!(job.state, JobState::Running | JobState::Cancelling) {
            return;
        }
        if let Some(holder) = job.holder.take() {
            job.worker = Some(holder.worker);
        }
        if matches!(job.state, JobState::Succeeded | JobState::Cancelled) {
            job.worker = None;
        }
    }

    /// Ends the step with one event that says `message`.
    fn finish(mut self, message: &str) -> Transition {
        let entered = self.job.state.is_terminal() && !self.record.job.state.is_terminal();
        self.release();
        if entered {
            self.job.times.finished_at_ms = Some(self.now_ms);
        }
        let event = next_event(&mut self.job, message, self.now_ms);
        let raised = self.job.generation > self.record.envelope.generation;
        Transition {
            // Published now, also where it is resumed: it goes ahead by that mark and not by its age. So a
            // job that loses every worker goes behind others that lost one, and a copy that comes very late
            // is not taken for one of before the store began.
            envelope: raised.then(|| self.record.envelope.carrying(&self.job, self.now_ms)),
            follow_ups: if entered {
                follow_ups(&self.job, self.record.envelope, self.now_ms)
            } else {
                Vec::new()
            },
            events: vec![event],
            job: self.job,
        }
    }
}

/// Numbers and writes the event of a change that was made to `job`.
fn next_event(job: &mut Job, message: &str, now_ms: u64) -> JobEvent {
    job.times.updated_at_ms = now_ms;
    job.event_id = EventId {
        token: job.token,
        sequence: job.event_id.sequence + 1,
    };
    let progress = job.progress.as_ref();
    let percent = match job.state {
        JobState::Succeeded => 100.0,
        _ => progress.map_or(0.0, |progress| progress.percent()),
    };
    let running = progress
        .and_then(|progress| {
            let is_running =
                |step: &&crate::progress::StepProgress| step.state == StepState::Running;
            progress.steps.iter().find(is_running)
        })
        .filter(|_| job.state == JobState::Running);
    JobEvent {
        tenant: job.tenant.clone(),
        job_id: job.id,
        id: job.event_id,
        at_ms: now_ms,
        state: job.state,
        attempt: job.attempt,
        percent,
        step: running.map(|step| step.name.clone()),
        eta_ms: progress
            .filter(|_| job.state == JobState::Running)
            .and_then(|progress| progress.eta_ms),
        message: message.to_owned(),
    }
}

/// What a job that has just ended sends out. The generation is part of the ids: a job that was redriven
/// and ends again sends its follow-ups again.
fn follow_ups(job: &Job, envelope: &Envelope, now_ms: u64) -> Vec<(JobId, JobSpec)> {
    let first = job.generation.saturating_mul(FOLLOW_UPS_MAX as u64);
    let ids = (first..).map(|index| job.id.child("follow-up", index));
    let specs = job.follow_ups.iter().map(|follow_up| JobSpec {
        tenant: job.tenant.clone(),
        lane: follow_up.lane,
        parent: Some(job.id),
        deadline_at_ms: now_ms.saturating_add(DEADLINE_DEFAULT_MS),
        trace: envelope.trace.clone(),
        ..JobSpec::new(follow_up.kind, follow_up.payload.clone(), now_ms)
    });
    ids.zip(specs).take(FOLLOW_UPS_MAX).collect()
}
