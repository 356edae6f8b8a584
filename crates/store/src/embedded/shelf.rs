//! What is committed and in memory: jobs that have not ended, and those that ended a moment ago.

use std::collections::{BTreeSet, HashMap};

use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::Counts;
use assay_core::state::JobState;

use super::entry::Entry;

/// Place in a list: when it was submitted, and which it is.
pub(super) type Place = (u64, JobId);

/// Committed jobs. Only the writer changes it, and only after a commit.
#[derive(Default)]
pub(super) struct Shelf {
    entries: HashMap<JobId, Entry>,
    lists: HashMap<Tenant, Lists>,
    counts: Counts,
    tombstones: HashMap<JobId, u64>,
    paused: BTreeSet<JobKind>,
}

type Lists = [[BTreeSet<Place>; JobState::ALL.len()]; JobKind::ALL.len()];

impl Shelf {
    pub(super) fn get(&self, id: JobId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: JobId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Jobs in memory of one tenant, kind and state.
    pub(super) fn list(
        &self,
        tenant: &Tenant,
        kind: JobKind,
        state: JobState,
    ) -> Option<&BTreeSet<Place>> {
        let lists = self.lists.get(tenant)?;
        Some(&lists[kind as usize][state as usize])
    }

    /// All jobs, in memory or not.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Counts an ended job that only the tables have.
    pub(super) fn count_filed(&mut self, kind: JobKind, state: JobState) {
        *self.counts.get_mut(kind, state) += 1;
    }

    pub(super) fn tombstone(&self, id: JobId) -> Option<u64> {
        self.tombstones.get(&id).copied()
    }

    pub(super) fn tombstones(&self) -> &HashMap<JobId, u64> {
        &self.tombstones
    }

    pub(super) fn set_tombstone(&mut self, id: JobId, at_ms: Option<u64>) {
        match at_ms {
            Some(at_ms) => self.tombstones.insert(id, at_ms),
            None => self.tombstones.remove(&id),
        };
    }

    /// The kinds that are not to be run.
    pub(super) fn paused(&self) -> &BTreeSet<JobKind> {
        &self.paused
    }

    pub(super) fn set_paused(&mut self, paused: BTreeSet<JobKind>) {
        self.paused = paused;
    }

    /// Puts a job in, in place of its older form.
    pub(super) fn put(&mut self, entry: Entry) {
        let job = &entry.job;
        *self.counts.get_mut(job.kind, job.state) += 1;
        match self.entries.get(&job.id).map(|old| old.job.state) {
            Some(state) => {
                uncount(&mut self.counts, job.kind, state);
                if state != job.state {
                    unlist(&mut self.lists, job, state);
                    list(&mut self.lists, job);
                }
            }
            None => {
                // Only an ended job was counted without being in memory.
                if let Some(filed) = entry.filed.filter(|filed| filed.state.is_terminal()) {
                    uncount(&mut self.counts, job.kind, filed.state);
                }
                list(&mut self.lists, job);
            }
        }
        self.entries.insert(job.id, entry);
    }

    /// Takes an ended job out of memory; the tables have it.
    pub(super) fn evict(&mut self, id: JobId) {
        if let Some(entry) = self.entries.remove(&id) {
            unlist(&mut self.lists, &entry.job, entry.job.state);
        }
    }

    /// Forgets a job that is nowhere else either.
    pub(super) fn forget(&mut self, forgotten: &Entry) {
        let job = &forgotten.job;
        let state = match self.entries.remove(&job.id) {
            Some(entry) => {
                unlist(&mut self.lists, &entry.job, entry.job.state);
                entry.job.state
            }
            // As it was counted when the tables were read.
            None => forgotten.filed.map_or(job.state, |filed| filed.state),
        };
        uncount(&mut self.counts, job.kind, state);
    }
}

fn uncount(counts: &mut Counts, kind: JobKind, state: JobState) {
    let count = counts.get_mut(kind, state);
    *count = count.saturating_sub(1);
}

fn list(lists: &mut HashMap<Tenant, Lists>, job: &Job) {
    if !lists.contains_key(&job.tenant) {
        lists.insert(job.tenant.clone(), Lists::default());
    }
    if let Some(lists) = lists.get_mut(&job.tenant) {
        lists[job.kind as usize][job.state as usize].insert((job.times.created_at_ms, job.id));
    }
}

fn unlist(lists: &mut HashMap<Tenant, Lists>, job: &Job, state: JobState) {
    if let Some(lists) = lists.get_mut(&job.tenant) {
        lists[job.kind as usize][state as usize].remove(&(job.times.created_at_ms, job.id));
    }
}
