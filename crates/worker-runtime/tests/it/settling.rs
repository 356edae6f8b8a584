//! Record, publish, acknowledge: in this order, whatever the outside does.

use std::sync::Arc;

use assay_core::state::JobState;
use assay_worker_runtime::{JobContext, JobError};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use crate::world::{Answer, World, seconds};

/// What every order of events must hold: nothing is acknowledged before it is on record.
fn no_ack_before_record(journal: &[&str]) {
    let mut on_record = 0;
    for what in journal {
        match *what {
            "record" => on_record += 1,
            "ack" => {
                assert!(on_record > 0, "{journal:?}");
                on_record -= 1;
            }
            _ => {}
        }
    }
}

/// A script during whose first attempt the store goes away.
fn finds_no_store(
    world: &World,
) -> impl for<'a> Fn(&'a JobContext, String) -> BoxFuture<'a, Answer> + Send + Sync + use<> {
    let store = Arc::clone(&world.store);
    move |context, _| {
        if context.attempt() == 1 {
            store.faults.lock().down = true;
        }
        Box::pin(async { Ok(Value::Null) })
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_offered_until_the_store_takes_it() {
    let world = World::new();
    let id = world.submit("hello");
    world.store.faults.lock().claims_down = 3;
    let worker = world.work(finds_no_store(&world));
    world.store.wait(id, |row| row.job.attempt == 1).await;
    let began = Instant::now();
    tokio::time::sleep_until(began + seconds(30)).await;
    assert_eq!(world.queue.in_hand(), 1);
    world.store.faults.lock().down = false;
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(row.job.attempt, 1, "the work was done once");
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_and_acknowledged_once() {
    let world = World::new();
    world.store.faults.lock().settles_unknown = 1;
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    world.wait(id, JobState::Succeeded).await;
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
    assert_eq!(world.queue.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_nobody_takes_is_dropped_and_the_job_runs_again() {
    let mut world = World::new();
    world.settings.settle_patience_ms = 5_000;
    let id = world.submit("hello");
    let worker = world.work(finds_no_store(&world));
    world.store.wait(id, |row| row.job.attempt == 1).await;
    tokio::time::sleep(seconds(8)).await;
    world.store.faults.lock().down = false;
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(row.job.attempt, 2);
    worker.shut_down().await;
    let journal = world.journal.read();
    assert!(journal.contains(&"back"), "{journal:?}");
    assert_eq!(journal.iter().filter(|what| **what == "ack").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_vanished_is_claimed_again_and_settled() {
    let world = World::new();
    let id = world.submit("hello");
    let row = world.store.row(id);
    let store = Arc::clone(&world.store);
    let lost = row.clone();
    let worker = world.work(move |context, _| {
        // The record is rebuilt as it was before the claim: an older token, and nobody's.
        let (store, lost) = (Arc::clone(&store), lost.clone());
        Box::pin(async move {
            let id = context.job().id;
            store.lose(id, lost);
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    assert!(row.result.is_some());
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_queue_does_not_take_is_left_to_the_outbox() {
    let world = World::new();
    world.queue.fail_publishes(true);
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Err(JobError::transient("no", "not yet")) }));
    world.wait(id, JobState::Retrying).await;
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_keep_the_order_and_the_bound_on_deliveries() {
    let mut world = World::new();
    world.settings.concurrency = 3;
    let ids: Vec<_> = (0..40).map(|_| world.submit("hello")).collect();
    let worker = world.work(|context, _| {
        Box::pin(async move {
            tokio::time::sleep(seconds(1)).await;
            if context.attempt() == 1 {
                return Err(JobError::transient("again", "once more"));
            }
            Ok(Value::Null)
        })
    });
    for id in ids {
        world.wait(id, JobState::Succeeded).await;
    }
    worker.shut_down().await;
    no_ack_before_record(&world.journal.read());
    assert_eq!(world.queue.in_hand_max(), 6, "2 x 3");
    assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_for_a_slot_goes_back() {
    let mut world = World::new();
    world.settings.concurrency = 1;
    world.settings.buffer_age_max_ms = 2_000;
    let (slow, waiting) = (world.submit("slow"), world.submit("waiting"));
    let worker = world.work(|_, _| {
        Box::pin(async {
            tokio::time::sleep(seconds(20)).await;
            Ok(Value::Null)
        })
    });
    world.wait(slow, JobState::Succeeded).await;
    world.wait(waiting, JobState::Succeeded).await;
    worker.shut_down().await;
    let back = world
        .journal
        .read()
        .iter()
        .filter(|what| **what == "back")
        .count();
    assert!((5..=10).contains(&back), "{back}");
    assert_eq!(
        world.store.row(waiting).job.attempt,
        1,
        "claimed only at its start"
    );
}
