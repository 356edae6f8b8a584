use assay_core::id::Tenant;
use assay_core::port::{
    CancelAnswer, EditWish, ForgetAnswer, JobStore as _, RefusalReason, Renewal, Settled,
    StoreError, Written,
};
use assay_core::retry::{DeadLetterReason, Decision, Failure, FailureClass};
use assay_test_support::redis::RedisServer;
use assay_test_support::wait::wait_until;

use super::{Bench, claim, connect, id, options, server, settlement};

fn is_full<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
    let full = RefusalReason::StoreFull;
    matches!(answer, Err(StoreError::Refused { reason, .. }) if *reason == full)
}

fn used_bytes(server: &RedisServer) -> u64 {
    let used = server.client().unwrap().info("used_memory").unwrap();
    used.parse().unwrap()
}

/// New work is refused by Redis itself; what is there goes on to its end.
#[tokio::test]
async fn without_memory_jobs_end_and_none_begin() {
    let (server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    let first = bench.submit(1).await;
    let second = bench.submit(2).await;
    let held = claim(&bench.store, &first, "one").await;
    // Below what is used already.
    server.config_set("maxmemory", "100000").unwrap();

    let refused = bench.store.submit(id(3), bench.spec()).await;
    assert!(is_full(&refused), "{refused:?}");
    let kept = bench.store.checkpoint(&held.lease, vec![1; 64]).await;
    assert!(is_full(&kept), "{kept:?}");
    let renewed = bench.store.renew(&held.lease, super::LEASE_MS).await;
    assert_eq!(renewed.unwrap(), Renewal::Held);
    let settled = bench
        .store
        .settle(&held.lease, settlement(Decision::Succeed));
    assert!(matches!(settled.await.unwrap(), Settled::Recorded { .. }));
    let held = claim(&bench.store, &second, "one").await;
    let cancelled = bench.store.cancel(&Tenant::default(), id(2)).await;
    assert!(matches!(cancelled.unwrap(), CancelAnswer::Cancelling(_)));
    let settled = bench
        .store
        .settle(&held.lease, settlement(Decision::Cancel));
    assert!(matches!(settled.await.unwrap(), Settled::Recorded { .. }));
    assert_eq!(bench.store.reap(10).await.unwrap().jobs, 0);
    let absent = bench.store.get(&Tenant::default(), id(3)).await;
    assert_eq!(absent.unwrap(), None);

    // A worker that starts now can help to end what is there.
    connect(&bench.config).await;

    server.config_set("maxmemory", "0").unwrap();
    wait_until("jobs are taken in again", || async {
        bench.store.submit(id(4), bench.spec()).await.is_ok()
    })
    .await;
    let again = bench.store.submit(id(3), bench.spec()).await;
    assert!(again.is_ok(), "{again:?}");
}

/// To forget makes room; another payload may need some.
#[tokio::test]
async fn without_memory_a_dead_letter_is_forgotten_and_not_edited() {
    let (server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    let held = claim(&bench.store, &bench.submit(1).await, "one").await;
    let death = Decision::DeadLetter {
        failure: Failure::new(FailureClass::Transient, "code", "it broke"),
        reason: DeadLetterReason::AttemptsExhausted,
    };
    let settled = bench.store.settle(&held.lease, settlement(death)).await;
    assert!(matches!(settled.unwrap(), Settled::Recorded { .. }));
    server.config_set("maxmemory", "100000").unwrap();

    let tenant = Tenant::default();
    let wish = EditWish {
        payload: vec![8; 400],
        by: String::new(),
        seen: None,
    };
    let edited = bench.store.edit(&tenant, id(1), wish).await;
    assert!(is_full(&edited), "{edited:?}");
    let forgotten = bench.store.forget(&tenant, id(1), None).await;
    assert_eq!(forgotten.unwrap(), ForgetAnswer::Forgotten);
    assert_eq!(bench.store.get(&tenant, id(1)).await.unwrap(), None);
}

/// Before Redis has to refuse anything, the store takes no more in.
#[tokio::test]
async fn nearly_out_of_memory_no_job_is_taken_in() {
    let (server, config) = server(options()).await;
    let bench = Bench::over(config).await;
    let held = claim(&bench.store, &bench.submit(1).await, "one").await;
    // So much that what comes and goes with connections is little beside it.
    let mut client = server.client().unwrap();
    client.run(&["SETRANGE", "other", "50000000", "x"]).unwrap();
    let near = used_bytes(&server) * 100 / 90;
    server.config_set("maxmemory", &near.to_string()).unwrap();
    let mut numbers = 2..;
    wait_until("no job is taken in", || {
        let number = numbers.next().unwrap();
        let submitted = bench.store.submit(id(number), bench.spec());
        async { is_full(&submitted.await) }
    })
    .await;
    let kept = bench.store.checkpoint(&held.lease, vec![1; 64]).await;
    assert_eq!(kept.unwrap(), Written::Recorded, "Redis itself has room");
    let repeated = bench.store.submit(id(1), bench.spec()).await;
    assert!(repeated.is_ok(), "a repeat needs no room: {repeated:?}");
}
