//! Assay beside its peers, over Redis and over RabbitMQ: jobs a second, CPU and memory per job, delays, and what a
//! million jobs cost.
//!
//! Every run has private servers of its own with the same settings, and drivers in processes of their own that all
//! keep to [`role`]. Prints tables, in words where a peer can't be measured; asserts nothing about who is faster.

pub mod bare;
pub mod contender;
pub mod contest;
pub mod delay;
pub mod driver;
pub mod family;
pub mod idle;
pub mod install;
pub mod machine;
pub mod million;
pub mod mode;
pub mod report;
pub mod role;
pub mod servers;
pub mod services;
pub mod setting;
pub mod stage;
pub mod table;
pub mod throughput;
pub mod usage;

use std::path::PathBuf;

use contender::{Contender, Programs};
use contest::Score;
use mode::Mode;
use role::Add;
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
    /// What jobs and their records go through.
    pub mode: Mode,
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
    /// Measures ours and nobody beside it: for a look at where its time goes.
    pub alone: bool,
}

/// Measures and prints; says whether everybody could be measured.
///
/// # Errors
/// When our own part fails.
pub async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let mode = settings.mode;
    assay_test_support::redis::ensure_program()?;
    if mode == Mode::Full {
        assay_test_support::rabbit::ensure_program()?;
    }
    let programs = install::install(mode, &settings.programs).await?;
    for fact in machine::facts(&programs).await? {
        println!("{fact}");
    }
    println!();
    let wanted = |section| settings.only.is_none_or(|only| only == section);
    let mut complete = programs.peers.values().all(Result::is_ok);
    let mut scores = Vec::new();
    if wanted(Section::Throughput) {
        let contenders = if settings.alone {
            &[Contender::Assay]
        } else {
            mode.contenders()
        };
        scores = contest::run(&programs, contenders, settings.jobs, settings.rounds).await;
        for table in report::sweep(mode, &scores) {
            println!("{table}");
        }
        let (jobs, rounds) = (settings.jobs, settings.rounds);
        println!("{}", report::speeds(mode, &scores, jobs, rounds));
        println!("{}", report::ratios(mode, &scores));
        complete &= scores.iter().all(|score| score.runs.is_ok());
    }
    if wanted(Section::Delays) {
        let starts = settings.jobs.min(STARTS_MAX);
        let delays = delays(&programs, &scores, starts).await;
        complete &= delays.iter().all(|(_, delays)| delays.is_ok());
        println!("{}", report::delays(mode, delays));
    }
    if wanted(Section::Million) {
        println!(
            "{}",
            report::depths(&million::measure(&programs, settings.queued).await?)
        );
    }
    if wanted(Section::Idle) {
        println!("{}", report::idle(&idle::measure(&programs).await?));
    }
    for note in mode.notes() {
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
    for contender in programs.mode.timed() {
        let mut of = scores.iter().filter(|score| score.contender == contender);
        let usual = || Setting::usual(programs.mode, contender);
        let setting = of.next().map_or_else(usual, |score| score.setting);
        // Jobs that come one by one.
        let setting = Setting {
            add: Add::Single,
            ..setting
        };
        let measured = delay::measure(programs, contender, setting, starts).await;
        delays.push((contender, measured.map_err(|error| format!("{error:#}"))));
    }
    delays
}
