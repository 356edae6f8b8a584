//! The record of one piece of work, and what a client asks for.

mod digest;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::envelope::TraceContext;
use crate::event::EventId;
use crate::id::{JobId, RequestKey, Tenant, WorkerId};
use crate::kind::{JobKind, Lane};
use crate::progress::Progress;
use crate::retry::{Counters, DeadLetterReason, Failure, RetryPolicy};
use crate::state::JobState;

/// Largest payload in bytes; larger content goes through the blob store.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Largest result in bytes that is kept with the record; larger ones become blobs.
pub const RESULT_INLINE_BYTES_MAX: usize = 64 * 1024;
/// Largest checkpoint in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 256 * 1024;
/// Most follow-ups of one job.
pub const FOLLOW_UPS_MAX: usize = 8;
/// How long a job may take from submit to end unless it says otherwise: 24 hours.
pub const DEADLINE_DEFAULT_MS: u64 = 24 * 60 * 60 * 1000;
/// How far ahead of its submit a job may be due: 30 days, in milliseconds.
pub const DUE_AHEAD_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1000;
/// The longest time from when a job may begin (its submit, or its due time) to its deadline: 7 days,
/// in milliseconds.
pub const DEADLINE_MS_MAX: u64 = 7 * 24 * 60 * 60 * 1000;
/// The longest time from a job's submit to its deadline: 37 days, in milliseconds. What a job needs
/// is kept for so long.
pub const JOB_LIFE_MS_MAX: u64 = DUE_AHEAD_MS_MAX + DEADLINE_MS_MAX;
/// How long one attempt may take unless the job says otherwise: one minute.
pub const ATTEMPT_TIMEOUT_DEFAULT_MS: u64 = 60 * 1000;

/// What a client asks for: everything that a job needs before anything happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// Whose job.
    pub tenant: Tenant,
    /// What it does.
    pub kind: JobKind,
    /// How urgent it is.
    pub lane: Lane,
    /// The kind's protobuf message, encoded.
    pub payload: Vec<u8>,
    /// The client's idempotency key.
    pub request_key: Option<RequestKey>,
    /// Not before this time, in milliseconds since the epoch.
    pub due_at_ms: Option<u64>,
    /// Not after this time, in milliseconds since the epoch.
    pub deadline_at_ms: u64,
    /// How often and how long it may try.
    pub policy: Policy,
    /// The client's own labels.
    pub metadata: BTreeMap<String, String>,
    /// The job that brought this one forth.
    pub parent: Option<JobId>,
    /// Jobs to submit when this one ends, however it ends.
    pub follow_ups: Vec<FollowUp>,
    /// The trace that the submit belongs to.
    pub trace: TraceContext,
}

impl JobSpec {
    /// A job of `kind` with every option at its default, submitted at `now_ms`.
    #[must_use]
    pub fn new(kind: JobKind, payload: Vec<u8>, now_ms: u64) -> Self {
        Self {
            tenant: Tenant::default(),
            kind,
            lane: Lane::default(),
            payload,
            request_key: None,
            due_at_ms: None,
            deadline_at_ms: now_ms.saturating_add(DEADLINE_DEFAULT_MS),
            policy: Policy::default(),
            metadata: BTreeMap::new(),
            parent: None,
            follow_ups: Vec::new(),
            trace: TraceContext::default(),
        }
    }

    /// The job's id: derived from the request key, or from `random` without one.
    #[must_use]
    pub fn id(&self, now_ms: u64, random: [u8; 10]) -> JobId {
        match &self.request_key {
            Some(key) => JobId::keyed(&self.tenant, key),
            None => JobId::random(now_ms, random),
        }
    }

    /// SHA-256 over what a repeated request must have in common with the first: kind, lane, due time,
    /// metadata and payload. Deadline and trace may differ between two tries of one request.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            // The length keeps neighbouring fields apart.
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(self.kind.as_str().as_bytes());
        field(self.lane.as_str().as_bytes());
        field(&self.due_at_ms.unwrap_or(0).to_be_bytes());
        for (key, value) in &self.metadata {
            field(key.as_bytes());
            field(value.as_bytes());
        }
        field(&self.payload);
        hash.finalize().into()
    }
}

/// How often and how long a job may try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// When to try again.
    pub retry: RetryPolicy,
    /// How long one attempt may take, in milliseconds.
    pub attempt_timeout_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempt_timeout_ms: ATTEMPT_TIMEOUT_DEFAULT_MS,
        }
    }
}

/// A job that is submitted when another one ends. Its parent is that other job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// What it does.
    pub kind: JobKind,
    /// How urgent it is.
    pub lane: Lane,
    /// The kind's protobuf message, encoded.
    pub payload: Vec<u8>,
}

/// The record of one piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Which job.
    pub id: JobId,
    /// Whose job.
    pub tenant: Tenant,
    /// What it does.
    pub kind: JobKind,
    /// How urgent it is.
    pub lane: Lane,
    /// Where it stands.
    pub state: JobState,
    /// Raised by each decision to queue it again; 1 at submit.
    pub generation: u64,
    /// The fencing token of the latest lease, 0 before the first.
    pub token: u64,
    /// The latest event.
    pub event_id: EventId,
    /// Attempts begun since the submit or the last redrive.
    pub attempt: u32,
    /// What its attempts came to.
    pub counters: Counters,
    /// Who works on it, and until when unless renewed.
    #[serde(default)]
    pub holder: Option<Holder>,
    /// How often and how long it may try.
    pub policy: Policy,
    /// How far the running attempt is.
    #[serde(default)]
    pub progress: Option<Box<Progress>>,
    /// The latest failure.
    #[serde(default)]
    pub failure: Option<Box<Failure>>,
    /// Why it is a dead letter.
    #[serde(default)]
    pub dead_letter: Option<DeadLetterReason>,
    /// Its result, where it has one.
    #[serde(default)]
    pub result: Option<ResultRef>,
    /// The client's own labels.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// See [`JobSpec::fingerprint`]. It stays that of the submit, also when the payload is changed by hand.
    #[serde(with = "digest")]
    pub fingerprint: [u8; 32],
    /// The job that brought this one forth.
    #[serde(default)]
    pub parent: Option<JobId>,
    /// Jobs to submit when this one ends.
    #[serde(default)]
    pub follow_ups: Vec<FollowUp>,
    /// When each thing happened.
    pub times: Times,
    /// Whether the latest generation goes on with what a worker had begun and lost through no fault of the
    /// job: it has waited for its turn before, so it goes before the others of its lane.
    #[serde(default)]
    pub resumed: bool,
    /// When its payload was last changed by hand.
    #[serde(default)]
    pub edited: Option<Box<Edited>>,
    /// Whose lease ended last since the submit or the last redrive; nothing of one that earlier versions ended, and
    /// nothing once the job has succeeded or was cancelled.
    #[serde(default)]
    pub worker: Option<WorkerId>,
}

/// A payload was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who did it; empty if nobody knows.
    pub by: String,
}

/// When each thing happened to a job, in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Submitted.
    pub created_at_ms: u64,
    /// Last changed.
    pub updated_at_ms: u64,
    /// Last queued.
    #[serde(default)]
    pub queued_at_ms: Option<u64>,
    /// First started since the submit or the last redrive.
    #[serde(default)]
    pub started_at_ms: Option<u64>,
    /// Ended.
    #[serde(default)]
    pub finished_at_ms: Option<u64>,
    /// Not to run before.
    #[serde(default)]
    pub due_at_ms: Option<u64>,
    /// Not to run after.
    pub deadline_at_ms: u64,
    /// The latest time that it ever had to wait for. A delayed copy of its envelope comes then.
    #[serde(default)]
    pub last_due_at_ms: Option<u64>,
}

/// The worker that holds a job's lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which worker.
    pub worker: WorkerId,
    /// When the lease lapses unless renewed, in milliseconds since the epoch.
    pub expires_at_ms: u64,
}

/// Where a result is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultRef {
    /// With the record, this many bytes.
    Inline {
        /// Its size.
        bytes: u64,
    },
    /// In the blob store.
    Blob {
        /// The blob's name.
        content_id: String,
        /// Its size.
        bytes: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> JobSpec {
        JobSpec::new(JobKind::ContentVerification, b"payload".to_vec(), 1_000)
    }

    #[test]
    fn the_fingerprint_tells_requests_apart_by_what_they_ask_for() {
        let first = spec();
        let changes: [fn(&mut JobSpec); 5] = [
            |spec| spec.kind = JobKind::Batch,
            |spec| spec.lane = Lane::High,
            |spec| spec.payload.push(0),
            |spec| spec.due_at_ms = Some(7),
            |spec| drop(spec.metadata.insert("a".into(), "b".into())),
        ];
        for change in changes {
            let mut other = spec();
            change(&mut other);
            assert_ne!(first.fingerprint(), other.fingerprint());
        }
        let later = JobSpec::new(JobKind::ContentVerification, b"payload".to_vec(), 9_000);
        assert_eq!(first.fingerprint(), later.fingerprint());
    }

    #[test]
    fn a_key_makes_the_id_whatever_the_dice_say() {
        let mut keyed = spec();
        keyed.request_key = Some(RequestKey::new("k").unwrap());
        assert_eq!(keyed.id(1, [1; 10]), keyed.id(2, [2; 10]));
        assert_ne!(spec().id(1, [1; 10]), spec().id(1, [2; 10]));
    }
}
