//! Streams and groups that somebody deletes by hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use assay_core::id::JobId;
use assay_core::state::JobState;
use assay_test_support::wait::wait_until;
use futures::FutureExt as _;
use tokio::task::JoinSet;

use super::*;
use crate::redis::queue::settler::{Fate, Order, settle};
use crate::redis::queue::sweep::Sweep;

/// How far this process's idea of Redis's time may be wrong while much else runs.
const SLACK_MS: u64 = 300;

/// A sweep that takes entries for lost as soon as the order of their stream proves it.
fn eager(world: &World) -> Sweep {
    Sweep::patient(world.access(), Duration::from_secs(10), SLACK_MS)
}

async fn sweep(world: &World, sweep: &Sweep) -> usize {
    let committer = world.store.committer().unwrap();
    sweep.run(Some(&committer), 1_000).await.unwrap()
}

async fn succeeded(world: &World) -> u64 {
    let counts = world.store.counts().await.unwrap();
    counts.get(KIND, JobState::Succeeded)
}

#[tokio::test]
async fn a_group_that_was_deleted_is_made_again() {
    let world = World::new().await;
    let mut ids = BTreeSet::new();
    for number in 0..3 {
        ids.insert(world.submit(number).await);
    }
    let mut subscription = world.subscribe().await;
    let held = take(&mut *subscription, 1).await;
    let _: i64 = world
        .ask(&["XGROUP", "DESTROY", world.stream(), "workers"])
        .await;
    let mut seen = BTreeSet::<JobId>::new();
    while seen.len() < 3 {
        for delivery in take(&mut *subscription, 8).await {
            seen.insert(delivery.envelope.job_id);
            // What is in hand comes twice; only one of the two runs.
            drop(world.work_on(delivery).await);
        }
    }
    assert_eq!(seen, ids);
    for delivery in held {
        assert!(world.work_on(delivery).await.is_err(), "it ran twice");
    }
    assert_eq!(succeeded(&world).await, 3);
}

#[tokio::test]
async fn jobs_whose_stream_was_deleted_under_load_run_all_the_same() {
    const JOBS: u64 = 300;
    let world = Arc::new(World::new().await);
    for number in 0..JOBS / 2 {
        world.submit(number).await;
    }
    let worked = Arc::clone(&world);
    let mut workers = JoinSet::new();
    workers.spawn(async move {
        let mut subscription = worked.subscribe().await;
        let mut runs = 0;
        while runs < JOBS {
            for delivery in take(&mut *subscription, 8).await {
                runs += u64::from(worked.work_on(delivery).await.is_ok());
            }
        }
    });
    wait_until("some have run", || async { succeeded(&world).await > 40 }).await;
    let deleted: i64 = world.ask(&["DEL", world.stream()]).await;
    assert_eq!(deleted, 1);
    for number in JOBS / 2..JOBS {
        world.submit(number).await;
    }
    let sweeper = eager(&world);
    wait_until("all have run", || async {
        sweep(&world, &sweeper).await;
        succeeded(&world).await == JOBS
    })
    .await;
    workers.join_next().await.unwrap().unwrap();
    assert_eq!(sweep(&world, &sweeper).await, 0);
}

#[tokio::test]
async fn a_job_whose_entry_was_deleted_gets_another_when_it_is_passed_over() {
    let world = World::new().await;
    world.submit(0).await;
    let (clock, submitted_ms) = (world.store.clock(), world.store.clock().now_ms());
    wait_until("the clock goes on", || async {
        clock.now_ms() > submitted_ms + 3 * SLACK_MS
    })
    .await;
    for number in 1..3 {
        world.submit(number).await;
    }
    let sweeper = eager(&world);
    assert_eq!(sweep(&world, &sweeper).await, 0, "nothing is lost");
    let stream = world.stream();
    let first: Vec<(String, redis::Value)> =
        world.ask(&["XRANGE", stream, "-", "+", "COUNT", "1"]).await;
    let deleted: i64 = world.ask(&["XDEL", world.stream(), &first[0].0]).await;
    assert_eq!(deleted, 1);
    assert_eq!(sweep(&world, &sweeper).await, 1);
    assert_eq!(sweep(&world, &sweeper).await, 0, "it has one now");
    let mut subscription = world.subscribe().await;
    let mut runs = 0;
    while runs < 3 {
        for delivery in take(&mut *subscription, 8).await {
            world.work_on(delivery).await.unwrap();
            runs += 1;
        }
    }
    assert!(subscription.take(1).now_or_never().is_none());
}

/// However many other jobs are to end before it.
#[tokio::test]
async fn one_lost_entry_is_found_among_many_at_once() {
    const OTHERS: u64 = 40;
    let world = World::new().await;
    let (clock, submitted_ms) = (world.store.clock(), world.store.clock().now_ms());
    let mut spec = JobSpec::new(KIND, Vec::new(), submitted_ms);
    spec.deadline_at_ms = submitted_ms + 3_600_000;
    let id = JobId::from_bytes([7; 16]).child("late", 0);
    world.store.submit(id, spec.clone()).await.unwrap();
    let deleted: i64 = world.ask(&["DEL", world.stream()]).await;
    assert_eq!(deleted, 1);
    wait_until("the clock goes on", || async {
        clock.now_ms() > submitted_ms + 3 * SLACK_MS
    })
    .await;
    spec.deadline_at_ms = submitted_ms + 60_000;
    for number in 1..=OTHERS {
        let id = JobId::from_bytes([7; 16]).child("late", number);
        world.store.submit(id, spec.clone()).await.unwrap();
    }
    assert_eq!(sweep(&world, &eager(&world)).await, 1);
}

#[tokio::test]
async fn a_settlement_that_is_sent_twice_is_made_once() {
    let world = World::new().await;
    world.submit(1).await;
    let mut subscription = world.subscribe().await;
    let mut held = take(&mut *subscription, 1).await;
    let place = touched::place_of_the_only_entry(&world).await;
    let order = |fate| Order {
        place: place.clone(),
        fate,
        done: None,
    };
    for _ in 0..2 {
        settle(&world.access(), &[order(Fate::Later { after_ms: 60_000 })])
            .await
            .unwrap();
    }
    let later: i64 = world.ask(&["ZCARD", &world.streams.later]).await;
    assert_eq!(later, 1);
    settle(&world.access(), &[order(Fate::Back)]).await.unwrap();
    let length: i64 = world.ask(&["XLEN", world.stream()]).await;
    assert_eq!(length, 0);
    held.clear();
}
