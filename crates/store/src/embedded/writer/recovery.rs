//! Going on after the file failed.

use std::collections::HashSet;
use std::sync::Arc;

use assay_core::id::JobId;
use assay_core::state::JobState;

use super::{Outcome, Writer};
use crate::embedded::disk::{Fault, chain};
use crate::embedded::folder::OpenError;
use crate::embedded::replay::{Replayed, prepare, replay};
use crate::embedded::shelf::Shelf;
use crate::embedded::steps::DISK_FULL_RETRY_MS;

impl Writer {
    /// After a failed commit: opens the file again, and makes memory what the file says.
    pub(super) fn recover(&mut self, failed: &Fault) -> Outcome {
        let number = self.last_commit + 1;
        let why = chain(failed);
        if failed.is_disk_full() {
            self.disk_full_until_ms = self.clock.now_ms().saturating_add(DISK_FULL_RETRY_MS);
        }
        if let Err(error) = self.reopen() {
            self.shared.write().broken = chain(&error);
            return Outcome::Unknown(why);
        }
        if failed.is_disk_full() && self.last_commit < number {
            return Outcome::DiskFull;
        }
        Outcome::Unknown(why)
    }

    /// Opens the file if it could not be opened before.
    pub(super) fn mend(&mut self) -> Result<(), String> {
        if self.shared.read().database.is_some() {
            return Ok(());
        }
        self.reopen().map_err(|error| {
            let why = chain(&error);
            self.shared.write().broken.clone_from(&why);
            why
        })
    }

    fn reopen(&mut self) -> Result<(), OpenError> {
        // Readers use the file under the lock alone, so nobody holds it after this.
        self.shared.write().database = None;
        let database = self.medium.open(self.config.cache_bytes)?;
        let now_ms = self.clock.now_ms();
        let epoch_ms = prepare(&database, now_ms, &self.file)?;
        let replayed = replay(&database, epoch_ms, self.config.retention(), now_ms);
        let replayed = replayed.map_err(|fault| OpenError::Unreadable {
            file: self.file.clone(),
            source: Box::new(fault),
        })?;
        let mut shared = self.shared.write();
        let known = queued(&shared.shelf);
        shared.database = Some(Arc::new(database));
        let Replayed {
            shelf,
            mut clockwork,
            journal,
            last_commit,
            epoch_started_at_ms,
        } = replayed;
        shared.shelf = shelf;
        drop(shared);
        clockwork.reaped_at_ms = self.clockwork.reaped_at_ms;
        self.clockwork = clockwork;
        self.journal = journal;
        self.last_commit = last_commit;
        self.epoch_started_at_ms = epoch_started_at_ms;
        self.offer_queued(&known);
        Ok(())
    }
}

/// The generations that were handed out.
fn queued(shelf: &Shelf) -> HashSet<(JobId, u64)> {
    let entries = shelf.entries();
    let queued = entries.filter(|entry| entry.job.state == JobState::Queued);
    queued
        .map(|entry| (entry.job.id, entry.job.generation))
        .collect()
}
