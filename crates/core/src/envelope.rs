//! The self-contained message that carries a job through a queue.
//!
//! It holds everything that is needed to run the job and to rebuild its record, so a queue alone can
//! bring a job back. The format is protobuf; `tests/golden/` keeps every version ever published.

use std::collections::BTreeMap;

use prost::Message;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, Tenant};
use crate::job::{ATTEMPT_TIMEOUT_DEFAULT_MS, Job, JobSpec};
use crate::kind::{JobKind, Lane};

/// The version that this code writes. A reader refuses what is newer.
pub const ENVELOPE_VERSION: u32 = 1;

/// A job on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Which job.
    pub job_id: JobId,
    /// Whose job.
    pub tenant: Tenant,
    /// What it does.
    pub kind: JobKind,
    /// How urgent it is.
    pub lane: Lane,
    /// The decision that queued it; see [`crate::job::Job::generation`].
    pub generation: u64,
    /// When the job was submitted, in milliseconds since the epoch.
    pub submitted_at_ms: u64,
    /// When this generation was queued, in milliseconds since the epoch. Lanes age by it.
    pub published_at_ms: u64,
    /// See [`Job::resumed`]: it goes before the others of its lane, those published first ahead.
    pub resumed: bool,
    /// Not to run before, in milliseconds since the epoch.
    pub due_at_ms: Option<u64>,
    /// Not to run after, in milliseconds since the epoch.
    pub deadline_at_ms: u64,
    /// How the payload is encoded.
    pub codec: Codec,
    /// The key that the payload is encrypted with; empty for none.
    pub key_id: String,
    /// The kind's protobuf message, as `codec` and `key_id` say.
    pub payload: Vec<u8>,
    /// See [`JobSpec::fingerprint`].
    pub fingerprint: [u8; 32],
    /// Most attempts whose handler failed.
    pub attempts_max: u32,
    /// How long one attempt may take, in milliseconds.
    pub attempt_timeout_ms: u64,
    /// The job that brought this one forth.
    pub parent: Option<JobId>,
    /// The client's own labels.
    pub metadata: BTreeMap<String, String>,
    /// The trace that the submit belongs to.
    pub trace: TraceContext,
}

/// W3C trace context, as text. Empty when the submit was not traced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// The `traceparent` header.
    pub traceparent: String,
    /// The `tracestate` header.
    pub tracestate: String,
}

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// As it is.
    #[default]
    Plain,
    /// Compressed with Zstandard.
    Zstd,
}

impl Envelope {
    /// The first envelope of a job that was submitted at `now_ms`.
    #[must_use]
    pub fn new(job_id: JobId, spec: &JobSpec, now_ms: u64) -> Self {
        Self {
            job_id,
            tenant: spec.tenant.clone(),
            kind: spec.kind,
            lane: spec.lane,
            generation: 1,
            submitted_at_ms: now_ms,
            published_at_ms: now_ms,
            resumed: false,
            due_at_ms: spec.due_at_ms,
            deadline_at_ms: spec.deadline_at_ms,
            codec: Codec::Plain,
            key_id: String::new(),
            payload: spec.payload.clone(),
            fingerprint: spec.fingerprint(),
            attempts_max: spec.policy.retry.attempts_max,
            attempt_timeout_ms: spec.policy.attempt_timeout_ms,
            parent: spec.parent,
            metadata: spec.metadata.clone(),
            trace: spec.trace.clone(),
        }
    }

    /// The envelope of the present generation of `job`, which this is an earlier envelope of.
    #[must_use]
    pub fn carrying(&self, job: &Job, published_at_ms: u64) -> Self {
        Self {
            generation: job.generation,
            published_at_ms,
            resumed: job.resumed,
            due_at_ms: job.times.due_at_ms,
            deadline_at_ms: job.times.deadline_at_ms,
            ..self.clone()
        }
    }

    /// The same with another payload, as it is.
    #[must_use]
    pub fn with_payload(&self, payload: Vec<u8>) -> Self {
        Self {
            codec: Codec::Plain,
            key_id: String::new(),
            payload,
            ..self.clone()
        }
    }

    /// Whether both carry the same work.
    #[must_use]
    pub fn carries_the_same(&self, other: &Self) -> bool {
        self.codec == other.codec && self.key_id == other.key_id && self.payload == other.payload
    }

    /// The bytes that travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Wire::from(self).encode_to_vec()
    }

    /// Reads what [`Envelope::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError::NewerVersion`] for a message of a later version, which only a later worker may
    /// judge; [`DecodeError::Malformed`] for anything that is not an envelope.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        // The version first: a newer message may have fields that this code can't read.
        let version = WireVersion::decode(bytes)
            .map_err(malformed("not a protobuf message"))?
            .version;
        if version > ENVELOPE_VERSION {
            return Err(DecodeError::NewerVersion { version });
        }
        if version == 0 {
            return Err(DecodeError::Malformed { why: "no version" });
        }
        Wire::decode(bytes)
            .map_err(malformed("a field has the wrong type"))?
            .try_into()
    }
}

/// Why bytes are not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by later code.
    #[error(
        "read envelope of version {version}: this worker knows versions up to {ENVELOPE_VERSION}"
    )]
    NewerVersion {
        /// The version it says.
        version: u32,
    },
    /// Not an envelope.
    #[error("read envelope: {why}")]
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
}

fn malformed<E>(why: &'static str) -> impl FnOnce(E) -> DecodeError {
    move |_| DecodeError::Malformed { why }
}

/// The one field that every version has.
#[derive(Clone, PartialEq, Message)]
struct WireVersion {
    #[prost(uint32, tag = "1")]
    version: u32,
}

/// The message as protobuf. Tags are for ever: a field that goes leaves its number unused.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "vec", tag = "2")]
    job_id: Vec<u8>,
    #[prost(string, tag = "3")]
    tenant: String,
    #[prost(string, tag = "4")]
    kind: String,
    #[prost(string, tag = "5")]
    lane: String,
    #[prost(uint64, tag = "6")]
    generation: u64,
    #[prost(uint64, tag = "7")]
    submitted_at_ms: u64,
    #[prost(uint64, tag = "8")]
    published_at_ms: u64,
    #[prost(uint64, optional, tag = "9")]
    due_at_ms: Option<u64>,
    #[prost(uint64, tag = "10")]
    deadline_at_ms: u64,
    #[prost(uint32, tag = "11")]
    codec: u32,
    #[prost(string, tag = "12")]
    key_id: String,
    #[prost(bytes = "vec", tag = "13")]
    payload: Vec<u8>,
    #[prost(bytes = "vec", tag = "14")]
    fingerprint: Vec<u8>,
    #[prost(uint32, tag = "15")]
    attempts_max: u32,
    #[prost(uint64, tag = "16")]
    attempt_timeout_ms: u64,
    #[prost(bytes = "vec", optional, tag = "17")]
    parent: Option<Vec<u8>>,
    #[prost(btree_map = "string, string", tag = "18")]
    metadata: BTreeMap<String, String>,
    #[prost(string, tag = "19")]
    traceparent: String,
    #[prost(string, tag = "20")]
    tracestate: String,
    #[prost(bool, tag = "21")]
    resumed: bool,
}

impl From<&Envelope> for Wire {
    fn from(envelope: &Envelope) -> Self {
        Self {
            version: ENVELOPE_VERSION,
            job_id: envelope.job_id.as_bytes().to_vec(),
            tenant: envelope.tenant.to_string(),
            kind: envelope.kind.as_str().to_owned(),
            lane: envelope.lane.as_str().to_owned(),
            generation: envelope.generation,
            submitted_at_ms: envelope.submitted_at_ms,
            published_at_ms: envelope.published_at_ms,
            due_at_ms: envelope.due_at_ms,
            deadline_at_ms: envelope.deadline_at_ms,
            codec: match envelope.codec {
                Codec::Plain => 0,
                Codec::Zstd => 1,
            },
            key_id: envelope.key_id.clone(),
            payload: envelope.payload.clone(),
            fingerprint: envelope.fingerprint.to_vec(),
            attempts_max: envelope.attempts_max,
            attempt_timeout_ms: envelope.attempt_timeout_ms,
            parent: envelope.parent.map(|id| id.as_bytes().to_vec()),
            metadata: envelope.metadata.clone(),
            traceparent: envelope.trace.traceparent.clone(),
            tracestate: envelope.trace.tracestate.clone(),
            resumed: envelope.resumed,
        }
    }
}

impl TryFrom<Wire> for Envelope {
    type Error = DecodeError;

    fn try_from(wire: Wire) -> Result<Self, DecodeError> {
        let id = |bytes: &[u8], why| {
            bytes
                .try_into()
                .map(JobId::from_bytes)
                .map_err(malformed(why))
        };
        Ok(Self {
            job_id: id(&wire.job_id, "the job id has not 16 bytes")?,
            tenant: Tenant::new(wire.tenant).map_err(malformed("the tenant is not valid"))?,
            kind: wire
                .kind
                .parse()
                .map_err(malformed("the job kind is not known"))?,
            lane: wire
                .lane
                .parse()
                .map_err(malformed("the lane is not known"))?,
            generation: wire.generation,
            submitted_at_ms: wire.submitted_at_ms,
            published_at_ms: wire.published_at_ms,
            resumed: wire.resumed,
            due_at_ms: wire.due_at_ms,
            deadline_at_ms: wire.deadline_at_ms,
            codec: match wire.codec {
                0 => Codec::Plain,
                1 => Codec::Zstd,
                _ => {
                    return Err(DecodeError::Malformed {
                        why: "the codec is not known",
                    });
                }
            },
            key_id: wire.key_id,
            payload: wire.payload,
            fingerprint: wire
                .fingerprint
                .as_slice()
                .try_into()
                .map_err(malformed("the fingerprint has not 32 bytes"))?,
            attempts_max: wire.attempts_max.max(1),
            attempt_timeout_ms: match wire.attempt_timeout_ms {
                0 => ATTEMPT_TIMEOUT_DEFAULT_MS,
                given => given,
            },
            parent: wire
                .parent
                .map(|bytes| id(&bytes, "the parent's id has not 16 bytes"))
                .transpose()?,
            metadata: wire.metadata,
            trace: TraceContext {
                traceparent: wire.traceparent,
                tracestate: wire.tracestate,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn full() -> Envelope {
        let mut spec = JobSpec::new(
            JobKind::ContentVerification,
            b"payload".to_vec(),
            1_700_000_000_000,
        );
        spec.lane = Lane::High;
        spec.due_at_ms = Some(1_700_000_060_000);
        spec.parent = Some(JobId::from_bytes([9; 16]));
        spec.metadata.insert("ticket".into(), "A-17".into());
        spec.trace.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        spec.trace.tracestate = "vendor=1".into();
        let mut envelope = Envelope::new(JobId::from_bytes([5; 16]), &spec, 1_700_000_000_000);
        envelope.generation = 3;
        envelope.key_id = "key-2026".into();
        envelope.codec = Codec::Zstd;
        envelope
    }

    /// Golden files are added and never edited: this code must read them all, and write them the same. A field
    /// that was added to a version is not written while it has its default, so older files stay true.
    const GOLDEN: [(bool, &[u8]); 2] = [
        (false, include_bytes!("../tests/golden/envelope-v1.bin")),
        (
            true,
            include_bytes!("../tests/golden/envelope-v1-resumed.bin"),
        ),
    ];

    #[test]
    fn what_was_ever_published_still_reads_and_is_written_the_same() {
        for (resumed, bytes) in GOLDEN {
            let envelope = Envelope { resumed, ..full() };
            assert_eq!(Envelope::decode(bytes), Ok(envelope.clone()));
            assert_eq!(envelope.encode(), bytes);
        }
    }

    #[test]
    fn a_newer_version_is_told_apart_from_rubbish() {
        let mut newer = WireVersion {
            version: ENVELOPE_VERSION + 1,
        }
        .encode_to_vec();
        // A field of a type that today's code would not expect at this tag.
        newer.extend([0x10, 0x01]);
        assert_eq!(
            Envelope::decode(&newer),
            Err(DecodeError::NewerVersion {
                version: ENVELOPE_VERSION + 1
            })
        );
        for rubbish in [&b""[..], b"{}", b"\xff\xff\xff"] {
            assert!(matches!(
                Envelope::decode(rubbish),
                Err(DecodeError::Malformed { .. })
            ));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decode_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(Envelope::decode(&bytes));
        }

        #[test]
        fn what_is_written_is_read(payload in prop::collection::vec(any::<u8>(), 0..2_000), generation in any::<u64>(), resumed in any::<bool>()) {
            let mut envelope = Envelope { resumed, ..full() };
            envelope.payload = payload;
            envelope.generation = generation;
            prop_assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
        }
    }
}
