use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::envelope::Envelope;
use assay_core::id::Tenant;
use assay_core::port::{HandOut, JobStore, StoreError};
use futures::poll;

use super::memory_disk::MemoryDisk;
use super::{NOW, id, open, spec};
use crate::StoreConfig;
use crate::embedded::EmbeddedStore;

/// Panics in the writer's thread, after the commit and before the answer.
struct Panics;

impl HandOut for Panics {
    fn hand_out(&self, _envelope: Arc<Envelope>) {
        panic!("handing out")
    }
}

fn is_unknown<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unknown { .. }))
}

#[tokio::test]
async fn a_panic_of_the_writer_is_told_and_loses_nothing() {
    let disk = Arc::new(MemoryDisk::default());
    let store = EmbeddedStore::over(
        Box::new(Arc::clone(&disk)),
        "memory",
        StoreConfig::default(),
        Arc::new(ManualClock::at(NOW)),
        Arc::new(Panics),
    );
    let store = store.unwrap();
    let mut ended = Box::pin(store.ended());
    assert!(poll!(&mut ended).is_pending());
    let submitted = store.submit(id(1), spec(1)).await;
    assert!(is_unknown(&submitted), "it is on disk: {submitted:?}");
    assert!(ended.await.is_err());

    let refused = store.submit(id(2), spec(2)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }));
    assert!(refused.to_string().contains("panicked"), "{refused}");
    store.close().await;
    drop(store);

    let (store, offered) = open(&disk, &StoreConfig::default());
    let tenant = Tenant::default();
    assert!(store.get(&tenant, id(1)).await.unwrap().is_some());
    assert_eq!(store.get(&tenant, id(2)).await.unwrap(), None);
    assert_eq!(offered.0.lock().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_closed_has_ended_well() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, _) = open(&disk, &StoreConfig::default());
    let mut ended = Box::pin(store.ended());
    assert!(poll!(&mut ended).is_pending());
    store.close().await;
    assert!(ended.await.is_ok());
    let refused = store.cancel(&Tenant::default(), id(1)).await.unwrap_err();
    assert!(refused.to_string().contains("closed"), "{refused}");
}
