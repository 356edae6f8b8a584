//! Entries that cannot be delivered.

use std::collections::HashMap;

use assay_core::envelope::ENVELOPE_VERSION;
use assay_core::retry::DeadLetterReason;

use super::*;

/// What a later version may have written.
const NEWER: &str = "\u{8}\u{7f}";

/// Takes the only job that can be delivered.
async fn take_the_readable_one(world: &World) {
    let id = world.submit(1).await;
    let mut subscription = world.subscribe().await;
    let mut delivered = Vec::new();
    while delivered.is_empty() {
        delivered = take(&mut *subscription, 8).await;
    }
    assert_eq!(delivered.len(), 1);
    let delivery = delivered.remove(0);
    assert_eq!(delivery.envelope.job_id, id);
    world.work_on(delivery).await.unwrap();
    world.queue.close().await;
    let length: i64 = world.ask(&["XLEN", world.stream()]).await;
    assert_eq!(length, 0, "something was left in the stream");
}

#[tokio::test]
async fn an_entry_whose_record_vanished_is_dropped() {
    let world = World::new().await;
    let gone = world.submit(0).await;
    let record = world.store.keys.of(gone).record(gone);
    let deleted: i64 = world.ask(&["DEL", &record]).await;
    assert_eq!(deleted, 1);
    take_the_readable_one(&world).await;
}

#[tokio::test]
async fn what_only_later_code_can_read_waits_for_it() {
    const { assert!(ENVELOPE_VERSION < 0x7f) };
    let world = World::new().await;
    let job = world.submit(0).await;
    let record = world.store.keys.of(job).record(job);
    let _: i64 = world.ask(&["HSET", &record, "e", NEWER]).await;
    let _: String = world.ask(&["XADD", world.stream(), "*", "e", NEWER]).await;
    take_the_readable_one(&world).await;
    let later: Vec<(redis::Value, f64)> = world
        .ask(&["ZRANGE", &world.streams.later, "0", "-1", "WITHSCORES"])
        .await;
    assert_eq!(later.len(), 2);
    let now_ms = world.store.clock().now_ms();
    for (_, at_ms) in later {
        let after_ms = at_ms - now_ms as f64;
        assert!((20_000.0..=30_001.0).contains(&after_ms), "{after_ms}");
    }
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_for_people() {
    let world = World::new().await;
    let _: String = world
        .ask(&["XADD", world.stream(), "*", "colour", "green"])
        .await;
    let _: String = world
        .ask(&["XADD", world.stream(), "*", "e", "garbage"])
        .await;
    take_the_readable_one(&world).await;
    let dead: Vec<(String, HashMap<String, String>)> =
        world.ask(&["XRANGE", &world.streams.dead, "-", "+"]).await;
    let kept = |field: &str, value: &str| {
        let why = DeadLetterReason::Undecodable.as_str();
        let fields = [("why", why), (field, value)];
        HashMap::from(fields.map(|(field, value)| (field.to_owned(), value.to_owned())))
    };
    let dead: Vec<_> = dead.into_iter().map(|(_, fields)| fields).collect();
    assert_eq!(dead, [kept("colour", "green"), kept("e", "garbage")]);
}
