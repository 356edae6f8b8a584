//! A kind that is paused: nothing new is taken, nothing that runs is stopped.

use std::sync::Arc;

use assay_core::id::JobId;
use assay_core::kind::JobKind;
use assay_core::port::QueueControl;
use assay_core::state::JobState;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::scripted_control::Mood;
use crate::world::{Running, World, seconds};

const KIND: JobKind = JobKind::ContentVerification;

/// A world whose worker runs one job at a time and holds one more, and what lets a job end.
fn world() -> (World, Arc<Semaphore>) {
    let mut world = World::new();
    world.settings.concurrency = 1;
    world.settings.prefetch_factor = 2;
    (world, Arc::new(Semaphore::new(0)))
}

fn work(world: &World, ends: &Arc<Semaphore>) -> Running {
    let ends = Arc::clone(ends);
    world.work(move |_, _| {
        let ends = Arc::clone(&ends);
        Box::pin(async move {
            ends.acquire().await.unwrap().forget();
            Ok(json!("ended"))
        })
    })
}

fn state(world: &World, id: JobId) -> JobState {
    world.store.row(id).job.state
}

fn given_back(worker: &Running) -> f64 {
    worker
        .metric("assay_delivery_given_back_total{kind=\"content-verification\",reason=\"paused\"}")
}

#[tokio::test(start_paused = true)]
async fn what_runs_goes_on_and_what_waits_in_hand_goes_back() {
    let (world, ends) = world();
    let runs = world.submit("runs");
    let worker = work(&world, &ends);
    world.wait(runs, JobState::Running).await;
    let waits = world.submit("waits");
    tokio::time::sleep(seconds(2)).await;
    assert_eq!(world.queue.in_hand(), 2);

    world.control.pause(KIND).await.unwrap();
    tokio::time::sleep(seconds(2)).await;
    assert_eq!(world.queue.in_hand(), 1, "only what runs");
    assert_eq!(given_back(&worker), 1.0);
    ends.add_permits(2);
    world.wait(runs, JobState::Succeeded).await;
    let later = world.submit("later");
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(world.queue.in_hand(), 0);
    for id in [waits, later] {
        let job = world.store.row(id).job;
        assert_eq!(job.state, JobState::Queued);
        assert_eq!(job.attempt, 0, "waiting spends no attempt");
    }

    world.control.resume(KIND).await.unwrap();
    tokio::time::timeout(seconds(2), world.wait(waits, JobState::Succeeded))
        .await
        .unwrap();
    ends.add_permits(1);
    world.wait(later, JobState::Succeeded).await;
    assert_eq!(given_back(&worker), 1.0);
    worker.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn another_kind_is_none_of_this_worker_s_business() {
    let (world, ends) = world();
    for kind in [JobKind::Batch, JobKind::RuvProfile] {
        world.control.pause(kind).await.unwrap();
    }
    ends.add_permits(1);
    let worker = work(&world, &ends);
    let id = world.submit("hello");
    world.wait(id, JobState::Succeeded).await;
    worker.shut_down().await;
}

/// A worker that starts again while its kind is paused takes nothing, not even at first.
#[tokio::test(start_paused = true)]
async fn nothing_is_taken_before_the_first_answer() {
    let (world, ends) = world();
    ends.add_permits(1);
    world.control.is(Mood::Fails);
    let id = world.submit("hello");
    let worker = work(&world, &ends);
    // Not at the very moment of a look.
    tokio::time::sleep(seconds(10) + seconds(1) / 2).await;
    assert_eq!(world.control.looks(), 11, "once a second");
    assert_eq!(state(&world, id), JobState::Queued);
    assert_eq!(world.queue.in_hand_max(), 0);
    world.control.is(Mood::Answers);
    tokio::time::timeout(seconds(2), world.wait(id, JobState::Succeeded))
        .await
        .unwrap();
    worker.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_last_one_stands() {
    for silence in [Mood::Fails, Mood::Hangs] {
        let (world, ends) = world();
        ends.add_permits(10);
        let worker = work(&world, &ends);
        tokio::time::sleep(seconds(2)).await;
        world.control.is(silence);
        world.control.pause(KIND).await.unwrap();
        tokio::time::sleep(seconds(20)).await;
        let first = world.submit("first");
        world.wait(first, JobState::Succeeded).await;

        // A call that hangs is given up, or this would never be heard.
        world.control.is(Mood::Answers);
        tokio::time::sleep(seconds(8)).await;
        world.control.is(silence);
        world.control.resume(KIND).await.unwrap();
        let second = world.submit("second");
        tokio::time::sleep(seconds(20)).await;
        assert_eq!(state(&world, second), JobState::Queued, "{silence:?}");

        world.control.is(Mood::Answers);
        world.wait(second, JobState::Succeeded).await;
        worker.shut_down().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_worker_goes_down_like_any_other() {
    let (world, ends) = world();
    world.control.pause(KIND).await.unwrap();
    let id = world.submit("hello");
    let worker = work(&world, &ends);
    tokio::time::sleep(seconds(5)).await;
    worker.shut_down().await;
    assert_eq!(state(&world, id), JobState::Queued);
    assert_eq!(world.journal.read(), [""; 0]);
}
