use std::sync::Arc;

use assay_core::kind::JobKind;
use assay_core::port::{JobStore, QueueControl};
use assay_store::{Carrier, EmbeddedStore, RedisStore, StoreConfig, TimeSource};
use assay_test_support::contract::queue_control::Subject;
use assay_test_support::redis::Database;

use crate::bench_folder::{BenchFolder, id, spec};
use crate::redis_bench::config;

async fn embedded() -> Subject {
    let bench = BenchFolder::new();
    let store = Arc::new(bench.open());
    Subject {
        control: Arc::<EmbeddedStore>::clone(&store),
        elsewhere: store,
        keep: Box::new(bench),
    }
}

assay_test_support::queue_control_contract! { #[tokio::test] embedded }

/// Also where nothing else was ever written.
#[tokio::test]
async fn a_pause_is_in_the_file() {
    let bench = BenchFolder::new();
    let store = bench.open();
    store.pause(JobKind::Batch).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.paused().await.unwrap(), [JobKind::Batch].into());
    store.submit(id(1), spec()).await.unwrap();
    store.resume(JobKind::Batch).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.paused().await.unwrap(), [].into());
    assert_eq!(bench.offered().len(), 1, "jobs are as they were");
}

#[tokio::test]
async fn a_closed_store_pauses_nothing() {
    use assay_core::port::StoreError;
    let bench = BenchFolder::new();
    let store = bench.open();
    store.close().await;
    let refused = store.pause(JobKind::Batch).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(store.paused().await.unwrap(), [].into());
}

mod redis {
    use super::*;

    async fn connect(database: &Database) -> Arc<RedisStore> {
        let config = config(database.address, database.number);
        let connected = RedisStore::connect(
            &config,
            StoreConfig::default(),
            TimeSource::Server,
            Carrier::Streams,
        );
        connected.await.unwrap()
    }

    async fn two_processes() -> Subject {
        let database = Database::take();
        Subject {
            control: connect(&database).await,
            elsewhere: connect(&database).await,
            keep: Box::new(()),
        }
    }

    assay_test_support::queue_control_contract! { #[tokio::test] two_processes }

    #[tokio::test]
    async fn a_pause_outlives_every_process() {
        let database = Database::take();
        let store = connect(&database).await;
        store.pause(JobKind::Batch).await.unwrap();
        store.close().await;
        drop(store);
        let again = connect(&database).await;
        assert_eq!(again.paused().await.unwrap(), [JobKind::Batch].into());
    }
}
