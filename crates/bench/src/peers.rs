//! Assay beside its peers, over Redis: jobs a second, CPU and memory per job, delays, and what a million jobs cost.
//!
//! Every run has a private Redis of its own with the same settings, and drivers in processes of their own that all
//! keep to [`role`]. Prints tables, in words where a peer can't be measured; asserts nothing about who is faster.

pub mod contender;
pub mod contest;
pub mod delay;
pub mod driver;
pub mod idle;
pub mod install;
pub mod machine;
pub mod million;
pub mod report;
pub mod role;
pub mod services;
pub mod setting;
pub mod stage;
pub mod table;
pub mod throughput;
pub mod usage;

use std::path::PathBuf;

use contender::{Contender, Programs};
use contest::Score;
use setting::Setting;

/// Jobs whose start is timed, at most.
const STARTS_MAX: usize = 5_000;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Section {
    /// Jobs a second.
    Throughput,
    /// From submit to start.
    Delays,
    /// What very many queued jobs cost.
    Million,
    /// Memory of services that do nothing.
    Idle,
}

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of our programs.
    pub programs: PathBuf,
    /// Jobs of a run.
    pub jobs: usize,
    /// Runs of each contender.
    pub rounds: usize,
    /// Jobs in the queue when very many are.
    pub queued: usize,
    /// Measures this alone, not everything.
    pub only: Option<Section>,
}

/// Measures and prints; says whether everybody could be measured.
///
/// # Errors
/// When our own part fails.
pub async fn run(settings: &Settings) -> anyhow::Result<bool> {
    assay_test_support::redis::ensure_program()?;
    let programs = install::install(&settings.programs).await?;
    for fact in machine::facts(&programs).await {
        println!("{fact}");
    }
    println!();
    let wanted = |section| settings.only.is_none_or(|only| only == section);
    let mut complete = Contender::ALL
        .into_iter()
        .all(|one| programs.missing(one).is_none());
    let mut scores = Vec::new();
    if wanted(Section::Throughput) {
        scores = contest::run(&programs, settings.jobs, settings.rounds).await;
        println!("{}", report::sweep(&scores));
        println!(
            "{}",
            report::speeds(&scores, settings.jobs, settings.rounds)
        );
        println!("{}", report::ratios(&scores));
        complete &= scores.iter().all(|score| score.runs.is_ok());
    }
    if wanted(Section::Delays) {
        let starts = settings.jobs.min(STARTS_MAX);
        let delays = delays(&programs, &scores, starts).await;
        complete &= delays.iter().all(|(_, delays)| delays.is_ok());
        println!("{}", report::delays(delays));
    }
    if wanted(Section::Million) {
        println!(
            "{}",
            report::depths(&million::measure(&programs.ours, settings.queued).await?)
        );
    }
    if wanted(Section::Idle) {
        println!("{}", report::idle(&idle::measure(&programs.ours).await?));
    }
    for note in report::NOTES {
        println!("{note}");
    }
    Ok(complete)
}

async fn delays(
    programs: &Programs,
    scores: &[Score],
    starts: usize,
) -> Vec<(Contender, Result<Vec<u64>, String>)> {
    let mut delays = Vec::new();
    for contender in Contender::PRODUCTS {
        let mut of = scores.iter().filter(|score| score.contender == contender);
        let concurrency = of.next().map_or(Setting::USUAL.concurrency, |score| {
            score.setting.concurrency
        });
        let setting = Setting {
            concurrency,
            ..Setting::USUAL
        };
        let measured = delay::measure(programs, contender, setting, starts).await;
        delays.push((contender, measured.map_err(|error| format!("{error:#}"))));
    }
    delays
}
