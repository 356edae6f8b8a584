//! From how a handler ended to what follows. Pure.

use assay_core::job::Job;
use assay_core::retry::{
    self, ATTEMPTS_LIMIT, DeadLetterReason, Decision, Failure, FailureClass, Interruption,
    InterruptionReason, Outcome, RetryPolicy,
};

use crate::attempt::Stop;
use crate::job_error::JobError;

/// How long a suspect waits for another worker, or another moment, when this one has a suspect already: 100 ms
/// to 1 s. By chance, because a worker's death makes suspects of all that it ran: those that met once would
/// meet each time, and one of them would run per round.
const SUSPECT_DELAY: RetryPolicy = RetryPolicy {
    attempts_max: ATTEMPTS_LIMIT,
    base_ms: 1_000,
    cap_ms: 1_000,
};
const SUSPECT_DELAY_MS_MIN: u64 = 100;

/// How an attempt ended without an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The handler said why.
    Answered(JobError),
    /// The handler panicked, with this message.
    Panicked(String),
    /// It took longer than an attempt may.
    TimedOut {
        /// The limit, in milliseconds.
        after_ms: u64,
    },
    /// The job's own deadline passed.
    DeadlinePassed,
    /// It did not end when asked to, or could not be let end.
    CutOff,
    /// The payload is not what the kind's message should be.
    Undecodable(String),
    /// Its result found no place.
    NoPlaceForResult,
    /// It may kill its worker, and the worker has such a job already.
    TwoSuspects,
}

/// What follows for `job`, given who had wanted the attempt stopped.
pub(crate) fn decide(
    ending: Ending,
    stop: Option<Stop>,
    job: &Job,
    now_ms: u64,
    jitter: f64,
) -> Decision {
    if let Ending::Undecodable(why) = ending {
        return Decision::DeadLetter {
            failure: Failure::new(FailureClass::Permanent, "undecodable", why),
            reason: DeadLetterReason::Undecodable,
        };
    }
    let outcome = match stop {
        None => unasked(ending, jitter),
        Some(stop) => asked(ending, stop, jitter),
    };
    let deadline_at_ms = job.times.deadline_at_ms;
    let policy = &job.policy.retry;
    retry::decide(
        &outcome,
        &job.counters,
        policy,
        deadline_at_ms,
        now_ms,
        jitter,
    )
}

/// Nobody wanted it stopped: it ended by itself, or by its limits.
fn unasked(ending: Ending, jitter: f64) -> Outcome {
    let failed = |class, code, message: String| Outcome::Failed(Failure::new(class, code, message));
    match ending {
        Ending::Answered(JobError::Failed(failure)) => Outcome::Failed(failure),
        Ending::Answered(JobError::Interrupted(interruption)) => Outcome::Interrupted(interruption),
        Ending::Answered(JobError::Stopped) => failed(
            FailureClass::Transient,
            "stopped_unasked",
            "the handler stopped although nobody asked it to".to_owned(),
        ),
        Ending::Panicked(message) => failed(FailureClass::Panicked, "panicked", message),
        Ending::TimedOut { after_ms } => failed(
            FailureClass::TimedOut,
            "attempt_timeout",
            format!("the attempt took longer than {after_ms} ms"),
        ),
        Ending::DeadlinePassed => failed(
            FailureClass::TimedOut,
            "deadline_exceeded",
            "the job's deadline passed while it ran".to_owned(),
        ),
        Ending::Undecodable(why) => failed(FailureClass::Permanent, "undecodable", why),
        Ending::NoPlaceForResult => interrupted(InterruptionReason::StoreOutage, None),
        Ending::TwoSuspects => {
            let after_ms = SUSPECT_DELAY.delay_ms(1, Some(SUSPECT_DELAY_MS_MIN), jitter);
            interrupted(InterruptionReason::RunsAlone, Some(after_ms))
        }
        Ending::CutOff => interrupted(InterruptionReason::LeaseLost, None),
    }
}

/// Somebody wanted it stopped, so errors on its way out are no news about the job, except what no
/// repetition would mend and what is a fault of the handler.
fn asked(ending: Ending, stop: Stop, jitter: f64) -> Outcome {
    if let Ending::Answered(JobError::Failed(failure)) = &ending
        && failure.class == FailureClass::Permanent
    {
        return Outcome::Failed(failure.clone());
    }
    if stop == Stop::Drain && matches!(ending, Ending::Panicked(_)) {
        return unasked(ending, jitter);
    }
    match stop {
        Stop::Cancel => Outcome::Cancelled,
        Stop::Drain => interrupted(InterruptionReason::Drain, None),
        Stop::LeaseLost | Stop::Missing | Stop::Fenced => {
            interrupted(InterruptionReason::LeaseLost, None)
        }
    }
}

fn interrupted(reason: InterruptionReason, retry_after_ms: Option<u64>) -> Outcome {
    Outcome::Interrupted(Interruption {
        reason,
        retry_after_ms,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn transient() -> Ending {
        Ending::Answered(JobError::transient("code", "message"))
    }

    fn permanent() -> Ending {
        Ending::Answered(JobError::permanent("code", "message"))
    }

    fn class(outcome: &Outcome) -> Option<FailureClass> {
        match outcome {
            Outcome::Failed(failure) => Some(failure.class),
            Outcome::Succeeded | Outcome::Interrupted(_) | Outcome::Cancelled => None,
        }
    }

    #[test]
    fn what_ends_by_itself_is_judged_by_how_it_ended() {
        let table = [
            (transient(), FailureClass::Transient),
            (permanent(), FailureClass::Permanent),
            (Ending::Answered(JobError::Stopped), FailureClass::Transient),
            (Ending::Panicked("boom".into()), FailureClass::Panicked),
            (Ending::TimedOut { after_ms: 7 }, FailureClass::TimedOut),
            (Ending::DeadlinePassed, FailureClass::TimedOut),
        ];
        for (ending, expected) in table {
            assert_eq!(
                class(&unasked(ending.clone(), 1.0)),
                Some(expected),
                "{ending:?}"
            );
        }
        let open = JobError::breaker_open(Some(Duration::from_secs(9)));
        assert_eq!(
            unasked(Ending::Answered(open), 1.0),
            interrupted(InterruptionReason::BreakerOpen, Some(9_000))
        );
    }

    #[test]
    fn who_wanted_it_stopped_explains_the_errors_on_the_way_out() {
        let stopped = || Ending::Answered(JobError::Stopped);
        for ending in [
            stopped(),
            transient(),
            Ending::CutOff,
            Ending::Panicked("boom".into()),
        ] {
            assert_eq!(asked(ending, Stop::Cancel, 1.0), Outcome::Cancelled);
        }
        for ending in [
            stopped(),
            transient(),
            Ending::CutOff,
            Ending::TimedOut { after_ms: 1 },
        ] {
            assert_eq!(
                asked(ending, Stop::Drain, 1.0),
                interrupted(InterruptionReason::Drain, None)
            );
        }
        assert_eq!(
            asked(Ending::CutOff, Stop::LeaseLost, 1.0),
            interrupted(InterruptionReason::LeaseLost, None)
        );
    }

    #[test]
    fn suspects_that_met_do_not_meet_again() {
        for (jitter, after_ms) in [(0.0, 100), (0.5, 500), (1.0, 1_000)] {
            let alone = interrupted(InterruptionReason::RunsAlone, Some(after_ms));
            assert_eq!(unasked(Ending::TwoSuspects, jitter), alone);
        }
    }

    #[test]
    fn a_permanent_failure_is_one_whoever_wanted_it_stopped() {
        for stop in [Stop::Drain, Stop::Cancel] {
            assert_eq!(
                class(&asked(permanent(), stop, 1.0)),
                Some(FailureClass::Permanent)
            );
        }
        let panicked = asked(Ending::Panicked("boom".into()), Stop::Drain, 1.0);
        assert_eq!(class(&panicked), Some(FailureClass::Panicked));
    }
}
