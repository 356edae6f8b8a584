//! `local up` and `local down`: the services of redis mode or full mode as processes in the background of one machine.
//!
//! What runs is written down in a [`State`] as soon as it runs, so that `down` stops exactly that, also after a crash.
//! A Redis that `REDIS_HOST` names is used, and in full mode a RabbitMQ that `RABBITMQ_URL` names; otherwise private
//! ones are started, of which Redis syncs before each answer. Their data stay when they are stopped.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

mod down;
mod environment;
mod launch;
mod servers;
mod state;
mod up;

pub use state::{Record, State};

const USAGE: &str = "say `local up FOLDER [redis|full]` or `local down FOLDER`; the folder holds what runs, logs and data";

/// Exit code of a wrong command line (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// What carries the envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The streams of Redis.
    Redis,
    /// RabbitMQ.
    Full,
}

impl Mode {
    fn named(name: &str) -> Option<Self> {
        let mut modes = [Self::Redis, Self::Full].into_iter();
        modes.find(|mode| mode.to_string() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Redis => "redis",
            Self::Full => "full",
        })
    }
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Start what is missing; in which mode, if that was said.
    Up(PathBuf, Option<Mode>),
    /// Stop what was started.
    Down(PathBuf),
}

impl Asked {
    fn parse(words: &[&str]) -> Option<Self> {
        match *words {
            ["up", folder] => Some(Self::Up(folder.into(), None)),
            ["up", folder, mode] => Some(Self::Up(folder.into(), Some(Mode::named(mode)?))),
            ["down", folder] => Some(Self::Down(folder.into())),
            _ => None,
        }
    }
}

/// The whole program.
pub async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(asked) = Asked::parse(&words) else {
        complain(USAGE);
        return ExitCode::from(EXIT_USAGE);
    };
    let done = match asked {
        Asked::Up(folder, mode) => up::run(folder, mode).await,
        Asked::Down(folder) => down::run(folder).await,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_may_be_said_and_must_be_one() {
        let up = |mode| Some(Asked::Up("f".into(), mode));
        assert_eq!(Asked::parse(&["up", "f"]), up(None));
        assert_eq!(Asked::parse(&["up", "f", "redis"]), up(Some(Mode::Redis)));
        assert_eq!(Asked::parse(&["up", "f", "full"]), up(Some(Mode::Full)));
        assert_eq!(Asked::parse(&["up", "f", "embedded"]), None);
        assert_eq!(Asked::parse(&["down", "f"]), Some(Asked::Down("f".into())));
        assert_eq!(Asked::parse(&["down", "f", "full"]), None);
    }
}
