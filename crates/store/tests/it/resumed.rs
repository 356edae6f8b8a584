use assay_core::port::{JobStore, Settlement};
use assay_core::retry::{CRASHES_MAX, Decision, InterruptionReason};

use crate::bench_folder::{BenchFolder, id, spec, success};

fn interrupted(after_ms: u64) -> Settlement {
    let reason = InterruptionReason::Drain;
    Settlement {
        decision: Decision::RunAgain { reason, after_ms },
        ..success()
    }
}

/// What had been given back goes first, then what ran, by its age; a delay takes nobody's place.
async fn check_that_the_resumed_go_first(journal_jobs_max: usize) {
    let mut bench = BenchFolder::new();
    bench.config.journal_jobs_max = journal_jobs_max;
    let store = bench.open();
    for number in 1..=6 {
        store.submit(id(number), spec()).await.unwrap();
        bench.clock.advance(10);
    }
    for (number, after_ms) in [(5, 0), (6, 100)] {
        let lease = bench.claim(&store, id(number)).await.lease;
        store.settle(&lease, interrupted(after_ms)).await.unwrap();
    }
    for number in [4, 3] {
        bench.claim(&store, id(number)).await;
    }
    bench.clock.advance(10);
    drop(store);

    let store = bench.open();
    bench.clock.advance(1_000);
    assert_eq!(store.promote_due(10).await.unwrap().jobs, 1);
    let offered = bench.offered();
    let order: Vec<_> = offered.iter().map(|offer| offer.job_id).collect();
    assert_eq!(order, [5, 3, 4, 1, 2, 6].map(id));
    let resumed: Vec<_> = offered.iter().map(|offer| offer.resumed).collect();
    assert_eq!(resumed, [true, true, true, false, false, true]);
}

#[tokio::test]
async fn the_resumed_go_first_when_the_journal_knows_them() {
    check_that_the_resumed_go_first(8_192).await;
}

#[tokio::test]
async fn the_resumed_go_first_when_the_tables_know_them() {
    check_that_the_resumed_go_first(0).await;
}

/// Coming first is no way to hold a lane up: the third process that it kills is the last.
#[tokio::test]
async fn a_crash_loop_comes_first_twice_and_never_again() {
    let bench = BenchFolder::new();
    let mut store = bench.open();
    for number in [1, 2] {
        store.submit(id(number), spec()).await.unwrap();
    }
    for crash in 1..=CRASHES_MAX {
        bench.claim(&store, id(2)).await;
        drop(store);
        store = bench.open();
        let offered = bench.offered();
        let order: Vec<_> = offered.iter().map(|offer| offer.job_id).collect();
        let expected = if crash < CRASHES_MAX {
            vec![id(2), id(1)]
        } else {
            vec![id(1)]
        };
        assert_eq!(order, expected, "crash {crash}");
    }
}
