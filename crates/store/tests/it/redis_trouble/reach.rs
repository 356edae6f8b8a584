use assay_core::port::{EventItem, Interest, JobStore as _, RefusalReason, StoreError, Submitted};
use assay_core::state::JobState;
use assay_test_support::wait::{wait_until, within};
use redis::AsyncCommands as _;

use super::{Bench, claim, id, options, server};
use crate::redis_bench::connection;

fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable { .. }))
}

#[tokio::test]
async fn after_a_restart_the_store_goes_on_and_listeners_are_told() {
    let (mut server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    let envelope = bench.submit(1).await;
    let mut events = bench.store.events(Interest::All).await.unwrap();
    server.kill().await.unwrap();
    let away = bench.store.submit(id(2), bench.spec()).await;
    assert!(
        matches!(
            away,
            Err(StoreError::Unavailable { .. } | StoreError::Unknown { .. })
        ),
        "{away:?}"
    );
    let away = bench.store.counts().await;
    assert!(is_unavailable(&away), "{away:?}");
    server.restart().await.unwrap();

    wait_until("the store answers again", || async {
        bench.store.counts().await.is_ok()
    })
    .await;
    let claimed = claim(&bench.store, &envelope, "one").await;
    assert_eq!(claimed.job.attempt, 1);
    // What happened meanwhile may be missed, and then this is said; what happens from now on is heard.
    let heard = within("the listener is told", events.next()).await;
    assert_eq!(heard, Some(EventItem::Missed));
    bench.submit(3).await;
    let heard = within("an event comes", async {
        loop {
            match events.next().await {
                Some(EventItem::Event(event)) if event.job_id == id(3) => return event.state,
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    });
    assert_eq!(heard.await, JobState::Queued);
}

/// As during a failover: the server that is connected to is no longer the one that takes writes.
#[tokio::test]
async fn a_redis_that_became_read_only_writes_nothing_until_it_is_not() {
    let (server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    bench.submit(1).await;
    let mut client = server.client().unwrap();
    client.run(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let refused = bench.store.submit(id(2), bench.spec()).await;
    assert!(is_unavailable(&refused), "{refused:?}");
    client.run(&["REPLICAOF", "NO", "ONE"]).unwrap();
    let submitted = bench.store.submit(id(2), bench.spec()).await;
    assert!(
        matches!(submitted, Ok(Submitted::Queued(_))),
        "{submitted:?}"
    );
}

/// A write that may still be done is unknown, and a repeat tells what became of it.
#[tokio::test]
async fn a_frozen_redis_makes_outcomes_unknown() {
    let (mut server, mut config) = server(options()).await;
    config.response_timeout_ms = 200;
    let bench = Bench::over(config).await;
    bench.submit(1).await;
    server.pause().unwrap();
    let unknown = bench.store.submit(id(2), bench.spec()).await;
    server.resume().unwrap();
    assert!(
        matches!(unknown, Err(StoreError::Unknown { .. })),
        "{unknown:?}"
    );
    wait_until("the store answers again", || async {
        bench.store.counts().await.is_ok()
    })
    .await;
    let repeated = bench.store.submit(id(2), bench.spec()).await;
    assert!(
        matches!(repeated, Ok(Submitted::Exists(_) | Submitted::Queued(_))),
        "{repeated:?}"
    );
    assert_eq!(bench.job(2).await.event_id.sequence, 1, "it was made once");
}

#[tokio::test]
async fn a_redis_that_forgot_the_scripts_is_given_them_again() {
    let (server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    let envelope = bench.submit(1).await;
    server.client().unwrap().run(&["SCRIPT", "FLUSH"]).unwrap();
    assert_eq!(claim(&bench.store, &envelope, "one").await.job.attempt, 1);
    bench.submit(2).await;
}

/// One that somebody emptied: the store forgets what it remembered as soon as it asks.
#[tokio::test]
async fn a_record_that_somebody_deleted_is_made_again_from_its_envelope() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1).await;
    let mut connection = connection(&bench.config).await;
    let hex = id(1).to_string().replace('-', "");
    let records: Vec<String> = connection.keys(format!("*:j:{hex}")).await.unwrap();
    let deleted: u64 = connection.del(records).await.unwrap();
    assert_eq!(deleted, 1);
    let claimed = claim(&bench.store, &envelope, "one").await;
    assert_eq!(claimed.job.attempt, 1);
    assert_eq!(bench.job(1).await.state, JobState::Running);
}

#[tokio::test]
async fn a_closed_store_refuses_and_ends_its_streams() {
    let bench = Bench::new().await;
    let mut events = bench.store.events(Interest::All).await.unwrap();
    bench.store.close().await;
    assert_eq!(within("the stream ends", events.next()).await, None);
    let refused = bench.store.submit(id(1), bench.spec()).await;
    let closing = RefusalReason::ShuttingDown;
    assert!(
        matches!(&refused, Err(StoreError::Refused { reason, .. }) if *reason == closing),
        "{refused:?}"
    );
    let refused = bench.store.reap(1).await;
    assert!(refused.is_ok(), "it had nothing to write: {refused:?}");
}
