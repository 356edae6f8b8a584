use std::sync::Arc;

use assay_core::id::{FingerprintAlgorithm, Tenant};
use assay_core::port::{
    Appended, ContentFingerprint, FingerprintLog, JobStore, Logged, RefusalReason, StoreError,
};
use futures::future::join_all;

use super::memory_disk::MemoryDisk;
use super::power_cut::images;
use super::{NOW, id, open, spec};
use crate::StoreConfig;
use crate::embedded::EmbeddedStore;
use crate::embedded::folder::Medium;
use crate::embedded::tables::{FINGERPRINT_POSITIONS, FINGERPRINTS};

const APPENDS: u8 = 6;

fn fingerprint(content: u8) -> ContentFingerprint {
    ContentFingerprint {
        content: [content; 32],
        algorithm: FingerprintAlgorithm::new("dct256.1").unwrap(),
        bits: [content; 32],
        job_id: id(content),
    }
}

async fn append(store: &EmbeddedStore, content: u8) -> Result<Appended, StoreError> {
    store.append(&Tenant::default(), fingerprint(content)).await
}

async fn all(store: &EmbeddedStore) -> Vec<Logged> {
    let page = FingerprintLog::read(store, &Tenant::default(), 0, 100).await;
    page.unwrap().entries
}

/// The contents of entries, whose positions must be 1, 2, 3 …
fn contents(entries: &[Logged]) -> Vec<u8> {
    let numbered = entries.iter().zip(1..);
    let of_entry = numbered.map(|(entry, position)| {
        assert_eq!(entry.position, position);
        entry.fingerprint.content[0]
    });
    of_entry.collect()
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_no_fingerprint_that_was_answered() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    for content in 1..=APPENDS {
        // So many are in the log for certain, and one is on its way.
        disk.acknowledge(content.into());
        append(&store, content).await.unwrap();
    }
    drop(store);
    let mut seed = 7;
    for cut in disk.cuts() {
        let answered = u8::try_from(cut.acknowledged).unwrap() - 1;
        for content in images(&cut, &mut seed) {
            let disk = Arc::new(MemoryDisk::with(content));
            let (store, _) = open(&disk, &StoreConfig::default());
            let found = contents(&all(&store).await);
            let (without, with) = (1..=answered, 1..=(answered + 1).min(APPENDS));
            assert!(
                found.iter().copied().eq(without) || found.iter().copied().eq(with),
                "{found:?}, of which {answered} were answered"
            );
            // It goes on where it was: whoever was not answered repeats.
            let repeats = (1..=APPENDS).map(|content| append(&store, content));
            for repeated in join_all(repeats).await {
                repeated.unwrap();
            }
            assert_eq!(contents(&all(&store).await), [1, 2, 3, 4, 5, 6]);
        }
    }
}

/// Whoever was in the failed batch does not know and repeats; nothing is there twice, and no position is left out.
#[tokio::test]
async fn an_append_that_failed_is_repeated() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    append(&store, 1).await.unwrap();
    disk.fail_syncs(true);
    let failed = append(&store, 2).await;
    assert!(
        matches!(failed, Err(StoreError::Unknown { .. })),
        "{failed:?}"
    );
    disk.fail_syncs(false);
    for content in [3, 2, 1] {
        append(&store, content).await.unwrap();
    }
    let mut found = contents(&all(&store).await);
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3]);
}

/// Fingerprints do not take the room that results need.
#[tokio::test]
async fn a_full_disk_takes_no_new_fingerprint_and_knows_the_old_ones() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    append(&store, 1).await.unwrap();
    disk.set_room(Some(disk.used()));
    let mut large = spec(2);
    large.payload = vec![2; assay_core::job::PAYLOAD_BYTES_MAX];
    assert!(store.submit(id(2), large).await.is_err());
    let refused = append(&store, 2).await;
    let full = matches!(
        refused,
        Err(StoreError::Refused {
            reason: RefusalReason::DiskFull,
            ..
        })
    );
    assert!(full, "{refused:?}");
    let known = append(&store, 1).await;
    assert!(matches!(known, Ok(Appended::Known(_))), "{known:?}");
}

/// A file of before there were logs gets its tables when it is opened.
#[tokio::test]
async fn an_older_file_gets_its_logs() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    store.submit(id(1), spec(1)).await.unwrap();
    drop(store);
    let database = disk.open(1_000_000).unwrap();
    let transaction = database.begin_write().unwrap();
    assert!(transaction.delete_table(FINGERPRINTS).unwrap());
    assert!(transaction.delete_table(FINGERPRINT_POSITIONS).unwrap());
    transaction.commit().unwrap();
    drop(database);
    let (store, offered) = open(&disk, &StoreConfig::default());
    assert_eq!(all(&store).await, []);
    let appended = append(&store, 1).await.unwrap();
    assert!(
        matches!(&appended, Appended::New(logged) if logged.appended_at_ms == NOW),
        "{appended:?}"
    );
    assert_eq!(offered.0.lock().len(), 1);
}
