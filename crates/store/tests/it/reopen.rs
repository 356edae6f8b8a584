use assay_core::id::{JobId, Tenant};
use assay_core::port::{JobStore, Written};
use assay_core::retry::{DeadLetterReason, Decision, InterruptionReason};
use assay_core::state::JobState;
use assay_store::{DATABASE_FILE, EmbeddedStore};

use crate::bench_folder::{BenchFolder, id, spec, success};

async fn state(store: &EmbeddedStore, id: JobId) -> JobState {
    let job = store.get(&Tenant::default(), id).await.unwrap();
    job.unwrap().state
}

/// Whatever is in the journal and whatever in the tables: the same jobs come back.
async fn check_that_everything_comes_back(journal_jobs_max: usize) {
    let mut bench = BenchFolder::new();
    bench.config.journal_jobs_max = journal_jobs_max;
    let store = bench.open();
    for number in 0..20 {
        store.submit(id(number), spec()).await.unwrap();
    }
    for number in 0..10 {
        let claimed = bench.claim(&store, id(number)).await;
        store
            .checkpoint(&claimed.lease, vec![number; 9])
            .await
            .unwrap();
        if number < 5 {
            store.settle(&claimed.lease, success()).await.unwrap();
        }
        if number == 5 {
            let reason = InterruptionReason::Drain;
            let again = assay_core::port::Settlement {
                decision: Decision::RunAgain {
                    reason,
                    after_ms: 0,
                },
                ..success()
            };
            store.settle(&claimed.lease, again).await.unwrap();
        }
    }
    store.cancel(&Tenant::default(), id(19)).await.unwrap();
    let tenant = Tenant::default();
    let before = store.counts().await.unwrap();
    let job = store.get(&tenant, id(0)).await.unwrap();
    let history = store.history(&tenant, id(0), None).await.unwrap();
    drop(store);

    let store = bench.open();
    assert_eq!(store.get(&tenant, id(0)).await.unwrap(), job);
    assert_eq!(store.history(&tenant, id(0), None).await.unwrap(), history);
    assert_eq!(
        store.inline_result(&tenant, id(0)).await.unwrap(),
        Some(b"result".to_vec())
    );
    let after = store.counts().await.unwrap();
    let kind = spec().kind;
    for same in [JobState::Succeeded, JobState::Cancelled] {
        assert_eq!(after.get(kind, same), before.get(kind, same), "{same}");
    }
    assert_eq!(after.get(kind, JobState::Succeeded), 5);
    // Four were running when their process died: each has crashed once and is queued again.
    assert_eq!(after.get(kind, JobState::Running), 0);
    assert_eq!(after.get(kind, JobState::Queued), 14);
    let crashed = store.get(&tenant, id(9)).await.unwrap().unwrap();
    assert_eq!((crashed.counters.crashes, crashed.generation), (1, 2));
    assert_eq!(bench.offered().len(), 14);
    let claimed = bench.claim(&store, id(5)).await;
    assert_eq!(claimed.checkpoint, Some(vec![5; 9]));
    assert_eq!(bench.envelope(id(5)).payload, spec().payload);
}

#[tokio::test]
async fn everything_comes_back_from_the_journal() {
    check_that_everything_comes_back(8_192).await;
}

#[tokio::test]
async fn everything_comes_back_from_the_tables() {
    check_that_everything_comes_back(0).await;
}

#[tokio::test]
async fn everything_comes_back_from_both() {
    check_that_everything_comes_back(7).await;
}

#[tokio::test]
async fn what_ran_when_the_process_died_does_not_wait_for_its_turn_again() {
    let bench = BenchFolder::new();
    let store = bench.open();
    for number in 1..=4 {
        store.submit(id(number), spec()).await.unwrap();
        bench.clock.advance(10);
    }
    bench.claim(&store, id(3)).await;
    drop(store);
    let _store = bench.open();
    let order: Vec<_> = bench
        .offered()
        .iter()
        .map(|envelope| envelope.job_id)
        .collect();
    assert_eq!(order, [id(3), id(1), id(2), id(4)]);
}

#[tokio::test]
async fn a_job_that_kills_three_processes_is_a_crash_loop() {
    let bench = BenchFolder::new();
    let mut store = bench.open();
    store.submit(id(1), spec()).await.unwrap();
    for _ in 0..3 {
        bench.claim(&store, id(1)).await;
        drop(store);
        store = bench.open();
    }
    let job = store.get(&Tenant::default(), id(1)).await.unwrap().unwrap();
    assert_eq!(job.dead_letter, Some(DeadLetterReason::CrashLoop));
    assert!(bench.offered().is_empty());
    assert_eq!(state(&store, id(1)).await, JobState::DeadLettered);
}

/// One job that changes all the time must not fill the disk with what it was.
#[tokio::test]
async fn the_journal_of_a_busy_job_stays_within_its_bound() {
    let mut bench = BenchFolder::new();
    bench.config.journal_bytes_max = 200_000;
    let store = bench.open();
    store.submit(id(1), spec()).await.unwrap();
    let lease = bench.claim(&store, id(1)).await.lease;
    for number in 0..60 {
        let checkpoint = vec![number; 50_000];
        let written = store.checkpoint(&lease, checkpoint).await.unwrap();
        assert_eq!(written, Written::Recorded);
    }
    drop(store);
    let file = bench.folder.path().join(DATABASE_FILE);
    let bytes = std::fs::metadata(file).unwrap().len();
    assert!(bytes < 2_000_000, "{bytes} of 3,000,000 bytes written");
    let store = bench.open();
    let claimed = bench.claim(&store, id(1)).await;
    assert_eq!(claimed.checkpoint, Some(vec![59; 50_000]));
}
