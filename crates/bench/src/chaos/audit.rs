//! After the storm: what became of every promise?

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::journal::now_us;
use tokio::time::Instant;

use super::CONTENT;
use crate::client::{Answer, Client};
use crate::ledger::Ledger;

/// How long the server may go without bringing any job to its end.
const STALLED_AFTER: Duration = Duration::from_secs(60);
/// Between two looks.
const POLL: Duration = Duration::from_millis(100);
/// Jobs of one page.
const PAGE_SIZE: i32 = 1_000;

/// What the audit found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Requests that were of unknown outcome and were repeated.
    pub repeated: usize,
    /// Of those, how many had made a job.
    pub had_made_a_job: usize,
    /// Accepted jobs that the server does not know.
    pub absent: Vec<String>,
    /// Accepted jobs that came to no end.
    pub unfinished: Vec<String>,
    /// Jobs that one listing holds twice, once nothing changes any more.
    pub listed_twice: Vec<String>,
    /// Jobs that nobody submitted.
    pub of_nobody: Vec<String>,
    /// How many jobs ended in each state.
    pub ended: BTreeMap<&'static str, usize>,
    /// Every job that the server knows.
    pub jobs: BTreeMap<String, v1::Job>,
}

/// Repeats what is unknown, waits for all ends, compares with the ledger.
///
/// Of jobs that `may_be_gone` it does not wait for more than their absence.
pub(super) async fn run(
    gateway: SocketAddr,
    ledger: &mut Ledger,
    may_be_gone: &BTreeSet<String>,
) -> anyhow::Result<Findings> {
    let mut client = Client::connect(gateway).await?;
    let mut findings = Findings::default();
    let before = all_jobs(&mut client).await?.jobs;
    repeat_unknown(&mut client, ledger, &before, &mut findings).await?;
    let accepted: BTreeSet<String> = ledger.accepted().map(str::to_owned).collect();
    let listing = wait_for_ends(&mut client, &accepted, may_be_gone).await?;
    let jobs = listing.jobs;
    findings.listed_twice = listing.twice;
    for job_id in &accepted {
        match jobs.get(job_id).map(v1::Job::state) {
            None => findings.absent.push(job_id.clone()),
            Some(state) if !is_terminal(state) => findings.unfinished.push(job_id.clone()),
            Some(state) => *findings.ended.entry(state.as_str_name()).or_default() += 1,
        }
    }
    findings.of_nobody = jobs
        .keys()
        .filter(|id| !accepted.contains(*id))
        .cloned()
        .collect();
    read_results(&mut client, &jobs, ledger).await?;
    findings.jobs = jobs;
    Ok(findings)
}

/// A repeat of the very same request makes no second job: it answers the first, if there is one.
async fn repeat_unknown(
    client: &mut Client,
    ledger: &mut Ledger,
    before: &BTreeMap<String, v1::Job>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    client.upload(CONTENT).await?;
    let unknown: Vec<_> = ledger.unknown().cloned().collect();
    for request in unknown {
        let request_id = request.request_id.clone();
        let submitted = client
            .jobs
            .submit_job(request)
            .await
            .context("repeat a request of unknown outcome")?;
        let job_id = submitted.into_inner().job.unwrap_or_default().id;
        findings.repeated += 1;
        findings.had_made_a_job += usize::from(before.contains_key(&job_id));
        ledger
            .answered(&request_id, Answer::Accepted(job_id), now_us())
            .map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Every job that the server lists.
#[derive(Debug, Default)]
struct Listing {
    jobs: BTreeMap<String, v1::Job>,
    twice: Vec<String>,
}

/// The jobs once all of `accepted` have ended, or as they are when none ends any more.
async fn wait_for_ends(
    client: &mut Client,
    accepted: &BTreeSet<String>,
    may_be_gone: &BTreeSet<String>,
) -> anyhow::Result<Listing> {
    let mut most_ended = 0;
    let mut since = Instant::now();
    loop {
        let listing = all_jobs(client).await?;
        let has_ended = |id: &&String| match listing.jobs.get(*id) {
            Some(job) => is_terminal(job.state()),
            None => may_be_gone.contains(*id),
        };
        let ended = accepted.iter().filter(has_ended).count();
        if ended > most_ended {
            (most_ended, since) = (ended, Instant::now());
        }
        if ended == accepted.len() || since.elapsed() > STALLED_AFTER {
            return Ok(listing);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn all_jobs(client: &mut Client) -> anyhow::Result<Listing> {
    let mut listing = Listing::default();
    let mut request = v1::ListJobsRequest {
        page_size: PAGE_SIZE,
        ..v1::ListJobsRequest::default()
    };
    loop {
        let page = client
            .jobs
            .list_jobs(request.clone())
            .await
            .context("list jobs")?
            .into_inner();
        for job in page.jobs {
            if let Some(before) = listing.jobs.insert(job.id.clone(), job) {
                listing.twice.push(before.id);
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(listing);
        }
        request.page_token = page.next_page_token;
    }
}

async fn read_results(
    client: &mut Client,
    jobs: &BTreeMap<String, v1::Job>,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    for job in jobs
        .values()
        .filter(|job| job.state() == v1::JobState::Succeeded)
    {
        let request = v1::GetJobResultRequest {
            job_id: job.id.clone(),
        };
        let answer = client
            .jobs
            .get_job_result(request)
            .await
            .context("read a result")?
            .into_inner();
        ledger.saw_result(&job.id, answer.json.to_vec(), now_us());
    }
    Ok(())
}

fn is_terminal(state: v1::JobState) -> bool {
    use v1::JobState::{Cancelled, DeadLettered, Failed, Succeeded};
    matches!(state, Succeeded | Failed | Cancelled | DeadLettered)
}
