//! What a job shall do, as text that travels in its options.

use std::fmt;
use std::str::FromStr;

/// The option of a `content-verification` job that holds its script.
pub const SCRIPT_OPTION: &str = "probe.script";

/// Acts, one after the other. Empty: succeed at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script(pub Vec<Act>);

/// One act of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reports a step as begun and done.
    Progress,
    /// Reports how far it is, again and again. Each report has its own time as its message, in microseconds since the
    /// epoch.
    Report {
        /// How often; the last time it is through.
        times: u64,
        /// How long it works after each, in milliseconds.
        gap_ms: u64,
    },
    /// Works for so many milliseconds; stops at once when cancelled.
    Sleep(u64),
    /// Works for so many milliseconds, whoever wants it stopped.
    IgnoreCancel(u64),
    /// Fails in the first so many attempts.
    Fail(u64),
    /// Fails in the first attempt, and asks for so many milliseconds before the second.
    FailOnce(u64),
    /// Fails for good.
    FailForGood,
    /// Panics in the first so many attempts.
    Panic(u64),
    /// Takes the whole process down in the first so many attempts.
    Abort(u64),
    /// Asks to be parked in the first so many attempts.
    Park(u64),
    /// Leaves the number of this attempt to the next one.
    Checkpoint,
    /// Answers with so many bytes more.
    Result(u64),
}

impl Script {
    /// Works for `lead_ms` first, then reports how far it is `reports` times, `gap_ms` apart.
    #[must_use]
    pub fn reporting(lead_ms: u64, reports: u64, gap_ms: u64) -> Self {
        Self(vec![
            Act::Sleep(lead_ms),
            Act::Report {
                times: reports,
                gap_ms,
            },
        ])
    }
}

impl Act {
    fn word(self) -> (&'static str, Vec<u64>) {
        match self {
            Self::Progress => ("progress", vec![]),
            Self::Report { times, gap_ms } => ("report", vec![times, gap_ms]),
            Self::Sleep(ms) => ("sleep", vec![ms]),
            Self::IgnoreCancel(ms) => ("ignore-cancel", vec![ms]),
            Self::Fail(times) => ("fail", vec![times]),
            Self::FailOnce(ms) => ("fail-once", vec![ms]),
            Self::FailForGood => ("fail-for-good", vec![]),
            Self::Panic(times) => ("panic", vec![times]),
            Self::Abort(times) => ("abort", vec![times]),
            Self::Park(times) => ("park", vec![times]),
            Self::Checkpoint => ("checkpoint", vec![]),
            Self::Result(bytes) => ("result", vec![bytes]),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, numbers) = match text.split_once(':') {
            Some((word, numbers)) => (word, numbers.split('/').map(str::parse).collect()),
            None => (text, Ok(Vec::new())),
        };
        let numbers = numbers.ok()?;
        Some(match (word, numbers.as_slice()) {
            ("progress", []) => Self::Progress,
            ("report", &[times, gap_ms]) => Self::Report { times, gap_ms },
            ("sleep", &[ms]) => Self::Sleep(ms),
            ("ignore-cancel", &[ms]) => Self::IgnoreCancel(ms),
            ("fail", &[times]) => Self::Fail(times),
            ("fail-once", &[ms]) => Self::FailOnce(ms),
            ("fail-for-good", []) => Self::FailForGood,
            ("panic", &[times]) => Self::Panic(times),
            ("abort", &[times]) => Self::Abort(times),
            ("park", &[times]) => Self::Park(times),
            ("checkpoint", []) => Self::Checkpoint,
            ("result", &[bytes]) => Self::Result(bytes),
            _ => return None,
        })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, numbers) = self.word();
        let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        match numbers.as_slice() {
            [] => f.write_str(word),
            numbers => write!(f, "{word}:{}", numbers.join("/")),
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&acts.join(","))
    }
}

/// A text that is no script.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("read script: there is no act {act:?}")]
pub struct UnknownAct {
    act: String,
}

impl FromStr for Script {
    type Err = UnknownAct;

    fn from_str(text: &str) -> Result<Self, UnknownAct> {
        let acts = text.split(',').filter(|act| !act.is_empty());
        let parse = |act: &str| {
            Act::parse(act).ok_or_else(|| UnknownAct {
                act: act.to_owned(),
            })
        };
        acts.map(parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_round_trips() {
        let script = Script(vec![
            Act::Progress,
            Act::Report {
                times: 3,
                gap_ms: 500,
            },
            Act::Sleep(5),
            Act::IgnoreCancel(6),
            Act::Fail(1),
            Act::FailOnce(7),
            Act::FailForGood,
            Act::Panic(2),
            Act::Abort(3),
            Act::Park(1),
            Act::Checkpoint,
            Act::Result(70_000),
        ]);
        assert_eq!(script.to_string().parse(), Ok(script));
        assert_eq!("".parse(), Ok(Script::default()));
    }

    #[test]
    fn a_script_that_reports_is_short_however_often() {
        let script = Script::reporting(7, 200, 500);
        assert_eq!(script.to_string(), "sleep:7,report:200/500");
    }

    #[test]
    fn an_unknown_act_is_named() {
        for text in [
            "dance",
            "sleep",
            "sleep:x",
            "sleep:1/2",
            "progress:1",
            "report:1",
            "report:1/",
        ] {
            let error = format!("progress,{text}").parse::<Script>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("read script: there is no act {text:?}")
            );
        }
    }
}
