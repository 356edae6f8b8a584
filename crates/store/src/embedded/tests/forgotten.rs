use std::sync::Arc;

use assay_core::id::{JobId, Tenant};
use assay_core::port::{JobStore, Submitted};
use assay_core::state::JobState;
use assay_core::transition::DUE_RETENTION_MS;

use super::memory_disk::MemoryDisk;
use super::{NOW, id, open, open_at, spec};
use crate::StoreConfig;
use crate::embedded::batch::{TOMBSTONES_MAX, unavailable};
use crate::embedded::disk::Fault;
use crate::embedded::steps;

fn config(journal_jobs_max: usize) -> StoreConfig {
    StoreConfig {
        retention_ms: 1_000,
        journal_jobs_max,
        ..StoreConfig::default()
    }
}

/// In one batch a job is forgotten, its id is used again, and the request is repeated.
async fn check_that_an_id_is_free_within_one_batch(journal_jobs_max: usize) {
    let disk = Arc::new(MemoryDisk::default());
    let (store, offered, clock) = open_at(&disk, &config(journal_jobs_max));
    let tenant = Tenant::default();
    store.submit(id(1), spec(1)).await.unwrap();
    store.cancel(&tenant, id(1)).await.unwrap();
    clock.advance(1_000);
    let answers = store.change(
        |batch| {
            let forgotten = steps::expire(batch, 10)?.jobs;
            let first = steps::submit(batch, id(1), &spec(1))?;
            Ok((forgotten, first, steps::submit(batch, id(1), &spec(1))?))
        },
        || unavailable(Fault::Closed),
    );
    let (forgotten, first, second) = answers.await.unwrap();
    assert_eq!(forgotten, 1);
    assert!(matches!(first, Submitted::Queued(_)), "{first:?}");
    assert!(matches!(second, Submitted::Exists(_)), "{second:?}");

    let job = store.get(&tenant, id(1)).await.unwrap();
    assert_eq!(job.map(|job| job.state), Some(JobState::Queued));
    assert_eq!(offered.0.lock().len(), 2, "each of the two was handed out");
    let counts = store.counts().await.unwrap();
    let total = JobState::ALL.map(|state| counts.get(spec(1).kind, state));
    assert_eq!(total.iter().sum::<u64>(), 1);
    drop(store);

    let (store, offered, _) = open_at(&disk, &config(journal_jobs_max));
    let job = store.get(&tenant, id(1)).await.unwrap();
    assert_eq!(job.map(|job| job.state), Some(JobState::Queued));
    assert_eq!(offered.0.lock().len(), 1);
}

#[tokio::test]
async fn an_id_is_free_in_the_batch_that_forgets_its_job() {
    check_that_an_id_is_free_within_one_batch(8_192).await;
}

#[tokio::test]
async fn an_id_is_free_in_the_batch_that_forgets_its_job_from_the_tables() {
    check_that_an_id_is_free_within_one_batch(0).await;
}

/// The journal still tells of a forgotten job when the tables have a new one of the same id.
#[tokio::test]
async fn a_new_job_of_a_forgotten_id_is_not_mixed_up_with_the_old_one() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _, clock) = open_at(&disk, &config(3));
    let tenant = Tenant::default();
    for number in [1, 2] {
        store.submit(id(number), spec(number)).await.unwrap();
    }
    store.cancel(&tenant, id(1)).await.unwrap();
    clock.advance(1_000);
    assert_eq!(store.expire(10).await.unwrap().jobs, 1);
    // Back to the first clock, which the next openings begin with.
    clock.set_back(1_000);
    store.submit(id(1), spec(1)).await.unwrap();
    // One job too many for the journal: the new first one goes to the tables.
    store.submit(id(3), spec(3)).await.unwrap();
    drop(store);

    let (store, _) = open(&disk, &config(3));
    store.cancel(&tenant, id(1)).await.unwrap();
    for number in 4..10 {
        store.submit(id(number), spec(number)).await.unwrap();
    }
    drop(store);

    let (store, offered) = open(&disk, &config(3));
    let job = store.get(&tenant, id(1)).await.unwrap();
    assert_eq!(job.map(|job| job.state), Some(JobState::Cancelled));
    assert!(offered.0.lock().iter().all(|offer| offer.job_id != id(1)));
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.get(spec(1).kind, JobState::Queued), 8);
    assert_eq!(counts.get(spec(1).kind, JobState::Cancelled), 1);
}

/// Cancels of ids that nobody submitted cost a bounded amount of memory.
#[tokio::test]
async fn tombstones_are_bounded() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    let tenant = Tenant::default();
    let unknown = |number: u64| JobId::random(number, [0; 10]);
    let kept = store.change(
        move |batch| {
            for number in 0..=TOMBSTONES_MAX as u64 {
                steps::cancel(batch, &tenant, unknown(number))?;
            }
            Ok([TOMBSTONES_MAX - 1, TOMBSTONES_MAX].map(|n| batch.tombstone(unknown(n as u64))))
        },
        || unavailable(Fault::Closed),
    );
    assert_eq!(kept.await.unwrap(), [true, false]);
    assert_eq!(store.shared.read().shelf.tombstones().len(), TOMBSTONES_MAX);
    // A new submit makes room.
    let submitted = store.submit(unknown(0), spec(1)).await.unwrap();
    assert!(matches!(submitted, Submitted::Queued(_)), "{submitted:?}");
    store
        .cancel(&Tenant::default(), unknown(u64::MAX >> 20))
        .await
        .unwrap();
    assert_eq!(store.shared.read().shelf.tombstones().len(), TOMBSTONES_MAX);
}

/// A delayed copy of its envelope may come for a day, and must find that it has ended.
async fn check_that_a_job_that_was_due_is_kept_for_a_day(journal_jobs_max: usize) {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _, clock) = open_at(&disk, &config(journal_jobs_max));
    let mut later = spec(1);
    later.due_at_ms = Some(NOW + 100);
    store.submit(id(1), later).await.unwrap();
    clock.advance(100);
    assert_eq!(store.promote_due(10).await.unwrap().jobs, 1);
    store.cancel(&Tenant::default(), id(1)).await.unwrap();
    store.submit(id(2), spec(2)).await.unwrap();
    clock.advance(1_000);
    assert_eq!(store.expire(10).await.unwrap().jobs, 0);
    drop(store);

    let (store, _, clock) = open_at(&disk, &config(journal_jobs_max));
    clock.advance(100 + DUE_RETENTION_MS - 1);
    assert_eq!(store.expire(10).await.unwrap().jobs, 0);
    clock.advance(1);
    assert_eq!(store.expire(10).await.unwrap().jobs, 1);
    let job = store.get(&Tenant::default(), id(1)).await.unwrap();
    assert_eq!(job, None);
}

#[tokio::test]
async fn a_journaled_job_that_was_due_is_kept_for_a_day() {
    check_that_a_job_that_was_due_is_kept_for_a_day(8_192).await;
}

#[tokio::test]
async fn a_filed_job_that_was_due_is_kept_for_a_day() {
    check_that_a_job_that_was_due_is_kept_for_a_day(0).await;
}
