//! How long a job waits to start, and a handler to hear of a cancel.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::journal::now_us;
use assay_probe::{Act, Journal, Mark, Script};
use tokio::time::{Instant, MissedTickBehavior};

use crate::client::{self, Client};
use crate::server::Server;

/// Jobs a second while starts are measured.
const RATE_HZ: u64 = 500;
/// How long the handlers may take to show in the journal.
const JOURNAL_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at the journal.
const JOURNAL_POLL: Duration = Duration::from_millis(20);

/// From the moment a submit was sent to the start of its handler, for each of `jobs`, in microseconds.
///
/// # Errors
/// When a job is not accepted or does not start.
pub async fn submit_to_start(
    server: &Server,
    journal: &Path,
    jobs: usize,
) -> anyhow::Result<Vec<u64>> {
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(b"latency").await?;
    let request = client::filled(client::request(
        &content_id,
        "",
        &Script(vec![Act::Progress]),
    ));
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / RATE_HZ));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut calls = Vec::with_capacity(jobs);
    for _ in 0..jobs {
        ticks.tick().await;
        let (mut jobs, request) = (client.jobs.clone(), request.clone());
        calls.push(spawn(async move {
            let sent_us = now_us();
            let answer = jobs.submit_job(request).await?.into_inner();
            Ok((answer.job.unwrap_or_default().id, sent_us))
        }));
    }
    let mut sent = BTreeMap::new();
    for call in calls {
        let (id, sent_us) = call.await.context("wait for a submit")??;
        sent.insert(id, sent_us);
    }
    between(journal, Mark::Started, &sent).await
}

/// From the moment a cancel was sent to the handler's knowing it, for each of `jobs`, in microseconds.
///
/// # Errors
/// When a job is not accepted, does not start, or is not cancelled.
pub async fn cancel_to_handler(
    server: &Server,
    journal: &Path,
    jobs: usize,
) -> anyhow::Result<Vec<u64>> {
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(b"latency").await?;
    let mut cancelled = BTreeMap::new();
    for _ in 0..jobs {
        let request = client::request(&content_id, "", &Script(vec![Act::Sleep(30_000)]));
        let submitted = client.jobs.submit_job(request).await?.into_inner();
        let job_id = submitted.job.unwrap_or_default().id;
        let started = BTreeMap::from([(job_id.clone(), 0)]);
        between(journal, Mark::Started, &started).await?;
        cancelled.insert(job_id.clone(), now_us());
        client
            .jobs
            .cancel_job(v1::CancelJobRequest { job_id })
            .await?;
    }
    between(journal, Mark::Cancelled, &cancelled).await
}

/// The times from `since_us` to the first `mark` of each job.
async fn between(
    journal: &Path,
    mark: Mark,
    since_us: &BTreeMap<String, u64>,
) -> anyhow::Result<Vec<u64>> {
    let deadline = Instant::now() + JOURNAL_WITHIN;
    loop {
        let mut first = BTreeMap::new();
        for entry in Journal::read(journal)?
            .into_iter()
            .filter(|entry| entry.mark == mark)
        {
            first.entry(entry.job_id).or_insert(entry.at_us);
        }
        let times = since_us
            .iter()
            .map(|(id, since_us)| Some(first.get(id)?.saturating_sub(*since_us)));
        if let Some(times) = times.collect::<Option<Vec<_>>>() {
            return Ok(times);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "a job has no mark {mark:?} after {JOURNAL_WITHIN:?}"
        );
        tokio::time::sleep(JOURNAL_POLL).await;
    }
}

type Sent = anyhow::Result<(String, u64)>;

#[expect(
    clippy::disallowed_methods,
    reason = "a measuring program has no service around it; every handle is awaited"
)]
fn spawn(call: impl Future<Output = Sent> + Send + 'static) -> tokio::task::JoinHandle<Sent> {
    tokio::spawn(call)
}
