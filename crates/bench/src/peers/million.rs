//! What calls cost with few jobs in the queue, and with very many.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::{Act, Journal, Mark, Script};
use assay_test_support::redis::Client as RedisClient;
use tokio::time::Instant;

use super::contender::Programs;
use super::servers::Servers;
use super::services::{Service, Site};
use super::stage::WINDOW;
use crate::client::{self, Answer, Client};
use crate::process;
use crate::statistics::quantile;

/// Jobs in the queue that many are compared against.
pub const FEW: usize = 1_000;
/// Calls of each kind that are timed.
pub const CALLS: usize = 500;
/// Jobs of a listing page.
const PAGE_SIZE: i32 = 50;
/// How long the timed claims may take.
const CLAIMS_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at the journal.
const JOURNAL_POLL: Duration = Duration::from_millis(20);

/// What was measured with a number of jobs in the queue.
#[derive(Clone, Debug)]
pub struct Depth {
    /// Jobs in the queue.
    pub queued: usize,
    /// Of `SubmitJob`, one after the other.
    pub submit: Cost,
    /// Of a worker that runs one job at a time: from the end of a handler to the start of the next, which is to
    /// record a result and to claim.
    pub claim: Cost,
    /// Of the first page of `ListJobs`.
    pub page: Cost,
    /// Memory of Redis in bytes.
    pub redis_bytes: u64,
    /// Resident memory of RabbitMQ in bytes, in full mode.
    pub broker_bytes: Option<u64>,
    /// Resident memory of gateway and scheduler in bytes.
    pub services_bytes: [u64; 2],
}

/// How long a call took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Half of them took no longer.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
}

impl Cost {
    fn of(times_us: &mut [u64]) -> Self {
        Self {
            p50_us: quantile(times_us, 0.5),
            p99_us: quantile(times_us, 0.99),
        }
    }
}

/// Measures with [`FEW`] jobs in the queue, then with `many`.
///
/// # Errors
/// When a process fails or does not answer.
pub async fn measure(programs: &Programs, many: usize) -> anyhow::Result<[Depth; 2]> {
    let folder = tempfile::tempdir().context("make a folder for the run")?;
    let servers = Servers::start(programs.mode).await?;
    let site = Site::new(&programs.ours, &servers, folder.path())?;
    let services = [site.gateway().await?, site.scheduler().await?];
    let mut client = Client::connect(site.gateway).await?;
    let content_id = client.upload(b"million").await?;
    let request = client::filled(client::request(
        &content_id,
        "",
        &Script(vec![Act::Progress]),
    ));
    let mut bench = Bench {
        redis: servers.redis.client()?,
        servers,
        site,
        services,
        client,
        request,
        queued: 0,
    };
    Ok([bench.at(FEW).await?, bench.at(many).await?])
}

struct Bench {
    // In this order: services end before their servers.
    services: [Service; 2],
    servers: Servers,
    redis: RedisClient,
    site: Site,
    client: Client,
    request: v1::SubmitJobRequest,
    /// Jobs that wait.
    queued: usize,
}

impl Bench {
    /// Fills the queue up to `queued` jobs and measures; the claims come last, for they take jobs away.
    async fn at(&mut self, queued: usize) -> anyhow::Result<Depth> {
        self.fill(queued.saturating_sub(CALLS)).await?;
        let submit = self.submits(queued.saturating_sub(self.queued)).await?;
        let page = self.pages().await?;
        let redis_bytes = self.redis.info("used_memory")?.parse()?;
        let broker_bytes = self.servers.broker_bytes()?;
        let mut services_bytes = [0; 2];
        for (bytes, service) in services_bytes.iter_mut().zip(&self.services) {
            *bytes = process::resident_bytes(service.pid()?)?;
        }
        let claim = self.claims().await?;
        Ok(Depth {
            queued,
            submit,
            claim,
            page,
            redis_bytes,
            broker_bytes,
            services_bytes,
        })
    }

    async fn fill(&mut self, up_to: usize) -> anyhow::Result<()> {
        let wanted = up_to.saturating_sub(self.queued);
        let (mut accepted, mut other) = (0, None);
        let requests = vec![self.request.clone(); wanted];
        let heard = |_, answer| match answer {
            Answer::Accepted(_) => accepted += 1,
            Answer::Refused(_) | Answer::Unknown => other = Some(answer),
        };
        self.client.submit_all(requests, WINDOW, heard).await;
        anyhow::ensure!(
            accepted == wanted,
            "{accepted} of {wanted} jobs were accepted: {other:?}"
        );
        self.queued += wanted;
        Ok(())
    }

    async fn submits(&mut self, jobs: usize) -> anyhow::Result<Cost> {
        let mut times_us = Vec::with_capacity(jobs);
        for _ in 0..jobs {
            let request = self.request.clone();
            let begun = Instant::now();
            self.client.jobs.submit_job(request).await?;
            times_us.push(micros(begun.elapsed())?);
        }
        self.queued += jobs;
        Ok(Cost::of(&mut times_us))
    }

    async fn pages(&mut self) -> anyhow::Result<Cost> {
        let mut times_us = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let request = v1::ListJobsRequest {
                page_size: PAGE_SIZE,
                ..v1::ListJobsRequest::default()
            };
            let begun = Instant::now();
            self.client.jobs.list_jobs(request).await?;
            times_us.push(micros(begun.elapsed())?);
        }
        Ok(Cost::of(&mut times_us))
    }

    async fn claims(&mut self) -> anyhow::Result<Cost> {
        let journal = self.site.folder.join(format!("journal-{}", self.queued));
        let worker = self.site.worker(1, Some(&journal)).await?;
        let deadline = Instant::now() + CLAIMS_WITHIN;
        while gaps(&marks(&journal)?).len() < CALLS.min(self.queued / 2) {
            anyhow::ensure!(
                Instant::now() < deadline,
                "claims took longer than {CLAIMS_WITHIN:?}"
            );
            tokio::time::sleep(JOURNAL_POLL).await;
        }
        worker.stop().await?;
        let marks = marks(&journal)?;
        let finished = marks.iter().filter(|(mark, _)| *mark == Mark::Finished);
        self.queued = self.queued.saturating_sub(finished.count());
        Ok(Cost::of(&mut gaps(&marks)))
    }
}

/// The times from the end of a handler to the start of the next one, in microseconds.
fn gaps(marks: &[(Mark, u64)]) -> Vec<u64> {
    let pairs = marks.iter().zip(marks.iter().skip(1));
    let gaps =
        pairs.filter(|((one, _), (next, _))| *one == Mark::Finished && *next == Mark::Started);
    gaps.map(|((_, ended_us), (_, started_us))| started_us.saturating_sub(*ended_us))
        .collect()
}

/// What handlers noted, in order.
fn marks(journal: &Path) -> anyhow::Result<Vec<(Mark, u64)>> {
    let entries = Journal::read(journal).context("read the journal")?;
    Ok(entries
        .iter()
        .map(|entry| (entry.mark, entry.at_us))
        .collect())
}

fn micros(time: Duration) -> anyhow::Result<u64> {
    Ok(u64::try_from(time.as_micros())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_from_an_end_to_the_next_start() {
        let marks = [
            (Mark::Started, 10),
            (Mark::Finished, 20),
            (Mark::Started, 25),
            (Mark::Finished, 26),
            (Mark::Started, 40),
        ];
        assert_eq!(gaps(&marks), [5, 14]);
        assert!(gaps(&[]).is_empty());
    }
}
