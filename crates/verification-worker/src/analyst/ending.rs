//! How a child ended, and what that means for the stage it was at. Pure.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// What a process of ours says when memory is refused, before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of";
/// Exit status of a process of ours whose main thread panicked.
const PANICKED: i32 = 101;

/// Why a stage has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbortReason {
    /// It asked for more processor time or memory than it may have.
    ResourceLimit,
    /// It took more time than it may.
    Timeout,
    /// It crashed.
    Crashed,
    /// It said more than it may.
    OutputLimit,
}

impl AbortReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::ResourceLimit,
        Self::Timeout,
        Self::Crashed,
        Self::OutputLimit,
    ];

    /// The word used in results and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResourceLimit => "resource_limit",
            Self::Timeout => "timeout",
            Self::Crashed => "crashed",
            Self::OutputLimit => "output_limit",
        }
    }
}

/// How the talk with a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ended by itself, or something other than us ended it.
    Exited {
        status: ExitStatus,
        /// The beginning of what it wrote to standard error.
        said: String,
    },
    /// Its wall time was up; we killed it.
    TimeUp,
    /// It wrote more than it may; we killed it.
    TooMuchOutput,
    /// It wrote what it should not; we killed it.
    OutOfTurn,
}

/// What follows for the stage that the child was at, or was to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The stage is given up.
    Abort(AbortReason),
    /// Somebody else killed the child, most likely a system short of memory. The stage may have another try.
    Outside,
}

impl Ending {
    /// Whom to blame for an ending that left a stage without a result.
    pub(crate) fn blame(&self) -> Blame {
        let reason = match self {
            Self::TimeUp => AbortReason::Timeout,
            Self::TooMuchOutput => AbortReason::OutputLimit,
            Self::OutOfTurn => AbortReason::Crashed,
            Self::Exited { status, said } => match status.signal() {
                Some(signal) if signal == Signal::KILL.as_raw() => return Blame::Outside,
                Some(signal) if signal == Signal::XCPU.as_raw() => AbortReason::ResourceLimit,
                Some(signal)
                    if signal == Signal::ABORT.as_raw() && said.contains(OUT_OF_MEMORY) =>
                {
                    AbortReason::ResourceLimit
                }
                Some(_) | None => AbortReason::Crashed,
            },
        };
        Blame::Abort(reason)
    }

    /// How it ended, for people.
    pub(crate) fn describe(&self) -> String {
        let Self::Exited { status, said } = self else {
            return match self {
                Self::TimeUp => "it took longer than it may".to_owned(),
                Self::TooMuchOutput => "it wrote more than it may".to_owned(),
                Self::OutOfTurn | Self::Exited { .. } => {
                    "it wrote what no analyst writes".to_owned()
                }
            };
        };
        let first_line = said
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("nothing");
        match (status.code(), status.signal()) {
            (Some(PANICKED), _) => format!("it panicked: {first_line}"),
            (Some(code), _) => format!("it ended with status {code} and said: {first_line}"),
            (None, signal) => format!(
                "signal {} ended it; it said: {first_line}",
                signal.unwrap_or_default()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(raw: i32, said: &str) -> Ending {
        Ending::Exited {
            status: ExitStatus::from_raw(raw),
            said: said.to_owned(),
        }
    }

    #[test]
    fn every_ending_has_its_reason() {
        use AbortReason::{Crashed, OutputLimit, ResourceLimit, Timeout};
        let signal = Signal::as_raw;
        let table = [
            (
                exited(signal(Signal::XCPU), ""),
                Blame::Abort(ResourceLimit),
            ),
            (
                exited(signal(Signal::ABORT), "memory allocation of 9 bytes failed"),
                Blame::Abort(ResourceLimit),
            ),
            (
                exited(signal(Signal::ABORT), "stack overflow"),
                Blame::Abort(Crashed),
            ),
            (exited(signal(Signal::SEGV), ""), Blame::Abort(Crashed)),
            (exited(signal(Signal::KILL), ""), Blame::Outside),
            (exited(101 << 8, "panicked"), Blame::Abort(Crashed)),
            (exited(0, ""), Blame::Abort(Crashed)),
            (Ending::TimeUp, Blame::Abort(Timeout)),
            (Ending::TooMuchOutput, Blame::Abort(OutputLimit)),
            (Ending::OutOfTurn, Blame::Abort(Crashed)),
        ];
        for (ending, blame) in table {
            assert_eq!(ending.blame(), blame, "{ending:?}");
        }
    }

    #[test]
    fn an_ending_is_told_in_words() {
        assert_eq!(
            exited(101 << 8, "\nthread main\nmore").describe(),
            "it panicked: thread main"
        );
        assert_eq!(
            exited(3 << 8, "").describe(),
            "it ended with status 3 and said: nothing"
        );
        assert_eq!(
            exited(Signal::SEGV.as_raw(), "x").describe(),
            "signal 11 ended it; it said: x"
        );
    }

    #[test]
    fn results_and_metrics_use_the_same_words() {
        for reason in AbortReason::ALL {
            assert_eq!(serde_json::json!(reason), reason.as_str());
        }
    }
}
