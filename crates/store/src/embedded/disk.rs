//! Reading the tables.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};

use super::entry::{Entry, Filed};
use super::history::Packed;
use super::parts::{Malformed, Part, StoredRecord};
use super::tables::{ENDED, PLACES, PlaceKey, RESULTS, SPECS, place_key};

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("use the database file")]
    File(#[from] Box<redb::Error>),
    #[error("read a row of the database file")]
    Row(#[from] Malformed),
    #[error("the database file is not open")]
    Closed,
}

impl Fault {
    /// Whether there was no room to write.
    pub(super) fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let Self::File(error) = self else {
            return false;
        };
        let redb::Error::Io(error) = error.as_ref() else {
            return false;
        };
        matches!(error.kind(), StorageFull | QuotaExceeded)
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

/// The tables that an ended job is read from, as of one moment.
pub(super) struct EndedTables {
    places: ReadOnlyTable<&'static [u8; 16], u64>,
    ended: ReadOnlyTable<PlaceKey, &'static [u8]>,
    specs: ReadOnlyTable<PlaceKey, &'static [u8]>,
}

impl EndedTables {
    pub(super) fn open(database: &Database) -> Result<Self, Fault> {
        Self::open_in(&database.begin_read().map_err(fault)?)
    }

    pub(super) fn open_in(read: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self {
            places: read.open_table(PLACES).map_err(fault)?,
            ended: read.open_table(ENDED).map_err(fault)?,
            specs: read.open_table(SPECS).map_err(fault)?,
        })
    }

    /// The job, if it has ended and is here.
    pub(super) fn ended(&self, id: JobId) -> Result<Option<Entry>, Fault> {
        let Some(created_at_ms) = self.places.get(id.as_bytes()).map_err(fault)? else {
            return Ok(None);
        };
        let place = place_key(created_at_ms.value(), id);
        let Some(row) = self.ended.get(&place).map_err(fault)? else {
            return Ok(None);
        };
        let spec = self.specs.get(&place).map_err(fault)?;
        let spec = spec.ok_or(Malformed("the envelope of a record is missing"))?;
        Ok(Some(read_entry(row.value(), spec.value())?))
    }
}

/// An ended job, from the tables.
pub(super) fn read_ended(database: &Database, id: JobId) -> Result<Option<Entry>, Fault> {
    EndedTables::open(database)?.ended(id)
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
        repacked: false,
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
