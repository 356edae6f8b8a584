use crate::job::ResultRef;
use crate::port::{Renewal, ResultBody, Settlement};
use crate::progress::{Progress, StepPlan};
use crate::retention::Retention;
use crate::retry::{DeadLetterReason, Decision, InterruptionReason};

use super::*;

#[test]
fn a_submit_goes_where_its_admission_and_its_due_time_say() {
    let mut spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW);
    let state = |spec: &JobSpec, admission| submit(id(), spec, admission, NOW).job.state;
    assert_eq!(state(&spec, Admission::Queue), JobState::Queued);
    assert_eq!(state(&spec, Admission::Accept), JobState::Accepted);
    spec.due_at_ms = Some(NOW);
    assert_eq!(state(&spec, Admission::Queue), JobState::Queued);
    spec.due_at_ms = Some(NOW + 1);
    assert_eq!(state(&spec, Admission::Queue), JobState::Scheduled);
    assert_eq!(state(&spec, Admission::Accept), JobState::Scheduled);
}

#[test]
fn only_the_accepted_generation_is_promoted() {
    let spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW);
    let made = submit(id(), &spec, Admission::Accept, NOW);
    let envelope = made.envelope.unwrap();
    let promoted = promote(record(&made.job, &envelope), 1, NOW + 1).unwrap();
    assert_eq!(promoted.job.state, JobState::Queued);
    assert_eq!(promoted.job.times.queued_at_ms, Some(NOW + 1));
    assert_eq!(promoted.envelope, None, "the generation did not rise");
    assert_eq!(promote(record(&made.job, &envelope), 2, NOW + 1), None);
    assert_eq!(promote(record(&promoted.job, &envelope), 1, NOW + 1), None);
}

#[test]
fn success_keeps_the_result_and_sends_follow_ups() {
    let (job, envelope) = running();
    let plan = StepPlan::new([("only", 1)]).unwrap();
    let done = Settlement {
        decision: Decision::Succeed,
        result: Some(ResultBody::Inline(vec![1, 2, 3])),
        progress: Some(Progress::new(&plan, NOW)),
    };
    let Settling::Recorded(transition) = settle(record(&job, &envelope), job.token, &done, NOW + 5)
    else {
        panic!("not recorded")
    };
    assert_eq!(transition.job.state, JobState::Succeeded);
    assert_eq!(transition.job.result, Some(ResultRef::Inline { bytes: 3 }));
    assert!(transition.job.progress.as_ref().unwrap().is_complete());
    assert_eq!(transition.job.times.finished_at_ms, Some(NOW + 5));
    assert_eq!(transition.job.holder, None);
    assert_eq!(transition.envelope, None);
    let [(follow_up, spec)] = transition.follow_ups.as_slice() else {
        panic!("one follow-up")
    };
    assert_eq!(follow_up.shard(), id().shard());
    assert_eq!(spec.parent, Some(id()));
    assert_eq!(spec.payload, b"profile");
    let again = settle(
        record(&transition.job, &envelope),
        job.token,
        &done,
        NOW + 6,
    );
    assert_eq!(again, Settling::Repeated);
}

/// Decision, the state it leads to, the generation after it, and errors, crashes and interruptions.
type Row = (Decision, JobState, u64, [u32; 3]);

fn decisions() -> Vec<Row> {
    let reason = InterruptionReason::Drain;
    vec![
        (Decision::Fail(failure()), JobState::Failed, 1, [1, 0, 0]),
        (
            Decision::Retry {
                failure: failure(),
                after_ms: 9,
            },
            JobState::Retrying,
            2,
            [1, 0, 0],
        ),
        (
            Decision::DeadLetter {
                failure: failure(),
                reason: DeadLetterReason::AttemptsExhausted,
            },
            JobState::DeadLettered,
            1,
            [1, 0, 0],
        ),
        (
            Decision::RunAgain {
                reason,
                after_ms: 0,
            },
            JobState::Queued,
            2,
            [0, 0, 1],
        ),
        (
            Decision::RunAgain {
                reason,
                after_ms: 9,
            },
            JobState::Waiting,
            2,
            [0, 0, 1],
        ),
        (
            Decision::Park {
                until_ms: NOW + 14,
                reason,
            },
            JobState::Waiting,
            2,
            [0, 0, 1],
        ),
        (Decision::Cancel, JobState::Cancelled, 1, [0, 0, 0]),
    ]
}

#[test]
fn each_decision_leads_where_it_says() {
    for (decision, state, generation, [errors, crashes, interruptions]) in decisions() {
        let transition = settled(decision.clone());
        let job = &transition.job;
        assert_eq!(
            (job.state, job.generation),
            (state, generation),
            "{decision:?}"
        );
        let counters = job.counters;
        assert_eq!(
            [counters.errors, counters.crashes, counters.interruptions],
            [errors, crashes, interruptions],
            "{decision:?}"
        );
        let waits = matches!(state, JobState::Retrying | JobState::Waiting);
        assert_eq!(
            job.times.due_at_ms,
            waits.then_some(NOW + 14),
            "{decision:?}"
        );
        assert_eq!(
            transition.envelope.is_some(),
            generation == 2,
            "{decision:?}"
        );
        assert_eq!(
            transition.follow_ups.len(),
            usize::from(state.is_terminal())
        );
    }
}

#[test]
fn a_stale_token_changes_nothing() {
    let (job, envelope) = running();
    let record = record(&job, &envelope);
    let plan = StepPlan::new([("only", 1)]).unwrap();
    for token in [0, job.token - 1, job.token + 1] {
        assert!(!holds(&job, token));
        assert_eq!(renew(&job, token, LEASE, NOW).answer, Renewal::Fenced);
        assert_eq!(renew(&job, token, LEASE, NOW).job, None);
        assert_eq!(report(record, token, Progress::new(&plan, NOW), NOW), None);
        let late = settle(record, token, &settlement(Decision::Succeed), NOW);
        assert_eq!(late, Settling::Fenced);
    }
}

#[test]
fn a_lease_only_gets_longer() {
    let (job, _) = running();
    let expires = |lease_ms, now_ms| {
        let renewed = renew(&job, job.token, lease_ms, now_ms);
        assert_eq!(renewed.answer, Renewal::Held);
        renewed.job.unwrap().holder.unwrap().expires_at_ms
    };
    assert_eq!(expires(LEASE, NOW + 3), NOW + LEASE + 3);
    assert_eq!(expires(1, NOW), NOW + LEASE);
}

#[test]
fn a_running_job_is_asked_to_stop_and_any_end_of_it_counts() {
    let (job, envelope) = running();
    let Cancelled::Asked(asked) = cancel(record(&job, &envelope), NOW) else {
        panic!("not asked")
    };
    assert_eq!(asked.job.state, JobState::Cancelling);
    assert!(asked.job.holder.is_some());
    assert!(asked.follow_ups.is_empty());
    let asked = &asked.job;
    assert_eq!(
        cancel(record(asked, &envelope), NOW),
        Cancelled::AskedBefore
    );
    assert_eq!(
        renew(asked, job.token, LEASE, NOW).answer,
        Renewal::Cancelling
    );
    for (decision, state) in [
        (Decision::Succeed, JobState::Succeeded),
        (Decision::Cancel, JobState::Cancelled),
        (
            Decision::Retry {
                failure: failure(),
                after_ms: 1,
            },
            JobState::Cancelled,
        ),
    ] {
        let ended = settle(
            record(asked, &envelope),
            job.token,
            &settlement(decision),
            NOW,
        );
        let Settling::Recorded(ended) = ended else {
            panic!("not recorded")
        };
        assert_eq!(ended.job.state, state);
        assert_eq!(ended.envelope, None, "it will not run again");
        assert_eq!(ended.follow_ups.len(), 1);
        assert_eq!(cancel(record(&ended.job, &envelope), NOW), Cancelled::Ended);
    }
    let reaped = reap(record(asked, &envelope), NOW + LEASE + REAP_GRACE_MS).unwrap();
    assert_eq!(reaped.job.state, JobState::Cancelled);
}

#[test]
fn a_due_job_is_queued_and_not_before() {
    let parked = settled(Decision::Park {
        until_ms: NOW + 100,
        reason: InterruptionReason::BreakerOpen,
    });
    let envelope = parked.envelope.unwrap();
    assert_eq!(due(record(&parked.job, &envelope), NOW + 99), None);
    let queued = due(record(&parked.job, &envelope), NOW + 100).unwrap();
    assert_eq!(queued.job.state, JobState::Queued);
    assert_eq!(queued.job.times.due_at_ms, None);
    assert_eq!(queued.envelope.unwrap().generation, 3);
    assert_eq!(due(record(&queued.job, &envelope), NOW + 100), None);
}

#[test]
fn an_ended_job_is_kept_for_its_retention_and_a_day_behind_its_due_time() {
    let (mut job, _) = queued();
    assert_eq!(expires_at_ms(&job, kept_ms(10)), None, "it has not ended");
    job.state = JobState::Cancelled;
    job.times.finished_at_ms = Some(NOW);
    assert_eq!(expires_at_ms(&job, kept_ms(10)), Some(NOW + 10));
    job.times.due_at_ms = Some(NOW + 5);
    assert_eq!(
        expires_at_ms(&job, kept_ms(10)),
        Some(NOW + 5 + DUE_RETENTION_MS)
    );
}

/// Whatever became of them, but for dead letters.
fn kept_ms(ended_ms: u64) -> Retention {
    Retention {
        ended_ms,
        dead_letters_ms: 3 * DUE_RETENTION_MS,
    }
}

#[test]
fn a_dead_letter_is_kept_for_its_own_retention() {
    let (mut job, _) = queued();
    job.times.finished_at_ms = Some(NOW);
    for state in JobState::ALL {
        job.state = state;
        let after_ms = expires_at_ms(&job, kept_ms(10)).map(|at_ms| at_ms - NOW);
        let expected = match state {
            JobState::DeadLettered => Some(3 * DUE_RETENTION_MS),
            ended if ended.is_terminal() => Some(10),
            _ => None,
        };
        assert_eq!(after_ms, expected, "{state}");
    }
}

/// A delayed copy of its envelope is still on its way when the job has long run.
#[test]
fn a_job_that_was_due_once_is_kept_as_long_when_it_has_run_since() {
    let mut spec = JobSpec::new(JobKind::ContentVerification, Vec::new(), NOW);
    spec.due_at_ms = Some(NOW + 100);
    let scheduled = submit(id(), &spec, Admission::Queue, NOW);
    let envelope = scheduled.envelope.unwrap();
    let queued = due(record(&scheduled.job, &envelope), NOW + 100).unwrap();
    let until_ms = NOW + 100 + DUE_RETENTION_MS;
    let ended = cancelled(&queued.job, &envelope, NOW + 200);
    assert_eq!(expires_at_ms(&ended, kept_ms(10)), Some(until_ms));

    let retried = settled(Decision::Retry {
        failure: failure(),
        after_ms: 9_000,
    });
    let envelope = retried.envelope.unwrap();
    let again = due(record(&retried.job, &envelope), NOW + 10_000).unwrap();
    let last_due_at_ms = retried.job.times.due_at_ms.unwrap();
    assert_eq!(again.job.times.due_at_ms, None);
    let ended = cancelled(&again.job, &envelope, NOW + 10_000);
    let until_ms = last_due_at_ms + DUE_RETENTION_MS;
    assert_eq!(expires_at_ms(&ended, kept_ms(10)), Some(until_ms));
    let retention_ms = DUE_RETENTION_MS + 1;
    let until_ms = NOW + 10_000 + retention_ms;
    assert_eq!(expires_at_ms(&ended, kept_ms(retention_ms)), Some(until_ms));
}

fn cancelled(job: &Job, envelope: &Envelope, now_ms: u64) -> Job {
    let Cancelled::Now(ended) = cancel(record(job, envelope), now_ms) else {
        panic!("not cancelled")
    };
    ended.job
}

#[test]
fn a_rebuilt_record_says_what_the_envelope_says() {
    let (job, mut envelope) = queued();
    envelope.generation = 4;
    let rebuilt = rebuild(&envelope, NOW + 9).job;
    assert_eq!(rebuilt.generation, 4);
    assert_eq!(rebuilt.state, JobState::Queued);
    assert_eq!(rebuilt.fingerprint, job.fingerprint);
    assert_eq!(rebuilt.times.created_at_ms, NOW);
    assert_eq!(
        rebuilt.policy.retry.attempts_max,
        job.policy.retry.attempts_max
    );
}
