//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command::{
    breakers, calibrate, completions, content, dead_letters, dev, doctor, jobs, queues, submit,
    token, verify, watch, workers,
};
use crate::exit;

const TOKEN_FILE_HELP: &str = "File that holds the token to show to the server [default: the token in ASSAY_TOKEN, if \
                               there is one]";

/// Tells what can be proven about media: real, synthetic, manipulated, or not decidable, and why
#[derive(Debug, Parser)]
#[command(
    name = "assay",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[arg(long, global = true, value_name = "FILE", help = TOKEN_FILE_HELP)]
    pub(crate) token_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all services in this process, over one data folder; no other server is needed
    #[command(after_help = exit::DEV_HELP)]
    Dev(dev::Args),
    /// Verify files and folders and print what speaks for and against them
    #[command(after_help = exit::VERIFY_HELP)]
    Verify(verify::Args),
    /// Count over labelled files how often findings are right, into a file that verification weighs by
    #[command(after_help = exit::CALIBRATE_HELP)]
    Calibrate(calibrate::Args),
    /// Submit one file as a job and print the job's id
    #[command(after_help = exit::PLAIN_HELP)]
    Submit(submit::Args),
    /// Follow a job to its end and print its verdict
    #[command(after_help = exit::JOB_HELP)]
    Watch(watch::Args),
    /// Find jobs, look at them, stop them, put them back
    #[command(after_help = exit::PLAIN_HELP)]
    Jobs(jobs::Args),
    /// Store files on the server without verifying them
    #[command(after_help = exit::PLAIN_HELP)]
    Content(content::Args),
    /// Look at jobs that were given up, mend them, put them back or forget them
    #[command(name = "dead-letters", after_help = exit::MANY_HELP)]
    DeadLetters(dead_letters::Args),
    /// Look at the queues, hold a kind of jobs back, let it go again, cancel what waits
    #[command(after_help = exit::PLAIN_HELP)]
    Queues(queues::Args),
    /// List the worker processes that live, and what they run
    #[command(after_help = exit::PLAIN_HELP)]
    Workers(workers::Args),
    /// List the circuit breakers of the workers: which detectors are asked, and which are left alone
    #[command(after_help = exit::PLAIN_HELP)]
    Breakers(breakers::Args),
    /// Make tokens, which let callers in where a server asks for them
    #[command(after_help = exit::PLAIN_HELP)]
    Token(token::Args),
    /// Say what on this machine would keep Assay from working, and how to mend it
    #[command(after_help = exit::PLAIN_HELP)]
    Doctor(doctor::Args),
    /// Print a script that completes command lines in a shell
    #[command(after_help = completions::HELP)]
    Completions(completions::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn is_taken(line: &str) -> bool {
        let words = std::iter::once("assay").chain(line.split_whitespace());
        Cli::try_parse_from(words).is_ok()
    }

    #[test]
    fn command_lines_that_make_sense_are_taken() {
        for line in [
            "verify a.png --json",
            "verify a.png --output json --quiet",
            "jobs list --output jsonl --state failed",
            "watch j-1 --output jsonl",
            "doctor --output json",
            "content upload a.png b.png",
            "dead-letters list --kind batch --reason crash-loop --since 12h --until 2026-01-31T12:00:00Z",
            "dead-letters list --all --full --output jsonl",
            "dead-letters show j-1",
            "dead-letters edit j-1 --payload -",
            "dead-letters redrive j-1 j-2",
            "dead-letters redrive --all --max 100000 --rate 1000/s --dry-run",
            "dead-letters purge j-1 -y",
            "dead-letters purge --until 7d --max 5 --yes",
            "queues purge batch --lane low --lane high --include-delayed --dry-run",
            "completions fish",
            "calibrate folder --output calibration.json",
        ] {
            assert!(is_taken(line), "{line}");
        }
    }

    #[test]
    fn command_lines_that_contradict_themselves_are_refused() {
        for line in [
            "verify a.png --json --output json",
            "verify",
            "content upload",
            "dead-letters redrive j-1 --all",
            "dead-letters redrive j-1 --dry-run",
            "dead-letters redrive j-1 --kind batch",
            "dead-letters redrive --all --max 0",
            "dead-letters redrive --all --max 100001",
            "dead-letters redrive --all --rate 1001",
            "dead-letters purge j-1 --since 1h",
            "dead-letters purge --all --max 0",
            "dead-letters list --limit 100001",
            "dead-letters list --all --limit 5",
            "queues purge",
            "completions",
        ] {
            assert!(!is_taken(line), "{line}");
        }
    }
}
