use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::port::{Durability, JobStore as _};
use assay_core::retry::Decision;
use assay_store::{Carrier, ConnectError, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Bench, claim, connect, options, server, settlement};
use crate::redis_bench::connection;

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

/// A worker that looks for envelopes where none come would run no job, and say nothing.
#[tokio::test]
async fn what_carries_the_envelopes_changes_only_when_no_job_waits_and_nobody_is_there() {
    let bench = Bench::new().await;
    let over = |carrier| {
        let settings = StoreConfig::default();
        RedisStore::connect(&bench.config, settings, TimeSource::Server, carrier)
    };
    let envelope = bench.submit(1).await;
    let refused = over(Carrier::Broker).await.expect_err("it was let in");
    let said = refused.to_string();
    assert!(said.contains("1 jobs under this prefix"), "{said}");
    assert!(said.contains("leave RABBITMQ_URL unset"), "{said}");
    over(Carrier::Streams).await.unwrap().close().await;

    let claimed = claim(&bench.store, &envelope, "worker").await;
    let ended = bench
        .store
        .settle(&claimed.lease, settlement(Decision::Succeed));
    ended.await.unwrap();
    let refused = over(Carrier::Broker).await.expect_err("it was let in");
    let said = refused.to_string();
    assert!(said.contains("1 processes under this prefix"), "{said}");
    assert!(said.contains("leave RABBITMQ_URL unset"), "{said}");
    over(Carrier::Streams).await.unwrap().close().await;

    bench.store.close().await;
    over(Carrier::Broker).await.unwrap().close().await;
    over(Carrier::Streams).await.unwrap().close().await;
}

#[tokio::test]
async fn a_process_that_died_is_there_for_ten_seconds_more() {
    let (_server, config) = server(options()).await;
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let over = |carrier| {
        let time = TimeSource::Given(Arc::clone(&clock) as _);
        RedisStore::connect(&config, StoreConfig::default(), time, carrier)
    };
    drop(over(Carrier::Streams).await.unwrap());
    clock.advance(9_999);
    let refused = over(Carrier::Broker).await.expect_err("it was let in");
    assert!(refused.to_string().contains("stop them first"), "{refused}");
    clock.advance(1);
    over(Carrier::Broker).await.unwrap();
}

/// Who looks with settings of its own may not be of the installation.
#[tokio::test]
async fn who_only_looks_changes_nothing() {
    let (_server, config) = server(options()).await;
    let look = |carrier| {
        let settings = StoreConfig::default();
        let config = config.clone();
        async move { RedisStore::look(&config, &settings, carrier).await }
    };
    let mut redis = connection(&config).await;
    let seen = look(Carrier::Streams).await.unwrap();
    assert_eq!(seen.durability, Durability::ProcessDeath);
    assert!(!seen.version.is_empty());
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap();
    assert_eq!(keys, 0);

    let bench = Bench::over(config.clone()).await;
    let refused = look(Carrier::Broker).await.unwrap_err().to_string();
    assert!(refused.contains("1 processes under"), "{refused}");
    bench.store.close().await;
    let seen = look(Carrier::Broker).await.unwrap();
    assert_eq!(seen.durability, Durability::Confirmed);

    let bench = Bench::over(config.clone()).await;
    bench.submit(1).await;
    bench.store.close().await;
    let refused = look(Carrier::Broker).await.unwrap_err().to_string();
    assert!(refused.contains("1 jobs under"), "{refused}");
    look(Carrier::Streams).await.unwrap();
    let settings = StoreConfig {
        redis_groups: 2,
        ..StoreConfig::default()
    };
    let refused = RedisStore::look(&config, &settings, Carrier::Streams).await;
    let refused = refused.unwrap_err().to_string();
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
