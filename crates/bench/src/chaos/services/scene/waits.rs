//! States that a scene waits for, and how fast it is.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_failpoint::Step;
use assay_probe::journal::now_us;
use assay_probe::{Act, Journal, Mark};
use assay_test_support::fleet::Member;

use super::{LATER, Scene};
use crate::chaos::services::until::until;
use crate::client::Client;

/// States of a job that has not ended.
const UNFINISHED: [v1::JobState; 7] = {
    use v1::JobState::{Accepted, Cancelling, Queued, Retrying, Running, Scheduled, Waiting};
    [
        Accepted, Scheduled, Queued, Running, Retrying, Waiting, Cancelling,
    ]
};

impl Scene {
    /// Waits until so many of `jobs` have a mark in the journal.
    pub(in crate::chaos::services) async fn marked(
        &self,
        mark: Mark,
        jobs: &BTreeSet<String>,
        count: usize,
        within: Duration,
    ) -> anyhow::Result<()> {
        self.marked_behind(0, mark, jobs, count, within).await
    }

    /// The same, where what stands before `offset` in the journal (in bytes) is known to be of others.
    async fn marked_behind(
        &self,
        mut offset: u64,
        mark: Mark,
        jobs: &BTreeSet<String>,
        count: usize,
        within: Duration,
    ) -> anyhow::Result<()> {
        let what = format!("{count} jobs have {mark:?}");
        let (path, mut marked) = (self.journal(), BTreeSet::new());
        let look = async || {
            if path.exists() {
                let entries;
                (entries, offset) =
                    Journal::read_from(&path, offset).context("read the journal")?;
                let of_mark = entries.into_iter().filter(|entry| entry.mark == mark);
                let ids = of_mark.map(|entry| entry.job_id);
                marked.extend(ids.filter(|id| jobs.contains(id)));
            }
            Ok((marked.len() >= count).then_some(()))
        };
        until(&what, within, look).await
    }

    /// Waits until every job has ended.
    pub(in crate::chaos::services) async fn calm(&self) -> anyhow::Result<()> {
        self.calm_within(LATER).await
    }

    /// Waits so long until every job has ended.
    pub(in crate::chaos::services) async fn calm_within(
        &self,
        within: Duration,
    ) -> anyhow::Result<()> {
        let mut client = Client::connect(self.gateway).await?;
        let request = v1::ListJobsRequest {
            page_size: 1,
            states: UNFINISHED.map(i32::from).to_vec(),
            ..v1::ListJobsRequest::default()
        };
        let look = async || {
            let page = client.jobs.list_jobs(request.clone()).await?.into_inner();
            Ok(page.jobs.is_empty().then_some(()))
        };
        until("every job has ended", within, look).await
    }

    /// How many quick jobs a second go from submit to their end, with nothing before them.
    pub(in crate::chaos::services) async fn throughput(&mut self) -> anyhow::Result<f64> {
        // What does not end is the audit's to tell.
        drop(self.calm().await);
        let jobs = self.setup.scale.pick(1_500, 150);
        let requests = self.requests(jobs, &[Act::Progress]);
        let (offset, start_us) = (self.journal_bytes(), now_us());
        let jobs = self.accept(requests).await?;
        self.marked_behind(offset, Mark::Finished, &jobs, jobs.len(), LATER)
            .await?;
        let took = Duration::from_micros(now_us().saturating_sub(start_us));
        let jobs = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        Ok(f64::from(jobs) / took.as_secs_f64())
    }

    /// How much the handlers noted so far.
    fn journal_bytes(&self) -> u64 {
        let journal = std::fs::metadata(self.journal());
        journal.map_or(0, |journal| journal.len())
    }
}

/// How often a process came by an armed step.
pub(in crate::chaos::services) fn passages(member: &Member, step: Step) -> anyhow::Result<usize> {
    let said = std::fs::read_to_string(member.log()).context("read the log of a process")?;
    Ok(said.matches(&assay_failpoint::reached(step)).count())
}
