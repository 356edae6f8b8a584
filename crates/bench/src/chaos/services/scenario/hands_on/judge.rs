//! What must be true of a job that people had their hands on, whoever died meanwhile.

use assay_api::v1;
use assay_probe::{Entry, Mark};

use super::account::{Deed, Note, Outcome};

/// What a result has beside what a script adds to it, in bytes, at most.
const REST_OF_RESULT_BYTES: u64 = 200;
/// The times of a record are whole milliseconds; the journal's are finer. In microseconds.
const ROUNDED_US: u64 = 1_000;

/// All that is known of a job at the end.
#[derive(Clone, Debug)]
pub(super) struct Life<'a> {
    /// What was done to it, in order.
    pub(super) notes: &'a [Note],
    /// When its handler began, in order; in microseconds since the epoch.
    starts_us: Vec<u64>,
    /// When its handler failed.
    failures_us: Vec<u64>,
    /// What the server says of it; nothing if it knows none.
    pub(super) job: Option<&'a v1::Job>,
    /// How often its history says that it was put back, if that was asked for.
    pub(super) redrives: Option<usize>,
}

impl<'a> Life<'a> {
    /// Puts together what is known; `entries` are those of this job.
    pub(super) fn new<'b>(
        notes: &'a [Note],
        entries: impl Iterator<Item = &'b Entry> + Clone,
        job: Option<&'a v1::Job>,
        redrives: Option<usize>,
    ) -> Self {
        let of_mark = |mark| {
            let marked = entries.clone().filter(move |entry| entry.mark == mark);
            let mut times: Vec<u64> = marked.map(|entry| entry.at_us).collect();
            times.sort_unstable();
            times
        };
        Self {
            notes,
            starts_us: of_mark(Mark::Started),
            failures_us: of_mark(Mark::Failed),
            job,
            redrives,
        }
    }

    /// Every rule that does not hold.
    pub(super) fn complaints(&self) -> Vec<String> {
        let rules = [
            Self::stays_forgotten,
            Self::is_cancelled_by_somebody,
            Self::stays_stopped,
            Self::is_put_back_as_often_as_asked,
            Self::runs_once_a_generation,
            Self::runs_as_edited,
            Self::is_new_when_asked_for_again,
        ];
        rules.iter().filter_map(|rule| rule(self)).collect()
    }

    fn state(&self) -> Option<v1::JobState> {
        self.job.map(v1::Job::state)
    }

    fn done(&self, deed: Deed) -> impl Iterator<Item = &Note> {
        let of_deed = self.notes.iter().filter(move |note| note.deed == deed);
        of_deed.filter(|note| note.outcome == Outcome::Done)
    }

    /// How often something was done, and how often it may have been besides.
    fn count(&self, deed: Deed) -> (usize, usize) {
        let of_deed = self.notes.iter().filter(|note| note.deed == deed);
        let unknown = of_deed.filter(|note| note.outcome == Outcome::Unknown);
        (self.done(deed).count(), unknown.count())
    }

    /// What is forgotten is gone and runs no more, unless it is asked for again.
    fn stays_forgotten(&self) -> Option<String> {
        let forgotten_us = self.done(Deed::Forgotten).map(|note| note.told_us).last()?;
        let again = self.done(Deed::Submitted).map(|note| note.asked_us);
        let again_us = again.last().filter(|again_us| *again_us > forgotten_us);
        if again_us.is_none() && self.job.is_some() {
            return Some("it was forgotten and is there".to_owned());
        }
        let range = forgotten_us..again_us.unwrap_or(u64::MAX);
        let ran = self
            .starts_us
            .iter()
            .any(|start_us| range.contains(start_us));
        ran.then(|| "it was forgotten and ran".to_owned())
    }

    /// What ends as cancelled was to be, has no result, and runs no more.
    fn is_cancelled_by_somebody(&self) -> Option<String> {
        let job = self
            .job
            .filter(|_| self.state() == Some(v1::JobState::Cancelled))?;
        let asked = self.notes.iter().any(|note| {
            matches!(note.deed, Deed::Cancelled | Deed::Purged) && note.outcome != Outcome::Left
        });
        if !asked {
            return Some("nobody cancelled it and it is cancelled".to_owned());
        }
        if job.result.is_some() {
            return Some("it is cancelled and has a result".to_owned());
        }
        let ended = job.finish_time.as_ref()?;
        let ended_us = micros(ended.seconds, ended.nanos)?;
        let last_us = self.starts_us.last().copied().unwrap_or(0);
        (last_us > ended_us + ROUNDED_US).then(|| "it was cancelled and ran".to_owned())
    }

    /// What was purged or cancelled with an answer ends so, unless a worker had it before.
    fn stays_stopped(&self) -> Option<String> {
        let stopped = self.done(Deed::Purged).chain(self.done(Deed::Cancelled));
        let told_us = stopped.map(|note| note.told_us).min()?;
        let was_quicker = self
            .starts_us
            .first()
            .is_some_and(|start_us| *start_us < told_us);
        let state = self.state();
        let kept = state == Some(v1::JobState::Cancelled) || was_quicker;
        (!kept).then(|| format!("it waited when it was cancelled and is {state:?}"))
    }

    /// Each redrive that was answered happened, and no other but those whose answer was lost.
    fn is_put_back_as_often_as_asked(&self) -> Option<String> {
        let redrives = self.redrives?;
        let (done, unknown) = self.count(Deed::Redriven);
        let (with_others, unknown_with_others) = self.count(Deed::RedrivenWithOthers);
        let least = done.max(with_others.min(1));
        let most = done + unknown + with_others + unknown_with_others;
        (!(least..=most).contains(&redrives)).then(|| {
            format!("it was put back {redrives} times and is to have been {least} to {most} times")
        })
    }

    /// Each redrive runs it again, under a generation of its own, and no generation runs twice.
    fn runs_once_a_generation(&self) -> Option<String> {
        let (job, redrives) = (self.job?, self.redrives?);
        let starts = self.starts_us.len();
        let is_cancelled = self.state() == Some(v1::JobState::Cancelled);
        let least = redrives + usize::from(!is_cancelled);
        let most = usize::try_from(job.generation).unwrap_or(usize::MAX);
        (!(least..=most).contains(&starts)).then(|| {
            format!(
                "it was put back {redrives} times, is of generation {most} and ran {starts} times"
            )
        })
    }

    /// Once it was edited it runs no more as it was, and its result is that of the new payload.
    fn runs_as_edited(&self) -> Option<String> {
        let mended = self.notes.iter().rev().find_map(|note| match note.deed {
            Deed::Mended(bytes) if note.outcome == Outcome::Done => Some((bytes, note.told_us)),
            Deed::Mended(_)
            | Deed::Changed
            | Deed::Redriven
            | Deed::RedrivenWithOthers
            | Deed::Forgotten
            | Deed::Submitted
            | Deed::Cancelled
            | Deed::Purged => None,
        });
        let Some((bytes, told_us)) = mended else {
            let as_it_was =
                self.redrives.is_some() && self.state() == Some(v1::JobState::Succeeded);
            return as_it_was.then(|| "nobody mended it and it succeeded".to_owned());
        };
        if self
            .failures_us
            .last()
            .is_some_and(|failed_us| *failed_us > told_us)
        {
            return Some("it was mended and failed as before".to_owned());
        }
        let result = self.job?.result.as_ref()?;
        let expected = bytes..bytes + REST_OF_RESULT_BYTES;
        (!expected.contains(&result.size_bytes)).then(|| {
            let size = result.size_bytes;
            format!("it was mended to have a result of {bytes} bytes and has one of {size}")
        })
    }

    /// A forgotten job that is asked for again is a new one: no generation but its own losses raised.
    fn is_new_when_asked_for_again(&self) -> Option<String> {
        let note = self.notes.last()?;
        let is_again = note.deed == Deed::Submitted && note.outcome == Outcome::Done;
        if !is_again {
            return None;
        }
        let Some(job) = self.job else {
            return Some("it was asked for again and is gone".to_owned());
        };
        let counters = job.counters.unwrap_or_default();
        let losses = u64::from(counters.crashes) + u64::from(counters.interruptions);
        let reported = job
            .progress
            .as_ref()
            .is_some_and(|progress| progress.percent > 0.0);
        let (state, generation) = (job.state(), job.generation);
        let is_new = state == v1::JobState::DeadLettered && generation == 1 + losses && !reported;
        (!is_new).then(|| {
            format!("it was asked for again and is {state:?} of generation {generation} after {losses} losses, with progress: {reported}")
        })
    }
}

/// A time of the API in microseconds since the epoch; none before that.
fn micros(seconds: i64, nanos: i32) -> Option<u64> {
    let (seconds, nanos) = (u64::try_from(seconds).ok()?, u64::try_from(nanos).ok()?);
    Some(seconds * 1_000_000 + nanos / 1_000)
}

#[cfg(test)]
mod tests;
