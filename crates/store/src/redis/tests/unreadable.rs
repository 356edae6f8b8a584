//! A record that this code can't read, as while processes of two versions run: no sweep stands still for it.

use assay_core::port::ListRequest;
use assay_core::state::JobState;
use redis::Cmd;

use super::*;
use crate::redis::keys::field;

/// An envelope of a later version.
const NEWER: &[u8] = b"\x08\x7f";

/// Asks Redis behind the store's back.
async fn ask(store: &RedisStore, name: &str, words: &[&[u8]]) -> i64 {
    let mut asked = Cmd::new();
    asked.arg(name).arg(words);
    redis::from_redis_value(store.link.ask(&asked).await.unwrap()).unwrap()
}

/// What a later version makes of a record.
async fn rewrite(store: &RedisStore, id: JobId) {
    let record = store.keys.of(id).record(id);
    let fields = [field::REVISION.as_bytes(), b"1", field::ENVELOPE.as_bytes()];
    let mut words = vec![record.as_bytes()];
    words.extend(fields);
    words.push(NEWER);
    ask(store, "HSET", &words).await;
}

/// Has a time of a job come long ago.
async fn come(store: &RedisStore, set: &str, number: u8) {
    let id = id(number);
    ask(store, "ZADD", &[set.as_bytes(), b"1", id.as_bytes()]).await;
}

async fn score(store: &RedisStore, set: &str, number: u8) -> u64 {
    let mut asked = redis::cmd("ZSCORE");
    asked.arg(set).arg(id(number).as_bytes());
    redis::from_redis_value(store.link.ask(&asked).await.unwrap()).unwrap()
}

/// Job 1, which can't be read, and job 2; both due.
async fn two_due() -> Arc<RedisStore> {
    let store = store().await;
    for number in [1, 2] {
        let now_ms = store.clock.now_ms();
        let mut spec = spec(now_ms);
        spec.due_at_ms = Some(now_ms + 100);
        store.submit(id(number), spec).await.unwrap();
    }
    rewrite(&store, id(1)).await;
    store
}

async fn state(store: &RedisStore, number: u8) -> JobState {
    let job = store.get(&Tenant::default(), id(number)).await.unwrap();
    job.unwrap().state
}

#[tokio::test]
async fn what_is_due_is_queued_beside_it() {
    let store = two_due().await;
    wait_until("job 2 is queued", || async {
        store.promote_due(10).await.unwrap();
        state(&store, 2).await == JobState::Queued
    })
    .await;
    // It does not take the place of others either.
    store.submit(id(3), spec(1)).await.unwrap();
    let due = store.keys.groups()[0].due.clone();
    come(&store, &due, 1).await;
    come(&store, &due, 3).await;
    assert_eq!(store.promote_due(1).await.unwrap().jobs, 0);
    let rests_until_ms = score(&store, &due, 1).await;
    let left_ms = rests_until_ms.abs_diff(store.clock.now_ms());
    assert!((20_000..=30_000).contains(&left_ms), "{left_ms}");
    assert_eq!(store.promote_due(1).await.unwrap().jobs, 0);
    assert_eq!(ask(&store, "ZCARD", &[due.as_bytes()]).await, 1);
}

#[tokio::test]
async fn leases_and_deadlines_are_looked_at_beside_it() {
    let store = two_due().await;
    let group = &store.keys.groups()[0];
    for gap in [true, false] {
        come(&store, &group.leases, 1).await;
        come(&store, &group.deadlines, 1).await;
        if gap {
            ask(&store, "DEL", &[group.beat.as_bytes()]).await;
        }
        assert_eq!(store.reap(10).await.unwrap().jobs, 0, "a gap: {gap}");
        assert!(score(&store, &group.leases, 1).await > 1, "a gap: {gap}");
        assert!(score(&store, &group.deadlines, 1).await > 1, "a gap: {gap}");
    }
}

#[tokio::test]
async fn old_jobs_are_forgotten_beside_it() {
    let store = two_due().await;
    store.cancel(&Tenant::default(), id(2)).await.unwrap();
    let expiry = store.keys.groups()[0].expiry.clone();
    come(&store, &expiry, 1).await;
    store.expire(10).await.unwrap();
    assert!(score(&store, &expiry, 1).await > 1);
}

/// A job that needs an envelope and waits nowhere, as after somebody deleted a set.
#[tokio::test]
async fn the_outbox_is_looked_through_beside_one_that_waits_nowhere() {
    let store = store_over(Carrier::Broker).await;
    for number in [1, 2] {
        store.submit(id(number), spec(1)).await.unwrap();
    }
    rewrite(&store, id(1)).await;
    let outbox = store.keys.groups()[0].outbox.clone();
    ask(&store, "DEL", &[outbox.as_bytes()]).await;
    let swept = store.sweep_outbox(10).await.unwrap();
    let published: Vec<_> = swept
        .publish
        .iter()
        .map(|envelope| envelope.job_id)
        .collect();
    assert_eq!(published, [id(2)]);
}

/// Here it is the job itself that can't be read, and not only what carries it.
#[tokio::test]
async fn others_are_listed_beside_it() {
    let store = store().await;
    for number in 1..=3 {
        store.submit(id(number), spec(number.into())).await.unwrap();
    }
    let record = store.keys.of(id(2)).record(id(2));
    let words = [record.as_bytes(), field::JOB.as_bytes(), b"\xc1"];
    ask(&store, "HSET", &words).await;
    let mut request = ListRequest {
        tenant: Tenant::default(),
        kinds: Vec::new(),
        states: Vec::new(),
        created_from_ms: None,
        created_before_ms: None,
        page_size: 2,
        cursor: None,
    };
    let mut listed = Vec::new();
    loop {
        let page = store.list(&request).await.unwrap();
        listed.extend(page.jobs.iter().map(|job| job.id));
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, [id(3), id(1)]);
}
