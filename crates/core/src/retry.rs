//! What follows from an attempt: the handler's [`Outcome`] in, a [`Decision`] out.
//!
//! Pure: time and jitter are passed in. Three counters with three meanings:
//! - errors (the handler failed) spend the retry budget of `attempts_max`;
//! - crashes (the worker process is known to have died under the job): the third is a crash loop, and after
//!   the first the job runs alone in its worker, so that a killer takes no innocent jobs with it;
//! - interruptions (deploy, open breaker, store outage, a lease that lapsed) spend nothing; only the
//!   deadline ends them.

mod outcome;
#[cfg(test)]
mod tests;

pub use outcome::{
    DeadLetterReason, FAILURE_CHAIN_MAX, FAILURE_CODE_BYTES_MAX, FAILURE_MESSAGE_BYTES_MAX,
    Failure, FailureClass, Interruption, InterruptionReason, Outcome,
};

use serde::{Deserialize, Serialize};

/// Attempts a job gets unless its policy says otherwise.
pub const ATTEMPTS_DEFAULT: u32 = 5;
/// The most attempts a policy may allow.
pub const ATTEMPTS_LIMIT: u32 = 100;
/// The longest delay between attempts that a policy may allow, in milliseconds.
pub const BACKOFF_MS_LIMIT: u64 = 86_400_000;
/// The crash that ends a job as a crash loop.
pub const CRASHES_MAX: u32 = 3;
/// How long a job is parked when its interruption names no time, in milliseconds.
pub const PARK_MS_DEFAULT: u64 = 1_000;
/// The longest that an interruption may put a job off at once, in milliseconds.
pub const PARK_MS_MAX: u64 = 3_600_000;

/// Decides what follows from an attempt. `counters` are the job's as they stood before this outcome;
/// `jitter` is drawn from 0..1. A job that would run again only at or after its deadline is dead at once.
pub fn decide(
    outcome: &Outcome,
    counters: &Counters,
    policy: &RetryPolicy,
    deadline_at_ms: u64,
    now_ms: u64,
    jitter: f64,
) -> Decision {
    let counters = counters.after(outcome);
    match outcome {
        Outcome::Succeeded => Decision::Succeed,
        Outcome::Cancelled => Decision::Cancel,
        Outcome::Interrupted(interruption) => {
            after_interruption(*interruption, deadline_at_ms, now_ms)
        }
        Outcome::Failed(failure) => {
            let failure = failure.clone().bounded();
            match failure.class {
                FailureClass::Permanent => Decision::Fail(failure),
                FailureClass::Crashed => after_crash(&counters, failure, deadline_at_ms, now_ms),
                FailureClass::Transient | FailureClass::TimedOut | FailureClass::Panicked => {
                    if counters.errors >= policy.attempts_max {
                        return dead(failure, DeadLetterReason::AttemptsExhausted);
                    }
                    let after_ms = policy.delay_ms(counters.errors, failure.retry_after_ms, jitter);
                    if now_ms.saturating_add(after_ms) >= deadline_at_ms {
                        return dead(failure, DeadLetterReason::DeadlineExceeded);
                    }
                    Decision::Retry { failure, after_ms }
                }
            }
        }
    }
}

/// Decides what follows from the known death of the process that ran the job: it runs again at once, and
/// alone, until the crash that makes a loop. `counters` as they stood before this crash.
pub fn decide_crash(
    counters: &Counters,
    failure: Failure,
    deadline_at_ms: u64,
    now_ms: u64,
) -> Decision {
    let failure = Failure {
        class: FailureClass::Crashed,
        ..failure
    };
    let counters = counters.after(&Outcome::Failed(failure.clone()));
    after_crash(&counters, failure.bounded(), deadline_at_ms, now_ms)
}

/// Decides what follows when a lease lapsed: its worker may be dead, paused or cut off, and nobody knows
/// which, so the job runs again at once and nothing is spent.
pub fn decide_lapse(deadline_at_ms: u64, now_ms: u64) -> Decision {
    let lapse = Interruption {
        reason: InterruptionReason::LeaseLost,
        retry_after_ms: None,
    };
    after_interruption(lapse, deadline_at_ms, now_ms)
}

/// Whether the job must have its worker to itself.
pub const fn runs_alone(counters: &Counters) -> bool {
    counters.crashes > 0
}

fn after_crash(
    counters: &Counters,
    failure: Failure,
    deadline_at_ms: u64,
    now_ms: u64,
) -> Decision {
    if counters.crashes >= CRASHES_MAX {
        return dead(failure, DeadLetterReason::CrashLoop);
    }
    if now_ms >= deadline_at_ms {
        return dead(failure, DeadLetterReason::DeadlineExceeded);
    }
    Decision::RunAgain {
        reason: InterruptionReason::WorkerLost,
        after_ms: 0,
    }
}

fn after_interruption(interruption: Interruption, deadline_at_ms: u64, now_ms: u64) -> Decision {
    let reason = interruption.reason;
    let default_ms = if reason.parks() { PARK_MS_DEFAULT } else { 0 };
    let after_ms = interruption
        .retry_after_ms
        .unwrap_or(default_ms)
        .min(PARK_MS_MAX);
    let until_ms = now_ms.saturating_add(after_ms);
    if until_ms >= deadline_at_ms {
        let failure = Failure::new(
            FailureClass::TimedOut,
            "deadline_exceeded",
            format!("last interrupted by {}", reason.as_str()),
        );
        return dead(failure, DeadLetterReason::DeadlineExceeded);
    }
    if reason.parks() {
        return Decision::Park { until_ms, reason };
    }
    Decision::RunAgain { reason, after_ms }
}

fn dead(failure: Failure, reason: DeadLetterReason) -> Decision {
    Decision::DeadLetter { failure, reason }
}

/// How often and how far apart a failed job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryPolicy {
    /// Handler failures until the job is dead, the first included; 1..=[`ATTEMPTS_LIMIT`].
    pub attempts_max: u32,
    /// Upper edge of the first delay; doubles with each further failure.
    pub base_ms: u64,
    /// No delay is longer, not even one that an error asked for.
    pub cap_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: ATTEMPTS_DEFAULT,
            base_ms: 1_000,
            cap_ms: 300_000,
        }
    }
}

impl RetryPolicy {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field that is out of range, with the range.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let fields = [
            (
                "attempts_max",
                self.attempts_max.into(),
                1,
                ATTEMPTS_LIMIT.into(),
            ),
            ("base_ms", self.base_ms, 1, BACKOFF_MS_LIMIT),
            ("cap_ms", self.cap_ms, self.base_ms, BACKOFF_MS_LIMIT),
        ];
        for (field, value, min, max) in fields {
            if !(min..=max).contains(&value) {
                return Err(PolicyError {
                    field,
                    value,
                    min,
                    max,
                });
            }
        }
        Ok(())
    }

    /// The delay after the `errors`-th failure: "full jitter", anywhere between nothing and
    /// `min(cap, base * 2^(errors - 1))` (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
    /// Blog, 2015). What the error asked for is a floor below the cap.
    pub fn delay_ms(&self, errors: u32, retry_after_ms: Option<u64>, jitter: f64) -> u64 {
        let ceiling_ms = exponential_ms(self.base_ms, self.cap_ms, errors.saturating_sub(1));
        share_ms(ceiling_ms, jitter)
            .max(retry_after_ms.unwrap_or(0))
            .min(self.cap_ms)
    }
}

/// A setting of [`RetryPolicy`] outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("set retry field {field} between {min} and {max}, not {value}")]
pub struct PolicyError {
    /// Name of the field.
    pub field: &'static str,
    /// What was set.
    pub value: u64,
    /// The least that is allowed.
    pub min: u64,
    /// The most that is allowed.
    pub max: u64,
}

/// What a job has been through since it was submitted or redriven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Attempts whose handler failed.
    pub errors: u32,
    /// Attempts whose worker process died.
    pub crashes: u32,
    /// Attempts ended by circumstances.
    pub interruptions: u32,
}

impl Counters {
    /// The counters with `outcome` counted in. A permanent failure counts as an error like any other.
    #[must_use]
    pub const fn after(mut self, outcome: &Outcome) -> Self {
        let counter = match outcome {
            Outcome::Succeeded | Outcome::Cancelled => return self,
            Outcome::Interrupted(_) => &mut self.interruptions,
            Outcome::Failed(failure) => match failure.class {
                FailureClass::Crashed => &mut self.crashes,
                FailureClass::Transient
                | FailureClass::Permanent
                | FailureClass::TimedOut
                | FailureClass::Panicked => &mut self.errors,
            },
        };
        *counter = counter.saturating_add(1);
        self
    }
}

/// What follows from an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The job has succeeded.
    Succeed,
    /// The job has failed for good.
    Fail(Failure),
    /// Try again; the failure has spent one of its attempts.
    Retry {
        /// Why.
        failure: Failure,
        /// From now, in milliseconds.
        after_ms: u64,
    },
    /// Keep the job for people.
    DeadLetter {
        /// The last failure.
        failure: Failure,
        /// What made it the last.
        reason: DeadLetterReason,
    },
    /// Queue it again without spending an attempt.
    RunAgain {
        /// Why it did not end.
        reason: InterruptionReason,
        /// From now, in milliseconds.
        after_ms: u64,
    },
    /// Let it wait in the store without spending an attempt.
    Park {
        /// When it is due, in milliseconds since the epoch.
        until_ms: u64,
        /// What it waits for.
        reason: InterruptionReason,
    },
    /// The job is cancelled.
    Cancel,
}

/// `min(cap, base * 2^doublings)`, in milliseconds.
pub(crate) fn exponential_ms(base_ms: u64, cap_ms: u64, doublings: u32) -> u64 {
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    base_ms.saturating_mul(factor).min(cap_ms)
}

/// The given share (0..1, else clamped; not a number counts as all) of a time.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a share of a u64 fits one, and a fraction of a millisecond is not wanted"
)]
pub(crate) fn share_ms(whole_ms: u64, share: f64) -> u64 {
    if share.is_nan() {
        return whole_ms;
    }
    ((whole_ms as f64 * share.clamp(0.0, 1.0)) as u64).min(whole_ms)
}
