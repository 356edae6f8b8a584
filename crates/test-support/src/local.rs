//! `local up` and `local down`: the services of redis mode as processes in the background of one machine.
//!
//! What runs is written down in a [`State`] as soon as it runs, so that `down` stops exactly that, also after a crash.
//! A Redis that `REDIS_HOST` names is used; otherwise a private one is started, which syncs before each answer. Its
//! data stays when it is stopped.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

mod down;
mod environment;
mod launch;
mod state;
mod up;

pub use state::{Record, State};

const USAGE: &str =
    "say `local up FOLDER` or `local down FOLDER`; the folder holds what runs, logs and data";

/// Exit code of a wrong command line (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// The whole program.
pub async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["up", folder] => up::run(PathBuf::from(folder)).await,
        ["down", folder] => down::run(PathBuf::from(folder)).await,
        _ => {
            complain(USAGE);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match done {
        Ok(report) => {
            tell(&report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A closed pipe (`make up | head`) is not a failure.
fn tell(report: &str) {
    drop(writeln!(std::io::stdout(), "{report}"));
}

#[expect(
    clippy::print_stderr,
    reason = "a program tells the person who started it what went wrong"
)]
fn complain(sentence: &str) {
    eprintln!("{sentence}");
}
