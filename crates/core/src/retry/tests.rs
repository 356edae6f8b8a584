use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;
const FAR: u64 = u64::MAX;

fn policy() -> RetryPolicy {
    RetryPolicy {
        attempts_max: 5,
        base_ms: 1_000,
        cap_ms: 10_000,
    }
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "code", "message")
}

fn counted(errors: u32, crashes: u32) -> Counters {
    Counters {
        errors,
        crashes,
        interruptions: u32::MAX,
    }
}

fn interrupted(reason: InterruptionReason, after_ms: Option<u64>, deadline: u64) -> Decision {
    let outcome = Outcome::Interrupted(Interruption {
        reason,
        retry_after_ms: after_ms,
    });
    decide(&outcome, &counted(4, 2), &policy(), deadline, NOW, 1.0)
}

#[test]
fn a_failure_leads_to_one_decision() {
    use DeadLetterReason::{AttemptsExhausted, CrashLoop, DeadlineExceeded};
    use FailureClass::{Crashed, Panicked, Permanent, TimedOut, Transient};
    let retry = |class, after_ms| Decision::Retry {
        failure: failure(class),
        after_ms,
    };
    let dead = |class, reason| dead(failure(class), reason);
    let again = Decision::RunAgain {
        reason: InterruptionReason::WorkerLost,
        after_ms: 0,
    };
    // class, errors and crashes before, deadline, decision (jitter 1: the longest delay)
    let table = [
        (Transient, 0, 0, FAR, retry(Transient, 1_000)),
        (TimedOut, 1, 0, FAR, retry(TimedOut, 2_000)),
        (Panicked, 3, 2, FAR, retry(Panicked, 8_000)),
        (Transient, 4, 0, FAR, dead(Transient, AttemptsExhausted)),
        (Panicked, 4, 0, FAR, dead(Panicked, AttemptsExhausted)),
        (Transient, 0, 0, NOW + 1_001, retry(Transient, 1_000)),
        (
            Transient,
            0,
            0,
            NOW + 1_000,
            dead(Transient, DeadlineExceeded),
        ),
        (Permanent, 0, 0, FAR, Decision::Fail(failure(Permanent))),
        (Permanent, 4, 2, 0, Decision::Fail(failure(Permanent))),
        (Crashed, 9, 0, FAR, again.clone()),
        (Crashed, 9, 1, NOW + 1, again),
        (Crashed, 0, 1, NOW, dead(Crashed, DeadlineExceeded)),
        (Crashed, 0, 2, FAR, dead(Crashed, CrashLoop)),
    ];
    for (class, errors, crashes, deadline, expected) in table {
        let counters = counted(errors, crashes);
        let outcome = Outcome::Failed(failure(class));
        let decision = decide(&outcome, &counters, &policy(), deadline, NOW, 1.0);
        assert_eq!(decision, expected, "{class:?} {errors} {crashes}");
        if class == Crashed {
            // The caller need not know the class: a lost worker is a crash.
            let lost = decide_crash(&counters, failure(Transient), deadline, NOW);
            assert_eq!(lost, expected);
        }
    }
}

#[test]
fn an_interruption_spends_nothing_and_ends_only_at_the_deadline() {
    use InterruptionReason::{BreakerOpen, Drain, NewerVersion, StoreOutage};
    let again = |reason, after_ms| Decision::RunAgain { reason, after_ms };
    let park = |reason, until_ms| Decision::Park { until_ms, reason };
    let table = [
        (Drain, None, again(Drain, 0)),
        (NewerVersion, Some(30_000), again(NewerVersion, 30_000)),
        (BreakerOpen, Some(70), park(BreakerOpen, NOW + 70)),
        (StoreOutage, None, park(StoreOutage, NOW + PARK_MS_DEFAULT)),
        (
            BreakerOpen,
            Some(PARK_MS_MAX),
            park(BreakerOpen, NOW + PARK_MS_MAX),
        ),
        (
            BreakerOpen,
            Some(PARK_MS_MAX + 1),
            park(BreakerOpen, NOW + PARK_MS_MAX),
        ),
    ];
    for (reason, after_ms, expected) in table {
        assert_eq!(interrupted(reason, after_ms, FAR), expected);
    }
    assert_eq!(interrupted(Drain, None, NOW + 1), again(Drain, 0));
    for (reason, after_ms, deadline) in [(Drain, None, NOW), (BreakerOpen, Some(9), NOW + 9)] {
        let decision = interrupted(reason, after_ms, deadline);
        let Decision::DeadLetter { failure, reason } = decision else {
            panic!("due at its deadline, yet {decision:?}");
        };
        assert_eq!(reason, DeadLetterReason::DeadlineExceeded);
        assert_eq!(failure.code, "deadline_exceeded");
    }
}

#[test]
fn success_and_cancel_stand_even_after_the_deadline() {
    let none = Counters::default();
    for (outcome, expected) in [
        (Outcome::Succeeded, Decision::Succeed),
        (Outcome::Cancelled, Decision::Cancel),
    ] {
        assert_eq!(decide(&outcome, &none, &policy(), 0, NOW, 0.5), expected);
        assert_eq!(none.after(&outcome), none);
    }
}

#[test]
fn each_outcome_raises_one_counter() {
    let none = Counters::default();
    assert!(!runs_alone(&none));
    let crashed = none.after(&Outcome::Failed(failure(FailureClass::Crashed)));
    assert!(runs_alone(&crashed));
    assert_eq!(
        (crashed.errors, crashed.crashes, crashed.interruptions),
        (0, 1, 0)
    );
    let failed = crashed.after(&Outcome::Failed(failure(FailureClass::Permanent)));
    assert_eq!(
        (failed.errors, failed.crashes, failed.interruptions),
        (1, 1, 0)
    );
    let drained = failed.after(&Outcome::Interrupted(Interruption {
        reason: InterruptionReason::Drain,
        retry_after_ms: None,
    }));
    assert_eq!(
        (drained.errors, drained.crashes, drained.interruptions),
        (1, 1, 1)
    );
}

#[test]
fn a_decision_never_holds_unbounded_text() {
    let long = Failure {
        message: "m".repeat(FAILURE_MESSAGE_BYTES_MAX + 1),
        ..failure(FailureClass::Permanent)
    };
    let outcome = Outcome::Failed(long.clone());
    let decision = decide(&outcome, &counted(0, 0), &policy(), FAR, NOW, 0.5);
    assert_eq!(decision, Decision::Fail(long.bounded()));
}

#[test]
fn what_an_error_asks_for_is_a_floor_below_the_cap() {
    for (jitter, asked_ms, expected_ms) in [
        (0.0, None, 0),
        (0.5, None, 2_000),
        (0.5, Some(1_999), 2_000),
        (0.5, Some(2_001), 2_001),
        (0.0, Some(10_000), 10_000),
        (0.0, Some(10_001), 10_000),
        (f64::NAN, None, 4_000),
        (7.0, None, 4_000),
        (-1.0, None, 0),
    ] {
        assert_eq!(policy().delay_ms(3, asked_ms, jitter), expected_ms);
    }
    assert_eq!(policy().delay_ms(u32::MAX, None, 1.0), 10_000);
}

#[test]
fn a_policy_names_the_field_that_is_out_of_range() {
    let with = |attempts_max, base_ms, cap_ms| {
        let policy = RetryPolicy {
            attempts_max,
            base_ms,
            cap_ms,
        };
        policy.validate().map_err(|error| error.field)
    };
    assert_eq!(RetryPolicy::default().validate(), Ok(()));
    assert_eq!(with(1, 1, 1), Ok(()));
    assert_eq!(with(ATTEMPTS_LIMIT, 1, BACKOFF_MS_LIMIT), Ok(()));
    assert_eq!(with(0, 1, 1), Err("attempts_max"));
    assert_eq!(with(ATTEMPTS_LIMIT + 1, 1, 1), Err("attempts_max"));
    assert_eq!(with(1, 0, 1), Err("base_ms"));
    assert_eq!(with(1, BACKOFF_MS_LIMIT + 1, 1), Err("base_ms"));
    assert_eq!(with(1, 2, 1), Err("cap_ms"));
    assert_eq!(with(1, 1, BACKOFF_MS_LIMIT + 1), Err("cap_ms"));
    // Records written before a field existed still read.
    let read: RetryPolicy = serde_json::from_str(r#"{"attempts_max":2}"#).unwrap();
    assert_eq!((read.attempts_max, read.base_ms), (2, 1_000));
}

proptest! {
    #[test]
    fn a_delay_stays_between_nothing_and_the_cap(
        errors in any::<u32>(), asked_ms in any::<Option<u64>>(), jitter in 0.0..1.0_f64,
    ) {
        let delay_ms = policy().delay_ms(errors, asked_ms, jitter);
        prop_assert!(delay_ms <= policy().cap_ms);
        prop_assert!(delay_ms >= asked_ms.unwrap_or(0).min(policy().cap_ms));
    }

    #[test]
    fn a_job_that_only_fails_runs_exactly_as_often_as_its_policy_allows(
        attempts_max in 1..=ATTEMPTS_LIMIT, jitter in 0.0..1.0_f64,
    ) {
        let policy = RetryPolicy { attempts_max, ..policy() };
        let outcome = Outcome::Failed(failure(FailureClass::Transient));
        let mut counters = Counters::default();
        let mut attempts = 1;
        while let Decision::Retry { .. } = decide(&outcome, &counters, &policy, FAR, NOW, jitter) {
            counters = counters.after(&outcome);
            attempts += 1;
        }
        prop_assert_eq!(attempts, attempts_max);
    }
}
