//! Why a call was not answered: the one table from reasons to statuses. It is the table on top of
//! `jobs.proto`; nothing else makes a status.

use std::time::Duration;

use assay_blob::ContentId;
use assay_core::id::JobId;
use assay_core::kind::JobKind;
use assay_core::port::{RefusalReason, StoreError};
use assay_core::state::JobState;
use tonic::Code;

use crate::access::Scope;
use crate::limits::RETRY_AFTER_MS;
use crate::metric_definitions;

mod answer;
#[cfg(test)]
mod tests;

/// Why a call was not answered. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{}", sentence(.0))]
    InvalidField(Vec<Violation>),
    #[error("send the metadata first and once, then chunks: {0}")]
    UploadOutOfOrder(&'static str),
    #[error("the next part of the upload did not come within {limit_ms} ms: upload it again")]
    UploadStalled { limit_ms: u64 },
    #[error(
        "the upload came at less than {least} bytes a second (gateway.upload_bytes_per_s_min): upload it again"
    )]
    UploadTooSlow { least: u64 },
    #[error(
        "the message of the call did not come within {limit_ms} ms (gateway.upload_idle_ms): call again"
    )]
    MessageStalled { limit_ms: u64 },
    #[error("the upload is not what its metadata announced: {0}")]
    ContentMismatch(String),
    #[error("the content is over the bound of {limit} bytes")]
    ContentTooLarge { limit: u64 },
    #[error(
        "a message is over the bound of {limit} bytes (gateway.message_bytes_max): send less at once"
    )]
    MessageTooLarge { limit: usize },
    #[error("there is no job {0}")]
    JobNotFound(JobId),
    #[error("there is no content {0}: upload it first")]
    ContentNotFound(ContentId),
    #[error("the request id belongs to another request, whose job is {0}: take another id")]
    RequestIdReused(JobId),
    #[error("this server takes no jobs of kind {0}")]
    KindNotServed(JobKind),
    #[error(
        "job {0} is {1}: only failed and dead-lettered jobs can be put back, and only while their content is kept"
    )]
    JobNotRetryable(JobId, JobState),
    #[error("there is no dead letter {0}")]
    DeadLetterNotFound(JobId),
    #[error("dead letter {0} has changed since its etag was read: get it again")]
    DeadLetterChanged(JobId),
    #[error("job {0} is {1} and has no result yet: watch it")]
    JobNotFinished(JobId, JobState),
    #[error("job {0} is {1} and has no result: look at its failure")]
    JobWithoutResult(JobId, JobState),
    #[error("the result has {bytes} bytes, an answer holds {limit}")]
    ResultTooLarge { bytes: u64, limit: u64 },
    #[error("{why}: try again later")]
    QueueFull { why: String, retry_after_ms: u64 },
    #[error("{why}: try again when there is room")]
    StoreFull { why: String, retry_after_ms: u64 },
    #[error(
        "requests of {limit} bytes are being read or recorded, which is the limit (gateway.submit_bytes_max): try again"
    )]
    ServerBusy { limit: usize },
    #[error("show a token: send it in the header `authorization: Bearer ...`")]
    TokenMissing,
    #[error("this server does not know the token: ask its operator for another")]
    TokenUnknown,
    #[error("the token has expired: ask the server's operator for another")]
    TokenExpired,
    #[error("the token lacks the scope `{0}`: ask the server's operator for one that has it")]
    ScopeMissing(Scope),
    #[error("{limit} calls are being answered, which is the limit (gateway.calls_max): try again")]
    CallsFull { limit: usize },
    #[error(
        "too many calls for the limit that each caller has (gateway.rate_limits.{scope}): try again in {retry_after_ms} ms"
    )]
    RateLimited { scope: Scope, retry_after_ms: u64 },
    #[error("{limit} streams are being watched, which is the limit (gateway.watchers_max)")]
    WatchersFull { limit: usize },
    #[error(
        "nothing was taken of the events within {limit_ms} ms (gateway.write_idle_ms): watch again behind the last event"
    )]
    WatcherTooSlow { limit_ms: u64 },
    #[error("the store can't be reached, nothing was written: {why}")]
    StoreUnavailable { why: String },
    #[error("the queue takes no jobs, nothing was written: {why}")]
    QueueUnavailable { why: String },
    #[error("the server is shutting down: try another or try again")]
    ShuttingDown,
    #[error(
        "the answer of the store or the queue was lost: repeat the call with the same request id, or look at job {0}"
    )]
    OutcomeUnknown(JobId),
    #[error(
        "the answer of the store was lost: repeat the call, or list the queues to see whether {0} is paused"
    )]
    ControlUnknown(JobKind),
    #[error("a fault in the server: its log says more")]
    Internal(String),
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its path.
    pub(crate) field: String,
    /// What is wrong and how to mend it.
    pub(crate) description: String,
}

impl Refusal {
    /// Every reason, as the table has them.
    pub(crate) const REASONS: [&'static str; 31] = [
        "INVALID_FIELD",
        "UPLOAD_OUT_OF_ORDER",
        "UPLOAD_STALLED",
        "CONTENT_MISMATCH",
        "CONTENT_TOO_LARGE",
        "MESSAGE_TOO_LARGE",
        "JOB_NOT_FOUND",
        "CONTENT_NOT_FOUND",
        "REQUEST_ID_REUSED",
        "KIND_NOT_SERVED",
        "JOB_NOT_RETRYABLE",
        "DEAD_LETTER_NOT_FOUND",
        "DEAD_LETTER_CHANGED",
        "JOB_NOT_FINISHED",
        "JOB_WITHOUT_RESULT",
        "RESULT_TOO_LARGE",
        "TOKEN_MISSING",
        "TOKEN_UNKNOWN",
        "TOKEN_EXPIRED",
        "SCOPE_MISSING",
        "QUEUE_FULL",
        "STORE_FULL",
        "SERVER_BUSY",
        "RATE_LIMITED",
        "WATCHERS_FULL",
        "WATCHER_TOO_SLOW",
        "STORE_UNAVAILABLE",
        "QUEUE_UNAVAILABLE",
        "SHUTTING_DOWN",
        "OUTCOME_UNKNOWN",
        "INTERNAL",
    ];

    /// What the store's error means to a caller who wanted to change job `id`.
    pub(crate) fn of_write(error: StoreError, id: JobId) -> Self {
        match error {
            StoreError::Unknown { why } => {
                tracing::warn!(job.id = %id, why, "outcome of a write to job {id} is unknown: {why}");
                Self::OutcomeUnknown(id)
            }
            StoreError::Unavailable { why } => Self::StoreUnavailable { why },
            StoreError::Refused {
                reason,
                retry_after_ms,
            } => Self::of_refusal(&reason, retry_after_ms),
        }
    }

    /// What the store's error means to a caller who wanted jobs of `kind` paused or resumed.
    pub(crate) fn of_control(error: StoreError, kind: JobKind) -> Self {
        match error {
            StoreError::Unknown { why } => {
                tracing::warn!(job.kind = %kind, why, "whether {kind} jobs are paused is unknown: {why}");
                Self::ControlUnknown(kind)
            }
            StoreError::Unavailable { why } => Self::StoreUnavailable { why },
            StoreError::Refused {
                reason,
                retry_after_ms,
            } => Self::of_refusal(&reason, retry_after_ms),
        }
    }

    fn of_refusal(reason: &RefusalReason, retry_after_ms: u64) -> Self {
        let why = reason.to_string();
        match reason {
            RefusalReason::QueueFull { .. } | RefusalReason::OutboxFull { .. } => Self::QueueFull {
                why,
                retry_after_ms,
            },
            RefusalReason::DiskFull | RefusalReason::StoreFull => Self::StoreFull {
                why,
                retry_after_ms,
            },
            RefusalReason::ShuttingDown => Self::ShuttingDown,
        }
    }

    /// What the store's error means to a caller who only asked.
    pub(crate) fn of_read(error: &StoreError) -> Self {
        Self::StoreUnavailable {
            why: error.to_string(),
        }
    }

    /// What it means to a caller, of whose job nothing is left, that the queue refused its envelope.
    pub(crate) fn of_queue_refusal(why: String) -> Self {
        Self::QueueFull {
            why: format!("the queue did not take the job: {why}"),
            retry_after_ms: RETRY_AFTER_MS,
        }
    }

    /// What the blob store's error means to a caller.
    pub(crate) fn of_blobs(error: &assay_blob::Error) -> Self {
        match error {
            assay_blob::Error::Full { .. } => Self::StoreFull {
                why: "the disk that holds the content is full".to_owned(),
                retry_after_ms: RETRY_AFTER_MS,
            },
            assay_blob::Error::TooLarge { limit } => Self::ContentTooLarge { limit: *limit },
            assay_blob::Error::Io { source, .. } => {
                tracing::error!(error = %source, "{error}: {source}");
                Self::StoreUnavailable {
                    why: error.to_string(),
                }
            }
        }
    }

    /// The row of the table.
    fn row(&self) -> (&'static str, Code) {
        match self {
            Self::InvalidField(_) => ("INVALID_FIELD", Code::InvalidArgument),
            Self::UploadOutOfOrder(_) => ("UPLOAD_OUT_OF_ORDER", Code::InvalidArgument),
            Self::UploadStalled { .. }
            | Self::UploadTooSlow { .. }
            | Self::MessageStalled { .. } => ("UPLOAD_STALLED", Code::Aborted),
            Self::ContentMismatch(_) => ("CONTENT_MISMATCH", Code::InvalidArgument),
            Self::ContentTooLarge { .. } => ("CONTENT_TOO_LARGE", Code::InvalidArgument),
            Self::MessageTooLarge { .. } => ("MESSAGE_TOO_LARGE", Code::OutOfRange),
            Self::JobNotFound(_) => ("JOB_NOT_FOUND", Code::NotFound),
            Self::ContentNotFound(_) => ("CONTENT_NOT_FOUND", Code::NotFound),
            Self::RequestIdReused(_) => ("REQUEST_ID_REUSED", Code::AlreadyExists),
            Self::KindNotServed(_) => ("KIND_NOT_SERVED", Code::FailedPrecondition),
            Self::JobNotRetryable(..) => ("JOB_NOT_RETRYABLE", Code::FailedPrecondition),
            Self::DeadLetterNotFound(_) => ("DEAD_LETTER_NOT_FOUND", Code::NotFound),
            Self::DeadLetterChanged(_) => ("DEAD_LETTER_CHANGED", Code::Aborted),
            Self::JobNotFinished(..) => ("JOB_NOT_FINISHED", Code::FailedPrecondition),
            Self::JobWithoutResult(..) => ("JOB_WITHOUT_RESULT", Code::FailedPrecondition),
            Self::ResultTooLarge { .. } => ("RESULT_TOO_LARGE", Code::FailedPrecondition),
            Self::TokenMissing => ("TOKEN_MISSING", Code::Unauthenticated),
            Self::TokenUnknown => ("TOKEN_UNKNOWN", Code::Unauthenticated),
            Self::TokenExpired => ("TOKEN_EXPIRED", Code::Unauthenticated),
            Self::ScopeMissing(_) => ("SCOPE_MISSING", Code::PermissionDenied),
            Self::QueueFull { .. } => ("QUEUE_FULL", Code::ResourceExhausted),
            Self::StoreFull { .. } => ("STORE_FULL", Code::ResourceExhausted),
            Self::ServerBusy { .. } | Self::CallsFull { .. } => {
                ("SERVER_BUSY", Code::ResourceExhausted)
            }
            Self::RateLimited { .. } => ("RATE_LIMITED", Code::ResourceExhausted),
            Self::WatchersFull { .. } => ("WATCHERS_FULL", Code::ResourceExhausted),
            Self::WatcherTooSlow { .. } => ("WATCHER_TOO_SLOW", Code::Aborted),
            Self::StoreUnavailable { .. } => ("STORE_UNAVAILABLE", Code::Unavailable),
            Self::QueueUnavailable { .. } => ("QUEUE_UNAVAILABLE", Code::Unavailable),
            Self::ShuttingDown => ("SHUTTING_DOWN", Code::Unavailable),
            Self::OutcomeUnknown(_) | Self::ControlUnknown(_) => ("OUTCOME_UNKNOWN", Code::Unknown),
            Self::Internal(_) => ("INTERNAL", Code::Internal),
        }
    }

    /// The gRPC code.
    pub(crate) fn code(&self) -> Code {
        self.row().1
    }

    /// The stable reason.
    pub(crate) fn reason(&self) -> &'static str {
        self.row().0
    }

    /// The values that belong to the reason.
    pub(crate) fn metadata(&self) -> Option<(&'static str, String)> {
        match self {
            Self::ContentTooLarge { limit } => Some(("limit", limit.to_string())),
            Self::MessageTooLarge { limit } => Some(("limit", limit.to_string())),
            Self::RequestIdReused(job) | Self::OutcomeUnknown(job) => {
                Some(("job_id", job.to_string()))
            }
            Self::ScopeMissing(scope) | Self::RateLimited { scope, .. } => {
                Some(("scope", scope.to_string()))
            }
            Self::ControlUnknown(kind) => Some(("kind", kind.to_string())),
            Self::InvalidField(_)
            | Self::UploadOutOfOrder(_)
            | Self::UploadStalled { .. }
            | Self::UploadTooSlow { .. }
            | Self::MessageStalled { .. }
            | Self::ContentMismatch(_)
            | Self::JobNotFound(_)
            | Self::ContentNotFound(_)
            | Self::KindNotServed(_)
            | Self::JobNotRetryable(..)
            | Self::DeadLetterNotFound(_)
            | Self::DeadLetterChanged(_)
            | Self::JobNotFinished(..)
            | Self::JobWithoutResult(..)
            | Self::ResultTooLarge { .. }
            | Self::TokenMissing
            | Self::TokenUnknown
            | Self::TokenExpired
            | Self::QueueFull { .. }
            | Self::StoreFull { .. }
            | Self::ServerBusy { .. }
            | Self::CallsFull { .. }
            | Self::WatchersFull { .. }
            | Self::WatcherTooSlow { .. }
            | Self::StoreUnavailable { .. }
            | Self::QueueUnavailable { .. }
            | Self::ShuttingDown
            | Self::Internal(_) => None,
        }
    }

    /// The fields that are wrong.
    pub(crate) fn violations(&self) -> &[Violation] {
        if let Self::InvalidField(violations) = self {
            violations
        } else {
            &[]
        }
    }

    /// Whether it is about this one job or dead letter, as that is now: others may fare better.
    pub(crate) fn is_of_one(&self) -> bool {
        matches!(
            self.code(),
            Code::NotFound | Code::Aborted | Code::FailedPrecondition
        )
    }

    /// When to try again: with every refusal after which nothing happened.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if let Self::QueueFull { retry_after_ms, .. }
        | Self::StoreFull { retry_after_ms, .. }
        | Self::RateLimited { retry_after_ms, .. } = self
        {
            return Some(Duration::from_millis(*retry_after_ms));
        }
        let nothing_happened = matches!(self.code(), Code::ResourceExhausted | Code::Unavailable);
        nothing_happened.then_some(Duration::from_millis(RETRY_AFTER_MS))
    }

    /// Counts it, and logs what the caller must not see.
    pub(crate) fn record(&self) {
        metric_definitions::refused(self.reason());
        if let Self::Internal(why) = self {
            tracing::error!(why, "answered a call with INTERNAL: {why}");
        }
    }
}

fn sentence(violations: &[Violation]) -> String {
    let parts = violations
        .iter()
        .map(|wrong| format!("`{}` {}", wrong.field, wrong.description));
    parts.collect::<Vec<_>>().join("; ")
}
