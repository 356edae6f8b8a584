//! The queue in Redis streams.

use std::sync::Arc;

use assay_core::id::WorkerId;
use assay_store::{Carrier, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::contract::job_queue::Subject;
use assay_test_support::redis::Database;
use futures::FutureExt as _;

async fn in_redis() -> Subject {
    in_groups(1).await
}

/// Envelopes are spread by the shard bytes of their jobs.
async fn in_three_groups() -> Subject {
    in_groups(3).await
}

/// A queue in a database of its own. Channels are not part of a database, so its names are its own, too.
async fn in_groups(groups: u16) -> Subject {
    let database = Database::take();
    let config = RedisConfig {
        host: database.address.ip().to_string(),
        port: database.address.port(),
        db: i64::from(database.number),
        prefix: format!("queue-{}", database.number),
        ..RedisConfig::default()
    };
    let settings = StoreConfig {
        redis_groups: groups,
        ..StoreConfig::default()
    };
    let store = RedisStore::connect(&config, settings, TimeSource::Server, Carrier::Streams);
    let store = store.await.unwrap();
    let queue = Arc::new(store.queue(&WorkerId::new("worker-1").unwrap()));
    let closed = Arc::clone(&queue);
    let clock = store.clock();
    let close = move || {
        let (queue, store) = (Arc::clone(&closed), Arc::clone(&store));
        async move {
            queue.close().await;
            drop(store);
        }
        .boxed()
    };
    Subject {
        queue,
        clock,
        close: Box::new(close),
    }
}

assay_test_support::job_queue_contract! { #[tokio::test] in_redis }

mod in_groups {
    use super::in_three_groups;

    assay_test_support::job_queue_contract! { #[tokio::test] in_three_groups }
}
