//! Kills the server at random moments under load, then asks it about everything it ever promised.

mod report;
mod round;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;

pub use report::Report;

use super::audit;
use crate::ledger::Ledger;
use crate::server::{Plan, Server};

/// What to do to the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server: `assay dev` with the probe as its worker.
    pub program: PathBuf,
    /// How often it is killed.
    pub rounds: u32,
    /// Jobs that each round submits.
    pub jobs_per_round: usize,
    /// Makes a run repeatable, as far as processes are.
    pub seed: u64,
}

/// Runs all rounds in a fresh data folder.
///
/// # Errors
/// When the server can't be started or contradicts itself. What it lost is in the report, not an error.
pub async fn run(settings: &Settings) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().context("make a folder for the run")?;
    let journal = folder.path().join("journal");
    let plan = Plan {
        program: settings.program.clone(),
        words: vec!["--journal".to_owned(), journal.display().to_string()],
        data_dir: folder.path().join("data"),
        settings: Vec::new(),
        log: folder.path().join("server.log"),
    };
    let mut chance = StdRng::seed_from_u64(settings.seed);
    let mut ledger = Ledger::default();
    let mut kills_us = Vec::new();
    for number in 0..settings.rounds {
        let server = Server::start(&plan).await?;
        kills_us.push(
            round::run(
                server,
                number,
                settings.jobs_per_round,
                &mut ledger,
                &mut chance,
            )
            .await?,
        );
        println!(
            "round {:>3}: {} accepted so far",
            number + 1,
            ledger.accepted().count()
        );
    }
    let server = Server::start(&plan).await?;
    let findings = audit::run(server.gateway, &mut ledger, &BTreeSet::new()).await?;
    drop(server);
    let entries = assay_probe::Journal::read(&journal).context("read the journal")?;
    Ok(Report::new(&ledger, &findings, &entries, &kills_us))
}
