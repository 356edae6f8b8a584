//! What can become of a call, and what of that is the detector's illness.

use assay_forensics::clip;
use tonic::{Code, Status};

/// How long making a connection may take, in milliseconds.
pub const CONNECT_MS_MAX: u64 = 2_000;

/// How tonic begins the status that it makes of a message above the bound. It has no other mark; a test holds this.
const MESSAGE_TOO_LARGE: &str = "Error, decoded message length too large";

/// How tonic, on either side, says that the deadline has passed. It says so under the code of a cancelled call, as it
/// does when a connection is lost.
const DEADLINE_PASSED: &str = "Timeout expired";

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The detector is ill, or cannot be reached.
    #[error("{why}")]
    Failed {
        why: String,
        /// Whether to ask once more makes sense.
        again: bool,
    },
    /// No answer came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is not as the interface says.
    #[error("its answer is not as it should be: {0}")]
    BadSchema(String),
    /// The detector does not take this file.
    #[error("it does not take this file: {0}")]
    Refused(String),
    /// The detector cannot answer this, and is not ill for that.
    #[error("{0}")]
    Absent(String),
    /// Nothing but another configuration makes this work.
    #[error("{0}")]
    Misconfigured(String),
    /// The file could not be read or made fit for it; the detector has no part in that.
    #[error("{0}")]
    Ours(String),
}

impl CallError {
    /// Whether it says that the detector is ill.
    pub(crate) fn counts(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::TimedOut | Self::BadSchema(_) => true,
            Self::Refused(_) | Self::Absent(_) | Self::Misconfigured(_) | Self::Ours(_) => false,
        }
    }

    /// Whether asking once more makes sense.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Failed { again, .. } => *again,
            Self::TimedOut
            | Self::BadSchema(_)
            | Self::Refused(_)
            | Self::Absent(_)
            | Self::Misconfigured(_)
            | Self::Ours(_) => false,
        }
    }

    /// The word of the metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "failed",
            Self::TimedOut => "timeout",
            Self::BadSchema(_) => "bad_schema",
            Self::Refused(_) => "refused",
            Self::Absent(_) => "absent",
            Self::Misconfigured(_) => "misconfigured",
            Self::Ours(_) => "ours",
        }
    }

    /// All words of the metrics.
    pub(crate) const WORDS: [&'static str; 7] = [
        "failed",
        "timeout",
        "bad_schema",
        "refused",
        "absent",
        "misconfigured",
        "ours",
    ];

    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Self::BadSchema(why.into())
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let code = status.code();
        let why = clip(&format!("{}: {}", code.description(), status.message()));
        match code {
            Code::Unavailable | Code::ResourceExhausted | Code::Aborted => {
                Self::Failed { why, again: true }
            }
            Code::Internal
            | Code::Unknown
            | Code::DataLoss
            // Neither is an answer that a call like ours can have.
            | Code::AlreadyExists
            | Code::Ok => Self::Failed { why, again: false },
            Code::DeadlineExceeded => Self::TimedOut,
            // What we cancel is dropped, and nobody sees its status. One that is seen comes from elsewhere.
            Code::Cancelled if status.message() == DEADLINE_PASSED => Self::TimedOut,
            Code::Cancelled => Self::Failed { why, again: true },
            Code::OutOfRange if status.message().starts_with(MESSAGE_TOO_LARGE) => {
                Self::BadSchema("it is too large".to_owned())
            }
            Code::InvalidArgument | Code::OutOfRange => Self::Refused(why),
            Code::NotFound | Code::FailedPrecondition => Self::Absent(why),
            Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented => {
                Self::Misconfigured(why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code: its word, whether it counts, whether it is asked again.
    const TABLE: [(Code, &str, bool, bool); 16] = [
        (Code::Unavailable, "failed", true, true),
        (Code::ResourceExhausted, "failed", true, true),
        (Code::Aborted, "failed", true, true),
        (Code::Internal, "failed", true, false),
        (Code::Unknown, "failed", true, false),
        (Code::DataLoss, "failed", true, false),
        (Code::AlreadyExists, "failed", true, false),
        (Code::DeadlineExceeded, "timeout", true, false),
        (Code::Cancelled, "failed", true, true),
        (Code::InvalidArgument, "refused", false, false),
        (Code::OutOfRange, "refused", false, false),
        (Code::NotFound, "absent", false, false),
        (Code::FailedPrecondition, "absent", false, false),
        (Code::Unauthenticated, "misconfigured", false, false),
        (Code::PermissionDenied, "misconfigured", false, false),
        (Code::Unimplemented, "misconfigured", false, false),
    ];

    #[test]
    fn every_code_says_whether_the_detector_is_ill() {
        for (code, word, counts, may_pass) in TABLE {
            let error = CallError::from(Status::new(code, "words"));
            let found = (error.word(), error.counts(), error.may_pass());
            assert_eq!(found, (word, counts, may_pass), "{code:?}");
            assert!(CallError::WORDS.contains(&word));
        }
    }

    #[test]
    fn a_deadline_that_has_passed_is_told_from_a_lost_connection() {
        let passed = CallError::from(Status::cancelled(DEADLINE_PASSED));
        assert_eq!(passed, CallError::TimedOut);
        let lost = CallError::from(Status::cancelled("operation was canceled"));
        assert!(lost.counts() && lost.may_pass());
    }

    #[test]
    fn a_strangers_words_cannot_steer_a_terminal() {
        let error = CallError::from(Status::unavailable("\u{1b}[2Jgone"));
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}
