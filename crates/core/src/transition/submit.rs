//! A job comes to be: by a client's wish, or again from its envelope.

use crate::envelope::Envelope;
use crate::event::EventId;
use crate::id::JobId;
use crate::job::{Job, JobSpec, Policy, Times};
use crate::retry::{Counters, RetryPolicy};
use crate::state::{JobState, StateEvent};

use super::{Draft, Record, Transition, next_event};

/// Where a recorded job goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Into a queue that is one with the store: it is queued as soon as it is recorded.
    Queue,
    /// Into a queue elsewhere: it is accepted until its envelope was published.
    Accept,
}

/// Records a job. One that is due later is scheduled, whatever the admission: there is nothing to
/// publish yet.
#[must_use]
pub fn submit(id: JobId, spec: &JobSpec, admission: Admission, now_ms: u64) -> Transition {
    let envelope = Envelope::new(id, spec, now_ms);
    let later = spec.due_at_ms.is_some_and(|due_at_ms| due_at_ms > now_ms);
    let state = match admission {
        _ if later => JobState::Scheduled,
        Admission::Queue => JobState::Queued,
        Admission::Accept => JobState::Accepted,
    };
    let mut job = Job {
        policy: spec.policy.clone(),
        follow_ups: spec.follow_ups.clone(),
        ..from_envelope(&envelope, state, now_ms)
    };
    let events = vec![next_event(&mut job, "", now_ms)];
    Transition {
        job,
        events,
        envelope: Some(envelope),
        follow_ups: Vec::new(),
    }
}

/// Makes a lost record again from an envelope that is still on its way. Its history is gone, and so are
/// its retry delays and follow-ups: the envelope does not carry them.
#[must_use]
pub fn rebuild(envelope: &Envelope, now_ms: u64) -> Transition {
    let mut job = from_envelope(envelope, JobState::Queued, now_ms);
    let events = vec![next_event(&mut job, "rebuilt from its envelope", now_ms)];
    Transition {
        job,
        events,
        envelope: None,
        follow_ups: Vec::new(),
    }
}

/// Marks a job as queued after its envelope was published; `None` when a later decision was made since.
#[must_use]
pub fn promote(record: Record<'_>, generation: u64, now_ms: u64) -> Option<Transition> {
    let job = record.job;
    if job.state != JobState::Accepted || job.generation != generation {
        return None;
    }
    let mut draft = Draft::after(record, StateEvent::Queue, now_ms).ok()?;
    draft.job.times.queued_at_ms = Some(now_ms);
    Some(draft.finish(""))
}

fn from_envelope(envelope: &Envelope, state: JobState, now_ms: u64) -> Job {
    Job {
        id: envelope.job_id,
        tenant: envelope.tenant.clone(),
        kind: envelope.kind,
        lane: envelope.lane,
        state,
        generation: envelope.generation,
        token: 0,
        event_id: EventId::default(),
        attempt: 0,
        counters: Counters::default(),
        holder: None,
        policy: Policy {
            retry: RetryPolicy {
                attempts_max: envelope.attempts_max,
                ..RetryPolicy::default()
            },
            attempt_timeout_ms: envelope.attempt_timeout_ms,
        },
        progress: None,
        failure: None,
        dead_letter: None,
        result: None,
        metadata: envelope.metadata.clone(),
        fingerprint: envelope.fingerprint,
        parent: envelope.parent,
        follow_ups: Vec::new(),
        times: Times {
            created_at_ms: envelope.submitted_at_ms,
            updated_at_ms: now_ms,
            queued_at_ms: (state == JobState::Queued).then_some(now_ms),
            due_at_ms: envelope.due_at_ms,
            deadline_at_ms: envelope.deadline_at_ms,
            last_due_at_ms: envelope.due_at_ms,
            ..Times::default()
        },
        resumed: envelope.resumed,
        edited: None,
        worker: None,
    }
}
