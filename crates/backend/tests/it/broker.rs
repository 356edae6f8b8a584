//! What readiness means where a broker carries the envelopes.

use assay_backend::{Backend, DEFAULTS, INSTRUMENTS, run};
use assay_core::id::WorkerId;
use assay_service::prometheus::Metrics;
use assay_service::{Config, Context};
use assay_test_support::port;
use assay_test_support::rabbit::Prefix;
use assay_test_support::redis::Database;
use assay_test_support::wait::{wait_until, within};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Starts a process over the run's Redis and the broker at `url`.
async fn start(url: &str, prefix: &str) -> (Context, Backend, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::take();
    let config = Config::loader(&DEFAULTS)
        .set("redis.host", database.address.ip().to_string())
        .set("redis.port", database.address.port().to_string())
        .set("redis.db", database.number.to_string())
        .set("rabbitmq.url", url)
        .set("rabbitmq.prefix", prefix)
        .set("blob.folder", folder.path().join("blobs").to_str().unwrap())
        .load();
    let metrics = Metrics::new("test", "1", &INSTRUMENTS).unwrap();
    let context = Context::detached(config.unwrap(), metrics);
    let (sender, opened) = oneshot::channel();
    let program = run(context.clone(), |_, backend| async move {
        drop(sender.send(backend));
        Ok(())
    });
    drop(context.tasks.spawn_joined("program", program));
    let backend = within("it is opened", opened).await.unwrap();
    (context, backend, folder)
}

#[tokio::test]
async fn who_is_ready_takes_jobs() {
    let prefix = Prefix::take();
    let (context, backend, _folder) = start(&prefix.url, &prefix.name).await;
    wait_until("it is ready", || async { context.readiness.is_ready() }).await;
    let queue = backend.queue(&WorkerId::new("test").unwrap());
    queue.accepts().unwrap();
}

/// It answers questions.
#[tokio::test]
async fn a_broker_that_is_away_keeps_nobody_from_being_ready() {
    let nobody = port::free().unwrap();
    let url = format!("amqp://assay:assay@127.0.0.1:{nobody}");
    let (context, backend, _folder) = start(&url, "test").await;
    wait_until("it is ready", || async { context.readiness.is_ready() }).await;
    let queue = backend.queue(&WorkerId::new("test").unwrap());
    queue.accepts().unwrap_err();
}
