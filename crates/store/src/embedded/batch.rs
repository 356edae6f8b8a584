//! One group commit in the making: operations change jobs here, on top of what is committed.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::event::JobEvent;
use assay_core::id::JobId;
use assay_core::job::{Job, JobSpec};
use assay_core::kind::JobKind;
use assay_core::port::{Counts, StoreError};
use assay_core::state::JobState;
use assay_core::transition::{Admission, Transition, submit};
use redb::Database;

use super::clockwork::Clockwork;
use super::disk::{EndedTables, Fault, chain};
use super::entry::Entry;
use super::fingerprints::{Additions, LogTables};
use super::history::Packed;
use super::parts::{Changed, Part, RecordWriter};
use super::shelf::Shelf;
use crate::StoreConfig;
use crate::metric_definitions::Ending;

/// What a batch stands on.
pub(super) struct Ground<'a> {
    pub(super) shelf: &'a Shelf,
    pub(super) database: &'a Database,
    pub(super) clockwork: &'a Clockwork,
    pub(super) config: &'a StoreConfig,
    pub(super) epoch_started_at_ms: u64,
    pub(super) disk_is_full: bool,
    pub(super) now_ms: u64,
    /// The number of the commit in the making.
    pub(super) commit: u64,
}

/// Most cancelled ids without a record that are remembered: cancels of further ones leave no trace.
pub(super) const TOMBSTONES_MAX: usize = 10_000;
/// Records that a commit may hold and still be told apart by their revisions, as a power of two.
const RECORDS_BITS: u32 = 20;

/// Changes that will be committed together.
pub(super) struct Batch<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) changes: Changes,
    counts: Counts,
    /// How many there are.
    tombstones: usize,
    tables: OnceCell<EndedTables>,
    logs: OnceCell<LogTables>,
}

/// What one commit writes, and what follows from it.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) staged: HashMap<JobId, Entry>,
    pub(super) gone: HashMap<JobId, Entry>,
    pub(super) tombstones: HashMap<JobId, Option<u64>>,
    /// The kinds that are paused, if that changes.
    pub(super) paused: Option<BTreeSet<JobKind>>,
    pub(super) fingerprints: Additions,
    pub(super) journal: Vec<u8>,
    /// Records in the journal row.
    records: u64,
    pub(super) events: Vec<JobEvent>,
    /// Jobs whose envelopes are handed out after the commit, in order.
    pub(super) offers: Vec<JobId>,
    pub(super) reaped: bool,
    /// To be counted after the commit.
    pub(super) endings: Vec<Ending>,
    /// The kinds of dead letters that are forgotten because their time is over; to be counted and told then.
    pub(super) expired: Vec<JobKind>,
}

/// What a change begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fresh {
    Job,
    Generation,
    Nothing,
}

impl Changes {
    /// Whether nothing needs to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.journal.is_empty()
            && self.tombstones.is_empty()
            && self.paused.is_none()
            && self.fingerprints.is_empty()
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(ground: Ground<'a>) -> Self {
        Self {
            counts: ground.shelf.counts().clone(),
            tombstones: ground.shelf.tombstones().len(),
            ground,
            changes: Changes::default(),
            tables: OnceCell::new(),
            logs: OnceCell::new(),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.ground.now_ms
    }

    /// The job as this batch leaves it so far.
    pub(super) fn find(&self, id: JobId) -> Result<Option<Entry>, StoreError> {
        // First of all: the id of a job that this batch forgot may be that of a new one.
        if let Some(entry) = self.changes.staged.get(&id) {
            return Ok(Some(entry.clone()));
        }
        if self.changes.gone.contains_key(&id) {
            return Ok(None);
        }
        match self.ground.shelf.get(id) {
            Some(entry) => Ok(Some(entry.clone())),
            None => self.find_ended(id).map_err(unavailable),
        }
    }

    /// What marks a record as newer than all before it, also than those of a job that had the same id and
    /// was forgotten: the journal may still hold them.
    fn next_revision(&mut self) -> u64 {
        self.changes.records += 1;
        (self.ground.commit << RECORDS_BITS).saturating_add(self.changes.records)
    }

    /// An ended job that only the tables have. They are opened once for the whole batch.
    fn find_ended(&self, id: JobId) -> Result<Option<Entry>, Fault> {
        if let Some(tables) = self.tables.get() {
            return tables.ended(id);
        }
        let tables = EndedTables::open(self.ground.database)?;
        self.tables.get_or_init(|| tables).ended(id)
    }

    /// The logs of fingerprints as they are committed. Opened once for the whole batch.
    pub(super) fn logs(&self) -> Result<&LogTables, Fault> {
        if let Some(logs) = self.logs.get() {
            return Ok(logs);
        }
        let logs = LogTables::open(self.ground.database)?;
        Ok(self.logs.get_or_init(|| logs))
    }

    /// Jobs of `kind` that have not ended.
    pub(super) fn live(&self, kind: JobKind) -> u64 {
        self.counts.live(kind)
    }

    pub(super) fn tombstone(&self, id: JobId) -> bool {
        match self.changes.tombstones.get(&id) {
            Some(at_ms) => at_ms.is_some(),
            None => self.ground.shelf.tombstone(id).is_some(),
        }
    }

    /// Remembers that an id without a record is not to run, if there is room.
    pub(super) fn bury(&mut self, id: JobId) {
        if self.tombstone(id) || self.tombstones < TOMBSTONES_MAX {
            self.set_tombstone(id, Some(self.now_ms()));
        }
    }

    pub(super) fn set_tombstone(&mut self, id: JobId, at_ms: Option<u64>) {
        let before = self.tombstone(id);
        match (before, at_ms) {
            (false, Some(_)) => self.tombstones += 1,
            (true, None) => self.tombstones = self.tombstones.saturating_sub(1),
            (true, Some(_)) | (false, None) => {}
        }
        self.changes.tombstones.insert(id, at_ms);
    }

    /// Records a new job.
    pub(super) fn add(&mut self, transition: Transition, envelope: Arc<Envelope>) -> Arc<Job> {
        let times = &transition.job.times;
        let begins_at_ms = times.created_at_ms.max(times.due_at_ms.unwrap_or(0));
        let deadline_ms = times.deadline_at_ms.saturating_sub(begins_at_ms);
        let entry = Entry {
            job: Arc::new(transition.job),
            envelope,
            deadline_ms,
            events: Packed::default(),
            result: None,
            checkpoint: None,
            revision: 0,
            journaled_since: None,
            filed: None,
            offered_at_ms: 0,
            repacked: false,
        };
        if self.tombstone(entry.job.id) {
            self.set_tombstone(entry.job.id, None);
        }
        *self.counts.get_mut(entry.job.kind, entry.job.state) += 1;
        self.stage(entry, Fresh::Job, None, transition.events)
    }

    /// Records what a step did to a job, with all that the step sends out.
    pub(super) fn record(&mut self, mut entry: Entry, transition: Transition) -> Arc<Job> {
        let (kind, before, after) = (entry.job.kind, entry.job.state, transition.job.state);
        let count = self.counts.get_mut(kind, before);
        *count = count.saturating_sub(1);
        *self.counts.get_mut(kind, after) += 1;
        let ending = Ending::of(&entry.job, &transition.job);
        self.changes.endings.extend(ending);
        let raised = transition.envelope.is_some();
        let mut repacked = false;
        if let Some(envelope) = transition.envelope {
            repacked = !envelope.carries_the_same(&entry.envelope);
            entry.repacked |= repacked;
            entry.envelope = Arc::new(envelope);
        }
        entry.job = Arc::new(transition.job);
        if after.is_terminal() {
            entry.checkpoint = None;
        } else {
            entry.result = None;
        }
        let fresh = if raised {
            Fresh::Generation
        } else {
            Fresh::Nothing
        };
        let result = entry.result.is_some().then_some(Part::Result);
        // A job whose payload changes has no result.
        let large = if repacked {
            Some(Part::Envelope)
        } else {
            result
        };
        let job = self.stage(entry, fresh, large, transition.events);
        for (id, spec) in transition.follow_ups {
            self.add_follow_up(id, &spec);
        }
        job
    }

    /// Puts a changed job into the batch; one of a new generation is handed out if its time has come.
    fn stage(
        &mut self,
        mut entry: Entry,
        fresh: Fresh,
        large: Option<Part>,
        events: Vec<JobEvent>,
    ) -> Arc<Job> {
        entry.revision = self.next_revision();
        let mut news = Packed::default();
        events.iter().for_each(|event| news.push(event));
        entry.events.extend(&news);
        self.journal(&entry, fresh == Fresh::Job, &news, large);
        self.changes.events.extend(events);
        let job = Arc::clone(&entry.job);
        if fresh != Fresh::Nothing && job.state == JobState::Queued {
            entry.offered_at_ms = self.now_ms();
            self.changes.offers.push(job.id);
        }
        self.changes.staged.insert(job.id, entry);
        job
    }

    /// Records a change that is no event: a longer lease, a checkpoint.
    pub(super) fn record_quietly(&mut self, mut entry: Entry, large: Option<Part>) {
        entry.revision = self.next_revision();
        self.journal(&entry, false, &Packed::default(), large);
        self.changes.staged.insert(entry.job.id, entry);
    }

    /// Forgets an ended job.
    pub(super) fn forget(&mut self, entry: Entry) {
        let (id, revision) = (entry.job.id, self.next_revision());
        self.changes.staged.remove(&id);
        let mut record = RecordWriter::begin(&mut self.changes.journal, id, revision);
        record.bytes(Part::Gone, &[]);
        record.end();
        self.changes.gone.insert(id, entry);
    }

    /// A follow-up is a job that was promised: no bound refuses it. One that exists was sent out before.
    fn add_follow_up(&mut self, id: JobId, spec: &JobSpec) {
        match self.find(id) {
            Ok(None) => {}
            Ok(Some(_)) => return,
            Err(error) => {
                tracing::warn!(job.id = %id, error = %chain(&error), "follow-up may be submitted twice");
            }
        }
        let mut made = submit(id, spec, Admission::Queue, self.now_ms());
        if let Some(envelope) = made.envelope.take() {
            self.add(made, Arc::new(envelope));
        }
    }

    /// `large` is the large part that this change brought; one that was written before is not repeated.
    fn journal(&mut self, entry: &Entry, is_new: bool, news: &Packed, large: Option<Part>) {
        let job = entry.job.as_ref();
        let mut record = RecordWriter::begin(&mut self.changes.journal, job.id, entry.revision);
        if is_new {
            record.value(Part::Job, job);
            record.bytes(Part::Envelope, &entry.envelope.encode());
            record.bytes(Part::DeadlineMs, &entry.deadline_ms.to_le_bytes());
        } else {
            record.value(Part::Changed, &Changed::of(job));
        }
        record.bytes(Part::Events, news.as_bytes());
        if !is_new && large == Some(Part::Envelope) {
            record.bytes(Part::Envelope, &entry.envelope.encode());
        }
        let bytes = match large {
            Some(Part::Result) => entry.result.as_ref(),
            Some(Part::Checkpoint) => entry.checkpoint.as_ref(),
            _ => None,
        };
        if let (Some(part), Some(bytes)) = (large, bytes) {
            record.bytes(part, bytes);
        }
        record.end();
    }
}

/// The file could not be read; nothing was written.
pub(super) fn unavailable(fault: Fault) -> StoreError {
    StoreError::Unavailable { why: chain(&fault) }
}
