use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::id::{Tenant, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{JobStore as _, ListRequest, Renewal, WorkerRegistry as _};
use assay_core::state::JobState;
use assay_core::transition::REAP_GRACE_MS;
use assay_core::worker::{Beat, WORKER_DEAD_AFTER_MS};
use assay_store::{Carrier, RedisStore, StoreConfig, TimeSource};
use assay_test_support::redis::Database;
use redis::AsyncCommands as _;

use super::{Bench, LEASE_MS, claim, id};
use crate::redis_bench::{config, connection};

const NOW_MS: u64 = 1_700_000_000_000;

/// A store whose time the test moves.
async fn bench() -> (Bench, Arc<ManualClock>) {
    let database = Database::take();
    let config = config(database.address, database.number);
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let time = TimeSource::Given(Arc::clone(&clock) as _);
    let store = RedisStore::connect(&config, StoreConfig::default(), time, Carrier::Streams);
    let store = store.await.unwrap();
    (Bench { config, store }, clock)
}

async fn reap(bench: &Bench) -> usize {
    bench.store.reap(100).await.unwrap().jobs
}

/// Looks at leases often enough that no gap is seen.
async fn pass(bench: &Bench, clock: &ManualClock, ms: u64) -> usize {
    const STEP_MS: u64 = 5_000;
    let mut reaped = 0;
    let mut left_ms = ms;
    while left_ms > 0 {
        let step_ms = left_ms.min(STEP_MS);
        clock.advance(step_ms);
        left_ms -= step_ms;
        reaped += reap(bench).await;
    }
    reaped
}

/// Nobody could renew while Redis or all schedulers were away.
#[tokio::test]
async fn after_a_gap_leases_get_the_time_to_be_renewed() {
    let (bench, clock) = bench().await;
    let renewing = claim(&bench.store, &bench.submit(1).await, "alive").await;
    let silent = claim(&bench.store, &bench.submit(2).await, "silent").await;
    clock.advance(LEASE_MS + 20_000);
    assert_eq!(reap(&bench).await, 0);
    for (number, lease) in [(1, &renewing.lease), (2, &silent.lease)] {
        let job = bench.job(number).await;
        assert_eq!(job.state, JobState::Running);
        assert_eq!(job.token, lease.token);
    }
    let renewed = bench.store.renew(&renewing.lease, LEASE_MS).await;
    assert_eq!(renewed.unwrap(), Renewal::Held);
    assert_eq!(pass(&bench, &clock, 10_000 + REAP_GRACE_MS).await, 1);
    assert_eq!(bench.job(2).await.state, JobState::Queued);
    assert_eq!(bench.job(1).await.state, JobState::Running);
}

/// A worker says that it lives.
async fn beat(bench: &Bench, worker: &str) {
    let beat = Beat {
        worker: WorkerId::new(worker).unwrap(),
        service: "test".into(),
        host: "here".into(),
        pid: 1,
        version: "1".into(),
        started_at_ms: NOW_MS,
        concurrency: 1,
        kinds: vec![JobKind::ContentVerification],
        running: 1,
        jobs: vec![id(1)],
        breakers: Vec::new(),
    };
    bench.store.registry().beat(&beat).await.unwrap();
}

/// A worker that the registry knows to be dead has crashed; one of which nothing is known has not.
#[tokio::test]
async fn a_dead_workers_job_has_crashed() {
    let (bench, clock) = bench().await;
    reap(&bench).await;
    claim(&bench.store, &bench.submit(1).await, "dead").await;
    claim(&bench.store, &bench.submit(2).await, "unknown").await;
    beat(&bench, "dead").await;
    let lapsed_ms = LEASE_MS.max(WORKER_DEAD_AFTER_MS) + REAP_GRACE_MS;
    assert_eq!(pass(&bench, &clock, lapsed_ms).await, 2);
    let counters = bench.job(1).await.counters;
    assert_eq!((counters.crashes, counters.interruptions), (1, 0));
    let counters = bench.job(2).await.counters;
    assert_eq!((counters.crashes, counters.interruptions), (0, 1));
}

/// A delivery that comes again may be faster than the reaper.
#[tokio::test]
async fn a_claim_that_takes_over_from_a_dead_worker_makes_it_a_crash() {
    let (bench, clock) = bench().await;
    let jobs = [bench.submit(1).await, bench.submit(2).await];
    for envelope in &jobs {
        claim(&bench.store, envelope, "dead").await;
    }
    beat(&bench, "dead").await;
    // The lease ends with the last of these; leases are looked at all the time, and none is reaped.
    for _ in 0..LEASE_MS / 1_000 {
        bench.store.reap(0).await.unwrap();
        clock.advance(1_000);
    }
    let [first, second] = jobs;
    let taken = claim(&bench.store, &first, "next").await;
    assert_eq!(taken.job.counters.crashes, 1);
    // When nobody has looked for a while, nobody may have been able to beat either.
    clock.advance(5_000);
    let taken = claim(&bench.store, &second, "next").await;
    assert_eq!(taken.job.counters.crashes, 0);
    assert_eq!(taken.job.counters.interruptions, 1);
}

/// What somebody deleted by hand does not keep others from their turn.
#[tokio::test]
async fn a_deleted_record_clogs_no_sweep() {
    let (bench, clock) = bench().await;
    let mut spec = bench.spec();
    spec.due_at_ms = Some(NOW_MS + 1);
    for number in 1..=3 {
        let submitted = bench.store.submit(id(number), spec.clone()).await;
        submitted.unwrap();
    }
    let mut connection = connection(&bench.config).await;
    for number in 1..=2 {
        let hex = id(number).to_string().replace('-', "");
        let records: Vec<String> = connection.keys(format!("*:j:{hex}")).await.unwrap();
        let deleted: u64 = connection.del(records).await.unwrap();
        assert_eq!(deleted, 1);
    }
    clock.advance(1);
    let mut promoted = 0;
    // One at a time: each call puts right one of the deleted.
    for _ in 1..=3 {
        promoted += bench.store.promote_due(1).await.unwrap().jobs;
    }
    assert_eq!(promoted, 1);
    assert_eq!(bench.job(3).await.state, JobState::Queued);
}

/// However many jobs came in one millisecond: each is on one page.
#[tokio::test]
async fn jobs_of_one_moment_are_paged_through() {
    const JOBS: usize = 300;
    let (bench, _clock) = bench().await;
    let spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW_MS);
    let mut ids: Vec<_> = (0..JOBS as u64).map(|n| id(1).child("job", n)).collect();
    let submits = ids.iter().map(|id| bench.store.submit(*id, spec.clone()));
    for submitted in futures::future::join_all(submits).await {
        submitted.unwrap();
    }
    ids.sort_unstable();
    ids.reverse();
    let mut seen = Vec::new();
    let mut request = ListRequest {
        tenant: Tenant::default(),
        kinds: Vec::new(),
        states: Vec::new(),
        created_from_ms: None,
        created_before_ms: None,
        page_size: 7,
        cursor: None,
    };
    loop {
        let page = bench.store.list(&request).await.unwrap();
        seen.extend(page.jobs.iter().map(|job| job.id));
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
}
