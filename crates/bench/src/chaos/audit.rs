//! After the storm: what became of every promise?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use tokio::time::Instant;

use super::CONTENT;
use crate::client::{Answer, Client};
use crate::ledger::Ledger;
use crate::server::Server;

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
    /// Jobs that nobody submitted.
    pub of_nobody: Vec<String>,
    /// How many jobs ended in each state.
    pub ended: BTreeMap<&'static str, usize>,
}

/// Repeats what is unknown, waits for all ends, compares with the ledger.
pub(super) async fn run(server: &Server, ledger: &mut Ledger) -> anyhow::Result<Findings> {
    let mut client = Client::connect(server.gateway).await?;
    let mut findings = Findings::default();
    let before = all_jobs(&mut client).await?;
    repeat_unknown(&mut client, ledger, &before, &mut findings).await?;
    let accepted: BTreeSet<String> = ledger.accepted().map(str::to_owned).collect();
    let jobs = wait_for_ends(&mut client, &accepted).await?;
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
            .answered(&request_id, Answer::Accepted(job_id))
            .map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// The jobs once all of `accepted` have ended, or as they are when none ends any more.
async fn wait_for_ends(
    client: &mut Client,
    accepted: &BTreeSet<String>,
) -> anyhow::Result<BTreeMap<String, v1::Job>> {
    let mut most_ended = 0;
    let mut since = Instant::now();
    loop {
        let jobs = all_jobs(client).await?;
        let has_ended = |id: &&String| jobs.get(*id).is_some_and(|job| is_terminal(job.state()));
        let ended = accepted.iter().filter(has_ended).count();
        if ended > most_ended {
            (most_ended, since) = (ended, Instant::now());
        }
        if ended == accepted.len() || since.elapsed() > STALLED_AFTER {
            return Ok(jobs);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn all_jobs(client: &mut Client) -> anyhow::Result<BTreeMap<String, v1::Job>> {
    let mut jobs = BTreeMap::new();
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
        jobs.extend(page.jobs.into_iter().map(|job| (job.id.clone(), job)));
        if page.next_page_token.is_empty() {
            return Ok(jobs);
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
        ledger.saw_result(&job.id, answer.json.to_vec());
    }
    Ok(())
}

fn is_terminal(state: v1::JobState) -> bool {
    use v1::JobState::{Cancelled, DeadLettered, Failed, Succeeded};
    matches!(state, Succeeded | Failed | Cancelled | DeadLettered)
}
