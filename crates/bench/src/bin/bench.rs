//! Prints what the embedded mode does on this machine. Asserts nothing.

use std::path::PathBuf;

use anyhow::Context;
use assay_bench::figures::{self, Section, Sizes};
use clap::Parser;

#[derive(Debug, Parser)]
struct Arguments {
    /// Jobs of a speed run.
    #[arg(long, default_value_t = 60_000)]
    jobs: usize,
    /// Speed runs; the median is printed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs in the queue when memory is measured.
    #[arg(long, default_value_t = 100_000)]
    queued: usize,
    /// Jobs that the worker of a speed run runs at once.
    #[arg(long, default_value_t = 512)]
    concurrency: usize,
    /// Measures this alone, not everything.
    #[arg(long)]
    only: Option<Section>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder: PathBuf = std::env::current_exe()
        .context("find this program")?
        .with_file_name("");
    let sizes = Sizes {
        jobs: arguments.jobs,
        runs: arguments.runs,
        queued: arguments.queued,
        concurrency: arguments.concurrency,
    };
    figures::print(&folder, &sizes, arguments.only).await
}
