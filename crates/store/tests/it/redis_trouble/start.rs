use assay_core::port::Durability;
use assay_store::{Carrier, ConnectError, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Bench, connect, options, server};

async fn refusal(config: &RedisConfig, settings: StoreConfig) -> ConnectError {
    let store = RedisStore::connect(config, settings, TimeSource::Server, Carrier::Streams).await;
    store.expect_err("it was not refused")
}

#[tokio::test]
async fn a_redis_that_throws_keys_away_is_refused() {
    let (server, config) = server(options().set("maxmemory-policy", "allkeys-lru")).await;
    let refused = refusal(&config, StoreConfig::default()).await;
    let source = std::error::Error::source(&refused).unwrap().to_string();
    assert!(source.contains("noeviction, not allkeys-lru"), "{source}");
    server.config_set("maxmemory-policy", "noeviction").unwrap();
    connect(&config).await;
}

#[tokio::test]
async fn the_promise_is_what_redis_is_set_to() {
    for (options, promise) in [
        (RedisOptions::new(Appendfsync::Always), Durability::PowerCut),
        (options(), Durability::ProcessDeath),
        (options().set("appendonly", "no"), Durability::Snapshot),
    ] {
        let (_server, config) = server(options).await;
        assert_eq!(connect(&config).await.durability(), promise);
    }
}

#[tokio::test]
async fn the_number_of_groups_is_fixed_with_the_first_start() {
    let bench = Bench::new().await;
    let settings = StoreConfig {
        redis_groups: 2,
        ..StoreConfig::default()
    };
    let refused = refusal(&bench.config, settings).await.to_string();
    assert!(refused.contains("are in 1 groups"), "{refused}");
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_named() {
    let (mut server, config) = server(options()).await;
    server.kill().await.unwrap();
    let refused = refusal(&config, StoreConfig::default()).await;
    assert!(refused.may_pass());
    let expected = format!("connect to Redis at {}: ", config.address());
    assert!(refused.to_string().starts_with(&expected), "{refused}");
}
