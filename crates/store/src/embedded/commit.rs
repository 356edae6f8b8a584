//! One commit: the journal row, and the filing of jobs that were journaled long enough ago.

use assay_core::retention::Retention;
use assay_core::transition::expires_at_ms;
use redb::{Database, ReadableTable, Table, WriteTransaction};

use super::batch::Changes;
use super::control;
use super::disk::{Fault, fault};
use super::entry::{Entry, Filed};
use super::journal::Filing;
use super::parts::{Part, RecordWriter};
use super::shelf::Shelf;
use super::tables::{
    ENDED, ENDED_LIST, EXPIRY, JOURNAL, LIVE, META, META_PAUSED, PLACES, PlaceKey, RESULTS, SPECS,
    TOMBSTONES, list_key, place_key,
};

/// What a commit writes.
pub(super) struct Commit<'a> {
    pub(super) number: u64,
    pub(super) changes: &'a Changes,
    pub(super) shelf: &'a Shelf,
    pub(super) filing: &'a Filing,
    pub(super) retention: Retention,
}

impl Commit<'_> {
    /// Writes everything and syncs it to disk.
    pub(super) fn write(&self, database: &Database) -> Result<(), Fault> {
        let transaction = database.begin_write().map_err(fault)?;
        self.write_journal(&transaction)?;
        self.write_tombstones(&transaction)?;
        self.write_paused(&transaction)?;
        self.changes.fingerprints.write(&transaction)?;
        if !(self.filing.jobs.is_empty() && self.changes.gone.is_empty()) {
            let mut tables = Tables::open(&transaction)?;
            let mut buffer = Vec::new();
            // Forgotten first: a new job may have the same id.
            for entry in self.changes.gone.values() {
                tables.forget(entry)?;
            }
            for id in &self.filing.jobs {
                let committed = || match self.changes.gone.contains_key(id) {
                    true => None,
                    false => self.shelf.get(*id),
                };
                if let Some(entry) = self.changes.staged.get(id).or_else(committed) {
                    tables.file(entry, self.retention, &mut buffer)?;
                }
            }
        }
        transaction.commit().map_err(fault)
    }

    fn write_journal(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        let mut journal = transaction.open_table(JOURNAL).map_err(fault)?;
        journal
            .insert(self.number, self.changes.journal.as_slice())
            .map_err(fault)?;
        loop {
            let first = journal.first().map_err(fault)?;
            let first = first.map(|(number, _)| number.value());
            // The newest row stays: it tells which commit was the last.
            match first.filter(|first| *first < self.filing.rows_from.min(self.number)) {
                Some(first) => drop(journal.remove(first).map_err(fault)?),
                None => return Ok(()),
            }
        }
    }

    fn write_tombstones(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        if self.changes.tombstones.is_empty() {
            return Ok(());
        }
        let mut tombstones = transaction.open_table(TOMBSTONES).map_err(fault)?;
        for (id, at_ms) in &self.changes.tombstones {
            match at_ms {
                Some(at_ms) => drop(tombstones.insert(id.as_bytes(), at_ms).map_err(fault)?),
                None => drop(tombstones.remove(id.as_bytes()).map_err(fault)?),
            }
        }
        Ok(())
    }

    fn write_paused(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        let Some(paused) = &self.changes.paused else {
            return Ok(());
        };
        let row = control::row(paused);
        let mut meta = transaction.open_table(META).map_err(fault)?;
        meta.insert(META_PAUSED, row.as_bytes()).map_err(fault)?;
        Ok(())
    }
}

/// What the tables will say of a job once it is filed.
pub(super) fn filed(entry: &Entry, retention: Retention) -> Filed {
    let expires = expires_at_ms(&entry.job, retention);
    Filed {
        state: entry.job.state,
        expires_at_ms: expires.unwrap_or(0),
    }
}

type Rows<'a> = Table<'a, PlaceKey, &'static [u8]>;

struct Tables<'a> {
    places: Table<'a, &'static [u8; 16], u64>,
    specs: Rows<'a>,
    live: Rows<'a>,
    ended: Rows<'a>,
    results: Rows<'a>,
    ended_list: Table<'a, &'static [u8], ()>,
    expiry: Table<'a, PlaceKey, ()>,
}

impl<'a> Tables<'a> {
    fn open(transaction: &'a WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            places: transaction.open_table(PLACES).map_err(fault)?,
            specs: transaction.open_table(SPECS).map_err(fault)?,
            live: transaction.open_table(LIVE).map_err(fault)?,
            ended: transaction.open_table(ENDED).map_err(fault)?,
            results: transaction.open_table(RESULTS).map_err(fault)?,
            ended_list: transaction.open_table(ENDED_LIST).map_err(fault)?,
            expiry: transaction.open_table(EXPIRY).map_err(fault)?,
        })
    }

    /// Makes the tables say what the entry says.
    fn file(
        &mut self,
        entry: &Entry,
        retention: Retention,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let job = entry.job.as_ref();
        let place = place_key(job.times.created_at_ms, job.id);
        match entry.filed {
            Some(before) => {
                self.unfile(entry, before)?;
                if entry.repacked {
                    self.file_spec(entry, buffer)?;
                }
            }
            None => {
                self.file_spec(entry, buffer)?;
                let created_at_ms = job.times.created_at_ms;
                self.places
                    .insert(job.id.as_bytes(), created_at_ms)
                    .map_err(fault)?;
            }
        }
        let now = filed(entry, retention);
        write_row(entry, now, buffer);
        if !job.state.is_terminal() {
            return insert(&mut self.live, &place, buffer);
        }
        insert(&mut self.ended, &place, buffer)?;
        let key = list_key(job);
        self.ended_list.insert(key.as_slice(), ()).map_err(fault)?;
        let key = place_key(now.expires_at_ms, job.id);
        self.expiry.insert(&key, ()).map_err(fault)?;
        match &entry.result {
            Some(result) => insert(&mut self.results, &place, result),
            None => Ok(()),
        }
    }

    fn file_spec(&mut self, entry: &Entry, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        let id = entry.job.id;
        buffer.clear();
        let mut record = RecordWriter::begin(buffer, id, entry.revision);
        record.bytes(Part::Envelope, &entry.envelope.encode());
        record.end();
        let place = place_key(entry.job.times.created_at_ms, id);
        insert(&mut self.specs, &place, buffer)
    }

    /// Takes out what the tables said of a job that has changed since.
    fn unfile(&mut self, entry: &Entry, before: Filed) -> Result<(), Fault> {
        let id = entry.job.id;
        let place = place_key(entry.job.times.created_at_ms, id);
        if !before.state.is_terminal() {
            // Overwritten unless it has ended.
            if entry.job.state.is_terminal() {
                self.live.remove(&place).map_err(fault)?;
            }
            return Ok(());
        }
        let mut job = entry.job.as_ref().clone();
        job.state = before.state;
        self.ended.remove(&place).map_err(fault)?;
        let key = list_key(&job);
        self.ended_list.remove(key.as_slice()).map_err(fault)?;
        let key = place_key(before.expires_at_ms, id);
        self.expiry.remove(&key).map_err(fault)?;
        self.results.remove(&place).map_err(fault)?;
        Ok(())
    }

    /// Takes out everything of a job that has ended.
    fn forget(&mut self, entry: &Entry) -> Result<(), Fault> {
        let Some(before) = entry.filed else {
            return Ok(());
        };
        let id = entry.job.id;
        let place = place_key(entry.job.times.created_at_ms, id);
        self.specs.remove(&place).map_err(fault)?;
        self.places.remove(id.as_bytes()).map_err(fault)?;
        self.unfile(entry, before)
    }
}

fn insert(table: &mut Rows<'_>, place: &[u8; 24], row: &[u8]) -> Result<(), Fault> {
    table.insert(place, row).map_err(fault)?;
    Ok(())
}

fn write_row(entry: &Entry, filed: Filed, buffer: &mut Vec<u8>) {
    buffer.clear();
    let mut record = RecordWriter::begin(buffer, entry.job.id, entry.revision);
    record.value(Part::Job, entry.job.as_ref());
    record.bytes(Part::DeadlineMs, &entry.deadline_ms.to_le_bytes());
    record.bytes(Part::Events, entry.events.as_bytes());
    if filed.state.is_terminal() {
        record.bytes(Part::ExpiresAtMs, &filed.expires_at_ms.to_le_bytes());
    }
    if let Some(checkpoint) = &entry.checkpoint {
        record.bytes(Part::Checkpoint, checkpoint);
    }
    record.end();
}
