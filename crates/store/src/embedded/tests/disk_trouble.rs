use std::sync::Arc;

use assay_core::id::Tenant;
use assay_core::port::{JobStore, RefusalReason, Settlement, StoreError, Submitted};
use assay_core::retry::Decision;
use assay_core::state::JobState;

use super::memory_disk::MemoryDisk;
use super::{claim, id, open, spec};
use crate::StoreConfig;

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
    assert!(store.get(&Tenant::default(), id(1)).await.is_err());
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
    large.payload = vec![2; assay_core::job::PAYLOAD_BYTES_MAX];
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
