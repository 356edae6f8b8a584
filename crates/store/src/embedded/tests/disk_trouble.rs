use std::sync::Arc;

use assay_core::id::Tenant;
use assay_core::job::PAYLOAD_BYTES_MAX;
use assay_core::port::{JobStore, RefusalReason, Settlement, StoreError, Submitted};
use assay_core::retry::Decision;
use assay_core::state::JobState;
use redb::{ReadableDatabase, ReadableTable};
use tokio::task::JoinSet;

use super::memory_disk::MemoryDisk;
use super::{claim, id, open, open_at, spec};
use crate::StoreConfig;
use crate::embedded::EmbeddedStore;
use crate::embedded::batch::{Batch, unavailable};
use crate::embedded::disk::Fault;
use crate::embedded::folder::Medium;
use crate::embedded::tables::JOURNAL;
use crate::embedded::writer::ROW_BYTES_FULL;

/// Whoever was in the failed batch does not know; the store mends itself and forgets nothing.
#[tokio::test]
async fn a_failed_commit_is_unknown_and_the_store_works_on() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    store.submit(id(1), spec(1)).await.unwrap();
    disk.fail_syncs(true);
    let failed = store.submit(id(2), spec(2)).await;
    assert!(
        matches!(failed, Err(StoreError::Unknown { .. })),
        "{failed:?}"
    );
    // The file can't be opened either: nothing is tried.
    let refused = store.submit(id(3), spec(3)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    let unread = store.get(&Tenant::default(), id(1)).await.unwrap_err();
    assert!(
        unread.to_string().contains("memory"),
        "which file: {unread}"
    );
    disk.fail_syncs(false);
    let repeated = store.submit(id(2), spec(2)).await.unwrap();
    assert!(
        matches!(repeated, Submitted::Queued(_) | Submitted::Exists(_)),
        "{repeated:?}"
    );
    for number in 1..=2 {
        let job = store
            .get(&Tenant::default(), id(number))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.state, JobState::Queued);
    }
    assert_eq!(store.get(&Tenant::default(), id(3)).await.unwrap(), None);
}

/// A full disk refuses what is new and keeps what is there; when there is room again, all goes on.
#[tokio::test]
async fn a_full_disk_refuses_submits_and_keeps_earlier_jobs() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, offered) = open(&disk, &StoreConfig::default());
    store.submit(id(1), spec(1)).await.unwrap();
    disk.set_room(Some(disk.used()));
    let mut large = spec(2);
    large.payload = vec![2; PAYLOAD_BYTES_MAX];
    let refused = store.submit(id(2), large.clone()).await;
    let full = matches!(
        refused,
        Err(StoreError::Refused {
            reason: RefusalReason::DiskFull,
            ..
        })
    );
    assert!(full, "{refused:?}");
    assert_eq!(store.get(&Tenant::default(), id(2)).await.unwrap(), None);
    // Small writes find the room that large ones do not.
    let lease = claim(&store, &offered, id(1)).await.lease;
    let settlement = Settlement {
        decision: Decision::Succeed,
        result: None,
        progress: None,
    };
    store.settle(&lease, settlement).await.unwrap();
    let job = store.get(&Tenant::default(), id(1)).await.unwrap().unwrap();
    assert_eq!(job.state, JobState::Succeeded);
    disk.set_room(None);
    drop(store);
    let (store, _) = open(&disk, &StoreConfig::default());
    let again = store.submit(id(2), large).await.unwrap();
    assert!(matches!(again, Submitted::Queued(_)), "{again:?}");
}

/// Leases that lapsed while the disk was away are extended by the first look that is recorded.
#[tokio::test]
async fn a_look_at_leases_that_was_not_recorded_does_not_end_the_gap() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, offered, clock) = open_at(&disk, &StoreConfig::default());
    store.submit(id(1), spec(1)).await.unwrap();
    claim(&store, &offered, id(1)).await;
    clock.advance(60_000);
    disk.fail_writes(true);
    assert!(store.reap(10).await.is_err());
    disk.fail_writes(false);
    clock.advance(500);
    assert_eq!(store.reap(10).await.unwrap().jobs, 0);
    let job = store.get(&Tenant::default(), id(1)).await.unwrap().unwrap();
    assert_eq!(job.state, JobState::Running);
}

/// Enough of the largest to fill a batch.
const SUBMITS: u8 = 20;

/// However much waits: what is synced together has a bound in bytes.
#[tokio::test]
async fn one_commit_is_bounded_in_bytes() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    let store = Arc::new(store);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begins, begun) = tokio::sync::oneshot::channel();
    let mut callers = JoinSet::new();
    let blocker = Arc::clone(&store);
    callers.spawn(async move {
        let step = move |_: &mut Batch<'_>| {
            begins.send(()).unwrap();
            wait.recv().unwrap_err();
            Ok(())
        };
        let answer = blocker.change(step, || unavailable(Fault::Closed)).await;
        answer.unwrap();
    });
    // Alone: what the writer finds beside it would not wait.
    begun.await.unwrap();
    for number in 1..=SUBMITS {
        let (store, mut large) = (Arc::clone(&store), spec(number));
        large.payload = vec![number; PAYLOAD_BYTES_MAX];
        callers.spawn(async move { drop(store.submit(id(number), large).await.unwrap()) });
    }
    // The writer holds the first operation, all others wait for it.
    while waiting(&store) < SUBMITS {
        tokio::task::yield_now().await;
    }
    drop(go);
    while let Some(answered) = callers.join_next().await {
        answered.unwrap();
    }
    drop(store);
    let rows = journal_rows(&disk);
    let largest = rows.iter().max().unwrap();
    assert!(*largest >= ROW_BYTES_FULL, "{rows:?}");
    assert!(
        *largest < ROW_BYTES_FULL + PAYLOAD_BYTES_MAX + 10_000,
        "one operation beyond the bound at most: {rows:?}"
    );
}

fn waiting(store: &EmbeddedStore) -> u8 {
    let sender = store.sender.lock();
    let sender = sender.as_ref().unwrap();
    u8::try_from(sender.max_capacity() - sender.capacity()).unwrap()
}

fn journal_rows(disk: &Arc<MemoryDisk>) -> Vec<usize> {
    let database = disk.open(1_000_000).unwrap();
    let read = database.begin_read().unwrap();
    let journal = read.open_table(JOURNAL).unwrap();
    let rows = journal.iter().unwrap();
    rows.map(|row| row.unwrap().1.value().len()).collect()
}
