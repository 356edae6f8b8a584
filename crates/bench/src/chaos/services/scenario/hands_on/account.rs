//! What people did to jobs by hand, and what they were told of it.

use std::collections::BTreeMap;

use assay_probe::journal::now_us;

/// What was done to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It was given a payload that ends well, with so many bytes more in its result.
    Mended(u64),
    /// It was given another payload that fails.
    Changed,
    /// It was put back.
    Redriven,
    /// All that match were put back, and it matches.
    RedrivenWithOthers,
    /// It was to be forgotten, alone or with others.
    Forgotten,
    /// Its request was made again.
    Submitted,
    /// It was to be stopped.
    Cancelled,
    /// The queue was purged that it was in.
    Purged,
}

/// What they were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told<T> {
    /// It is done.
    Done(T),
    /// It was not done, and why.
    Left(String),
    /// Nothing: it may have been done.
    Nothing,
}

/// An answer, and when it was asked for and had. In microseconds since the epoch.
#[derive(Clone, Debug)]
pub(super) struct Heard<T> {
    pub(super) told: Told<T>,
    pub(super) asked_us: u64,
    pub(super) told_us: u64,
}

/// One deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) deed: Deed,
    pub(super) outcome: Outcome,
    pub(super) asked_us: u64,
    pub(super) told_us: u64,
}

/// What is known of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Left,
    Unknown,
}

/// All that was done, by job, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Account(BTreeMap<String, Vec<Note>>);

impl<T> Heard<T> {
    /// What `answer` is, which was asked for at `asked_us` and has just come.
    pub(super) fn now(told: Told<T>, asked_us: u64) -> Self {
        Self {
            told,
            asked_us,
            told_us: now_us(),
        }
    }

    /// What is known of the deed, if it is done only where `is_whole` says so of the answer.
    pub(super) fn outcome(&self, is_whole: impl FnOnce(&T) -> bool) -> Outcome {
        match &self.told {
            Told::Done(answer) if is_whole(answer) => Outcome::Done,
            Told::Done(_) | Told::Nothing => Outcome::Unknown,
            Told::Left(_) => Outcome::Left,
        }
    }
}

impl Account {
    /// A deed was done to these jobs, or nobody knows.
    pub(super) fn note<'a>(&mut self, jobs: impl IntoIterator<Item = &'a String>, note: Note) {
        for job_id in jobs {
            self.0.entry(job_id.clone()).or_default().push(note);
        }
    }

    /// What was done to a job.
    pub(super) fn of(&self, job_id: &str) -> &[Note] {
        self.0.get(job_id).map_or(&[], Vec::as_slice)
    }

    /// Every job that something was done to.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many deeds there were, and of how many of them nothing is known.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let notes = || self.0.values().flatten();
        let unknown = notes().filter(|note| note.outcome == Outcome::Unknown);
        (notes().count(), unknown.count())
    }
}

/// Whether a job may be gone because it was to be forgotten, and was not asked for again since.
pub(super) fn may_be_forgotten(notes: &[Note]) -> bool {
    notes.iter().fold(false, |gone, note| match note.deed {
        Deed::Forgotten => gone || note.outcome != Outcome::Left,
        Deed::Submitted => false,
        Deed::Mended(_)
        | Deed::Changed
        | Deed::Redriven
        | Deed::RedrivenWithOthers
        | Deed::Cancelled
        | Deed::Purged => gone,
    })
}
