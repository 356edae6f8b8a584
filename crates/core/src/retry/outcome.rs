//! The words of [`super::decide`]: how an attempt ended, and why.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// The longest code of a failure, in bytes.
pub const FAILURE_CODE_BYTES_MAX: usize = 64;
/// The longest message of a failure, and of each cause in its chain, in bytes.
pub const FAILURE_MESSAGE_BYTES_MAX: usize = 1_024;
/// The most causes kept in a failure's chain.
pub const FAILURE_CHAIN_MAX: usize = 16;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The handler returned its output.
    Succeeded,
    /// The handler failed.
    Failed(Failure),
    /// Circumstances ended the attempt; nobody's fault.
    Interrupted(Interruption),
    /// The handler stopped because the job was cancelled.
    Cancelled,
}

/// Why an attempt failed, in bounded words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure: decides whether trying again makes sense.
    pub class: FailureClass,
    /// A stable word for programs, such as `corrupt_media`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The causes, outermost first.
    pub chain: Vec<String>,
    /// The failing party asked not to be tried again sooner.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure without causes, cut to its bounds.
    pub fn new(class: FailureClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        let failure = Self {
            class,
            code: code.into(),
            message: message.into(),
            chain: Vec::new(),
            retry_after_ms: None,
        };
        failure.bounded()
    }

    /// A failure that says what `error` says, with its sources as the chain.
    pub fn from_error(class: FailureClass, code: impl Into<String>, error: &dyn Error) -> Self {
        let mut failure = Self::new(class, code, error.to_string());
        let mut source = error.source();
        while let Some(cause) = source
            && failure.chain.len() < FAILURE_CHAIN_MAX
        {
            failure.chain.push(cause.to_string());
            source = cause.source();
        }
        failure.bounded()
    }

    /// The same failure with every text cut to its bound, on a character's boundary.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        cut(&mut self.code, FAILURE_CODE_BYTES_MAX);
        cut(&mut self.message, FAILURE_MESSAGE_BYTES_MAX);
        self.chain.truncate(FAILURE_CHAIN_MAX);
        for cause in &mut self.chain {
            cut(cause, FAILURE_MESSAGE_BYTES_MAX);
        }
        self
    }
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// May well succeed later.
    Transient,
    /// Will fail the same way again: the job has failed, there is nothing for people to repair.
    Permanent,
    /// The attempt ran out of its time; tried again.
    TimedOut,
    /// The handler panicked; tried again.
    Panicked,
    /// The worker process died under it; counts as a crash, not as an error.
    Crashed,
}

impl FailureClass {
    /// The word used in metrics and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Crashed => "crashed",
        }
    }
}

/// Why an attempt ended through no fault of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// The circumstance.
    pub reason: InterruptionReason,
    /// When trying again makes sense, if that is known.
    pub retry_after_ms: Option<u64>,
}

/// The circumstances that end an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionReason {
    /// The worker shuts down.
    Drain,
    /// A required downstream's breaker is open.
    BreakerOpen,
    /// The store does not answer.
    StoreOutage,
    /// The queue does not answer.
    QueueOutage,
    /// The lease went to somebody else or ran out.
    LeaseLost,
    /// The worker process died.
    WorkerLost,
    /// The envelope needs a newer worker.
    NewerVersion,
    /// It must have its worker to itself, and the worker has such a job already.
    RunsAlone,
}

impl InterruptionReason {
    /// The word used in metrics and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::BreakerOpen => "breaker_open",
            Self::StoreOutage => "store_outage",
            Self::QueueOutage => "queue_outage",
            Self::LeaseLost => "lease_lost",
            Self::WorkerLost => "worker_lost",
            Self::NewerVersion => "newer_version",
            Self::RunsAlone => "runs_alone",
        }
    }

    /// Whether the job waits in the store: another worker would meet the same circumstance.
    pub(super) const fn parks(self) -> bool {
        matches!(
            self,
            Self::BreakerOpen | Self::StoreOutage | Self::QueueOutage
        )
    }
}

/// Why a job became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterReason {
    /// It failed as often as its policy allows.
    AttemptsExhausted,
    /// Its workers died under it.
    CrashLoop,
    /// It could not run again before its deadline.
    DeadlineExceeded,
    /// Its envelope cannot be read.
    Undecodable,
    /// Its record is gone and may not be rebuilt.
    Orphan,
}

impl DeadLetterReason {
    /// The word used in metrics and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::CrashLoop => "crash_loop",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Undecodable => "undecodable",
            Self::Orphan => "orphan",
        }
    }
}

fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("level {level}")]
    struct Nested {
        level: usize,
        #[source]
        below: Option<Box<Nested>>,
    }

    fn nested(levels: usize) -> Nested {
        let mut error = Nested {
            level: levels,
            below: None,
        };
        for level in (0..levels).rev() {
            error = Nested {
                level,
                below: Some(Box::new(error)),
            };
        }
        error
    }

    #[test]
    fn texts_are_cut_at_their_bound_and_not_before() {
        for (bytes, kept) in [(64, 64), (65, 64)] {
            let failure = Failure::new(FailureClass::Transient, "c".repeat(bytes), "");
            assert_eq!(failure.code.len(), kept);
        }
        for (bytes, kept) in [(1_024, 1_024), (1_025, 1_024)] {
            let failure = Failure::new(FailureClass::Transient, "", "m".repeat(bytes));
            assert_eq!(failure.message.len(), kept);
        }
        // Three-byte characters: 1024 falls inside one.
        let failure = Failure::new(FailureClass::Transient, "", "\u{20ac}".repeat(400));
        assert_eq!(failure.message, "\u{20ac}".repeat(341));
    }

    #[test]
    fn the_chain_is_the_error_s_sources_up_to_a_bound() {
        for (sources, kept) in [(0, 0), (16, 16), (17, 16)] {
            let failure = Failure::from_error(FailureClass::Transient, "code", &nested(sources));
            assert_eq!(failure.message, "level 0");
            assert_eq!(failure.chain.len(), kept);
            assert!(failure.chain.first().is_none_or(|first| first == "level 1"));
        }
        let long = Failure {
            chain: vec!["x".repeat(1_025); 17],
            ..Failure::new(FailureClass::Permanent, "", "")
        };
        assert_eq!(long.bounded().chain, vec!["x".repeat(1_024); 16]);
    }

    #[test]
    fn records_and_metrics_use_the_same_words() {
        use DeadLetterReason::{
            AttemptsExhausted, CrashLoop, DeadlineExceeded, Orphan, Undecodable,
        };
        use FailureClass::{Crashed, Panicked, Permanent, TimedOut, Transient};
        use InterruptionReason::{
            BreakerOpen, Drain, LeaseLost, NewerVersion, QueueOutage, RunsAlone, StoreOutage,
            WorkerLost,
        };
        for class in [Transient, Permanent, TimedOut, Panicked, Crashed] {
            assert_eq!(serde_json::json!(class), class.as_str());
        }
        for reason in [
            Drain,
            BreakerOpen,
            StoreOutage,
            QueueOutage,
            LeaseLost,
            WorkerLost,
            NewerVersion,
            RunsAlone,
        ] {
            assert_eq!(serde_json::json!(reason), reason.as_str());
        }
        for reason in [
            AttemptsExhausted,
            CrashLoop,
            DeadlineExceeded,
            Undecodable,
            Orphan,
        ] {
            assert_eq!(serde_json::json!(reason), reason.as_str());
        }
    }

    #[test]
    fn an_outcome_reads_back_as_it_was() {
        let failure = Failure::from_error(FailureClass::TimedOut, "code", &nested(2));
        for outcome in [
            Outcome::Succeeded,
            Outcome::Cancelled,
            Outcome::Failed(failure),
        ] {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        }
    }
}
