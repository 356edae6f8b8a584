//! A worker that goes down gives back what it has not ended.

use assay_core::kind::JobKind;
use assay_core::state::JobState;
use assay_service::shutdown::Reason;
use assay_worker_runtime::{JobError, queue_dependency};
use serde_json::Value;
use tokio::time::Instant;

use crate::world::{World, never, seconds};

#[tokio::test(start_paused = true)]
async fn what_ends_in_time_is_waited_for_and_nothing_new_is_taken() {
    let mut world = World::new();
    world.settings.concurrency = 1;
    let first = world.submit("first");
    let worker = world.work(|_, _| {
        Box::pin(async {
            tokio::time::sleep(seconds(20)).await;
            Ok(Value::Null)
        })
    });
    world.wait(first, JobState::Running).await;
    let second = world.submit("second");
    let began = Instant::now();
    worker.shut_down().await;
    assert!(began.elapsed() <= seconds(21), "{:?}", began.elapsed());
    assert_eq!(world.store.row(first).job.state, JobState::Succeeded);
    assert_eq!(world.store.row(second).job.state, JobState::Queued);
    assert_eq!(world.queue.waiting(), 1, "it waits for another worker");
    assert_eq!(world.queue.in_hand(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_handed_back_and_spends_no_attempt() {
    let world = World::new();
    let ids = ["polite", "fails", "deaf"].map(|word| world.submit(word));
    let worker = world.work(|context, word| {
        Box::pin(async move {
            if word == "deaf" {
                return never().await;
            }
            context.cancelled().await;
            match word.as_str() {
                "polite" => Err(JobError::Stopped),
                _ => Err(JobError::transient("torn", "the connection was closed")),
            }
        })
    });
    for id in ids {
        world.wait(id, JobState::Running).await;
    }
    worker.shut_down().await;
    for id in ids {
        let job = world.store.row(id).job;
        assert_eq!(job.state, JobState::Queued);
        assert_eq!((job.counters.errors, job.counters.interruptions), (0, 1));
        assert_eq!(job.holder, None);
    }
    assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_finds_no_store_does_not_hold_up_the_end() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(never()));
    world.wait(id, JobState::Running).await;
    world.store.faults.lock().down = true;
    worker.shut_down().await;
    assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 1));
    assert!(!world.journal.read().contains(&"ack"));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_finds_no_store_gives_its_delivery_back() {
    let world = World::new();
    world.store.faults.lock().claims_down = usize::MAX;
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(never()));
    tokio::time::sleep(seconds(5)).await;
    worker.context.shutdown.begin(Reason::Finished);
    worker.shut_down().await;
    assert_eq!(world.store.row(id).job.state, JobState::Queued);
    assert_eq!((world.queue.in_hand(), world.queue.waiting()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn readiness_knows_the_queue_of_each_kind_by_itself() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    world.wait(id, JobState::Succeeded).await;
    let report = worker.context.readiness.report();
    let [queue] = report.dependencies.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(queue.name, "queue-content-verification");
    assert_eq!(queue.name, queue_dependency(JobKind::ContentVerification));
    assert_eq!(queue.problem, None);
    worker.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_came_back_without_work_is_up_again() {
    let world = World::new();
    let worker = world.work(|_, _| Box::pin(never()));
    let problem = || {
        worker.context.readiness.report().dependencies[0]
            .problem
            .clone()
    };
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(problem(), None);
    world.queue.fail_takes(true);
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(problem().as_deref(), Some("reach the queue: told so"));
    world.queue.fail_takes(false);
    // Its last failure may be this old, and it is asked again after a back-off.
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(problem(), None);
    worker.shut_down().await;
}
