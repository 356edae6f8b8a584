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

impl Act {
    fn word(self) -> (&'static str, Option<u64>) {
        match self {
            Self::Progress => ("progress", None),
            Self::Sleep(ms) => ("sleep", Some(ms)),
            Self::IgnoreCancel(ms) => ("ignore-cancel", Some(ms)),
            Self::Fail(times) => ("fail", Some(times)),
            Self::FailOnce(ms) => ("fail-once", Some(ms)),
            Self::FailForGood => ("fail-for-good", None),
            Self::Panic(times) => ("panic", Some(times)),
            Self::Abort(times) => ("abort", Some(times)),
            Self::Park(times) => ("park", Some(times)),
            Self::Checkpoint => ("checkpoint", None),
            Self::Result(bytes) => ("result", Some(bytes)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, number) = match text.split_once(':') {
            Some((word, number)) => (word, Some(number.parse().ok()?)),
            None => (text, None),
        };
        Some(match (word, number) {
            ("progress", None) => Self::Progress,
            ("sleep", Some(ms)) => Self::Sleep(ms),
            ("ignore-cancel", Some(ms)) => Self::IgnoreCancel(ms),
            ("fail", Some(times)) => Self::Fail(times),
            ("fail-once", Some(ms)) => Self::FailOnce(ms),
            ("fail-for-good", None) => Self::FailForGood,
            ("panic", Some(times)) => Self::Panic(times),
            ("abort", Some(times)) => Self::Abort(times),
            ("park", Some(times)) => Self::Park(times),
            ("checkpoint", None) => Self::Checkpoint,
            ("result", Some(bytes)) => Self::Result(bytes),
            _ => return None,
        })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word() {
            (word, Some(number)) => write!(f, "{word}:{number}"),
            (word, None) => f.write_str(word),
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
    fn an_unknown_act_is_named() {
        for text in ["dance", "sleep", "sleep:x", "progress:1"] {
            let error = format!("progress,{text}").parse::<Script>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("read script: there is no act {text:?}")
            );
        }
    }
}
