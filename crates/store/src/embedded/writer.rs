//! The one thread that changes the file.
//!
//! It takes what waits, applies it, commits it with one sync, and only then changes the committed memory,
//! answers, tells listeners and hands envelopes out. What came in meanwhile is the next batch.

mod recovery;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use assay_core::clock::Clock;
use assay_core::id::JobId;
use assay_core::port::HandOut;
use assay_core::state::JobState;
use parking_lot::RwLock;
use redb::Database;
use tokio::sync::mpsc::Receiver;

use super::batch::{Batch, Changes, Ground};
use super::clockwork::Clockwork;
use super::commit::{Commit, filed};
use super::disk::{Fault, chain};
use super::folder::Medium;
use super::journal::Journal;
use super::shelf::Shelf;
use super::steps::lose_workers;
use super::stream::Announcer;
use crate::StoreConfig;
use crate::expired::Expired;
use crate::metric_definitions::{CommitOutcome, Ending, committed};

/// A batch whose journal row has so many bytes takes no further operation.
pub(super) const ROW_BYTES_FULL: usize = 4 * 1024 * 1024;
/// Memory for a journal row that is kept for the next one, in bytes.
const ROW_BYTES_KEPT: usize = 4 * 1024 * 1024;

/// What readers see: committed jobs, and the file. Without a file nothing can be read.
pub(super) struct Shared {
    pub(super) shelf: Shelf,
    pub(super) database: Option<Arc<Database>>,
    /// Why there is no file.
    pub(super) broken: String,
}

/// Changes a batch and answers what to say once its outcome is known.
pub(super) type Operation = Box<dyn FnOnce(&mut Batch<'_>) -> Answer + Send>;
/// Answers the caller.
pub(super) type Answer = Box<dyn FnOnce(&Outcome) + Send>;

/// How the batch of an operation ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It is on disk.
    Committed,
    /// It may be on disk.
    Unknown(String),
    /// Proven not to be on disk: there was no room.
    DiskFull,
}

pub(super) struct Writer {
    pub(super) shared: Arc<RwLock<Shared>>,
    pub(super) receiver: Receiver<Operation>,
    pub(super) medium: Box<dyn Medium>,
    /// The name of the file, for people.
    pub(super) file: String,
    pub(super) config: StoreConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hand_out: Arc<dyn HandOut>,
    pub(super) announcer: Announcer,
    pub(super) clockwork: Clockwork,
    pub(super) journal: Journal,
    pub(super) last_commit: u64,
    pub(super) epoch_started_at_ms: u64,
    pub(super) disk_full_until_ms: u64,
    /// The last journal row's memory, for the next one.
    pub(super) row: Vec<u8>,
}

impl Writer {
    /// Works until every sender is gone and everything that was sent is answered.
    pub(super) fn run(mut self) {
        let mut operations = VecDeque::new();
        while let Some(first) = self.receiver.blocking_recv() {
            operations.push_back(first);
            while operations.len() < self.config.batch_operations_max
                && let Ok(next) = self.receiver.try_recv()
            {
                operations.push_back(next);
            }
            while !operations.is_empty() {
                self.process(&mut operations);
            }
        }
    }

    /// Takes the jobs of the process before from its workers, and hands out what is queued.
    pub(super) fn start(&mut self) -> Result<(), Fault> {
        let changes = self.apply(|batch| lose_workers(batch).map(drop));
        if let Some((changes, Err(error))) = &changes {
            tracing::warn!(error = %chain(error), jobs = changes.staged.len(), "take jobs from dead workers");
        }
        if let Some((mut changes, _)) = changes
            && !changes.is_empty()
        {
            // Everything that is queued is handed out below.
            changes.offers.clear();
            self.commit(&mut changes)?;
            self.publish(changes);
        }
        self.offer_queued(&HashSet::new());
        Ok(())
    }

    /// Takes operations until one batch is full; what is left is the next one.
    fn process(&mut self, operations: &mut VecDeque<Operation>) {
        if let Err(error) = self.mend() {
            let count = operations.len();
            tracing::error!(operations = count, error, "open the store's file again");
            // Dropping an operation tells its caller that nothing was written.
            operations.clear();
            return;
        }
        let applied = self.apply(|batch| {
            let mut answers: Vec<Answer> = Vec::with_capacity(operations.len());
            while batch.changes.journal.len() < ROW_BYTES_FULL
                && let Some(apply) = operations.pop_front()
            {
                answers.push(apply(batch));
            }
            answers
        });
        let Some((changes, answers)) = applied else {
            operations.clear();
            return;
        };
        let reaped = changes.reaped;
        let outcome = if changes.is_empty() {
            self.publish(changes);
            Outcome::Committed
        } else {
            self.settle(changes, answers.len())
        };
        // Only a look that is recorded ends a gap.
        if reaped && matches!(outcome, Outcome::Committed) {
            self.clockwork.reaped_at_ms = self.clock.now_ms();
        }
        for answer in answers {
            answer(&outcome);
        }
    }

    /// Commits the changes, or finds out what became of them.
    fn settle(&mut self, mut changes: Changes, operations: usize) -> Outcome {
        let started = Instant::now();
        let result = self.commit(&mut changes);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                committed(CommitOutcome::Done, operations, seconds);
                self.publish(changes);
                Outcome::Committed
            }
            Err(fault) => {
                committed(CommitOutcome::Failed, operations, seconds);
                tracing::error!(operations, error = %chain(&fault), "commit to the store's file failed");
                self.recover(&fault)
            }
        }
    }

    /// Runs `work` on a batch over what is committed; `None` without a file.
    fn apply<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> T) -> Option<(Changes, T)> {
        let row = std::mem::take(&mut self.row);
        let shared = self.shared.read();
        let database = shared.database.as_ref()?;
        let now_ms = self.clock.now_ms();
        let mut batch = Batch::new(Ground {
            shelf: &shared.shelf,
            database,
            clockwork: &self.clockwork,
            config: &self.config,
            epoch_started_at_ms: self.epoch_started_at_ms,
            disk_is_full: now_ms < self.disk_full_until_ms,
            now_ms,
            commit: self.last_commit + 1,
        });
        batch.changes.journal = row;
        let answer = work(&mut batch);
        Some((batch.changes, answer))
    }

    /// Writes the changes, and files the jobs that were journaled first. Changes memory only if that held.
    fn commit(&mut self, changes: &mut Changes) -> Result<(), Fault> {
        let number = self.last_commit + 1;
        let filing = self
            .journal
            .filing(number, changes.staged.len(), &self.config);
        let shared = self.shared.read();
        let Some(database) = shared.database.clone() else {
            return Err(Fault::Closed);
        };
        Commit {
            number,
            changes,
            shelf: &shared.shelf,
            filing: &filing,
            retention: self.config.retention(),
        }
        .write(&database)?;
        drop(shared);
        self.last_commit = number;
        self.journal.filed(&filing);
        self.journal.add_row(number, changes.journal.len());
        self.remember(changes, &filing.jobs, number);
        Ok(())
    }

    /// Makes the committed memory what the file is now.
    fn remember(&mut self, changes: &mut Changes, filed_ids: &[JobId], number: u64) {
        let mut shared = self.shared.write();
        let shelf = &mut shared.shelf;
        for (id, entry) in &changes.gone {
            self.clockwork.follow(shelf.get(*id), None);
            shelf.forget(entry);
        }
        for (id, mut entry) in changes.staged.drain() {
            if entry.journaled_since.is_none() {
                entry.journaled_since = Some(number);
                self.journal.add_job(number, id);
            }
            self.clockwork.follow(shelf.get(id), Some(&entry));
            shelf.put(entry);
        }
        for id in filed_ids {
            let Some(entry) = shelf.get_mut(*id) else {
                continue;
            };
            entry.filed = Some(filed(entry, self.config.retention()));
            entry.journaled_since = None;
            entry.result = None;
            entry.repacked = false;
            if entry.job.state.is_terminal() {
                self.clockwork.follow(shelf.get(*id), None);
                shelf.evict(*id);
            }
        }
        for (id, at_ms) in &changes.tombstones {
            shelf.set_tombstone(*id, *at_ms);
        }
        if let Some(paused) = changes.paused.take() {
            shelf.set_paused(paused);
        }
    }

    /// Tells listeners and hands out what a commit made so.
    fn publish(&mut self, changes: Changes) {
        if changes.journal.capacity() <= ROW_BYTES_KEPT {
            self.row = changes.journal;
            self.row.clear();
        }
        let shared = self.shared.read();
        let entries = changes.offers.iter().filter_map(|id| shared.shelf.get(*id));
        let queued = entries.filter(|entry| entry.job.state == JobState::Queued);
        let offers: Vec<_> = queued.map(|entry| Arc::clone(&entry.envelope)).collect();
        drop(shared);
        for envelope in offers {
            self.hand_out.hand_out(envelope);
        }
        changes.endings.into_iter().for_each(Ending::count);
        let expired = Expired::default();
        changes.expired.iter().for_each(|kind| expired.note(*kind));
        expired.tell(self.config.retention());
        self.announcer.announce(changes.events);
    }

    /// Hands out every queued job but those in `known`: first what is resumed, so that a job does not wait
    /// for its turn again because its worker died; then the oldest.
    fn offer_queued(&self, known: &HashSet<(JobId, u64)>) {
        let shared = self.shared.read();
        let mut queued: Vec<_> = shared
            .shelf
            .entries()
            .filter(|entry| entry.job.state == JobState::Queued)
            .filter(|entry| !known.contains(&(entry.job.id, entry.job.generation)))
            .map(|entry| Arc::clone(&entry.envelope))
            .collect();
        drop(shared);
        // What one dead process ran was published at one time: the oldest of those goes first, too.
        queued.sort_by_key(|envelope| {
            let published_at_ms = (envelope.published_at_ms, envelope.submitted_at_ms);
            (!envelope.resumed, published_at_ms, envelope.job_id)
        });
        for envelope in queued {
            self.hand_out.hand_out(envelope);
        }
    }
}
