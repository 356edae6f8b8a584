//! What keeps the two right: sent again, offered again, bounded.

use super::*;

/// Those that were sent before, and no other; once.
#[tokio::test]
async fn what_was_sent_before_a_time_is_sent_again() {
    let bench = Bench::new().await;
    for number in 1..=3 {
        bench.queue(number).await;
        bench.parts.clock.advance(10);
    }
    let mut spec = bench.spec();
    spec.lane = Lane::High;
    bench.submit(4, spec).await;
    bench.promote(4, 1).await;
    let again = async |before_ms, limit| {
        let store = &bench.parts.store;
        let again = store.send_again(KIND, Lane::Normal, before_ms, limit).await;
        again.unwrap()
    };
    assert_eq!(again(NOW_MS, 10).await, 0);
    assert_eq!(again(NOW_MS + 11, 1).await, 1, "the limit");
    assert_eq!(bench.offered().await, [(id(1), 1)], "the oldest first");
    assert_eq!(again(NOW_MS + 11, 10).await, 1);
    assert_eq!(again(NOW_MS + 20, 10).await, 0, "not at the time itself");
    assert_eq!(bench.sent().await, [(id(3), NOW_MS + 20)]);
    assert_eq!(bench.offered().await, [(id(2), 1)]);
    assert!(bench.offered().await.is_empty());
    bench.promote(2, 1).await;
    let sent_at_ms = bench.parts.clock.now_ms();
    let sent = [(id(3), NOW_MS + 20), (id(2), sent_at_ms)];
    assert_eq!(bench.sent().await, sent);
    assert_eq!(bench.job(2).await.generation, 1);
}

/// One that is being published is not disturbed, and what is not needed any more is dropped.
#[tokio::test]
async fn the_outbox_is_put_right() {
    let bench = Bench::new().await;
    let claimed = bench.claim(&bench.queue(1).await).await;
    bench.submit(2, bench.spec()).await;
    let mut connection = bench.connection.clone();
    let key = |name: &str| format!("{}:{{0}}:{name}", bench.parts.config.prefix);
    for number in [1_u8, 2, 9] {
        let member = [number; 16];
        let sent = key("sent:batch-processing");
        let added: u64 = connection.zadd(sent, &member, 5).await.unwrap();
        assert_eq!(added, 1);
    }
    let again = bench.parts.store.send_again(KIND, Lane::Normal, 6, 10);
    assert_eq!(again.await.unwrap(), 3);
    assert!(bench.offered().await.is_empty());
    assert_eq!(bench.outbox().await, [(id(2), NOW_MS + VISIBLE_MS)]);
    bench.settle(&claimed, Decision::Succeed).await;
}

/// As many as the bound, one more is refused, and one that is published makes room. Jobs that were promised
/// are refused by nothing.
#[tokio::test]
async fn the_bound_on_the_outbox_holds() {
    let bench = Bench::with(StoreConfig {
        outbox_max: 3,
        ..settings()
    })
    .await;
    let spec = bench.spec();
    let calls = (1..=5).map(|number| bench.parts.store.submit(id(number), spec.clone()));
    let answers = futures::future::join_all(calls).await;
    let refused = answers.iter().filter(|answer| {
        let Err(StoreError::Refused { reason, .. }) = answer else {
            return false;
        };
        *reason == RefusalReason::OutboxFull { limit: 3 }
    });
    assert_eq!(refused.count(), 2);
    let outbox = bench.outbox().await;
    assert_eq!(outbox.len(), 3);
    let counts = bench.parts.store.counts().await.unwrap();
    assert_eq!(counts.live(KIND), 3);
    let repeated = bench.parts.store.submit(outbox[0].0, spec.clone()).await;
    assert!(
        matches!(repeated, Ok(Submitted::Publish(..))),
        "{repeated:?}"
    );
    let promoted = bench.parts.store.promote(outbox[0].0, 1).await;
    promoted.unwrap();
    bench.submit(6, spec.clone()).await;
    assert!(bench.parts.store.submit(id(7), spec).await.is_err());
}

#[tokio::test]
async fn the_latest_marker_of_a_lane_is_known() {
    let bench = Bench::new().await;
    let store = &bench.parts.store;
    assert_eq!(store.latest(KIND, Lane::High).await.unwrap(), None);
    for published_at_ms in [NOW_MS, NOW_MS + 9, NOW_MS + 3] {
        store
            .passed(KIND, Lane::High, published_at_ms)
            .await
            .unwrap();
    }
    assert_eq!(
        store.latest(KIND, Lane::High).await.unwrap(),
        Some(NOW_MS + 9)
    );
    assert_eq!(store.latest(KIND, Lane::Low).await.unwrap(), None);
}

/// Whoever deletes the sets has the jobs that were in them published again, and no others.
#[tokio::test]
async fn a_job_that_waits_nowhere_is_offered() {
    let bench = Bench::new().await;
    let running = bench.queue(1).await;
    bench.claim(&running).await;
    let ended = bench.claim(&bench.queue(2).await).await;
    bench.settle(&ended, Decision::Succeed).await;
    bench.queue(3).await;
    bench.submit(4, bench.spec()).await;
    for name in ["outbox", "sent:batch-processing"] {
        let key = format!("{}:{{0}}:{name}", bench.parts.config.prefix);
        let deleted: u64 = bench.connection.clone().del(key).await.unwrap();
        assert_eq!(deleted, 1, "{name}");
    }
    let mut offered = bench.offered().await;
    offered.sort();
    assert_eq!(offered, [(id(3), 1), (id(4), 1)]);
    for number in 3..=4 {
        bench.promote(number, 1).await;
        assert_eq!(bench.job(number).await.state, JobState::Queued);
    }
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await.len(), 2);
}

/// More than a page of them, with one deadline and with many.
#[tokio::test]
async fn every_job_that_waits_nowhere_is_found() {
    let bench = Bench::with(StoreConfig {
        queued_jobs_max: 2_000,
        ..settings()
    })
    .await;
    let ids: Vec<_> = (0..1_200_u32)
        .map(|number| {
            let mut id = [7; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            (number, JobId::from_bytes(id))
        })
        .collect();
    let submits = ids.iter().map(|(number, id)| {
        let mut spec = bench.spec();
        spec.deadline_at_ms += u64::from(*number / 700) * u64::from(*number);
        bench.parts.store.submit(*id, spec)
    });
    for submitted in futures::future::join_all(submits).await {
        submitted.unwrap();
    }
    let key = format!("{}:{{0}}:outbox", bench.parts.config.prefix);
    let deleted: u64 = bench.connection.clone().del(key).await.unwrap();
    assert_eq!(deleted, 1);
    let mut offered = std::collections::BTreeSet::new();
    let swept = bench.parts.store.sweep_outbox(10_000).await.unwrap();
    offered.extend(swept.publish.iter().map(|one| one.job_id));
    assert_eq!(offered, ids.iter().map(|(_, id)| *id).collect());
    assert_eq!(swept.jobs, ids.len());
}
