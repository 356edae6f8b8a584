use proptest::prelude::*;

use super::*;

const T0: u64 = 1_000_000;

/// Opens at 5 failures or 8 slow calls of 10, for 1 s, 2 s, 4 s (no spread), then 3 probes.
fn config() -> BreakerConfig {
    BreakerConfig {
        window: WindowConfig::Count { calls: 10 },
        minimum_calls: 10,
        failure_rate_percent: 50,
        slow_call_ms: Some(100),
        slow_rate_percent: 80,
        open_ms: 1_000,
        open_cap_ms: 4_000,
        open_spread_percent: 0,
        probes: 3,
        probe_timeout_ms: 500,
    }
}

fn breaker() -> Breaker {
    Breaker::new(config()).unwrap()
}

fn permit(breaker: &mut Breaker, now_ms: u64) -> Permit {
    breaker.acquire(now_ms).permit.unwrap()
}

fn refused(breaker: &mut Breaker, now_ms: u64) -> Refused {
    breaker.acquire(now_ms).permit.unwrap_err()
}

/// One call that starts at `now_ms` and takes `elapsed_ms`.
fn call(
    breaker: &mut Breaker,
    result: CallResult,
    now_ms: u64,
    elapsed_ms: u64,
) -> Option<Transition> {
    let permit = permit(breaker, now_ms);
    breaker.record(permit, result, now_ms + elapsed_ms, 0.0)
}

fn calls(
    breaker: &mut Breaker,
    result: CallResult,
    times: u32,
    elapsed_ms: u64,
) -> Option<Transition> {
    let mut last = None;
    for _ in 0..times {
        last = call(breaker, result, T0, elapsed_ms);
    }
    last
}

/// A breaker that opened at `T0`.
fn opened() -> Breaker {
    let mut breaker = breaker();
    let transition = calls(&mut breaker, CallResult::Failed, 10, 0);
    assert_eq!(
        transition,
        moved(State::Closed, State::Open, T0, Cause::FailureRate)
    );
    breaker
}

fn moved(from: State, to: State, at_ms: u64, cause: Cause) -> Option<Transition> {
    Some(Transition {
        from,
        to,
        at_ms,
        cause,
    })
}

#[test]
fn opens_at_each_threshold_and_not_below() {
    use CallResult::{Failed, Succeeded};
    // successes, failures, slow successes -> cause
    let table = [
        (0, 9, 0, None),
        (0, 10, 0, Some(Cause::FailureRate)),
        (6, 4, 0, None),
        (5, 5, 0, Some(Cause::FailureRate)),
        (3, 0, 7, None),
        (2, 0, 8, Some(Cause::SlowRate)),
        (0, 4, 6, None),
    ];
    for (succeeded, failures, slow, cause) in table {
        let mut breaker = breaker();
        calls(&mut breaker, Succeeded, succeeded, 99);
        let mut last = calls(&mut breaker, Failed, failures, 0);
        if slow > 0 {
            last = calls(&mut breaker, Succeeded, slow, 100);
        }
        assert_eq!(
            last.map(|t| t.cause),
            cause,
            "{succeeded} {failures} {slow}"
        );
    }
}

#[test]
fn a_slow_failure_counts_for_both_rates() {
    let mut breaker = Breaker::new(BreakerConfig {
        failure_rate_percent: 100,
        ..config()
    })
    .unwrap();
    calls(&mut breaker, CallResult::Succeeded, 2, 0);
    let last = calls(&mut breaker, CallResult::Failed, 8, 100);
    assert_eq!(last.unwrap().cause, Cause::SlowRate);
}

#[test]
fn open_refuses_until_the_open_time_is_over() {
    let mut breaker = opened();
    assert_eq!(
        refused(&mut breaker, T0 + 999),
        Refused {
            state: State::Open,
            retry_after_ms: 1
        }
    );
    let admission = breaker.acquire(T0 + 1_000);
    let half_open = moved(
        State::Open,
        State::HalfOpen,
        T0 + 1_000,
        Cause::OpenTimeOver,
    );
    assert_eq!(admission.transition, half_open);
    assert!(admission.permit.is_ok());
}

#[test]
fn half_open_lets_out_exactly_its_probes_and_closes_on_their_success() {
    let mut breaker = opened();
    let now_ms = T0 + 1_000;
    let first = permit(&mut breaker, now_ms);
    let second = permit(&mut breaker, now_ms);
    let third = permit(&mut breaker, now_ms);
    assert_eq!(refused(&mut breaker, now_ms).state, State::HalfOpen);
    assert_eq!(
        breaker.record(first, CallResult::Succeeded, now_ms, 0.0),
        None
    );
    assert_eq!(
        breaker.record(second, CallResult::Succeeded, now_ms, 0.0),
        None
    );
    // A success does not make room for a fourth call.
    assert_eq!(refused(&mut breaker, now_ms).retry_after_ms, 1_000);
    let closed = breaker.record(third, CallResult::Succeeded, now_ms, 0.0);
    assert_eq!(
        closed,
        moved(
            State::HalfOpen,
            State::Closed,
            now_ms,
            Cause::ProbesSucceeded
        )
    );
    assert_eq!(breaker.snapshot(now_ms).window, Counts::default());
}

#[test]
fn one_failed_or_slow_probe_reopens() {
    for (result, elapsed_ms) in [(CallResult::Failed, 0), (CallResult::Succeeded, 100)] {
        let mut breaker = opened();
        assert_eq!(
            call(&mut breaker, CallResult::Succeeded, T0 + 1_000, 99),
            None
        );
        let reopened = call(&mut breaker, result, T0 + 1_000, elapsed_ms);
        let at_ms = T0 + 1_000 + elapsed_ms;
        assert_eq!(
            reopened,
            moved(State::HalfOpen, State::Open, at_ms, Cause::ProbeFailed)
        );
    }
}

#[test]
fn open_time_doubles_to_its_cap_and_starts_over_once_closed() {
    let mut breaker = opened();
    let mut now_ms = T0;
    for open_ms in [1_000, 2_000, 4_000, 4_000] {
        assert_eq!(breaker.retry_after_ms(now_ms), open_ms);
        now_ms += open_ms;
        call(&mut breaker, CallResult::Failed, now_ms, 0).unwrap();
    }
    now_ms += 4_000;
    for _ in 0..3 {
        call(&mut breaker, CallResult::Succeeded, now_ms, 0);
    }
    assert_eq!(breaker.state(), State::Closed);
    for _ in 0..10 {
        call(&mut breaker, CallResult::Failed, now_ms, 0);
    }
    assert_eq!(breaker.retry_after_ms(now_ms), 1_000);
}

#[test]
fn jitter_spreads_the_open_time_downwards_only() {
    for (jitter, open_ms) in [(0.0, 1_000), (0.5, 900), (1.0, 800)] {
        let mut breaker = Breaker::new(BreakerConfig {
            open_spread_percent: 20,
            minimum_calls: 1,
            ..config()
        })
        .unwrap();
        let permit = permit(&mut breaker, T0);
        breaker
            .record(permit, CallResult::Failed, T0, jitter)
            .unwrap();
        assert_eq!(breaker.retry_after_ms(T0), open_ms, "jitter {jitter}");
    }
}

#[test]
fn results_of_an_older_period_are_ignored() {
    let mut breaker = breaker();
    let late = [
        permit(&mut breaker, T0),
        permit(&mut breaker, T0),
        permit(&mut breaker, T0),
    ];
    calls(&mut breaker, CallResult::Failed, 10, 0).unwrap();
    let [while_open, while_half_open, released] = late;
    assert_eq!(
        breaker.record(while_open, CallResult::Failed, T0, 0.0),
        None
    );
    let probe = permit(&mut breaker, T0 + 1_000);
    assert_eq!(
        breaker.record(while_half_open, CallResult::Failed, T0 + 1_000, 0.0),
        None
    );
    breaker.release(released);
    let snapshot = breaker.snapshot(T0 + 1_000);
    assert_eq!((snapshot.state, snapshot.probes_out), (State::HalfOpen, 1));
    assert_eq!(snapshot.totals.late, 3);
    breaker.release(probe);
}

#[test]
fn a_released_probe_makes_room_for_another() {
    let mut breaker = opened();
    let now_ms = T0 + 1_000;
    let held = [permit(&mut breaker, now_ms), permit(&mut breaker, now_ms)];
    let third = permit(&mut breaker, now_ms);
    assert!(breaker.acquire(now_ms).permit.is_err());
    breaker.release(third);
    assert!(breaker.acquire(now_ms).permit.is_ok());
    assert!(breaker.acquire(now_ms).permit.is_err());
    drop(held);
}

#[test]
fn a_lost_probe_loses_its_slot_after_the_timeout() {
    let mut breaker = opened();
    let now_ms = T0 + 1_000;
    let lost = [
        permit(&mut breaker, now_ms),
        permit(&mut breaker, now_ms),
        permit(&mut breaker, now_ms),
    ];
    assert!(breaker.acquire(now_ms + 499).permit.is_err());
    let fresh = permit(&mut breaker, now_ms + 500);
    assert_eq!(breaker.snapshot(now_ms + 500).totals.abandoned, 3);
    // A result that comes after all no longer counts, for better or worse.
    for permit in lost {
        assert_eq!(
            breaker.record(permit, CallResult::Failed, now_ms + 501, 0.0),
            None
        );
    }
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
        .record(fresh, CallResult::Failed, now_ms + 501, 0.0)
        .unwrap();
}

#[test]
fn forced_states_hold_until_automatic() {
    let mut breaker = breaker();
    let opened = breaker.force_open(T0);
    assert_eq!(opened, moved(State::Closed, State::Open, T0, Cause::Forced));
    assert_eq!(refused(&mut breaker, u64::MAX).retry_after_ms, 4_000);
    assert_eq!(breaker.force_open(T0), None);
    let probing = breaker.automatic(T0 + 5);
    assert_eq!(
        probing,
        moved(State::Open, State::HalfOpen, T0 + 5, Cause::Forced)
    );
    assert_eq!(breaker.automatic(T0 + 6), None);

    let closed = breaker.force_close(T0 + 7);
    assert_eq!(
        closed,
        moved(State::HalfOpen, State::Closed, T0 + 7, Cause::Forced)
    );
    assert_eq!(calls(&mut breaker, CallResult::Failed, 20, 0), None);
    assert_eq!(breaker.snapshot(T0).window.failures, 10);
    assert_eq!(breaker.automatic(T0 + 8), None);
    let snapshot = breaker.snapshot(T0 + 8);
    assert_eq!(
        (snapshot.mode, snapshot.window),
        (Mode::Automatic, Counts::default())
    );
    assert!(calls(&mut breaker, CallResult::Failed, 10, 0).is_some());
}

#[test]
fn a_clock_set_back_does_not_lengthen_the_wait() {
    let mut breaker = opened();
    assert_eq!(refused(&mut breaker, 500).retry_after_ms, 1_000);
    assert!(breaker.acquire(1_500).permit.is_ok());
}

#[test]
fn snapshot_is_stored_with_plain_words() {
    let mut breaker = opened();
    breaker.acquire(T0).permit.unwrap_err();
    let json = serde_json::to_value(breaker.snapshot(T0 + 400)).unwrap();
    assert_eq!(json["state"], "open");
    assert_eq!(json["mode"], "automatic");
    assert_eq!(json["since_ms"], T0);
    assert_eq!(json["retry_after_ms"], 600);
    assert_eq!(json["opens_in_a_row"], 1);
    assert_eq!(json["totals"]["permitted"], 10);
    assert_eq!(json["totals"]["refused"], 1);
    for state in [State::Closed, State::Open, State::HalfOpen] {
        assert_eq!(serde_json::json!(state), state.as_str());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Acquire,
    Record { pick: usize, failed: bool },
    Release { pick: usize },
    Lose { pick: usize },
    Wait { ms: u64 },
    Force(Mode),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Acquire),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(pick, failed)| Step::Record { pick, failed }),
        1 => any::<usize>().prop_map(|pick| Step::Release { pick }),
        1 => any::<usize>().prop_map(|pick| Step::Lose { pick }),
        4 => (0..1_500_u64).prop_map(|ms| Step::Wait { ms }),
        1 => prop_oneof![Just(Mode::Automatic), Just(Mode::ForcedOpen), Just(Mode::ForcedClosed)]
            .prop_map(Step::Force),
    ];
    prop::collection::vec(step, 0..200)
}

/// Plays the steps and checks after each what must hold whatever came before.
fn play(steps: Vec<Step>, jitter: f64) {
    let mut breaker = breaker();
    let mut held: Vec<Permit> = Vec::new();
    let mut now_ms = T0;
    for step in steps {
        let before = breaker.snapshot(now_ms);
        match step {
            Step::Acquire => held.extend(breaker.acquire(now_ms).permit),
            Step::Wait { ms } => now_ms += ms,
            Step::Record { pick, failed } if !held.is_empty() => {
                let permit = held.swap_remove(pick % held.len());
                let current = permit.period == breaker.period;
                let result = if failed {
                    CallResult::Failed
                } else {
                    CallResult::Succeeded
                };
                let late = before.totals.late;
                breaker.record(permit, result, now_ms, jitter);
                let counted = breaker.totals.late == late;
                assert!(current || !counted);
                if before.state == State::HalfOpen && counted && failed {
                    assert_eq!(breaker.state(), State::Open);
                }
                if before.state == State::Closed && before.window.calls < 9 {
                    assert_eq!(breaker.state(), State::Closed);
                }
            }
            Step::Release { pick } if !held.is_empty() => {
                breaker.release(held.swap_remove(pick % held.len()));
                assert_eq!(breaker.state(), before.state);
            }
            Step::Lose { pick } if !held.is_empty() => drop(held.swap_remove(pick % held.len())),
            Step::Force(Mode::Automatic) => drop(breaker.automatic(now_ms)),
            Step::Force(Mode::ForcedOpen) => drop(breaker.force_open(now_ms)),
            Step::Force(Mode::ForcedClosed) => drop(breaker.force_close(now_ms)),
            Step::Record { .. } | Step::Release { .. } | Step::Lose { .. } => {}
        }
        let after = breaker.snapshot(now_ms);
        assert!(after.probes_out + after.probes_succeeded <= 3, "{after:?}");
        assert!(after.retry_after_ms <= config().open_cap_ms, "{after:?}");
        match after.mode {
            Mode::ForcedOpen => assert_eq!(after.state, State::Open),
            Mode::ForcedClosed => assert_eq!(after.state, State::Closed),
            Mode::Automatic => {}
        }
    }
    // No sequence leaves it stuck: given back and left alone, it lets a call through again.
    breaker.automatic(now_ms);
    assert!(
        breaker
            .acquire(now_ms + config().open_cap_ms)
            .permit
            .is_ok()
    );
}

proptest! {
    #[test]
    fn holds_its_rules_under_any_sequence(steps in steps(), jitter in 0.0..1.0_f64) {
        play(steps, jitter);
    }
}
