//! Leases: kept, lost, taken over; cancellation by both of its ways.

use std::sync::Arc;

use assay_core::port::ResultBody;
use assay_core::retry::Interruption;
use assay_core::retry::InterruptionReason::LeaseLost;
use assay_core::state::JobState;
use assay_worker_runtime::JobError;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::world::{World, never, seconds};

#[tokio::test(start_paused = true)]
async fn a_long_attempt_keeps_its_lease() {
    let world = World::new();
    let id = world.submit("long");
    let worker = world.work(|_, _| {
        Box::pin(async {
            tokio::time::sleep(seconds(55)).await;
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!((row.job.attempt, row.job.counters.interruptions), (1, 0));
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_reaches_the_handler_at_once_and_is_confirmed() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|context, _| {
        Box::pin(async move {
            context.cancelled().await;
            assert!(context.is_cancelled());
            Err(JobError::Stopped)
        })
    });
    world.wait(id, JobState::Running).await;
    // The event, not the renewal: no time passes.
    tokio::task::yield_now().await;
    let asked = Instant::now();
    world.cancel(id).await;
    world.wait(id, JobState::Cancelled).await;
    assert_eq!(asked.elapsed(), seconds(0));
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_comes_before_the_answer_to_the_claim_is_not_lost() {
    let world = World::new();
    let worker = world.work(|_, _| Box::pin(never()));
    // It listens before it is given anything.
    tokio::time::sleep(seconds(5)).await;
    world.store.faults.lock().cancels_at_claim = 1;
    let begun = Instant::now();
    let id = world.submit("hello");
    world.wait(id, JobState::Cancelled).await;
    assert_eq!(begun.elapsed(), seconds(0), "no renewal, no grace");
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_was_not_heard_is_in_the_answer_to_a_renewal() {
    let world = World::new();
    world.store.faults.lock().deaf = true;
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.cancelled().await;
            Err(JobError::Stopped)
        })
    });
    world.wait(id, JobState::Running).await;
    let asked = Instant::now();
    world.cancel(id).await;
    world.wait(id, JobState::Cancelled).await;
    assert!(asked.elapsed() <= seconds(4), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_ignores_a_cancel_is_cut_off_after_its_grace() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|_, _| Box::pin(never()));
    world.wait(id, JobState::Running).await;
    tokio::task::yield_now().await;
    let asked = Instant::now();
    world.cancel(id).await;
    world.wait(id, JobState::Cancelled).await;
    assert_eq!(asked.elapsed().as_millis() / 100, 30);
}

#[tokio::test(start_paused = true)]
async fn work_that_was_done_before_the_cancel_came_counts() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.cancelled().await;
            Ok(json!("done all the same"))
        })
    });
    world.wait(id, JobState::Running).await;
    world.cancel(id).await;
    let row = world.wait(id, JobState::Succeeded).await;
    assert!(row.result.is_some());
}

/// The first worker's lease lapses and the job is taken over. What the first one still does changes
/// nothing.
#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_changes_nothing_any_more() {
    let mut world = World::new();
    // The first worker has no room for the second delivery.
    (world.settings.concurrency, world.settings.prefetch_factor) = (1, 1);
    let id = world.submit("hello");
    let go_on = Arc::new(Semaphore::new(0));
    let zombie_waits = Arc::clone(&go_on);
    let zombie = world.work(move |context, _| {
        let go_on = Arc::clone(&zombie_waits);
        Box::pin(async move {
            // Nothing stops a handler that does not look, until it awaits something that ends.
            let permit = go_on.acquire().await;
            permit.unwrap().forget();
            context.progress().advance("look", 1, 1, "the zombie's");
            drop(context.save_checkpoint(b"zombie".to_vec()).await);
            Ok(json!("zombie"))
        })
    });
    let first = world.wait(id, JobState::Running).await;
    // The lease lapses unseen, and another delivery is there.
    world.store.change(id, |row| {
        row.job.holder.as_mut().unwrap().expires_at_ms = 0;
    });
    world.queue.put(first.envelope, Instant::now());
    let heir = world.work(|context, _| {
        Box::pin(async move {
            tokio::time::sleep(seconds(1)).await;
            Ok(json!(context.attempt()))
        })
    });
    world.store.wait(id, |row| row.job.attempt == 2).await;
    go_on.add_permits(1);
    let row = world.wait(id, JobState::Succeeded).await;
    zombie.shut_down().await;
    heir.shut_down().await;
    assert_eq!(row.result, Some(ResultBody::Inline(b"2".to_vec())));
    assert_eq!(row.checkpoint, None);
    let row = world.store.row(id);
    assert_eq!(
        row.result,
        Some(ResultBody::Inline(b"2".to_vec())),
        "one result"
    );
    let records = world
        .journal
        .read()
        .iter()
        .filter(|what| **what == "record")
        .count();
    assert_eq!(records, 1);
    assert!(world.store.rejected.lock().contains(&"checkpoint"));
    assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_fenced_attempt_is_cut_off_without_a_grace_and_its_delivery_acknowledged() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(never()));
    world.wait(id, JobState::Running).await;
    // Somebody else has it now.
    world.store.change(id, |row| row.job.token += 1);
    let fenced = Instant::now();
    while world.queue.in_hand() > 0 {
        tokio::time::sleep(seconds(1)).await;
        assert!(fenced.elapsed() < seconds(6));
    }
    let lost = "assay_lease_lost_total{kind=\"content-verification\",reason=\"fenced\"}";
    assert_eq!(worker.metric(lost), 1.0);
    let stale = "assay_stale_completion_rejected_total{kind=\"content-verification\"}";
    assert_eq!(worker.metric(stale), 1.0);
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "ack"]);
}

/// The store lost its last second, the claim among it: the delivery is the only envelope that the job has.
#[tokio::test(start_paused = true)]
async fn an_attempt_whose_claim_the_store_forgot_gives_its_delivery_back() {
    for succeeds in [true, false] {
        let world = World::new();
        let id = world.submit("hello");
        let before = world.store.row(id);
        let go_on = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&go_on);
        let worker = world.work(move |_, _| {
            let go_on = Arc::clone(&waits);
            Box::pin(async move {
                let permit = go_on.acquire().await;
                permit.unwrap().forget();
                Ok(Value::Null)
            })
        });
        world.wait(id, JobState::Running).await;
        world.store.change(id, |row| *row = before);
        if succeeds {
            // Its outcome comes before the next renewal.
            go_on.add_permits(1);
        }
        // The same delivery, claimed again.
        world.wait(id, JobState::Running).await;
        go_on.add_permits(1);
        let row = world.wait(id, JobState::Succeeded).await;
        assert_eq!((row.job.attempt, row.job.generation), (1, 1));
        let back =
            "assay_delivery_given_back_total{kind=\"content-verification\",reason=\"fenced\"}";
        assert_eq!(worker.metric(back), 1.0);
        worker.shut_down().await;
        let expected = ["claim", "retry", "claim", "record", "ack"];
        assert_eq!(world.journal.read(), expected);
        assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 0));
    }
}

/// A store that does not say who has the job has it judged by the claim.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_nobody_can_place_gives_its_delivery_back() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(never()));
    let running = world.wait(id, JobState::Running).await;
    // It ended meanwhile, and the record can't be read just then.
    world.store.change(id, |row| {
        row.job.state = JobState::Cancelled;
        row.job.holder = None;
    });
    world.store.faults.lock().unreadable = true;
    let fenced = Instant::now();
    while !world.journal.read().contains(&"retry") {
        tokio::time::sleep(seconds(1)).await;
        assert!(fenced.elapsed() < seconds(6));
    }
    worker.shut_down().await;
    assert_eq!(running.job.attempt, 1);
    assert_eq!(world.journal.read(), ["claim", "retry", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_vanishes_under_an_attempt_sends_the_delivery_back() {
    let world = World::new();
    let id = world.submit("hello");
    let before = world.store.row(id);
    let worker = world.work(|context, _| {
        Box::pin(async move {
            if context.job().token % 2 == 0 {
                never().await
            } else {
                Ok(Value::Null)
            }
        })
    });
    world.wait(id, JobState::Running).await;
    world.store.forget(id);
    tokio::time::sleep(seconds(2)).await;
    world.store.lose(id, before);
    tokio::time::sleep(seconds(4)).await;
    worker.shut_down().await;
    assert!(world.journal.read().contains(&"back"));
}

#[tokio::test(start_paused = true)]
async fn without_renewals_an_attempt_ends_with_its_lease() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|context, _| {
        Box::pin(async move {
            if context.attempt() == 1 {
                return never().await;
            }
            Ok(Value::Null)
        })
    });
    world.wait(id, JobState::Running).await;
    let began = Instant::now();
    world.store.faults.lock().down = true;
    let lost = "assay_lease_lost_total{kind=\"content-verification\",reason=\"expired\"}";
    while worker.metric(lost) < 1.0 {
        tokio::time::sleep(seconds(1)).await;
        assert!(began.elapsed() < seconds(12), "cut off when the lease ends");
    }
    assert!(began.elapsed() >= seconds(9));
    world.store.faults.lock().down = false;
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(
        (row.job.counters.errors, row.job.counters.interruptions),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_say_itself_that_circumstances_ended_it() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            if context.attempt() > 1 {
                return Ok(Value::Null);
            }
            Err(JobError::Interrupted(Interruption {
                reason: LeaseLost,
                retry_after_ms: Some(5_000),
            }))
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(
        (row.job.counters.errors, row.job.counters.interruptions),
        (0, 1)
    );
}
