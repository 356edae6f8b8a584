//! Breaks Assay under load; exits 0 only if every promise was kept.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use assay_bench::chaos::embedded;
use assay_bench::chaos::services::selftest::{self, BUGS, Bug};
use assay_bench::chaos::services::{
    self, Mode, Programs, SCENARIOS, Scale, Scenario, Setup, Table,
};
use assay_test_support::{rabbit, redis};
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One process over one data folder, killed at random moments.
    Embedded(Embedded),
    /// Processes over a Redis: one fault per row.
    Redis(Services),
    /// Processes over a Redis and a RabbitMQ: one fault per row.
    Full(Services),
    /// Plants bugs, and passes only if each is reported.
    Selftest(Selftest),
}

#[derive(Debug, Args)]
struct Embedded {
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

#[derive(Debug, Args)]
struct Services {
    /// Rows, by name; all if none is named.
    rows: Vec<String>,
    /// Names the rows and does nothing.
    #[arg(long)]
    list: bool,
    /// One round of each, with short leases.
    #[arg(long)]
    short: bool,
    /// Makes the load repeatable.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct Selftest {
    /// Makes the load repeatable.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let folder = std::env::current_exe()
        .context("find this program")?
        .with_file_name("");
    let clean = match Arguments::parse().what {
        What::Embedded(arguments) => break_embedded(&folder, arguments).await?,
        What::Redis(arguments) => break_services(&folder, Mode::Redis, arguments).await?,
        What::Full(arguments) => break_services(&folder, Mode::Full, arguments).await?,
        What::Selftest(arguments) => plant_bugs(&folder, &arguments).await?,
    };
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn break_embedded(folder: &Path, arguments: Embedded) -> anyhow::Result<bool> {
    let beside = folder.join("probe-dev");
    let settings = embedded::Settings {
        program: arguments.server.unwrap_or(beside),
        rounds: arguments.rounds,
        jobs_per_round: arguments.jobs,
        seed: arguments.seed,
    };
    let report = embedded::run(&settings).await?;
    assay_bench::print(&report);
    Ok(report.is_clean())
}

async fn break_services(folder: &Path, mode: Mode, arguments: Services) -> anyhow::Result<bool> {
    let chosen = chosen(mode, &arguments.rows)?;
    if arguments.list {
        for scenario in chosen {
            assay_bench::print(&format!("{:<20} {}", scenario.name, scenario.fault));
        }
        return Ok(true);
    }
    ensure_servers(mode)?;
    let scale = if arguments.short {
        Scale::Short
    } else {
        Scale::Full
    };
    let setup = setup(folder, mode, scale, arguments.seed);
    let mut table = Table::default();
    for scenario in chosen {
        let start = Instant::now();
        let mut row = services::run(scenario, &setup).await?;
        row.took = start.elapsed();
        let verdict = if row.is_clean() { "kept" } else { "BROKEN" };
        let seconds = row.took.as_secs();
        assay_bench::print(&format!("{:<20} {verdict}, {seconds} s", scenario.name));
        for broken in row.broken() {
            assay_bench::print(&format!("    {broken}"));
        }
        table.0.push(row);
    }
    assay_bench::print(&table);
    Ok(table.is_clean())
}

/// Has what the rows of a mode start on this machine.
fn ensure_servers(mode: Mode) -> anyhow::Result<()> {
    redis::ensure_program()?;
    match mode {
        Mode::Redis => Ok(()),
        Mode::Full => rabbit::ensure_program().map(drop),
    }
}

/// The rows of a mode that were named, or all of them.
fn chosen(mode: Mode, rows: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if rows.is_empty() {
        let of_mode = SCENARIOS.iter().filter(|scenario| scenario.is_for(mode));
        return Ok(of_mode.collect());
    }
    let named = |name: &String| {
        let scenario = Scenario::named(name).filter(|scenario| scenario.is_for(mode));
        scenario.with_context(|| format!("find row {name}; `chaos {mode} --list` names them"))
    };
    rows.iter().map(named).collect()
}

async fn plant_bugs(folder: &Path, arguments: &Selftest) -> anyhow::Result<bool> {
    let mut all_reported = true;
    for mode in Mode::BOTH {
        ensure_servers(mode)?;
        let setup = setup(folder, mode, Scale::Short, arguments.seed);
        for bug in &BUGS {
            all_reported &= plant_bug(bug, &setup).await?;
        }
    }
    Ok(all_reported)
}

/// Whether a bug was reported.
async fn plant_bug(bug: &Bug, setup: &Setup) -> anyhow::Result<bool> {
    let trial = selftest::plant(bug, setup).await?;
    let verdict = if trial.passed {
        "reported"
    } else {
        "NOT REPORTED"
    };
    let (mode, what, scenario) = (setup.mode, bug.what, bug.scenario);
    assay_bench::print(&format!("{mode}: {what}: {verdict} by {scenario}"));
    for (build, row) in [("as it is", &trial.sound), ("with the bug", &trial.planted)] {
        let said = if row.is_clean() {
            "every promise kept".to_owned()
        } else {
            row.broken().join("; ")
        };
        assay_bench::print(&format!("    {build}: {said}"));
    }
    Ok(trial.passed)
}

fn setup(folder: &Path, mode: Mode, scale: Scale, seed: u64) -> Setup {
    Setup {
        programs: Programs::faulty(folder),
        mode,
        scale,
        seed,
        planted: Vec::new(),
        folder: PathBuf::new(),
    }
}
