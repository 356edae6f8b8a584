use std::sync::Arc;

use assay_core::clock::{Clock, ManualClock};
use assay_store::{Carrier, InProcessRegistry, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::contract::job_store::Settings;
use assay_test_support::contract::worker_registry::Subject;
use assay_test_support::redis::Database;

async fn in_process() -> Subject {
    let clock = Arc::new(ManualClock::at(Settings::NOW_MS));
    let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    Subject {
        registry: Arc::new(InProcessRegistry::new(time)),
        clock,
        keep: Box::new(()),
    }
}

assay_test_support::worker_registry_contract! { #[tokio::test] in_process }

mod redis {
    use super::*;

    async fn in_redis() -> Subject {
        let database = Database::take();
        let clock = Arc::new(ManualClock::at(Settings::NOW_MS));
        let config = RedisConfig {
            host: database.address.ip().to_string(),
            port: database.address.port(),
            db: database.number.into(),
            ..RedisConfig::default()
        };
        let time = TimeSource::Given(Arc::<ManualClock>::clone(&clock));
        let store =
            RedisStore::connect(&config, StoreConfig::default(), time, Carrier::Streams).await;
        let store = store.unwrap();
        Subject {
            registry: Arc::new(store.registry()),
            clock,
            keep: Box::new(store),
        }
    }

    assay_test_support::worker_registry_contract! { #[tokio::test] in_redis }
}
