use proptest::prelude::*;

use crate::port::Settlement;
use crate::progress::{Progress, StepPlan};
use crate::retry::{DeadLetterReason, Decision, Failure, FailureClass, InterruptionReason};

use super::*;

#[derive(Clone, Debug)]
enum Input {
    Promote,
    Claim { behind: u64 },
    Renew { stale: bool },
    Report { stale: bool, done: u64 },
    Settle { stale: bool, decision: Decision },
    Cancel,
    Redrive,
    Due,
    Reap,
    LoseWorker,
    Deadline,
    Wait { ms: u64 },
}

fn decision() -> impl Strategy<Value = Decision> {
    let failure = || Failure::new(FailureClass::Transient, "code", "it broke");
    prop_oneof![
        Just(Decision::Succeed),
        Just(Decision::Fail(failure())),
        (0..5_000_u64).prop_map(move |after_ms| Decision::Retry {
            failure: failure(),
            after_ms
        }),
        Just(Decision::DeadLetter {
            failure: failure(),
            reason: DeadLetterReason::AttemptsExhausted
        }),
        (0..5_000_u64).prop_map(|after_ms| Decision::RunAgain {
            reason: InterruptionReason::Drain,
            after_ms
        }),
        (0..5_000_u64).prop_map(|ms| Decision::Park {
            until_ms: NOW + ms,
            reason: InterruptionReason::BreakerOpen
        }),
        Just(Decision::Cancel),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        1 => Just(Input::Promote),
        6 => (0..2_u64).prop_map(|behind| Input::Claim { behind }),
        2 => any::<bool>().prop_map(|stale| Input::Renew { stale }),
        4 => (prop::bool::weighted(0.2), 0..=100_u64)
            .prop_map(|(stale, done)| Input::Report { stale, done }),
        5 => (prop::bool::weighted(0.2), decision())
            .prop_map(|(stale, decision)| Input::Settle { stale, decision }),
        1 => Just(Input::Cancel),
        2 => Just(Input::Redrive),
        4 => Just(Input::Due),
        2 => Just(Input::Reap),
        1 => Just(Input::LoseWorker),
        1 => Just(Input::Deadline),
        3 => prop_oneof![0..6_000_u64, Just(LEASE + REAP_GRACE_MS), Just(DEADLINE_DEFAULT_MS)]
            .prop_map(|ms| Input::Wait { ms }),
    ]
}

fn step(record: Record<'_>, input: &Input, now_ms: u64) -> Option<Transition> {
    let token = |stale: &bool| record.job.token - u64::from(*stale && record.job.token > 0);
    match input {
        Input::Promote => promote(record, record.job.generation, now_ms),
        Input::Claim { behind } => {
            let mut delivery = record.envelope.clone();
            delivery.generation = delivery.generation.saturating_sub(*behind);
            match claim(record, &delivery, &worker("any"), LEASE, now_ms) {
                ClaimStep::Run(transition) => Some(*transition),
                ClaimStep::Not(_, transition) => transition.map(|transition| *transition),
            }
        }
        Input::Renew { stale } => {
            let renewed = renew(record.job, token(stale), LEASE, now_ms).job?;
            assert_eq!(renewed.state, record.job.state);
            None
        }
        Input::Report { stale, done } => {
            let plan = StepPlan::new([("only", 1)]).ok()?;
            let mut progress = Progress::new(&plan, now_ms);
            progress.advance("only", *done, 100, "", now_ms).ok()?;
            report(record, token(stale), progress, now_ms)
        }
        Input::Settle { stale, decision } => {
            let settlement = Settlement {
                decision: decision.clone(),
                result: None,
                progress: None,
            };
            match settle(record, token(stale), &settlement, now_ms) {
                Settling::Recorded(transition) => Some(*transition),
                Settling::Repeated | Settling::Fenced => None,
            }
        }
        Input::Cancel => match cancel(record, now_ms) {
            Cancelled::Now(transition) | Cancelled::Asked(transition) => Some(*transition),
            Cancelled::AskedBefore | Cancelled::Ended => None,
        },
        Input::Redrive => redrive(record, DEADLINE_DEFAULT_MS, u64::MAX, now_ms),
        Input::Due => due(record, now_ms),
        Input::Reap => reap(record, now_ms),
        Input::LoseWorker => lose_worker(record, now_ms),
        Input::Deadline => deadline(record, now_ms),
        Input::Wait { .. } => None,
    }
}

fn check(before: &Job, after: &Transition) -> Result<(), TestCaseError> {
    let job = &after.job;
    prop_assert!(job.generation >= before.generation);
    prop_assert!(job.token >= before.token);
    let claimed = job.attempt > before.attempt || job.token > before.token;
    if claimed {
        prop_assert!(job.token > before.token, "each attempt has its own token");
        prop_assert_eq!(job.state, JobState::Running);
    }
    // Events: no gap, in order, and the record knows the latest.
    let sequences = after.events.iter().map(|event| event.id.sequence);
    let expected = before.event_id.sequence + 1..;
    prop_assert!(sequences.eq(expected.take(after.events.len())));
    prop_assert_eq!(
        after.events.last().map(|event| event.id),
        Some(job.event_id)
    );
    // Terminal states.
    if before.state.is_terminal() {
        prop_assert!(matches!(
            before.state,
            JobState::Failed | JobState::DeadLettered
        ));
        prop_assert_eq!(job.state, JobState::Queued);
        prop_assert!(job.generation > before.generation);
    }
    let entered = job.state.is_terminal() && !before.state.is_terminal();
    prop_assert_eq!(
        after.follow_ups.len(),
        usize::from(entered) * job.follow_ups.len()
    );
    prop_assert_eq!(job.times.finished_at_ms.is_some(), job.state.is_terminal());
    // No generation without its bytes, no lease without a runner.
    if job.generation > before.generation {
        prop_assert_eq!(
            after.envelope.as_ref().map(|e| e.generation),
            Some(job.generation)
        );
        prop_assert!(!job.resumed || before.holder.is_some() || before.resumed);
        prop_assert!(!job.resumed || !before.state.is_terminal());
    }
    if let Some(envelope) = &after.envelope {
        prop_assert_eq!(envelope.resumed, job.resumed);
    }
    prop_assert!(job.times.last_due_at_ms >= job.times.due_at_ms);
    prop_assert!(job.times.last_due_at_ms >= before.times.last_due_at_ms);
    let runs = matches!(job.state, JobState::Running | JobState::Cancelling);
    prop_assert_eq!(job.holder.is_some(), runs);
    // Progress, and counters that fall in a redrive alone.
    let reached = |job: &Job| {
        job.progress
            .as_ref()
            .map_or(0, |progress| progress.basis_points)
    };
    if !claimed && runs {
        prop_assert!(reached(job) >= reached(before));
    }
    if !before.state.is_terminal() {
        let (old, new) = (before.counters, job.counters);
        prop_assert!(new.errors >= old.errors && new.crashes >= old.crashes);
        prop_assert!(new.interruptions >= old.interruptions);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn no_order_of_steps_breaks_a_rule(accept in any::<bool>(), inputs in prop::collection::vec(input(), 0..60)) {
        let (job, mut envelope) = queued();
        let mut job = job;
        if accept {
            job.state = JobState::Accepted;
        }
        let mut now_ms = NOW;
        for input in inputs {
            if let Input::Wait { ms } = input {
                now_ms += ms;
            }
            let record = Record { job: &job, envelope: &envelope };
            let Some(after) = step(record, &input, now_ms) else { continue };
            check(&job, &after)?;
            job = after.job;
            envelope = after.envelope.unwrap_or(envelope);
        }
    }
}
