//! Breaks Assay under load; exits 0 only if every promise was kept.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use assay_bench::chaos::embedded;
use assay_bench::chaos::redis::selftest::{self, BUGS};
use assay_bench::chaos::redis::{self, Programs, SCENARIOS, Scale, Scenario, Setup, Table};
use assay_test_support::redis::ensure_program;
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// One process over one data folder, killed at random moments.
    Embedded(Embedded),
    /// Processes over a Redis: one fault per row.
    Redis(Redis),
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
struct Redis {
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
    let clean = match Arguments::parse().mode {
        Mode::Embedded(arguments) => break_embedded(&folder, arguments).await?,
        Mode::Redis(arguments) => break_redis(&folder, arguments).await?,
        Mode::Selftest(arguments) => plant_bugs(&folder, arguments).await?,
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

async fn break_redis(folder: &Path, arguments: Redis) -> anyhow::Result<bool> {
    if arguments.list {
        for scenario in &SCENARIOS {
            assay_bench::print(&format!("{:<20} {}", scenario.name, scenario.fault));
        }
        return Ok(true);
    }
    ensure_program()?;
    let scale = if arguments.short {
        Scale::Short
    } else {
        Scale::Full
    };
    let setup = setup(folder, scale, arguments.seed);
    let mut table = Table::default();
    for scenario in chosen(&arguments.rows)? {
        let start = Instant::now();
        let mut row = redis::run(scenario, &setup).await?;
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

fn chosen(rows: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if rows.is_empty() {
        return Ok(SCENARIOS.iter().collect());
    }
    let named = |name: &String| {
        Scenario::named(name).with_context(|| format!("find row {name}; `--list` names them"))
    };
    rows.iter().map(named).collect()
}

async fn plant_bugs(folder: &Path, arguments: Selftest) -> anyhow::Result<bool> {
    ensure_program()?;
    let setup = setup(folder, Scale::Short, arguments.seed);
    let mut all_reported = true;
    for bug in &BUGS {
        let trial = selftest::plant(bug, &setup).await?;
        let verdict = if trial.passed {
            "reported"
        } else {
            "NOT REPORTED"
        };
        assay_bench::print(&format!("{}: {verdict} by {}", bug.what, bug.scenario));
        for (build, row) in [("as it is", &trial.sound), ("with the bug", &trial.planted)] {
            let said = if row.is_clean() {
                "every promise kept".to_owned()
            } else {
                row.broken().join("; ")
            };
            assay_bench::print(&format!("    {build}: {said}"));
        }
        all_reported &= trial.passed;
    }
    Ok(all_reported)
}

fn setup(folder: &Path, scale: Scale, seed: u64) -> Setup {
    Setup {
        programs: Programs::faulty(folder),
        scale,
        seed,
        planted: Vec::new(),
        folder: PathBuf::new(),
    }
}
