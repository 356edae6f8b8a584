//! Rules that no order of steps may break, and the tables behind each step.

mod claim_table;
mod dead_letter;
mod life;
mod outbox;
mod redriven;
mod resumed;
mod steps;
mod taken;

use super::*;
use crate::id::WorkerId;
use crate::job::{FollowUp, Holder};
use crate::kind::{JobKind, Lane};
use crate::port::Settlement;
use crate::retry::{Decision, Failure, FailureClass};

pub(super) const NOW: u64 = 1_700_000_000_000;
pub(super) const LEASE: u64 = 10_000;

pub(super) fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

pub(super) fn id() -> JobId {
    JobId::from_bytes([7; 16])
}

/// A job with one follow-up.
pub(super) fn spec() -> JobSpec {
    let mut spec = JobSpec::new(JobKind::ContentVerification, b"payload".to_vec(), NOW);
    spec.follow_ups.push(FollowUp {
        kind: JobKind::RuvProfile,
        lane: Lane::Low,
        payload: b"profile".to_vec(),
    });
    spec
}

/// It is queued, and its envelope.
pub(super) fn queued() -> (Job, Envelope) {
    let made = submit(id(), &spec(), Admission::Queue, NOW);
    (made.job, made.envelope.unwrap())
}

/// The same job, held by worker "one" under the token that the clock gives.
pub(super) fn running() -> (Job, Envelope) {
    let (job, envelope) = queued();
    let record = Record {
        job: &job,
        envelope: &envelope,
    };
    match claim(record, &envelope, &worker("one"), LEASE, NOW) {
        ClaimStep::Run(transition) => (transition.job, envelope),
        ClaimStep::Not(verdict, _) => panic!("not claimed: {verdict:?}"),
    }
}

pub(super) fn held(state: JobState, expires_at_ms: u64) -> Job {
    let (mut job, _) = queued();
    job.state = state;
    job.holder = Some(Holder {
        worker: worker("one"),
        expires_at_ms,
    });
    job
}

pub(super) fn record<'a>(job: &'a Job, envelope: &'a Envelope) -> Record<'a> {
    Record { job, envelope }
}

pub(super) fn settlement(decision: Decision) -> Settlement {
    Settlement {
        decision,
        result: None,
        progress: None,
    }
}

pub(super) fn failure() -> Failure {
    Failure::new(FailureClass::Transient, "code", "it broke")
}

pub(super) fn settled(decision: Decision) -> Transition {
    let (job, envelope) = running();
    match settle(
        record(&job, &envelope),
        job.token,
        &settlement(decision),
        NOW + 5,
    ) {
        Settling::Recorded(transition) => *transition,
        other @ (Settling::Repeated | Settling::Fenced) => panic!("{other:?}"),
    }
}
