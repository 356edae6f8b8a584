//! How records look on disk: a version byte, the revision, then parts, each with its kind and length.
//!
//! The same form serves a row of a table and an entry of the journal. A part is `MessagePack` with its
//! fields by position, so a later version may add fields at the end; parts of a new kind raise the version.

use assay_core::id::JobId;
use assay_core::job::Job;
use serde::Serialize;

pub(super) use crate::form::{Changed, Malformed, decode, encode_into};

/// The version of records that this code writes, and the newest that it reads.
pub(super) const RECORD_VERSION: u8 = 1;

/// What a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Part {
    /// The whole [`Job`].
    Job = 1,
    /// The envelope, as protobuf.
    Envelope = 2,
    /// What changes in a job: [`Changed`].
    Changed = 3,
    /// Packed events.
    Events = 4,
    /// The inline result.
    Result = 5,
    /// The latest checkpoint.
    Checkpoint = 6,
    /// How long the job was given at its submit, in milliseconds.
    DeadlineMs = 7,
    /// Nothing: the job was forgotten.
    Gone = 8,
    /// When the record may be forgotten, in milliseconds since the epoch.
    ExpiresAtMs = 9,
}

impl Part {
    fn of(kind: u8) -> Option<Self> {
        [
            Self::Job,
            Self::Envelope,
            Self::Changed,
            Self::Events,
            Self::Result,
            Self::Checkpoint,
            Self::DeadlineMs,
            Self::Gone,
            Self::ExpiresAtMs,
        ]
        .into_iter()
        .find(|part| *part as u8 == kind)
    }
}

/// Writes one record behind what `out` holds.
pub(super) struct RecordWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

/// Bytes before the parts: length of all that follows it (4), version (1), id (16), revision (8).
const HEAD_BYTES: usize = 29;

impl<'a> RecordWriter<'a> {
    pub(super) fn begin(out: &'a mut Vec<u8>, id: JobId, revision: u64) -> Self {
        let start = out.len();
        out.extend([0; 4]);
        out.push(RECORD_VERSION);
        out.extend(id.as_bytes());
        out.extend(revision.to_le_bytes());
        Self { out, start }
    }

    pub(super) fn bytes(&mut self, part: Part, bytes: &[u8]) -> &mut Self {
        self.out.push(part as u8);
        self.out.extend(length(bytes.len()));
        self.out.extend(bytes);
        self
    }

    pub(super) fn value(&mut self, part: Part, value: &impl Serialize) -> &mut Self {
        self.out.push(part as u8);
        let at = self.out.len();
        self.out.extend([0; 4]);
        encode_into(self.out, value);
        set_length(self.out, at);
        self
    }

    pub(super) fn end(self) {
        set_length(self.out, self.start);
    }
}

fn length(bytes: usize) -> [u8; 4] {
    // Every part is bounded far below 4 GiB by the limits of payloads, results and checkpoints.
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn set_length(out: &mut [u8], at: usize) {
    let bytes = length(out.len() - at - 4);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&bytes);
    }
}

/// One record, read.
#[derive(Debug)]
pub(super) struct StoredRecord<'a> {
    pub(super) id: JobId,
    pub(super) revision: u64,
    parts: Vec<(Part, &'a [u8])>,
}

impl<'a> StoredRecord<'a> {
    /// Reads the record that `bytes` begin with, and answers what is behind it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let short = Malformed("it is cut short");
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(short)?;
        let [l0, l1, l2, l3, version, tail @ ..] = head;
        if *version != RECORD_VERSION {
            return Err(Malformed("it was written by a newer version"));
        }
        let size = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let parts_bytes = size.checked_sub(HEAD_BYTES - 4).ok_or(short)?;
        let (mut body, behind) = rest.split_at_checked(parts_bytes).ok_or(short)?;
        let (id, revision) = tail.split_first_chunk::<16>().ok_or(short)?;
        let mut parts = Vec::with_capacity(4);
        while let Some((kind, rest)) = body.split_first() {
            let (size, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
            let size = u32::from_le_bytes(*size) as usize;
            let (part, rest) = rest.split_at_checked(size).ok_or(short)?;
            parts.push((Part::of(*kind).ok_or(Malformed("an unknown part"))?, part));
            body = rest;
        }
        let record = Self {
            id: JobId::from_bytes(*id),
            revision: u64::from_le_bytes(revision.try_into().map_err(|_| short)?),
            parts,
        };
        Ok((record, behind))
    }

    pub(super) fn part(&self, part: Part) -> Option<&'a [u8]> {
        let found = self.parts.iter().find(|(kind, _)| *kind == part);
        found.map(|(_, bytes)| *bytes)
    }

    /// A part that this record must have.
    pub(super) fn must(&self, part: Part) -> Result<&'a [u8], Malformed> {
        self.part(part).ok_or(Malformed("a part is missing"))
    }

    pub(super) fn job(&self) -> Result<Job, Malformed> {
        decode(self.must(Part::Job)?)
    }
}
