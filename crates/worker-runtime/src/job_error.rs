//! What a handler answers when it has no output.

use std::error::Error;
use std::time::Duration;

use assay_core::retry::{Failure, FailureClass, Interruption, InterruptionReason};

/// Why a handler has no output. What follows is decided by `assay_core::retry`, not here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The work failed.
    #[error("{}: {}", .0.code, .0.message)]
    Failed(Failure),
    /// Circumstances ended it; no attempt is spent.
    #[error("interrupted: {}", .0.reason.as_str())]
    Interrupted(Interruption),
    /// It stopped because [`JobContext::cancelled`](crate::JobContext::cancelled) said so.
    #[error("stopped as asked")]
    Stopped,
}

impl JobError {
    /// A failure that may be gone at the next attempt. `code` is a stable word for programs.
    pub fn transient(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed(Failure::new(FailureClass::Transient, code, message))
    }

    /// A failure that every attempt would meet: the job fails for good.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed(Failure::new(FailureClass::Permanent, code, message))
    }

    /// A transient failure with an error's words and causes.
    pub fn transient_from(code: impl Into<String>, error: &dyn Error) -> Self {
        Self::Failed(Failure::from_error(FailureClass::Transient, code, error))
    }

    /// A permanent failure with an error's words and causes.
    pub fn permanent_from(code: impl Into<String>, error: &dyn Error) -> Self {
        Self::Failed(Failure::from_error(FailureClass::Permanent, code, error))
    }

    /// A downstream that the job cannot do without is shut off by its breaker: the job is parked and
    /// due again after `retry_after`.
    #[must_use]
    pub fn breaker_open(retry_after: Option<Duration>) -> Self {
        Self::Interrupted(Interruption {
            reason: InterruptionReason::BreakerOpen,
            retry_after_ms: retry_after.map(millis),
        })
    }

    /// The same error, not to be tried again before `after` has passed.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        match &mut self {
            Self::Failed(failure) => failure.retry_after_ms = Some(millis(after)),
            Self::Interrupted(interruption) => interruption.retry_after_ms = Some(millis(after)),
            Self::Stopped => {}
        }
        self
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
