//! How long an update takes to its watchers, with many of them over HTTP.

use std::path::Path;
use std::time::Duration;

use assay_probe::Script;
use tokio::time::Instant;

use super::Aim;
use super::audience::{Account, Audience, Way};
use super::site::{Room, Site};
use crate::statistics::{ms, quantile};

const MIB: u64 = 1024 * 1024;
/// Jobs that report.
const JOBS: u64 = 100;
/// Between two updates of a job, in milliseconds: with all of them, 200 updates a second.
const GAP_MS: u64 = 500;
/// Updates of each job.
const UPDATES: u64 = 30;
/// Connections besides those of the watchers.
const CONNECTIONS_BESIDES: usize = 50;
/// How long it may take until all watch.
const SEATED_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take until all have seen the end.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// What 99 of 100 updates are to take at most, in microseconds.
const P99_US_MAX: u64 = 250_000;

/// Measures and prints.
pub(super) async fn print(programs: &Path, watchers: usize) -> anyhow::Result<()> {
    let room = Room {
        connections: watchers + CONNECTIONS_BESIDES,
        watchers,
        workers: 1,
        concurrency: usize::try_from(JOBS)?,
    };
    let mut site = Site::start(programs, room).await?;
    site.send_worker_away().await?;
    let jobs = site.submit(&scripts(JOBS, UPDATES, GAP_MS)).await?;
    let alone_bytes = site.resident_bytes()?;
    let mut audience = Audience::default();
    for job_id in jobs.iter().cycle().take(watchers) {
        audience.seat(Way::Http(site.http), job_id.clone());
    }
    audience.all_seated(SEATED_WITHIN).await?;
    let watched_bytes = site.resident_bytes()?;
    let (cpu_before, begun) = (site.cpu_seconds()?, Instant::now());
    site.bring_worker_back().await?;
    let accounts = audience.until_the_end(ENDED_WITHIN).await?;
    let cpu = (site.cpu_seconds()? - cpu_before) / begun.elapsed().as_secs_f64();
    let told: usize = accounts.iter().map(|account| account.updates.len()).sum();
    println!(
        "{watchers} watchers over HTTP of {JOBS} jobs: {told} updates told, no gap, every end; {:.0} updates/s in all",
        updates_per_second(&accounts, JOBS * UPDATES)
    );
    print_latency(&accounts, Some(P99_US_MAX));
    println!(
        "gateway                     {} MiB resident without watchers, {} with them, {} at the end; {:.0} % of a CPU",
        alone_bytes / MIB,
        watched_bytes / MIB,
        site.resident_bytes()? / MIB,
        cpu * 100.0
    );
    Ok(())
}

/// One script for each job, which report one after the other.
pub(super) fn scripts(jobs: u64, updates: u64, gap_ms: u64) -> Vec<Script> {
    let script = |number| Script::reporting(number * gap_ms / jobs, updates, gap_ms);
    (0..jobs).map(script).collect()
}

/// How long updates took to all who watch.
pub(super) fn print_latency(accounts: &[Account], p99_us_max: Option<u64>) {
    let updates = accounts.iter().flat_map(|account| &account.updates);
    let mut latencies_us: Vec<u64> = updates.map(|update| update.latency_us).collect();
    let p99_us = quantile(&mut latencies_us, 0.99);
    let aim = p99_us_max.map(|most| Aim {
        target: "p99 <= 250 ms",
        reached: !latencies_us.is_empty() && p99_us <= most,
    });
    let aim = aim.map_or_else(String::new, |aim| format!(" ({aim})"));
    println!(
        "update -> watcher           p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms{aim}",
        ms(quantile(&mut latencies_us, 0.5)),
        ms(p99_us),
        ms(quantile(&mut latencies_us, 1.0))
    );
}

/// How fast so many updates really were reported, from the first to the last that anybody was told.
#[expect(
    clippy::cast_precision_loss,
    reason = "fewer than 2^52 updates and microseconds"
)]
fn updates_per_second(accounts: &[Account], updates: u64) -> f64 {
    let reported = || {
        let updates = accounts.iter().flat_map(|account| &account.updates);
        updates.map(|update| update.reported_us)
    };
    let span_us = match (reported().min(), reported().max()) {
        (Some(first), Some(last)) if last > first => last - first,
        _ => return 0.0,
    };
    updates.saturating_sub(1) as f64 * 1e6 / span_us as f64
}

#[cfg(test)]
mod tests {
    use super::super::audience::Update;
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_reports() {
        let account = |times_us: &[u64]| Account {
            updates: times_us
                .iter()
                .map(|time_us| Update {
                    reported_us: *time_us,
                    latency_us: 7,
                })
                .collect(),
            ..Account::default()
        };
        let accounts = [account(&[1_000_000, 2_000_000]), account(&[500_000])];
        assert_eq!(updates_per_second(&accounts, 4), 2.0);
        assert_eq!(updates_per_second(&accounts[1..], 1), 0.0);
        assert_eq!(updates_per_second(&[], 4), 0.0);
    }

    #[test]
    fn jobs_report_one_after_the_other() {
        let scripts: Vec<_> = scripts(3, 7, 900).iter().map(ToString::to_string).collect();
        let expected = [0, 300, 600].map(|lead| format!("sleep:{lead},report:7/900"));
        assert_eq!(scripts, expected);
    }
}
