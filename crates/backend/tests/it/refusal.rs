//! A Redis that is there and will not do is told in one sentence, at once.

use assay_backend::{DEFAULTS, Error, INSTRUMENTS, run};
use assay_service::prometheus::Metrics;
use assay_service::{Config, Context};
use assay_test_support::redis::{Appendfsync, RedisOptions, RedisServer};
use assay_test_support::wait::within;

/// A process that never gets to start anything, and why.
async fn refused(server: &RedisServer, settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut loader = Config::loader(&DEFAULTS)
        .set("redis.port", server.address().port().to_string())
        .set("blob.folder", folder.path().to_str().unwrap());
    for (key, value) in settings {
        loader = loader.set(key, *value);
    }
    let metrics = Metrics::new("test", "1", &INSTRUMENTS).unwrap();
    let context = Context::detached(loader.load().unwrap(), metrics);
    let ended = within(
        "it refuses",
        run(context, |_, _| async { panic!("it started") }),
    );
    chain(&ended.await.unwrap_err())
}

fn chain(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(
        !said.contains('\n') && !said.contains("opensesame"),
        "{said}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_without_showing_it() {
    let options = RedisOptions::new(Appendfsync::EverySec).password("right");
    let server = RedisServer::start(options).await.unwrap();
    let said = refused(&server, &[("redis.password", "opensesame")]).await;
    assert_says(&said, &["uthentication failed", "redis.password"]);
    let said = refused(&server, &[]).await;
    assert_says(&said, &["uthentication required", "redis.password"]);
}

#[tokio::test]
async fn a_database_that_it_does_not_have_is_told() {
    let server = RedisServer::start(RedisOptions::new(Appendfsync::EverySec))
        .await
        .unwrap();
    let said = refused(&server, &[("redis.db", "99999")]).await;
    assert_says(&said, &["/99999", "redis.db"]);
}

#[tokio::test]
async fn a_server_that_would_throw_jobs_away_is_refused() {
    let options = RedisOptions::new(Appendfsync::EverySec).set("maxmemory-policy", "allkeys-lru");
    let server = RedisServer::start(options).await.unwrap();
    let said = refused(&server, &[]).await;
    assert_says(&said, &["maxmemory-policy", "noeviction", "allkeys-lru"]);
}

#[tokio::test]
async fn another_number_of_groups_than_the_jobs_have_is_refused() {
    let server = RedisServer::start(RedisOptions::new(Appendfsync::EverySec))
        .await
        .unwrap();
    let mut client = server.client().unwrap();
    client.run(&["SET", "assay:meta:groups", "4"]).unwrap();
    let said = refused(&server, &[]).await;
    assert_says(&said, &["4 groups", "store.redis_groups"]);
}
