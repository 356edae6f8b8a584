//! Holds all that was done and told against what became of the jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Context;
use assay_api::v1;
use assay_api::v1::watch_job_response::Message;
use assay_probe::{Entry, Mark};
use tokio_stream::StreamExt;

use super::account::{Account, Deed};
use super::judge::Life;
use crate::chaos::services::Row;
use crate::chaos::services::scene::Scene;
use crate::client::Client;

/// How long workers may take to heed a pause, in microseconds: each looks once a second.
const HEEDED_WITHIN_US: u64 = 3_000_000;
/// Complaints that are told in full.
const NAMED: usize = 3;

/// What is told of many at once, beside what is told of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// When workers were to hold back, in microseconds since the epoch.
    pub(super) pauses_us: Vec<Range<u64>>,
    pub(super) redriven: Vec<Many>,
    pub(super) forgotten: Vec<Many>,
    pub(super) purged: Vec<Many>,
}

/// What was done by a filter.
#[derive(Clone, Debug)]
pub(super) struct Many {
    /// The jobs that match.
    jobs: Vec<String>,
    /// To how many of them it was told to be done.
    told: u64,
    /// How many answers were lost besides.
    lost: usize,
}

impl Many {
    pub(super) fn new(jobs: Vec<String>, told: u64, lost: usize) -> Self {
        Self { jobs, told, lost }
    }

    /// As many became so as were told, and at most all of them once more for each answer that was lost.
    fn judge(&self, row: &mut Row, what: &str, became: usize) {
        let Self { jobs, told, lost } = self;
        let (of, least) = (jobs.len(), usize::try_from(*told).unwrap_or(usize::MAX));
        let range = least..=least.saturating_add(lost * of);
        row.expect(range.contains(&became), || {
            format!(
                "of {of} jobs {became} were {what}, told were {told} and {lost} answers were lost"
            )
        });
    }
}

/// Everything that is known at the end.
pub(super) struct Verdict<'a> {
    pub(super) account: &'a Account,
    pub(super) entries: &'a [Entry],
    pub(super) jobs: &'a BTreeMap<String, v1::Job>,
    /// See [`redrives`].
    pub(super) redrives: &'a BTreeMap<String, usize>,
}

impl Verdict<'_> {
    /// Holds each job against what was done to it. One that nobody had their hands on is not cancelled either.
    pub(super) fn of_each(&self, row: &mut Row) {
        let mut by_job: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries {
            by_job.entry(&entry.job_id).or_default().push(entry);
        }
        let known = self.jobs.keys().map(String::as_str);
        let known: BTreeSet<&str> = self.account.jobs().chain(known).collect();
        let mut complaints = Vec::new();
        for job_id in known {
            let entries = by_job.get(job_id).map_or(&[][..], Vec::as_slice);
            let life = Life::new(
                self.account.of(job_id),
                entries.iter().copied(),
                self.jobs.get(job_id),
                self.redrives.get(job_id).copied(),
            );
            let complained = life.complaints().into_iter();
            complaints.extend(complained.map(|why| format!("job {job_id}: {why}")));
        }
        row.expect(complaints.is_empty(), || {
            let named = complaints.iter().take(NAMED).map(String::as_str);
            let named: Vec<&str> = named.collect();
            format!("{} complaints: {}", complaints.len(), named.join("; "))
        });
    }

    /// Holds what was told of many against what became of them.
    pub(super) fn of_many(&self, row: &mut Row, sums: &Sums) {
        let is_cancelled = |job_id: &&String| {
            let state = self.jobs.get(*job_id).map(v1::Job::state);
            state == Some(v1::JobState::Cancelled)
        };
        for purged in &sums.purged {
            let became = purged.jobs.iter().filter(is_cancelled).count();
            purged.judge(row, "cancelled by a purge", became);
        }
        for redriven in &sums.redriven {
            let counts = redriven.jobs.iter();
            let became = counts.filter_map(|job_id| self.redrives.get(job_id)).sum();
            redriven.judge(row, "put back", became);
        }
        for forgotten in &sums.forgotten {
            let gone = forgotten.jobs.iter();
            let gone = gone.filter(|job_id| !self.jobs.contains_key(*job_id));
            forgotten.judge(row, "forgotten", gone.count());
        }
        for pause_us in &sums.pauses_us {
            let held_us = pause_us.start + HEEDED_WITHIN_US..pause_us.end;
            let starts = self
                .entries
                .iter()
                .filter(|entry| entry.mark == Mark::Started);
            let began = starts.filter(|entry| held_us.contains(&entry.at_us));
            let began = began.count();
            row.expect(began == 0, || {
                format!("{began} jobs began while they were paused")
            });
        }
    }
}

/// How often the history of each job that was to be put back says that it was. One that was forgotten and asked for
/// again since has none of that.
pub(super) async fn redrives(
    scene: &Scene,
    account: &Account,
    jobs: &BTreeMap<String, v1::Job>,
) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut client = Client::connect(scene.gateway).await?;
    let mut redrives = BTreeMap::new();
    let is_redrive = |deed| matches!(deed, Deed::Redriven | Deed::RedrivenWithOthers);
    for job_id in account.jobs().filter(|job_id| jobs.contains_key(*job_id)) {
        let deeds = || account.of(job_id).iter().map(|note| note.deed);
        if deeds().any(is_redrive) && !deeds().any(|deed| deed == Deed::Submitted) {
            let messages = history(&mut client, job_id).await?;
            let redriven = messages.iter().filter(|message| *message == "redriven");
            redrives.insert(job_id.to_owned(), redriven.count());
        }
    }
    Ok(redrives)
}

/// What each event of a job that has ended says.
async fn history(client: &mut Client, job_id: &str) -> anyhow::Result<Vec<String>> {
    let request = v1::WatchJobRequest {
        job_id: job_id.to_owned(),
        after_event_id: String::new(),
    };
    let mut told = client.jobs.watch_job(request).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(next) = told.next().await {
        match next.context("read the history of a job")?.message {
            Some(Message::Event(event)) => messages.push(event.message),
            Some(Message::Snapshot(snapshot)) => {
                anyhow::ensure!(!snapshot.reset, "the history of job {job_id} is cut off");
            }
            None => {}
        }
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_became_what_was_told_or_what_may_have_been() {
        let jobs: Vec<String> = ["a", "b"].map(str::to_owned).to_vec();
        for (told, lost, became, clean) in [
            (2, 0, 2, true),
            (2, 0, 1, false),
            (2, 0, 3, false),
            (1, 1, 3, true),
            (1, 1, 4, false),
        ] {
            let mut row = Row::new("a fault");
            Many::new(jobs.clone(), told, lost).judge(&mut row, "put back", became);
            assert_eq!(row.is_clean(), clean, "{told}, {lost}, {became}");
        }
    }

    #[test]
    fn a_start_in_a_pause_breaks_the_row() {
        let sums = Sums {
            pauses_us: std::iter::once(0..HEEDED_WITHIN_US + 5).collect(),
            ..Sums::default()
        };
        for (at_us, clean) in [
            (HEEDED_WITHIN_US - 1, true),
            (HEEDED_WITHIN_US, false),
            (HEEDED_WITHIN_US + 4, false),
            (HEEDED_WITHIN_US + 5, true),
        ] {
            let entry = Entry {
                mark: Mark::Started,
                job_id: "a".to_owned(),
                attempt: 1,
                token: 1,
                at_us,
            };
            let verdict = Verdict {
                account: &Account::default(),
                entries: &[entry],
                jobs: &BTreeMap::new(),
                redrives: &BTreeMap::new(),
            };
            let mut row = Row::new("a fault");
            verdict.of_many(&mut row, &sums);
            assert_eq!(row.is_clean(), clean, "{at_us}");
        }
    }

    #[test]
    fn what_nobody_touched_is_judged_too() {
        let mut job = v1::Job::default();
        job.set_state(v1::JobState::Cancelled);
        let verdict = Verdict {
            account: &Account::default(),
            entries: &[],
            jobs: &BTreeMap::from([("a".to_owned(), job)]),
            redrives: &BTreeMap::new(),
        };
        let mut row = Row::new("a fault");
        verdict.of_each(&mut row);
        assert_eq!(
            row.broken(),
            ["1 complaints: job a: nobody cancelled it and it is cancelled"]
        );
    }
}
