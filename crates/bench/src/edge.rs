//! The edge of redis mode: submits over HTTP beside gRPC, and very many watchers.
//!
//! The gateway, the scheduler and the probe's worker are processes of their own over a Redis that syncs before each
//! answer; the client of everything is this process. Figures are printed beside their targets. A target that is missed
//! is a figure; a promise that is broken is an error.

use std::fmt;
use std::path::Path;

use anyhow::Context;

pub mod audience;
pub mod crowd;
pub mod site;
pub mod submits;
pub mod watchers;

/// Files that a process may need besides its watchers' connections.
const FILES_BESIDES: u64 = 500;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Submits of a round, over each way.
    pub submits: usize,
    /// Rounds of each way, in turns; medians are printed.
    pub rounds: usize,
    /// Watchers of jobs that report often, all over HTTP.
    pub watchers: usize,
    /// As many watchers as a gateway takes, over both ways.
    pub crowd: usize,
}

/// What is measured on processes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Section {
    /// Submits a second over both ways.
    Submits,
    /// From an update to its watchers.
    Watchers,
    /// As many watchers as a gateway takes.
    Crowd,
}

/// A figure that has a target.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// The target, in words.
    pub target: &'static str,
    /// Whether it is reached.
    pub reached: bool,
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.reached { "reached" } else { "MISSED" };
        write!(f, "target {}: {verdict}", self.target)
    }
}

/// Measures and prints everything, or one section; `programs` is the folder of the services and of `probe-worker`.
///
/// # Errors
/// When a process can't be started or does not answer, or a watcher was not told what it is promised.
pub async fn print(programs: &Path, sizes: &Sizes, only: Option<Section>) -> anyhow::Result<()> {
    assay_test_support::redis::ensure_program()?;
    let files = rlimit::increase_nofile_limit(u64::MAX).context("raise the limit of open files")?;
    println!(
        "redis mode, appendfsync always; each process may have {files} files open; client in its own process"
    );
    let wanted = |section| only.is_none_or(|only| only == section);
    if wanted(Section::Submits) {
        println!();
        submits::print(programs, sizes).await?;
    }
    if wanted(Section::Watchers) {
        println!();
        watchers::print(programs, sizes.watchers).await?;
    }
    if wanted(Section::Crowd) {
        println!();
        crowd::print(programs, sizes.crowd, connections_max(files)).await?;
    }
    Ok(())
}

/// How many watchers may have a connection each.
fn connections_max(files: u64) -> usize {
    usize::try_from(files.saturating_sub(FILES_BESIDES)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_told_plainly() {
        let aim = |reached| Aim {
            target: "<= 250 ms",
            reached,
        };
        assert_eq!(aim(true).to_string(), "target <= 250 ms: reached");
        assert_eq!(aim(false).to_string(), "target <= 250 ms: MISSED");
    }

    #[test]
    fn some_files_are_left_to_the_rest_of_a_process() {
        assert_eq!(connections_max(FILES_BESIDES + 7), 7);
        assert_eq!(connections_max(FILES_BESIDES), 0);
        assert_eq!(connections_max(1), 0);
    }
}
