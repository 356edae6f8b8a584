//! Prints what the embedded mode does on this machine. Asserts nothing.

use std::path::PathBuf;

use anyhow::Context;
use assay_bench::figures;
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder: PathBuf = std::env::current_exe()
        .context("find this program")?
        .with_file_name("");
    figures::print(&folder, arguments.jobs, arguments.runs, arguments.queued).await
}
