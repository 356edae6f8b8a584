//! Prints what looking at photographs costs a real worker on this machine. Asserts nothing.

use std::path::PathBuf;

use anyhow::Context;
use assay_bench::examination::{cores, photo};
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
struct Arguments {
    /// Width of the large photo in pixels; its height is two thirds of it.
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u16).range(64..=9_600))]
    width: u16,
    /// Photos of a run on one core, and of one on two.
    #[arg(long, default_value_t = 32)]
    photos: usize,
    /// Runs on one core, and on two; the medians are compared.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Measures this alone, not everything.
    #[arg(long)]
    only: Option<Section>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// What a large photo needs of what a child may have.
    Photo,
    /// What the second core adds.
    Cores,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder: PathBuf = std::env::current_exe()
        .context("find this program")?
        .with_file_name("");
    let wanted = |section| arguments.only.is_none_or(|only| only == section);
    if wanted(Section::Photo) {
        let (width, height) = (arguments.width, arguments.width / 3 * 2);
        print(&photo::measure(&folder, width, height).await?.lines());
    }
    if wanted(Section::Cores) {
        print(
            &cores::measure(&folder, arguments.photos, arguments.rounds)
                .await?
                .lines(),
        );
    }
    Ok(())
}

fn print(lines: &[String]) {
    for line in lines {
        assay_bench::print(line);
    }
}
