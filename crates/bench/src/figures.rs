//! The figures that `make bench` prints, one section each, each with a server of its own.

use std::path::Path;

use anyhow::Context;

use crate::server::{Plan, Server};
use crate::statistics::{ms, quantile};
use crate::{footprint, latency, speed};

const MIB: u64 = 1024 * 1024;
/// Sets how many jobs a worker runs at once.
const CONCURRENCY_VARIABLE: &str = "ASSAY__WORKER__CONCURRENCY";
/// Jobs whose start is timed.
const STARTS: usize = 5_000;
/// Jobs whose cancel is timed.
const CANCELS: usize = 200;
/// Jobs in the queue that a listing page is compared against.
const FEW_QUEUED: usize = 100;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Jobs of a speed run.
    pub jobs: usize,
    /// Speed runs; the median is printed.
    pub runs: usize,
    /// Jobs in the queue when memory is measured.
    pub queued: usize,
    /// Jobs that the worker of a speed run runs at once. Its jobs do nothing, so that many wait for commits.
    pub concurrency: usize,
}

/// What is measured on a server of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Section {
    /// Memory of a server that does nothing.
    Idle,
    /// Jobs a second.
    Throughput,
    /// How long a job waits to start, and a handler to hear of a cancel.
    Delays,
    /// Memory and listings with many jobs in the queue.
    Waiting,
}

/// Measures and prints everything, or one section; `programs` is the folder of `assay` and `probe-dev`.
///
/// # Errors
/// When a server can't be started or does not answer.
pub async fn print(programs: &Path, sizes: &Sizes, only: Option<Section>) -> anyhow::Result<()> {
    println!("embedded, fsync on, 400-byte payload, one progress write; client in its own process");
    let wanted = |section| only.is_none_or(|only| only == section);
    if wanted(Section::Idle) {
        idle(programs).await?;
    }
    if wanted(Section::Throughput) {
        throughput(programs, sizes).await?;
    }
    if wanted(Section::Delays) {
        delays(programs).await?;
    }
    if wanted(Section::Waiting) {
        waiting(programs, sizes.queued).await?;
    }
    Ok(())
}

async fn idle(programs: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let plan = Plan {
        program: programs.join("assay"),
        words: vec!["dev".to_owned()],
        ..plan(programs, folder.path())
    };
    let server = Server::start(&plan).await?;
    println!(
        "idle `assay dev`            {} MiB resident",
        server.resident_bytes()? / MIB
    );
    Ok(())
}

async fn throughput(programs: &Path, sizes: &Sizes) -> anyhow::Result<()> {
    let concurrency = sizes.concurrency.to_string();
    let mut speeds = Vec::new();
    for _ in 0..sizes.runs {
        let folder = tempfile::tempdir().context("make a folder")?;
        let server = Server::start(&Plan {
            settings: vec![(CONCURRENCY_VARIABLE.to_owned(), concurrency.clone())],
            ..plan(programs, folder.path())
        })
        .await?;
        speeds.push(speed::measure(&server, sizes.jobs).await?);
    }
    speeds.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let median = speeds.get(sizes.runs / 2).context("run at least once")?;
    println!(
        "submit -> result            {:.0} jobs/s, median of {} runs, {concurrency} at once",
        median.jobs_per_second(),
        sizes.runs
    );
    println!(
        "submit -> accepted          {:.0} jobs/s",
        median.submits_per_second()
    );
    let per_job = |seconds: f64| seconds * 1e6 / median.jobs_per_second() / median.seconds;
    println!(
        "CPU per job, server         {:.0} us",
        per_job(median.server_cpu_seconds)
    );
    println!(
        "CPU per job, client         {:.0} us",
        per_job(median.client_cpu_seconds)
    );
    Ok(())
}

async fn delays(programs: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let journal = folder.path().join("journal");
    let words = vec!["--journal".to_owned(), journal.display().to_string()];
    let server = Server::start(&Plan {
        words,
        ..plan(programs, folder.path())
    })
    .await?;
    let mut starts = latency::submit_to_start(&server, &journal, STARTS).await?;
    println!(
        "submit -> start at 500/s    p50 {:.2} ms, p99 {:.2} ms",
        ms(quantile(&mut starts, 0.5)),
        ms(quantile(&mut starts, 0.99))
    );
    let mut cancels = latency::cancel_to_handler(&server, &journal, CANCELS).await?;
    println!(
        "cancel -> handler           p50 {:.2} ms, p99 {:.2} ms",
        ms(quantile(&mut cancels, 0.5)),
        ms(quantile(&mut cancels, 0.99))
    );
    Ok(())
}

async fn waiting(programs: &Path, queued: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let words = vec!["--without-worker".to_owned()];
    let server = Server::start(&Plan {
        words,
        ..plan(programs, folder.path())
    })
    .await?;
    let few = footprint::measure(&server, 0, FEW_QUEUED).await?;
    let many = footprint::measure(&server, FEW_QUEUED, queued).await?;
    let more = many.resident_bytes.saturating_sub(few.resident_bytes) / MIB;
    println!("{queued} queued jobs         {more} MiB more resident than {FEW_QUEUED}");
    println!(
        "a listing page              {:.2} ms at {FEW_QUEUED}, {:.2} ms at {queued}",
        ms(few.page_p50_us),
        ms(many.page_p50_us)
    );
    Ok(())
}

fn plan(programs: &Path, folder: &Path) -> Plan {
    Plan {
        program: programs.join("probe-dev"),
        words: Vec::new(),
        data_dir: folder.join("data"),
        settings: Vec::new(),
        log: folder.join("server.log"),
    }
}
