//! Entries that somebody holds, and does or does not touch.

use assay_core::port::Claim;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::redis::keys::CONSUMER_GROUP;
use crate::redis::queue::entry::EntryId;
use crate::redis::queue::holdings::{Holdings, Place};
use crate::redis::queue::plan::Room;
use crate::redis::queue::scripts::LEAVE;
use crate::redis::queue::settler::Settler;
use crate::redis::queue::streams::STREAMS;
use crate::redis::queue::sweep::Sweep;
use crate::redis::queue::take::{self as script, Request};

/// Entries that somebody holds: id, holder, how long untouched, how often delivered.
type Held = Vec<(String, String, u64, u64)>;

pub(super) async fn held(world: &World) -> Held {
    let stream = world.stream();
    world
        .ask(&["XPENDING", stream, CONSUMER_GROUP, "-", "+", "10"])
        .await
}

/// Where the only entry is that somebody holds.
pub(super) async fn place_of_the_only_entry(world: &World) -> Place {
    let held = held(world).await;
    let [(id, ..)] = held.as_slice() else {
        panic!("{held:?}");
    };
    Place {
        streams: Arc::clone(&world.streams),
        stream: fresh(),
        id: id.parse::<EntryId>().unwrap(),
    }
}

/// Takes as a process that dies before it does anything with what it took.
pub(super) async fn take_and_die(world: &World, slots: usize) {
    let request = Request {
        consumer: "dead",
        room: Room { slots, low: slots },
        plan: [0, slots, 0],
        seen: &[EntryId::default(); STREAMS],
        look_around: None,
    };
    let taken = script::take(&world.store.link, &world.streams, &request).await;
    assert_eq!(taken.unwrap().entries.len(), slots);
}

/// Makes Redis believe that nobody touched an entry for a minute.
pub(super) async fn age(world: &World) {
    let stream = world.stream();
    for (id, holder, ..) in held(world).await {
        let command = ["XCLAIM", stream, CONSUMER_GROUP, &holder, "0", &id];
        let command = [&command[..], &["IDLE", "60000", "JUSTID"]].concat();
        let _: Vec<String> = world.ask(&command).await;
    }
}

async fn sweep(world: &World) -> usize {
    let committer = world.store.committer().unwrap();
    let sweep = Sweep::new(world.access());
    sweep.run(Some(&committer), 100).await.unwrap()
}

#[tokio::test]
async fn what_a_dead_process_took_and_did_not_claim_is_delivered_to_others() {
    let world = World::new().await;
    for number in 0..3 {
        world.submit(number).await;
    }
    take_and_die(&world, 3).await;
    assert_eq!(sweep(&world).await, 0, "it may still live");
    age(&world).await;
    assert_eq!(sweep(&world).await, 3);
    let mut subscription = world.subscribe().await;
    let mut runs = 0;
    while runs < 3 {
        for delivery in take(&mut *subscription, 3).await {
            world.work_on(delivery).await.unwrap();
            runs += 1;
        }
    }
    assert!(held(&world).await.is_empty());
}

#[tokio::test]
async fn what_runs_under_a_live_lease_stays_where_it_is() {
    let world = World::new().await;
    world.submit(1).await;
    let mut subscription = world.subscribe().await;
    let delivery = take(&mut *subscription, 1).await.remove(0);
    let claim = world.claim(&delivery.envelope, worker("dead")).await;
    assert!(matches!(claim, Claim::Run(_)), "{claim:?}");
    age(&world).await;
    assert_eq!(sweep(&world).await, 0);
    let held = held(&world).await;
    assert_eq!(held[0].1, "live");
    assert!(held[0].2 < 10_000, "it was not put off: {held:?}");
}

#[tokio::test]
async fn a_lease_that_was_deleted_from_the_set_of_all_is_put_back() {
    let world = World::new().await;
    world.submit(1).await;
    let mut subscription = world.subscribe().await;
    let delivery = take(&mut *subscription, 1).await.remove(0);
    let claim = world.claim(&delivery.envelope, worker("dead")).await;
    assert!(matches!(claim, Claim::Run(_)), "{claim:?}");
    let access = world.access();
    let leases = access.keys.groups()[0].leases.as_str();
    let before: Vec<(Vec<u8>, f64)> = world
        .ask(&["ZRANGE", leases, "0", "-1", "WITHSCORES"])
        .await;
    assert_eq!(before.len(), 1);
    let deleted: i64 = world.ask(&["DEL", leases]).await;
    assert_eq!(deleted, 1);
    age(&world).await;
    assert_eq!(sweep(&world).await, 0);
    let after: Vec<(Vec<u8>, f64)> = world
        .ask(&["ZRANGE", leases, "0", "-1", "WITHSCORES"])
        .await;
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_has_ended_is_forgotten() {
    let world = World::new().await;
    let id = world.submit(1).await;
    take_and_die(&world, 1).await;
    let cancelled = world.store.cancel(&Default::default(), id).await;
    assert!(cancelled.is_ok(), "{cancelled:?}");
    age(&world).await;
    assert_eq!(sweep(&world).await, 0);
    assert!(held(&world).await.is_empty());
    let length: i64 = world.ask(&["XLEN", world.stream()]).await;
    assert_eq!(length, 0);
}

#[tokio::test]
async fn a_process_touches_what_it_holds() {
    let world = World::new().await;
    world.submit(1).await;
    take_and_die(&world, 1).await;
    age(&world).await;
    let holdings = Arc::<Holdings>::default();
    let taken_at = Instant::now() - std::time::Duration::from_secs(60);
    holdings.add(place_of_the_only_entry(&world).await, taken_at);
    let (_messages, receiver) = mpsc::channel(1);
    let settler = Settler {
        access: world.access(),
        consumer: "dead".into(),
        holdings,
        messages: receiver,
    };
    settler.touch().await;
    let held = held(&world).await;
    assert!(held[0].2 < 10_000, "{held:?}");
    assert_eq!(sweep(&world).await, 0);
}

#[tokio::test]
async fn consumers_that_left_are_forgotten_unless_they_hold_something() {
    let world = World::new().await;
    for number in 0..2 {
        world.submit(number).await;
    }
    take_and_die(&world, 1).await;
    let mut subscription = world.subscribe().await;
    for delivery in take(&mut *subscription, 1).await {
        world.work_on(delivery).await.unwrap();
    }
    world.queue.close().await;
    let mut call = LEAVE.call(world.streams.names());
    call.arg(CONSUMER_GROUP).arg(0);
    world.store.link.run(&LEAVE, &call).await.unwrap();
    let consumers: Vec<std::collections::HashMap<String, redis::Value>> = world
        .ask(&["XINFO", "CONSUMERS", world.stream(), CONSUMER_GROUP])
        .await;
    assert_eq!(consumers.len(), 1);
    let dead = redis::Value::BulkString(b"dead".to_vec());
    assert_eq!(consumers[0]["name"], dead);
}
