//! What went wrong with a server, as a sentence with a next step.

mod step;

use std::path::PathBuf;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{FieldViolation, StatusExt};

use super::Patience;
use crate::server::Server;
use crate::terminal::plain;

use step::{Place, next_step};

/// What stands for the reason of a server that gave none.
const NO_ANSWER: &str = "NO_ANSWER";

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Nobody listens there.
    #[error(
        "no server answers at {server} ({why}): start one with `assay dev`, or name another with --server"
    )]
    Unreachable {
        /// Where.
        server: Server,
        /// What the connection said.
        why: String,
    },
    /// The connection broke before the answer.
    #[error(
        "{server} gave no answer of the API ({why}): see whether it runs, and whether this is the address that it \
         prints as its API (gRPC), then try again"
    )]
    Lost {
        /// Where.
        server: Server,
        /// What the connection said.
        why: String,
    },
    /// The server answered with an error.
    #[error("{0}")]
    Refused(Refusal),
    /// A file on our side cannot be read.
    #[error("read {} (check that it exists and that you may read it)", plain(&path.display().to_string()))]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file changed while it was sent.
    #[error("{} changed while it was read: try again when nobody writes to it", plain(&path.display().to_string()))]
    Changed {
        /// Which file.
        path: PathBuf,
    },
}

/// A server's error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Refusal {
    /// The stable reason; empty when the server gave none.
    pub(crate) reason: String,
    /// For people: what the server said, field by field, and what to do next.
    pub(crate) sentence: String,
    passing: bool,
    retry_after: Option<Duration>,
}

impl Fault {
    /// A connection that could not be made.
    pub(super) fn unreachable(server: &Server, error: &tonic::transport::Error) -> Self {
        // The innermost error is the one that people know.
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::Unreachable {
            server: server.clone(),
            why: plain(&cause.to_string()),
        }
    }

    /// Reads a gRPC error of `server`; the call belonged to the trace.
    pub(super) fn of(server: &Server, status: &Status, trace_id: &str) -> Self {
        let details = status.get_error_details();
        let Some(info) = details.error_info() else {
            return Self::without_reason(server, status);
        };
        let mut sentence = plain(status.message());
        let violations = details.bad_request().map(|bad| &bad.field_violations);
        // A sentence about one field needs no list of fields behind it.
        let told = |violation: &&FieldViolation| !sentence.contains(&plain(&violation.description));
        let untold: Vec<_> = violations.into_iter().flatten().filter(told).collect();
        for violation in untold {
            let line = format!("\n  {}: {}", violation.field, violation.description);
            sentence.push_str(&line.replace(|c: char| c.is_control() && c != '\n', " "));
        }
        let retry_after = details.retry_info().and_then(|info| info.retry_delay);
        let place = Place { server, trace_id };
        if let Some(step) = next_step(&info.reason, &info.metadata, place) {
            sentence.push_str("; ");
            sentence.push_str(&step);
        }
        Self::Refused(Refusal {
            passing: is_passing(status.code(), &info.reason),
            reason: info.reason.clone(),
            sentence,
            retry_after,
        })
    }

    /// An error that no part of Assay made: the transport's, or a stranger's.
    fn without_reason(server: &Server, status: &Status) -> Self {
        if status.code() == Code::Unimplemented {
            return Self::Refused(Refusal {
                reason: String::new(),
                sentence: format!(
                    "{server} does not know this call: it is no Assay server, or one of another version; name another \
                     with --server, or use programs of one version"
                ),
                passing: false,
                retry_after: None,
            });
        }
        Self::Lost {
            server: server.clone(),
            why: plain(status.message()),
        }
    }

    /// The stable reason of the server, if it gave one.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.reason),
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::File { .. }
            | Self::Changed { .. } => None,
        }
    }

    /// The stable reason, or a word in its place.
    pub(crate) fn word(&self) -> &str {
        let reason = self.reason().filter(|reason| !reason.is_empty());
        reason.unwrap_or(NO_ANSWER)
    }

    /// Whether it comes from a server of Assay: no other gives reasons.
    pub(crate) fn is_of_assay(&self) -> bool {
        self.reason().is_some_and(|reason| !reason.is_empty())
    }

    /// Whether the server gave no answer at all.
    pub(crate) fn is_silence(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            Self::Refused(_) | Self::File { .. } | Self::Changed { .. } => false,
        }
    }

    /// How long to wait before the call is repeated; `None` when that makes no sense any more.
    pub(super) fn wait(&self, patience: Patience, tries: u32) -> Option<Duration> {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => patience.delay(tries, None),
            Self::Refused(refusal) if refusal.passing => patience.delay(tries, refusal.retry_after),
            Self::Refused(_) | Self::File { .. } | Self::Changed { .. } => None,
        }
    }
}

/// Whether the same call may succeed later.
fn is_passing(code: Code, reason: &str) -> bool {
    matches!(code, Code::Unavailable | Code::ResourceExhausted) && reason != "STORE_FULL"
        || reason == "OUTCOME_UNKNOWN"
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn server() -> Server {
        "http://127.0.0.1:7400".parse().unwrap()
    }

    fn fault(code: Code, reason: &str, metadata: &[(&str, &str)]) -> Fault {
        let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        let metadata: HashMap<_, _> = metadata.iter().map(owned).collect();
        let details = ErrorDetails::with_error_info(reason, "assay", metadata);
        Fault::of(
            &server(),
            &Status::with_error_details(code, "so it is", details),
            "",
        )
    }

    #[test]
    fn a_reason_is_followed_by_a_next_step() {
        let said = fault(Code::NotFound, "JOB_NOT_FOUND", &[]).to_string();
        assert_eq!(said, "so it is; list the jobs with `assay jobs list`");
        let reused = fault(
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            &[("job_id", "j-1")],
        );
        assert_eq!(
            reused.to_string(),
            "so it is; look at it with `assay jobs get j-1`"
        );
        assert_eq!(reused.reason(), Some("REQUEST_ID_REUSED"));
        let paused = fault(Code::Unknown, "OUTCOME_UNKNOWN", &[("kind", "batch")]);
        assert_eq!(
            paused.to_string(),
            "so it is; see with `assay queues list` whether it is paused"
        );
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut details = ErrorDetails::with_error_info("INVALID_FIELD", "assay", HashMap::new());
        details.set_bad_request(vec![
            FieldViolation::new("page_size", "at most 1000"),
            FieldViolation::new("states", "at\u{1b}most 16"),
        ]);
        let status =
            Status::with_error_details(Code::InvalidArgument, "2 fields are wrong", details);
        let said = Fault::of(&server(), &status, "").to_string();
        assert_eq!(
            said,
            "2 fields are wrong\n  page_size: at most 1000\n  states: at most 16"
        );
    }

    #[test]
    fn one_wrong_field_is_told_once() {
        let mut details = ErrorDetails::with_error_info("INVALID_FIELD", "assay", HashMap::new());
        details.set_bad_request(vec![FieldViolation::new("job_id", "must be a UUID")]);
        let message = "`job_id` must be a UUID";
        let status = Status::with_error_details(Code::InvalidArgument, message, details);
        assert_eq!(Fault::of(&server(), &status, "").to_string(), message);
    }

    #[test]
    fn only_what_passes_is_waited_for() {
        let waits = |code, reason: &str| fault(code, reason, &[]).wait(Patience::CALL, 1).is_some();
        assert!(waits(Code::Unavailable, "SHUTTING_DOWN"));
        assert!(waits(Code::ResourceExhausted, "QUEUE_FULL"));
        assert!(waits(Code::Unknown, "OUTCOME_UNKNOWN"));
        assert!(!waits(Code::ResourceExhausted, "STORE_FULL"));
        assert!(!waits(Code::NotFound, "JOB_NOT_FOUND"));
        assert!(
            Fault::of(&server(), &Status::unavailable("reset"), "")
                .wait(Patience::CALL, 1)
                .is_some()
        );
    }

    #[test]
    fn a_stranger_is_not_taken_for_a_server_of_ours() {
        let said = Fault::of(&server(), &Status::unimplemented(""), "").to_string();
        assert!(said.contains("no Assay server"), "{said}");
        let stranger = Fault::of(&server(), &Status::unimplemented(""), "");
        assert!(!stranger.is_of_assay());
        assert!(fault(Code::Unauthenticated, "TOKEN_MISSING", &[]).is_of_assay());
    }

    #[test]
    fn every_fault_says_what_to_do() {
        let lost = || "reset".to_owned();
        let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let faults = [
            (
                Fault::Unreachable {
                    server: server(),
                    why: lost(),
                },
                "start one with `assay dev`, or name another with --server",
            ),
            (
                Fault::Lost {
                    server: server(),
                    why: lost(),
                },
                "whether this is the address that it prints as its API (gRPC), then try again",
            ),
            (
                fault(Code::NotFound, "JOB_NOT_FOUND", &[]),
                "list the jobs with `assay jobs list`",
            ),
            (
                Fault::of(&server(), &Status::unimplemented(""), ""),
                "name another with --server, or use programs of one version",
            ),
            (
                Fault::of(&server(), &Status::cancelled("timed out"), ""),
                "then try again",
            ),
            (
                Fault::File {
                    path: "a.png".into(),
                    source: gone(),
                },
                "check that it exists and that you may read it",
            ),
            (
                Fault::Changed {
                    path: "a.png".into(),
                },
                "try again when nobody writes to it",
            ),
        ];
        for (fault, step) in faults {
            let said = fault.to_string();
            assert!(said.contains(step) && said.lines().count() == 1, "{said}");
        }
    }
}
