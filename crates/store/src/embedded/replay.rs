//! Opening: the tables first, then the journal on top of them.

use std::collections::HashMap;
use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::retention::Retention;
use assay_core::state::JobState;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};

use super::clockwork::Clockwork;
use super::control;
use super::disk::{EndedTables, Fault, entry_of, fault, read_entry};
use super::entry::Entry;
use super::folder::OpenError;
use super::history::Packed;
use super::journal::Journal;
use super::parts::{Changed, Malformed, Part, StoredRecord, decode};
use super::shelf::Shelf;
use super::tables::{
    ENDED, ENDED_LIST, EXPIRY, FINGERPRINT_POSITIONS, FINGERPRINTS, FORMAT_VERSION, JOURNAL, LIVE,
    META, META_EPOCH, META_FORMAT, META_PAUSED, PLACES, RESULTS, SPECS, TOMBSTONES,
};

/// What the file says, in memory.
pub(super) struct Replayed {
    pub(super) shelf: Shelf,
    pub(super) clockwork: Clockwork,
    pub(super) journal: Journal,
    /// The number of the latest commit, 0 before the first.
    pub(super) last_commit: u64,
    pub(super) epoch_started_at_ms: u64,
}

/// Makes the tables of a new file, and checks the version of an old one. Answers when the file was made.
pub(super) fn prepare(database: &Database, now_ms: u64, file: &str) -> Result<u64, OpenError> {
    let unreadable = |source: Fault| OpenError::Unreadable {
        file: file.to_owned(),
        source: Box::new(source),
    };
    let (found, epoch_started_at_ms) = make_tables(database, now_ms).map_err(unreadable)?;
    if found > FORMAT_VERSION {
        return Err(OpenError::NewerVersion {
            file: file.to_owned(),
            found,
            known: FORMAT_VERSION,
        });
    }
    Ok(epoch_started_at_ms)
}

fn make_tables(database: &Database, now_ms: u64) -> Result<(u32, u64), Fault> {
    let transaction = database.begin_write().map_err(fault)?;
    let (found, epoch_ms);
    {
        let mut meta = transaction.open_table(META).map_err(fault)?;
        let number = |key: &str| -> Result<Option<Vec<u8>>, Fault> {
            let row = meta.get(key).map_err(fault)?;
            Ok(row.map(|row| row.value().to_vec()))
        };
        let format = number(META_FORMAT)?.and_then(|bytes| bytes.try_into().ok());
        let epoch = number(META_EPOCH)?.and_then(|bytes| bytes.try_into().ok());
        found = format.map_or(FORMAT_VERSION, u32::from_le_bytes);
        epoch_ms = epoch.map_or(now_ms, u64::from_le_bytes);
        if found > FORMAT_VERSION {
            return Ok((found, epoch_ms));
        }
        meta.insert(META_FORMAT, found.to_le_bytes().as_slice())
            .map_err(fault)?;
        meta.insert(META_EPOCH, epoch_ms.to_le_bytes().as_slice())
            .map_err(fault)?;
        for table in [SPECS, LIVE, ENDED, RESULTS] {
            transaction.open_table(table).map_err(fault)?;
        }
        transaction.open_table(PLACES).map_err(fault)?;
        transaction.open_table(JOURNAL).map_err(fault)?;
        transaction.open_table(ENDED_LIST).map_err(fault)?;
        transaction.open_table(EXPIRY).map_err(fault)?;
        transaction.open_table(TOMBSTONES).map_err(fault)?;
        transaction.open_table(FINGERPRINTS).map_err(fault)?;
        transaction
            .open_table(FINGERPRINT_POSITIONS)
            .map_err(fault)?;
    }
    transaction.commit().map_err(fault)?;
    Ok((found, epoch_ms))
}

/// Reads the file into memory.
pub(super) fn replay(
    database: &Database,
    epoch_started_at_ms: u64,
    retention: Retention,
    now_ms: u64,
) -> Result<Replayed, Fault> {
    let read = database.begin_read().map_err(fault)?;
    let mut memory = Memory {
        entries: read_live(&read)?,
        journal: Journal::default(),
        read: &read,
        ended: EndedTables::open_in(&read)?,
    };
    let last_commit = memory.read_journal()?;
    let Memory {
        entries, journal, ..
    } = memory;
    let mut replayed = Replayed {
        shelf: Shelf::default(),
        clockwork: Clockwork::new(retention, now_ms),
        journal,
        last_commit,
        epoch_started_at_ms,
    };
    count_ended(&read, &mut replayed.shelf)?;
    for mut entry in entries.into_values() {
        entry.refresh_envelope();
        entry.offered_at_ms = now_ms;
        replayed.clockwork.follow(None, Some(&entry));
        replayed.shelf.put(entry);
    }
    let tombstones = read.open_table(TOMBSTONES).map_err(fault)?;
    for row in tombstones.iter().map_err(fault)? {
        let (id, at_ms) = row.map_err(fault)?;
        let id = JobId::from_bytes(*id.value());
        replayed.shelf.set_tombstone(id, Some(at_ms.value()));
    }
    let meta = read.open_table(META).map_err(fault)?;
    if let Some(row) = meta.get(META_PAUSED).map_err(fault)? {
        replayed.shelf.set_paused(control::of_row(row.value())?);
    }
    Ok(replayed)
}

fn read_live(read: &ReadTransaction) -> Result<HashMap<JobId, Entry>, Fault> {
    let live = read.open_table(LIVE).map_err(fault)?;
    let specs = read.open_table(SPECS).map_err(fault)?;
    let mut entries = HashMap::new();
    for row in live.iter().map_err(fault)? {
        let (place, row) = row.map_err(fault)?;
        let spec = specs.get(place.value()).map_err(fault)?;
        let spec = spec.ok_or(Malformed("the envelope of a record is missing"))?;
        let entry = read_entry(row.value(), spec.value())?;
        entries.insert(entry.job.id, entry);
    }
    Ok(entries)
}

fn count_ended(read: &ReadTransaction, shelf: &mut Shelf) -> Result<(), Fault> {
    let list = read.open_table(ENDED_LIST).map_err(fault)?;
    for row in list.iter().map_err(fault)? {
        let (key, ()) = row.map(|(key, _)| (key, ())).map_err(fault)?;
        let Some([kind, state]) = key
            .value()
            .split_last_chunk::<24>()
            .and_then(|(rest, _)| rest.last_chunk::<2>())
        else {
            return Err(Malformed("a key of a list is cut short").into());
        };
        let kind = JobKind::ALL.into_iter().find(|known| *known as u8 == *kind);
        let state = JobState::ALL
            .into_iter()
            .find(|known| *known as u8 == *state);
        if let (Some(kind), Some(state)) = (kind, state) {
            shelf.count_filed(kind, state);
        }
    }
    Ok(())
}

struct Memory<'a> {
    entries: HashMap<JobId, Entry>,
    journal: Journal,
    read: &'a ReadTransaction,
    ended: EndedTables,
}

impl Memory<'_> {
    fn read_journal(&mut self) -> Result<u64, Fault> {
        let journal = self.read.open_table(JOURNAL).map_err(fault)?;
        let mut last = 0;
        for row in journal.iter().map_err(fault)? {
            let (number, bytes) = row.map_err(fault)?;
            last = number.value();
            let mut rest = bytes.value();
            self.journal.add_row(last, rest.len());
            while !rest.is_empty() {
                let (record, behind) = StoredRecord::read(rest)?;
                self.apply(last, &record)?;
                rest = behind;
            }
        }
        Ok(last)
    }

    fn apply(&mut self, commit: u64, record: &StoredRecord<'_>) -> Result<(), Fault> {
        let id = record.id;
        if record.part(Part::Gone).is_some() {
            // A newer one is another job of the same id.
            let known = self.entries.get(&id);
            if known.is_some_and(|entry| entry.revision < record.revision) {
                self.entries.remove(&id);
            }
            return Ok(());
        }
        if !self.entries.contains_key(&id)
            && let Some(ended) = self.ended.ended(id)?
        {
            if ended.revision >= record.revision {
                return Ok(());
            }
            self.entries.insert(id, ended);
        }
        let changed = match self.entries.get_mut(&id) {
            Some(entry) if entry.revision >= record.revision => return Ok(()),
            Some(entry) => {
                change(entry, record)?;
                entry
            }
            // Only its first record can make a job; a later one is of a job that was forgotten since.
            None if record.part(Part::Job).is_none() => return Ok(()),
            None => {
                let entry = entry_of(record, record.must(Part::Envelope)?)?;
                self.entries.entry(id).or_insert(entry)
            }
        };
        if changed.journaled_since.is_none() {
            changed.journaled_since = Some(commit);
            self.journal.add_job(commit, id);
        }
        Ok(())
    }
}

fn change(entry: &mut Entry, record: &StoredRecord<'_>) -> Result<(), Malformed> {
    let changed: Changed<'_> = decode(record.must(Part::Changed)?)?;
    let mut job = Job::clone(&entry.job);
    changed.apply(&mut job);
    entry
        .events
        .extend(&Packed::from_bytes(record.must(Part::Events)?)?);
    entry.revision = record.revision;
    if let Some(envelope) = record.part(Part::Envelope) {
        let envelope = Envelope::decode(envelope).map_err(|_| Malformed("an envelope"))?;
        entry.envelope = Arc::new(envelope);
        entry.repacked = true;
    }
    let shared = |part| record.part(part).map(|bytes| Arc::new(bytes.to_vec()));
    if job.state.is_terminal() {
        entry.checkpoint = None;
        entry.result = shared(Part::Result);
    } else {
        entry.result = None;
        entry.checkpoint = shared(Part::Checkpoint).or_else(|| entry.checkpoint.take());
    }
    entry.job = Arc::new(job);
    Ok(())
}
