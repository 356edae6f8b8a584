//! Reading the tables.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use redb::{Database, ReadTransaction, ReadableDatabase};

use super::entry::{Entry, Filed};
use super::history::Packed;
use super::parts::{Malformed, Part, StoredRecord};
use super::tables::{ENDED, PLACES, RESULTS, SPECS, place_key};

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("use the database file")]
    File(#[from] Box<redb::Error>),
    #[error("read a row of the database file")]
    Row(#[from] Malformed),
}

impl Fault {
    /// Whether there was no room to write.
    pub(super) fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::File(error) => match error.as_ref() {
                redb::Error::Io(error) => matches!(error.kind(), StorageFull | QuotaExceeded),
                _ => false,
            },
            Self::Row(_) => false,
        }
    }
}

/// Lets `?` take every error of the database.
pub(super) fn fault(error: impl Into<redb::Error>) -> Fault {
    Fault::File(Box::new(error.into()))
}

/// The parts of an error, outermost first, as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// An ended job, from the tables.
pub(super) fn read_ended(database: &Database, id: JobId) -> Result<Option<Entry>, Fault> {
    let read = database.begin_read().map_err(fault)?;
    ended_in(&read, id)
}

/// An ended job, as of `read`.
pub(super) fn ended_in(read: &ReadTransaction, id: JobId) -> Result<Option<Entry>, Fault> {
    let Some(place) = place_in(read, id)? else {
        return Ok(None);
    };
    let ended = read.open_table(ENDED).map_err(fault)?;
    let Some(row) = ended.get(&place).map_err(fault)? else {
        return Ok(None);
    };
    let specs = read.open_table(SPECS).map_err(fault)?;
    let spec = specs.get(&place).map_err(fault)?;
    let spec = spec.ok_or(Malformed("the envelope of a record is missing"))?;
    let entry = read_entry(row.value(), spec.value())?;
    Ok(Some(entry))
}

/// Where the tables have a job.
fn place_in(read: &ReadTransaction, id: JobId) -> Result<Option<[u8; 24]>, Fault> {
    let places = read.open_table(PLACES).map_err(fault)?;
    let row = places.get(id.as_bytes()).map_err(fault)?;
    Ok(row.map(|created_at_ms| place_key(created_at_ms.value(), id)))
}

/// An inline result, from its table.
pub(super) fn read_result(database: &Database, id: JobId) -> Result<Option<Vec<u8>>, Fault> {
    let read = database.begin_read().map_err(fault)?;
    let Some(place) = place_in(&read, id)? else {
        return Ok(None);
    };
    let results = read.open_table(RESULTS).map_err(fault)?;
    let row = results.get(&place).map_err(fault)?;
    Ok(row.map(|row| row.value().to_vec()))
}

/// A job from its two rows.
pub(super) fn read_entry(row: &[u8], spec: &[u8]) -> Result<Entry, Malformed> {
    let (record, _) = StoredRecord::read(row)?;
    let (spec, _) = StoredRecord::read(spec)?;
    let mut entry = entry_of(&record, spec.must(Part::Envelope)?)?;
    let expires = record.part(Part::ExpiresAtMs).map(number).transpose()?;
    entry.filed = Some(Filed {
        state: entry.job.state,
        expires_at_ms: expires.unwrap_or(0),
    });
    Ok(entry)
}

/// A job from a full record and the envelope's bytes.
pub(super) fn entry_of(record: &StoredRecord<'_>, envelope: &[u8]) -> Result<Entry, Malformed> {
    let job = record.job()?;
    let deadline_ms = number(record.must(Part::DeadlineMs)?)?;
    let envelope = Envelope::decode(envelope).map_err(|_| Malformed("an envelope"))?;
    let shared = |part| record.part(part).map(|bytes| Arc::new(bytes.to_vec()));
    let mut entry = Entry {
        job: Arc::new(job),
        envelope: Arc::new(envelope),
        deadline_ms,
        events: Packed::from_bytes(record.must(Part::Events)?)?,
        result: shared(Part::Result),
        checkpoint: shared(Part::Checkpoint),
        revision: record.revision,
        journaled_since: None,
        filed: None,
        offered_at_ms: 0,
    };
    entry.refresh_envelope();
    Ok(entry)
}

fn number(bytes: &[u8]) -> Result<u64, Malformed> {
    let bytes = bytes
        .try_into()
        .map_err(|_| Malformed("a time has not 8 bytes"))?;
    Ok(u64::from_le_bytes(bytes))
}
