//! As many watchers as a gateway takes, half of them over HTTP: what they cost, and what one more is told.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use tokio::time::Instant;
use tonic::Code;

use super::audience::{Audience, Way};
use super::site::{Room, Site};
use super::watchers::{print_latency, scripts};
use crate::client::Client;
use crate::http::events::{Events, Opened};

const MIB: u64 = 1024 * 1024;
/// Jobs that are watched.
const JOBS: u64 = 100;
/// Between two updates of a job, in milliseconds.
const GAP_MS: u64 = 5_000;
/// Updates of each job.
const UPDATES: u64 = 3;
/// Watchers of one gRPC connection: a little less than a gateway allows.
const STREAMS_PER_CONNECTION: usize = 1_000;
/// Connections besides those of the watchers.
const CONNECTIONS_BESIDES: usize = 50;
/// How long it may take until all watch.
const SEATED_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take until all have seen the end.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// What one more is told, in one word and in HTTP's.
const REASON: &str = "WATCHERS_FULL";
const TOO_MANY: u16 = 429;

/// Measures and prints; no more than `connections_max` watchers have a connection of their own.
pub(super) async fn print(
    programs: &Path,
    watchers: usize,
    connections_max: usize,
) -> anyhow::Result<()> {
    let over_http = (watchers / 2).min(connections_max);
    let room = Room {
        connections: over_http + CONNECTIONS_BESIDES,
        watchers,
        workers: 1,
        concurrency: usize::try_from(JOBS)?,
    };
    let mut site = Site::start(programs, room).await?;
    site.send_worker_away().await?;
    let jobs = site.submit(&scripts(JOBS, UPDATES, GAP_MS)).await?;
    let alone_bytes = site.resident_bytes()?;
    let begun = Instant::now();
    let mut audience = Audience::default();
    let ways = ways(&site, watchers, over_http).await?;
    for (way, job_id) in ways.into_iter().zip(jobs.iter().cycle()) {
        audience.seat(way, job_id.clone());
    }
    audience.all_seated(SEATED_WITHIN).await?;
    let seated_seconds = begun.elapsed().as_secs_f64();
    let watched_bytes = site.resident_bytes()?;
    let one_job = jobs.first().context("have a job to watch")?;
    one_more(&site, one_job).await?;
    site.bring_worker_back().await?;
    let accounts = audience.until_the_end(ENDED_WITHIN).await?;
    println!(
        "{watchers} watchers of {JOBS} jobs, {over_http} of them over HTTP: all in after {seated_seconds:.1} s; no gap, {} ends",
        accounts.len()
    );
    print_latency(&accounts, None);
    let bytes_each = watched_bytes.saturating_sub(alone_bytes) / u64::try_from(watchers.max(1))?;
    println!(
        "gateway                     {} MiB resident without watchers, {} with them ({} KiB each), {} at the end",
        alone_bytes / MIB,
        watched_bytes / MIB,
        bytes_each / 1024,
        site.resident_bytes()? / MIB
    );
    Ok(())
}

/// How each of the watchers watches.
async fn ways(site: &Site, watchers: usize, over_http: usize) -> anyhow::Result<Vec<Way>> {
    let mut ways = vec![Way::Http(site.http); over_http];
    while ways.len() < watchers {
        let client = Client::connect(site.grpc).await?;
        let streams = (watchers - ways.len()).min(STREAMS_PER_CONNECTION);
        ways.extend(std::iter::repeat_n(Way::Grpc(Box::new(client)), streams));
    }
    Ok(ways)
}

/// One more is refused over both ways, and told why.
async fn one_more(site: &Site, job_id: &str) -> anyhow::Result<()> {
    let request = v1::WatchJobRequest {
        job_id: job_id.to_owned(),
        ..v1::WatchJobRequest::default()
    };
    let mut client = Client::connect(site.grpc).await?;
    let refused = match client.jobs.watch_job(request).await {
        Ok(_) => anyhow::bail!("one watcher more than the limit was let in over gRPC"),
        Err(status) => status,
    };
    anyhow::ensure!(
        refused.code() == Code::ResourceExhausted,
        "one more is told over gRPC: {refused}"
    );
    println!(
        "one more over gRPC          {:?}: {}",
        refused.code(),
        refused.message()
    );
    let answer = match Events::open(site.http, job_id, "").await? {
        Opened::Events(_) => anyhow::bail!("one watcher more than the limit was let in over HTTP"),
        Opened::Answer(answer) => answer,
    };
    let problem: serde_json::Value = serde_json::from_slice(&answer.body)?;
    anyhow::ensure!(
        answer.status == TOO_MANY && problem["reason"] == REASON,
        "one more is told over HTTP: {} {problem}",
        answer.status
    );
    let detail = problem["detail"].as_str().unwrap_or_default();
    println!("one more over HTTP          {}: {detail}", answer.status);
    Ok(())
}
