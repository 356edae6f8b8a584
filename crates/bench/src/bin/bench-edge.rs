//! Prints what the edge does on this machine: submits over HTTP beside gRPC, and very many watchers.

use std::path::PathBuf;

use anyhow::Context;
use assay_bench::edge::{self, Section, Sizes};
use clap::Parser;

#[derive(Debug, Parser)]
struct Arguments {
    /// Submits of a round, over each way.
    #[arg(long, default_value_t = 4_000)]
    submits: usize,
    /// Rounds of each way, in turns; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Watchers of jobs that report 200 times a second.
    #[arg(long, default_value_t = 1_000)]
    watchers: usize,
    /// As many watchers as a gateway takes.
    #[arg(long, default_value_t = 10_000)]
    crowd: usize,
    /// Measures this alone, not everything.
    #[arg(long)]
    only: Option<Section>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let programs: PathBuf = std::env::current_exe()
        .context("find this program")?
        .with_file_name("");
    let sizes = Sizes {
        submits: arguments.submits,
        rounds: arguments.rounds,
        watchers: arguments.watchers,
        crowd: arguments.crowd,
    };
    edge::print(&programs, &sizes, arguments.only).await
}
