//! Records as Redis holds them, read.

use std::sync::Arc;

use assay_core::envelope::{DecodeError, Envelope};
use assay_core::job::Job;
use assay_core::port::StoreError;
use assay_core::transition::Record;
use redis::Value;

use super::keys::field;
use crate::form::{Changed, decode};

/// The fields of a record that make a [`Found`], in the order in which every reader asks for them.
pub(crate) const FIELDS: [&str; 7] = [
    field::REVISION,
    field::JOB,
    field::CHANGED,
    field::ENVELOPE,
    field::DEADLINE_MS,
    field::CHECKPOINT,
    field::TOMBSTONE,
];

/// What is under an id.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Nothing.
    Absent,
    /// The mark, of this revision, that the id was cancelled while nobody knew it, or is of a forgotten dead letter.
    Tombstone(u64),
    /// A job.
    Job(Known),
}

/// A job as it was at one revision. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) revision: u64,
    pub(crate) job: Arc<Job>,
    /// Carries the latest generation.
    pub(crate) envelope: Arc<Envelope>,
    /// How long the job was given at its submit, from when it could begin.
    pub(crate) deadline_ms: u64,
    pub(crate) checkpoint: Kept,
}

/// Whether there is a large part that is not read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Unknown,
    No,
    Yes,
}

impl Kept {
    pub(crate) fn of(part: Option<&[u8]>) -> Self {
        if part.is_some() { Self::Yes } else { Self::No }
    }
}

/// Why a record can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Later code wrote it, which only later code may judge.
    #[error("read record: a newer version wrote it")]
    Newer,
    /// Nobody can read it.
    #[error("read record: {0}")]
    Malformed(&'static str),
}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unavailable {
            why: unreadable.to_string(),
        }
    }
}

impl Known {
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            job: &self.job,
            envelope: &self.envelope,
        }
    }

    /// Reads the first five or more of [`FIELDS`]; `None` if they are not those of a job.
    ///
    /// # Errors
    /// [`Unreadable`] when a field has another form than this code writes.
    pub(crate) fn read(fields: &[Value]) -> Result<Option<Self>, Unreadable> {
        let [revision, job, changed, envelope, deadline_ms, rest @ ..] = fields else {
            return Err(Unreadable::Malformed("fields are missing"));
        };
        let (Some(revision), Some(job)) = (bytes(revision), bytes(job)) else {
            return Ok(None);
        };
        let job = read_job(job, bytes(changed))?;
        let envelope = bytes(envelope).ok_or(Unreadable::Malformed("it has no envelope"))?;
        let envelope = Envelope::decode(envelope).map_err(|error| match error {
            DecodeError::NewerVersion { .. } => Unreadable::Newer,
            DecodeError::Malformed { why } => Unreadable::Malformed(why),
        })?;
        Ok(Some(Self {
            revision: number(revision).ok_or(Unreadable::Malformed("its revision is none"))?,
            envelope: Arc::new(carrying(envelope, &job)),
            job: Arc::new(job),
            deadline_ms: bytes(deadline_ms)
                .and_then(number)
                .ok_or(Unreadable::Malformed("its time to run is none"))?,
            checkpoint: match rest.first() {
                None => Kept::Unknown,
                Some(Value::Nil) => Kept::No,
                Some(_) => Kept::Yes,
            },
        }))
    }
}

impl Found {
    /// Reads all of [`FIELDS`]. The checkpoint comes with it.
    ///
    /// # Errors
    /// [`Unreadable`] when a field has another form than this code writes.
    pub(crate) fn read(fields: Vec<Value>) -> Result<(Self, Option<Vec<u8>>), Unreadable> {
        if let Some(known) = Known::read(&fields)? {
            let checkpoint = fields.into_iter().nth(5).and_then(into_bytes);
            return Ok((Self::Job(known), checkpoint));
        }
        let buried = fields.get(6).and_then(bytes).is_some();
        let revision = fields.first().and_then(bytes).and_then(number);
        Ok(match revision {
            Some(revision) if buried => (Self::Tombstone(revision), None),
            _ => (Self::Absent, None),
        })
    }

    pub(crate) fn job(&self) -> Option<&Known> {
        match self {
            Self::Job(known) => Some(known),
            Self::Absent | Self::Tombstone(_) => None,
        }
    }

    /// The same, with the checkpoint that was read for it.
    pub(crate) fn with_checkpoint(self, checkpoint: Option<&[u8]>) -> Self {
        match self {
            Self::Job(known) => Self::Job(Known {
                checkpoint: Kept::of(checkpoint),
                ..known
            }),
            Self::Absent | Self::Tombstone(_) => self,
        }
    }

    pub(crate) fn revision(&self) -> Option<u64> {
        match self {
            Self::Absent => None,
            Self::Tombstone(revision) => Some(*revision),
            Self::Job(known) => Some(known.revision),
        }
    }
}

/// A job of its fields as they were first written, and what changed since.
///
/// # Errors
/// [`Unreadable`] when one has another form than this code writes.
pub(crate) fn read_job(job: &[u8], changed: Option<&[u8]>) -> Result<Job, Unreadable> {
    let unreadable = |error: crate::form::Malformed| Unreadable::Malformed(error.0);
    let mut job: Job = decode(job).map_err(unreadable)?;
    if let Some(changed) = changed {
        decode::<Changed<'_>>(changed)
            .map_err(unreadable)?
            .apply(&mut job);
    }
    Ok(job)
}

/// The envelope of the present generation: only its first form is stored.
fn carrying(first: Envelope, job: &Job) -> Envelope {
    if first.generation == job.generation {
        return first;
    }
    let published_at_ms = job.times.queued_at_ms.unwrap_or(job.times.updated_at_ms);
    first.carrying(job, published_at_ms)
}

/// The bytes of an answer; `None` for none.
pub(crate) fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::BulkString(bytes) = value {
        Some(bytes)
    } else {
        None
    }
}

/// The bytes of an answer, taken out of it.
pub(crate) fn into_bytes(value: Value) -> Option<Vec<u8>> {
    if let Value::BulkString(bytes) = value {
        Some(bytes)
    } else {
        None
    }
}

/// A number as Redis keeps it.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use assay_core::id::JobId;
    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;
    use assay_core::transition::{Admission, submit};

    use super::*;
    use crate::form::encode_into;

    fn packed(value: &impl serde::Serialize) -> Value {
        let mut bytes = Vec::new();
        encode_into(&mut bytes, value);
        Value::BulkString(bytes)
    }

    fn fields() -> Vec<Value> {
        let spec = JobSpec::new(JobKind::Batch, b"payload".to_vec(), 1_000);
        let made = submit(JobId::from_bytes([1; 16]), &spec, Admission::Queue, 1_000);
        let mut later = made.job.clone();
        later.generation = 3;
        later.times.queued_at_ms = Some(9_000);
        vec![
            Value::BulkString(b"77".to_vec()),
            packed(&made.job),
            packed(&Changed::of(&later)),
            Value::BulkString(made.envelope.unwrap().encode()),
            Value::BulkString(b"500".to_vec()),
            Value::BulkString(b"half".to_vec()),
            Value::Nil,
        ]
    }

    #[test]
    fn a_job_is_its_first_form_and_what_changed_since() {
        let (found, checkpoint) = Found::read(fields()).unwrap();
        let known = found.job().unwrap();
        assert_eq!((known.revision, known.deadline_ms), (77, 500));
        assert_eq!(known.job.generation, 3);
        assert_eq!(known.envelope.generation, 3);
        assert_eq!(known.envelope.published_at_ms, 9_000);
        assert_eq!(known.envelope.payload, b"payload");
        assert_eq!(known.checkpoint, Kept::Yes);
        assert_eq!(checkpoint.as_deref(), Some(&b"half"[..]));
        let known = Known::read(&fields()[..5]).unwrap().unwrap();
        assert_eq!(known.checkpoint, Kept::Unknown);
    }

    #[test]
    fn what_is_no_job_is_absent_or_a_tombstone() {
        let none = vec![Value::Nil; 7];
        assert!(matches!(
            Found::read(none.clone()),
            Ok((Found::Absent, None))
        ));
        let mut buried = none;
        buried[0] = Value::BulkString(b"5".to_vec());
        buried[6] = Value::BulkString(b"1000".to_vec());
        assert!(matches!(
            Found::read(buried),
            Ok((Found::Tombstone(5), None))
        ));
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        for place in [1, 2, 3, 4] {
            let mut fields = fields();
            fields[place] = Value::BulkString(b"\xc1 nonsense".to_vec());
            let error = Found::read(fields).unwrap_err().to_string();
            assert!(error.starts_with("read "), "{error}");
        }
        assert!(Known::read(&[]).is_err());
    }
}
