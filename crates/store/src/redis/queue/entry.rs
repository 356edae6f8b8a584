//! Entries of a stream, as Redis answers them.

use std::fmt;
use std::str::FromStr;

use assay_core::id::JobId;
use redis::Value;

use super::streams::StreamNo;
use crate::redis::keys::entry;
use crate::redis::record::{bytes, number};

/// The place of an entry in its stream: when it was added by Redis's clock, and a number within the
/// millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EntryId {
    pub(super) added_at_ms: u64,
    pub(super) number: u64,
}

/// What an entry carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A job whose record holds the envelope.
    Job { id: JobId, generation: u64 },
    /// An envelope, encoded.
    Envelope(Vec<u8>),
    /// Nothing that this code knows.
    Garbage,
}

/// An entry of one of a kind's streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stream: StreamNo,
    pub(super) id: EntryId,
    pub(super) content: Content,
}

impl fmt::Display for EntryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.added_at_ms, self.number)
    }
}

impl FromStr for EntryId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (added_at_ms, number) = text.split_once('-').ok_or(())?;
        Ok(Self {
            added_at_ms: added_at_ms.parse().map_err(drop)?,
            number: number.parse().map_err(drop)?,
        })
    }
}

impl EntryId {
    pub(super) fn read(value: &Value) -> Option<Self> {
        std::str::from_utf8(bytes(value)?).ok()?.parse().ok()
    }
}

impl Entry {
    /// Reads `{ stream, entry id, fields, .. }`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let Value::Array(parts) = value else {
            return None;
        };
        let [Value::Int(stream), id, fields, ..] = parts.as_slice() else {
            return None;
        };
        Self::of(StreamNo::numbered(*stream)?, id, fields)
    }

    /// Reads the entries of one stream, each `{ entry id, fields }`.
    pub(super) fn read_all(stream: StreamNo, entries: &Value) -> Option<Vec<Self>> {
        let Value::Array(entries) = entries else {
            return None;
        };
        let read = |entry: &Value| {
            let Value::Array(parts) = entry else {
                return None;
            };
            Self::of(stream, parts.first()?, parts.get(1)?)
        };
        entries.iter().map(read).collect()
    }

    pub(super) fn of(stream: StreamNo, id: &Value, fields: &Value) -> Option<Self> {
        Some(Self {
            stream,
            id: EntryId::read(id)?,
            content: Content::read(fields),
        })
    }
}

impl Content {
    /// Reads the fields of an entry, names and values in turn.
    pub(super) fn read(fields: &Value) -> Self {
        let job = || {
            let id = JobId::from_bytes(field(fields, entry::JOB_ID)?.try_into().ok()?);
            let generation = number(field(fields, entry::GENERATION)?)?;
            Some(Self::Job { id, generation })
        };
        let envelope = || Some(Self::Envelope(field(fields, entry::ENVELOPE)?.to_vec()));
        job().or_else(envelope).unwrap_or(Self::Garbage)
    }
}

fn field<'a>(fields: &'a Value, name: &str) -> Option<&'a [u8]> {
    let Value::Array(fields) = fields else {
        return None;
    };
    let mut pairs = fields.chunks_exact(2);
    let pair = pairs.find(|pair| bytes(&pair[0]) == Some(name.as_bytes()))?;
    bytes(&pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn an_id_reads_as_it_is_written() {
        let id = EntryId {
            added_at_ms: 1_700_000_000_000,
            number: 3,
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "17", "a-1", "1-", "-1", "1-2-3"] {
            assert!(wrong.parse::<EntryId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_tell_a_job_from_an_envelope_and_from_garbage() {
        let id = JobId::from_bytes([7; 16]);
        let job = |id: &[u8], generation: &str| {
            Value::Array(vec![
                text(entry::GENERATION),
                text(generation),
                text(entry::JOB_ID),
                Value::BulkString(id.to_vec()),
            ])
        };
        let expected = Content::Job { id, generation: 3 };
        assert_eq!(Content::read(&job(&[7; 16], "3")), expected);
        assert_eq!(Content::read(&job(&[7; 15], "3")), Content::Garbage);
        assert_eq!(Content::read(&job(&[7; 16], "x")), Content::Garbage);
        let envelope = Value::Array(vec![text(entry::ENVELOPE), text("bytes")]);
        let expected = Content::Envelope(b"bytes".to_vec());
        assert_eq!(Content::read(&envelope), expected);
        for garbage in [Value::Nil, Value::Array(vec![text("x"), text("y")])] {
            assert_eq!(Content::read(&garbage), Content::Garbage);
        }
    }
}
