//! What each step of a job does to the outbox and to the sent jobs.

use super::*;

#[tokio::test]
async fn a_job_is_in_the_outbox_until_it_was_published_then_sent_until_it_is_claimed() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    assert_eq!(bench.job(1).await.state, JobState::Accepted);
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + VISIBLE_MS)]);
    assert!(bench.sent().await.is_empty());
    bench.parts.clock.advance(7);
    bench.promote(1, 1).await;
    assert_eq!(bench.job(1).await.state, JobState::Queued);
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await, [(id(1), NOW_MS + 7)]);
    let oldest = bench.parts.store.oldest_ms(KIND, Lane::Normal).await;
    assert_eq!(oldest.unwrap(), Some(NOW_MS + 7));
    bench.claim(&envelope).await;
    bench.assert_nowhere().await;
    let oldest = bench.parts.store.oldest_ms(KIND, Lane::Normal).await;
    assert_eq!(oldest.unwrap(), None);
    let streams: Vec<String> = bench.connection.clone().keys("*:s:*").await.unwrap();
    assert!(streams.is_empty(), "{streams:?}");
}

#[tokio::test]
async fn what_nobody_published_is_offered_again_when_its_time_has_come() {
    let bench = Bench::new().await;
    bench.submit(1, bench.spec()).await;
    bench.parts.clock.advance(VISIBLE_MS - 1);
    assert!(bench.offered().await.is_empty());
    bench.parts.clock.advance(1);
    assert_eq!(bench.offered().await, [(id(1), 1)]);
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + 2 * VISIBLE_MS)]);
    assert!(
        bench.offered().await.is_empty(),
        "somebody is publishing it"
    );
    bench.parts.clock.advance(VISIBLE_MS);
    assert_eq!(bench.offered().await, [(id(1), 1)], "or died over it");
    bench.promote(1, 1).await;
    bench.parts.clock.advance(VISIBLE_MS);
    assert!(bench.offered().await.is_empty());
}

#[tokio::test]
async fn a_promote_that_comes_after_the_claim_touches_nothing() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    let claimed = bench.claim(&envelope).await;
    bench.assert_nowhere().await;
    let before = bench.job(1).await;
    bench.promote(1, 1).await;
    assert_eq!(bench.job(1).await, before);
    bench.assert_nowhere().await;
    bench.settle(&claimed, Decision::Succeed).await;
    bench.promote(1, 1).await;
    bench.assert_nowhere().await;
    assert_eq!(bench.job(1).await.state, JobState::Succeeded);
}

/// The entry of the second generation is all that there is of it until it is published.
#[tokio::test]
async fn a_late_promote_of_an_older_generation_touches_nothing() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    let claimed = bench.claim(&envelope).await;
    let (job, publish) = bench.settle(&claimed, retry()).await;
    assert_eq!((job.state, job.generation), (JobState::Retrying, 2));
    let due_at_ms = Some(NOW_MS + 500);
    let [second] = publish.as_slice() else {
        panic!("{publish:?}");
    };
    assert_eq!((second.generation, second.due_at_ms), (2, due_at_ms));
    for generation in [1, 3] {
        bench.promote(1, generation).await;
        assert_eq!(bench.outbox().await, [(id(1), NOW_MS + VISIBLE_MS)]);
        assert!(bench.sent().await.is_empty());
        assert_eq!(bench.job(1).await, job);
    }
    // Its own: it waits elsewhere, and has passed no marker before it is due.
    bench.promote(1, 2).await;
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await, [(id(1), NOW_MS + 500)]);
    assert_eq!(bench.job(1).await.state, JobState::Retrying);
    // The store's own clock is more precise, and has the next generation published.
    bench.parts.clock.advance(500);
    let swept = bench.parts.store.promote_due(10).await.unwrap();
    let [third] = swept.publish.as_slice() else {
        panic!("{swept:?}");
    };
    assert_eq!((third.generation, third.due_at_ms), (3, None));
    assert!(bench.sent().await.is_empty());
    bench.promote(1, 2).await;
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + 500 + VISIBLE_MS)]);
    assert!(matches!(bench.try_claim(second).await, Claim::Not(_)));
    assert_eq!(bench.claim(third).await.job.attempt, 2);
    bench.assert_nowhere().await;
}

/// Each decision that has a job run again is answered with what is to be published.
#[tokio::test]
async fn every_decision_to_run_again_is_answered_with_its_envelope() {
    let bench = Bench::new().await;
    let reason = InterruptionReason::BreakerOpen;
    let again = [
        retry(),
        Decision::Park {
            until_ms: NOW_MS + 500,
            reason,
        },
        Decision::RunAgain {
            reason: InterruptionReason::Drain,
            after_ms: 0,
        },
    ];
    for (number, decision) in (1..).zip(again) {
        let claimed = bench.claim(&bench.queue(number).await).await;
        let (job, publish) = bench.settle(&claimed, decision.clone()).await;
        assert_eq!(publish.len(), 1, "{decision:?}");
        assert_eq!((job.generation, publish[0].generation), (2, 2));
        // Its answer was lost: the same once more.
        let repeated = bench.settle(&claimed, decision).await;
        assert_eq!(repeated.1, publish);
    }
    let claimed = bench.claim(&bench.queue(4).await).await;
    bench.settle(&claimed, Decision::Fail(failure())).await;
    let redriven = bench.parts.store.redrive(&Tenant::default(), id(4)).await;
    let RedriveAnswer::Queued(job, Some(envelope)) = redriven.unwrap() else {
        panic!("it has no envelope");
    };
    assert_eq!((job.generation, envelope.generation), (2, 2));
    bench.claim(&bench.queue(5).await).await;
    // Leases are looked at again and again, or a gap is seen.
    bench.parts.store.reap(10).await.unwrap();
    bench.parts.clock.advance(4_000);
    let reaped = bench.parts.store.reap(10).await.unwrap();
    assert_eq!((reaped.jobs, reaped.publish.len()), (1, 1));
    assert_eq!(reaped.publish[0].job_id, id(5));
    assert!(reaped.publish[0].resumed);
    assert_eq!(bench.outbox().await.len(), 5);
}

#[tokio::test]
async fn whatever_ends_a_job_leaves_nothing_of_it_behind() {
    let bench = Bench::new().await;
    let tenant = Tenant::default();
    bench.submit(1, bench.spec()).await;
    bench.queue(2).await;
    let claimed = bench.claim(&bench.queue(3).await).await;
    bench.settle(&claimed, retry()).await;
    for number in 1..=3 {
        let cancelled = bench.parts.store.cancel(&tenant, id(number)).await;
        assert!(matches!(cancelled.unwrap(), CancelAnswer::Cancelled(_)));
    }
    bench.assert_nowhere().await;
    let mut spec = bench.spec();
    spec.deadline_at_ms = NOW_MS + 500;
    bench.submit(4, spec.clone()).await;
    bench.submit(5, spec.clone()).await;
    bench.promote(5, 1).await;
    bench.submit(6, spec).await;
    let envelope = bench.queue(6 + 1).await;
    bench.parts.clock.advance(500);
    assert_eq!(bench.parts.store.reap(10).await.unwrap().jobs, 3);
    assert_eq!(
        (bench.outbox().await, bench.sent().await.len()),
        (vec![], 1)
    );
    let claimed = bench.claim(&envelope).await;
    bench.settle(&claimed, Decision::Succeed).await;
    let mut spec = bench.spec();
    spec.due_at_ms = Some(NOW_MS + 10_000);
    bench.submit(8, spec).await;
    assert!(bench.parts.store.withdraw(id(8), 1).await.unwrap());
    bench.assert_nowhere().await;
}

/// The answer to a settlement says what is to be published; to a cancel it can't, so the sweep does at once.
#[tokio::test]
async fn jobs_that_follow_an_end_are_published() {
    let bench = Bench::new().await;
    let mut spec = bench.spec();
    spec.follow_ups.push(FollowUp {
        kind: JobKind::RuvProfile,
        lane: Lane::Low,
        payload: b"profile".to_vec(),
    });
    let envelope = bench.submit(1, spec.clone()).await;
    let claimed = bench.claim(&envelope).await;
    let (_, publish) = bench.settle(&claimed, Decision::Succeed).await;
    let [follow_up] = publish.as_slice() else {
        panic!("{publish:?}");
    };
    let job = |envelope: &Envelope| {
        let id = envelope.job_id;
        let store = Arc::clone(&bench.parts.store);
        async move { store.get(&Tenant::default(), id).await.unwrap().unwrap() }
    };
    assert_eq!(job(follow_up).await.state, JobState::Accepted);
    assert_eq!(
        bench.outbox().await,
        [(follow_up.job_id, NOW_MS + VISIBLE_MS)]
    );
    let promoted = bench.parts.store.promote(follow_up.job_id, 1).await;
    promoted.unwrap();
    assert_eq!(job(follow_up).await.state, JobState::Queued);
    bench.submit(2, spec).await;
    let cancelled = bench.parts.store.cancel(&Tenant::default(), id(2)).await;
    cancelled.unwrap();
    let swept = bench.parts.store.sweep_outbox(10).await.unwrap();
    let [follow_up] = swept.publish.as_slice() else {
        panic!("{swept:?}");
    };
    assert_eq!(job(follow_up).await.parent, Some(id(2)));
}
