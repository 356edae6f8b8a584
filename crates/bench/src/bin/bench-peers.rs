//! Prints Assay beside its peers. Exits 0 only if everybody could be measured, whoever was faster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use assay_bench::peers::mode::Mode;
use assay_bench::peers::{self, Section, Settings};
use clap::Parser;

#[derive(Debug, Parser)]
struct Arguments {
    /// What jobs and their records go through.
    #[arg(long)]
    mode: Mode,
    /// Jobs of a run.
    #[arg(long, default_value_t = 30_000)]
    jobs: usize,
    /// Runs of each contender; medians are printed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs in the queue when very many are.
    #[arg(long, default_value_t = 1_000_000)]
    queued: usize,
    /// Measures this alone, not everything.
    #[arg(long)]
    only: Option<Section>,
    /// Measures ours and nobody beside it: for a look at where its time goes.
    #[arg(long)]
    alone: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let programs: PathBuf = std::env::current_exe()
        .context("find this program")?
        .parent()
        .context("find the folder of programs")?
        .to_owned();
    let settings = Settings {
        mode: arguments.mode,
        programs,
        jobs: arguments.jobs,
        rounds: arguments.runs,
        queued: arguments.queued,
        only: arguments.only,
        alone: arguments.alone,
    };
    let complete = peers::run(&settings).await?;
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
