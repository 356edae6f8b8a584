//! Kills the server under load; exits 0 only if every promise was kept.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use assay_bench::chaos;
use clap::Parser;

#[derive(Debug, Parser)]
struct Arguments {
    /// How often the server is killed.
    #[arg(long, default_value_t = 50)]
    rounds: u32,
    /// Jobs that each round submits.
    #[arg(long, default_value_t = 400)]
    jobs: usize,
    /// Makes the load repeatable.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server; by default `probe-dev` beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let beside = std::env::current_exe()
        .context("find this program")?
        .with_file_name("probe-dev");
    let settings = chaos::Settings {
        program: arguments.server.unwrap_or(beside),
        rounds: arguments.rounds,
        jobs_per_round: arguments.jobs,
        seed: arguments.seed,
    };
    let report = chaos::run(&settings).await?;
    assay_bench::print(&report);
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
