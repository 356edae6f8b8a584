//! A Redis that is not there yet, or not there for a while.

use assay_backend::{DEFAULTS, Error, INSTRUMENTS, REDIS_DEPENDENCY, run};
use assay_service::prometheus::Metrics;
use assay_service::shutdown::{Drained, Reason};
use assay_service::tasks::Joined;
use assay_service::{Config, Context};
use assay_test_support::port;
use assay_test_support::redis::{Appendfsync, RedisOptions, RedisServer};
use assay_test_support::wait::{wait_until, within};
use tempfile::TempDir;

/// A process with nothing of its own but a task that lives until the shutdown.
struct Process {
    context: Context,
    ended: Joined<Result<(), Error>>,
    _folder: TempDir,
}

impl Process {
    fn start(redis_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::loader(&DEFAULTS)
            .set("redis.port", redis_port.to_string())
            .set("blob.folder", folder.path().join("blobs").to_str().unwrap())
            .load();
        let metrics = Metrics::new("test", "1", &INSTRUMENTS).unwrap();
        let context = Context::detached(config.unwrap(), metrics);
        let inside = context.clone();
        let ended = context
            .tasks
            .spawn_joined("program", run(inside, |_, _| async { Ok(()) }));
        Self {
            context,
            ended,
            _folder: folder,
        }
    }

    /// What readiness says of Redis; nothing if all is well.
    fn problem(&self) -> Option<String> {
        let report = self.context.readiness.report();
        let mut lines = report.dependencies.into_iter();
        let redis = lines.find(|line| line.name == REDIS_DEPENDENCY);
        match redis {
            Some(line) => line.problem,
            None => Some("not known yet".to_owned()),
        }
    }

    async fn until_ready(&self, ready: bool) {
        let what = if ready {
            "it is ready"
        } else {
            "it is not ready"
        };
        wait_until(what, || async {
            self.context.readiness.is_ready() == ready
        })
        .await;
    }

    async fn stop(self) {
        let pace = self.context.config.section("shutdown").unwrap();
        self.context.shutdown.begin(Reason::Finished);
        let work = async { self.ended.await.unwrap().unwrap() };
        let drain = self
            .context
            .shutdown
            .drain(pace, &self.context.readiness, work);
        assert_eq!(within("it stops", drain).await, Drained::InTime);
    }
}

fn options(port: u16) -> RedisOptions {
    RedisOptions::new(Appendfsync::EverySec).port(port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_later_is_waited_for() {
    let port = port::free().unwrap();
    let process = Process::start(port);
    wait_until("it has tried", || async {
        process
            .problem()
            .is_some_and(|why| why.contains("connect to Redis"))
    })
    .await;
    assert!(!process.context.readiness.is_ready());
    let _server = RedisServer::start(options(port)).await.unwrap();
    process.until_ready(true).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_waits_can_be_stopped() {
    let process = Process::start(port::free().unwrap());
    wait_until("it has tried", || async {
        process
            .problem()
            .is_some_and(|why| why.contains("connect to Redis"))
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_follows_a_redis_that_goes_and_comes_back() {
    let mut server = RedisServer::start(RedisOptions::new(Appendfsync::EverySec))
        .await
        .unwrap();
    let process = Process::start(server.address().port());
    process.until_ready(true).await;
    server.kill().await.unwrap();
    process.until_ready(false).await;
    assert!(process.problem().is_some());
    server.restart().await.unwrap();
    process.until_ready(true).await;
    // One that takes connections and says nothing is no better.
    server.pause().unwrap();
    process.until_ready(false).await;
    server.resume().unwrap();
    process.until_ready(true).await;
    process.stop().await;
}
