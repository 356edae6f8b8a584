use assay_core::job::{FollowUp, ResultRef};
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{
    Claim, ListRequest, PAGE_SIZE_MAX, RedriveAnswer, ResultBody, Settled, Settlement, Written,
};
use assay_core::retry::{Counters, DeadLetterReason, Decision, InterruptionReason};
use assay_core::state::JobState;

use super::{Subject, expect, fail, failure, id, settlement, tenant};

/// A retry waits its delay, spends an attempt, and carries a new generation.
pub async fn a_failed_attempt_is_retried_when_due(subject: Subject) {
    let retry = Decision::Retry {
        failure: failure(),
        after_ms: 700,
    };
    let id = subject.run(1, retry).await;
    let job = subject.job(id).await;
    assert_eq!((job.state, job.counters.errors), (JobState::Retrying, 1));
    assert_eq!(job.failure, Some(Box::new(failure())));
    subject.clock.advance(699);
    assert_eq!(subject.promote_due().await, 0);
    subject.clock.advance(1);
    assert_eq!(subject.promote_due().await, 1);
    let claimed = subject.claim(id).await;
    assert_eq!(claimed.job.attempt, 2);
    assert!(claimed.job.generation > 1);
    assert_eq!(subject.envelope(id).await.payload, b"payload");
}

/// A parked job spends nothing.
pub async fn a_parked_job_waits_for_its_time(subject: Subject) {
    let park = Decision::Park {
        until_ms: subject.now_ms() + 700,
        reason: InterruptionReason::BreakerOpen,
    };
    let id = subject.run(1, park).await;
    assert_eq!(subject.state(id).await, JobState::Waiting);
    subject.clock.advance(700);
    assert_eq!(subject.promote_due().await, 1);
    let job = subject.claim(id).await.job;
    assert_eq!((job.counters.errors, job.counters.interruptions), (0, 1));
}

/// A drained job goes to the next worker at once.
pub async fn an_interrupted_job_runs_again_at_once(subject: Subject) {
    let again = Decision::RunAgain {
        reason: InterruptionReason::Drain,
        after_ms: 0,
    };
    let id = subject.run(1, again).await;
    assert_eq!(subject.state(id).await, JobState::Queued);
    assert_eq!(subject.offers(id).await.len(), 2);
    let job = subject.claim(id).await.job;
    assert_eq!((job.attempt, job.counters.interruptions), (2, 1));
}

/// What one attempt left behind, the next is given; it goes with the job's end.
pub async fn a_checkpoint_reaches_the_next_attempt(subject: Subject) {
    let id = subject.queue(1).await;
    let claimed = subject.claim(id).await;
    assert_eq!(claimed.checkpoint, None);
    for checkpoint in [b"half".to_vec(), b"most".to_vec()] {
        let kept = subject.store.checkpoint(&claimed.lease, checkpoint).await;
        assert_eq!(expect("keep a checkpoint", kept), Written::Recorded);
    }
    let again = Decision::RunAgain {
        reason: InterruptionReason::Drain,
        after_ms: 0,
    };
    subject.settle(&claimed.lease, again).await;
    let claimed = subject.claim(id).await;
    assert_eq!(claimed.checkpoint.as_deref(), Some(&b"most"[..]));
    subject
        .settle(&claimed.lease, Decision::Fail(failure()))
        .await;
    subject.redrive(id).await;
    assert_eq!(subject.claim(id).await.checkpoint, None);
}

/// The wait for its due time is over: put back, it has the time that it had to run.
pub async fn a_redrive_does_not_give_the_wait_again(subject: Subject) {
    let mut spec = subject.spec();
    let due_at_ms = subject.now_ms() + 5_000;
    (spec.due_at_ms, spec.deadline_at_ms) = (Some(due_at_ms), due_at_ms + 2_000);
    let id = subject.submit(id(1), spec).await.id;
    subject.clock.advance(5_000);
    assert_eq!(subject.promote_due().await, 1);
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, Decision::Fail(failure())).await;
    subject.redrive(id).await;
    let deadline_at_ms = subject.job(id).await.times.deadline_at_ms;
    assert_eq!(deadline_at_ms, subject.now_ms() + 2_000);
}

/// People put a dead job back: counters at zero, history kept, as much time as at first.
pub async fn a_dead_letter_is_redriven_from_zero(subject: Subject) {
    let dead = Decision::DeadLetter {
        failure: failure(),
        reason: DeadLetterReason::AttemptsExhausted,
    };
    let id = subject.run(1, dead).await;
    let before = subject.job(id).await;
    assert_eq!(
        before.dead_letter,
        Some(DeadLetterReason::AttemptsExhausted)
    );
    let events = subject.events(id).await.len();
    subject.clock.advance(10_000);
    let answer = subject.redrive(id).await;
    assert!(matches!(answer, RedriveAnswer::Queued(..)), "{answer:?}");
    let job = subject.job(id).await;
    assert_eq!(
        (job.state, job.counters),
        (JobState::Queued, Counters::default())
    );
    assert!(job.generation > before.generation);
    let length_ms = before.times.deadline_at_ms - before.times.created_at_ms;
    assert_eq!(job.times.deadline_at_ms, subject.now_ms() + length_ms);
    assert!(
        subject.events(id).await.len() > events,
        "the history goes on"
    );
    assert_eq!(subject.claim(id).await.job.attempt, 1);
    let twice = subject.redrive(id).await;
    assert!(
        matches!(twice, RedriveAnswer::NotRedrivable(_)),
        "{twice:?}"
    );
    for (number, decision) in [(2, Decision::Succeed), (3, Decision::Cancel)] {
        let id = subject.run(number, decision).await;
        let answer = subject.redrive(id).await;
        assert!(
            matches!(answer, RedriveAnswer::NotRedrivable(_)),
            "{answer:?}"
        );
    }
    assert_eq!(subject.redrive(super::id(99)).await, RedriveAnswer::Unknown);
}

/// Whoever ends the job: its result is kept once, its follow-ups go out with the same step.
pub async fn an_ended_job_sends_its_follow_ups(subject: Subject) {
    let mut spec = subject.spec();
    spec.follow_ups.push(FollowUp {
        kind: JobKind::RuvProfile,
        lane: Lane::Low,
        payload: b"profile".to_vec(),
    });
    spec.deadline_at_ms = subject.now_ms() + 500;
    for number in 1..=3 {
        subject.submit(id(number), spec.clone()).await;
    }
    let lease = subject.claim(id(1)).await.lease;
    let done = Settlement {
        result: Some(ResultBody::Inline(b"verdict".to_vec())),
        ..settlement(Decision::Succeed)
    };
    subject.try_settle(&lease, done.clone()).await;
    let repeated = subject.try_settle(&lease, done).await;
    assert!(
        matches!(repeated, Settled::Recorded { .. } | Settled::Fenced),
        "{repeated:?}"
    );
    let job = subject.job(id(1)).await;
    assert_eq!(job.result, Some(ResultRef::Inline { bytes: 7 }));
    let result = subject.store.inline_result(&tenant(), id(1)).await;
    assert_eq!(
        expect("read a result", result).as_deref(),
        Some(&b"verdict"[..])
    );
    expect("cancel", subject.store.cancel(&tenant(), id(2)).await);
    subject
        .clock
        .advance(spec.deadline_at_ms - subject.now_ms());
    assert_eq!(subject.reap().await, 1);
    // The answer to a cancel tells nobody what to publish.
    let swept = subject.store.sweep_outbox(100).await;
    subject.swept(swept).await;
    let follow_ups = subject
        .page(ListRequest {
            tenant: tenant(),
            kinds: vec![JobKind::RuvProfile],
            states: Vec::new(),
            created_from_ms: None,
            created_before_ms: None,
            page_size: PAGE_SIZE_MAX,
            cursor: None,
        })
        .await
        .jobs;
    let mut parents: Vec<_> = follow_ups.iter().filter_map(|job| job.parent).collect();
    parents.sort_unstable();
    assert_eq!(parents, [id(1), id(2), id(3)]);
    for job in follow_ups {
        assert_eq!((job.state, job.lane), (JobState::Queued, Lane::Low));
        assert_eq!(
            job.parent.map(|parent| parent.shard()),
            Some(job.id.shard())
        );
        let claim = subject
            .try_claim(subject.envelope(job.id).await, "one")
            .await;
        let Claim::Run(claimed) = claim else {
            fail(&format!("a follow-up does not run: {claim:?}"))
        };
        assert_eq!(claimed.job.attempt, 1);
        assert_eq!(subject.envelope(job.id).await.payload, b"profile");
    }
}
