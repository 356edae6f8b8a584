use std::sync::Arc;

use assay_core::id::{FingerprintAlgorithm, Tenant};
use assay_core::port::{
    Appended, ContentFingerprint, FingerprintLog, JobStore, Logged, StoreError,
};
use assay_store::EmbeddedStore;
use assay_test_support::contract::fingerprint_log::{ENTRIES_MAX, Subject};

use crate::bench_folder::{BenchFolder, NOW, id, spec};

async fn embedded() -> Subject {
    let mut bench = BenchFolder::new();
    bench.config.fingerprints_max = ENTRIES_MAX;
    let store = Arc::new(bench.open());
    Subject {
        log: Arc::<EmbeddedStore>::clone(&store),
        elsewhere: store,
        keep: Box::new(bench),
    }
}

assay_test_support::fingerprint_log_contract! { #[tokio::test] embedded }

fn fingerprint(content: u8) -> ContentFingerprint {
    ContentFingerprint {
        content: [content; 32],
        algorithm: FingerprintAlgorithm::new("dct256.1").unwrap(),
        bits: [content; 32],
        job_id: id(content),
    }
}

async fn append(store: &EmbeddedStore, content: u8) -> Logged {
    let appended = store.append(&Tenant::default(), fingerprint(content)).await;
    match appended.unwrap() {
        Appended::New(logged) | Appended::Known(logged) => logged,
        Appended::Full => panic!("there is room"),
    }
}

async fn all(store: &EmbeddedStore) -> Vec<Logged> {
    let page = FingerprintLog::read(store, &Tenant::default(), 0, 100).await;
    page.unwrap().entries
}

/// Also where nothing else was ever written.
#[tokio::test]
async fn a_log_is_in_the_file() {
    let bench = BenchFolder::new();
    let store = bench.open();
    let first = append(&store, 1).await;
    assert_eq!(first.appended_at_ms, NOW);
    drop(store);
    bench.clock.advance(10);
    let store = bench.open();
    assert_eq!(append(&store, 1).await, first, "it is known");
    store.submit(id(1), spec()).await.unwrap();
    let second = append(&store, 2).await;
    assert_eq!((second.position, second.appended_at_ms), (2, NOW + 10));
    drop(store);
    let store = bench.open();
    assert_eq!(all(&store).await, [first, second]);
    assert_eq!(bench.offered().len(), 1, "jobs are as they were");
}

#[tokio::test]
async fn a_closed_store_appends_nothing() {
    let bench = BenchFolder::new();
    let store = bench.open();
    let first = append(&store, 1).await;
    store.close().await;
    let refused = store.append(&Tenant::default(), fingerprint(2)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(all(&store).await, [first]);
}
