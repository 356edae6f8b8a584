//! The processes of an installation over servers of their own; each fault is a row.
//!
//! A [`scenario`] is one idea: how the fault is made, and what must be true besides what always must. Everything runs
//! on loopback in a folder of its own: a private Redis, in [full mode](Mode::Full) a private RabbitMQ too, gateways,
//! schedulers and probe workers as processes, and, where the network is at fault, a proxy between them.

mod audit;
mod load;
mod mode;
mod row;
mod scenario;
mod scene;
pub mod selftest;
mod table;
mod until;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use mode::Mode;
pub use row::Row;
pub use scenario::{SCENARIOS, Scenario};
pub use table::Table;

/// The programs that are broken.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The edge.
    pub gateway: PathBuf,
    /// The clock.
    pub scheduler: PathBuf,
    /// A worker whose handler is the probe.
    pub worker: PathBuf,
}

impl Programs {
    /// Builds with failpoints.
    #[must_use]
    pub fn faulty(folder: &Path) -> Self {
        Self {
            gateway: folder.join("faulty-gateway"),
            scheduler: folder.join("faulty-scheduler"),
            worker: folder.join("faulty-worker"),
        }
    }

    /// Builds as they are released; what needs failpoints can't be done to them.
    #[must_use]
    pub fn released(folder: &Path) -> Self {
        Self {
            gateway: folder.join("gateway"),
            scheduler: folder.join("scheduler"),
            worker: folder.join("probe-worker"),
        }
    }
}

/// How much is done in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As the promises are stated: default settings, all rounds.
    Full,
    /// The same idea in seconds: short leases, one round.
    Short,
}

impl Scale {
    /// One of two figures.
    #[must_use]
    pub fn pick<T>(self, full: T, short: T) -> T {
        match self {
            Self::Full => full,
            Self::Short => short,
        }
    }
}

/// What every row is given.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What is broken.
    pub programs: Programs,
    /// What the processes run over.
    pub mode: Mode,
    /// How much is done.
    pub scale: Scale,
    /// Makes a run repeatable, as far as processes are.
    pub seed: u64,
    /// Failpoints that are armed in every process: planted bugs.
    pub planted: Vec<String>,
    /// Where everything of the row is kept.
    pub folder: PathBuf,
}

/// Does one fault. What went wrong is in the row; the folder of a broken row is kept and named.
///
/// # Errors
/// When no folder can be had.
pub async fn run(scenario: &Scenario, setup: &Setup) -> anyhow::Result<Row> {
    let folder = tempfile::Builder::new()
        .prefix("assay-chaos-")
        .tempdir()
        .context("make a folder for the row")?;
    let setup = Setup {
        folder: folder.path().to_owned(),
        ..setup.clone()
    };
    let mut row = match (scenario.run)(&setup).await {
        Ok(row) => row,
        Err(error) => Row::undone(scenario.fault, &error),
    };
    row.mode = setup.mode;
    if !row.is_clean() {
        let kept = folder.keep();
        row.note(format!("logs are kept in {}", kept.display()));
    }
    Ok(row)
}
