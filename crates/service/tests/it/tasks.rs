use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assay_service::BoxError;
use assay_service::shutdown::{Reason, Shutdown};
use assay_service::signals::Signal;
use assay_service::tasks::{OnEnd, Restart, TaskGroup};
use tokio::time::Instant;

fn group() -> (TaskGroup, Shutdown) {
    let shutdown = Shutdown::new();
    (TaskGroup::new(shutdown.clone()), shutdown)
}

#[derive(Debug, thiserror::Error)]
#[error("publish envelope")]
struct Broken(#[source] std::io::Error);

#[tokio::test]
async fn a_critical_task_that_panics_begins_the_shutdown() {
    let (tasks, shutdown) = group();
    tasks.spawn::<_, BoxError>("consumer", OnEnd::Shutdown, async { panic!("index {}", 7) });
    shutdown.begun().await;
    assert_eq!(
        shutdown.failure().as_deref(),
        Some("task consumer: it panicked: index 7")
    );
}

#[tokio::test]
async fn a_critical_task_that_fails_tells_the_whole_chain() {
    let (tasks, shutdown) = group();
    let broken = || Broken(std::io::Error::other("connection reset"));
    tasks.spawn("publisher", OnEnd::Shutdown, async move { Err(broken()) });
    shutdown.begun().await;
    let why = "task publisher: publish envelope: connection reset";
    assert_eq!(shutdown.reason(), Some(Reason::Failed(why.to_owned())));
}

#[tokio::test]
async fn a_critical_task_may_end_only_once_the_shutdown_began() {
    let (tasks, shutdown) = group();
    tasks.spawn::<_, BoxError>("early", OnEnd::Shutdown, async { Ok(()) });
    shutdown.begun().await;
    assert!(
        shutdown
            .failure()
            .unwrap()
            .contains("although nobody asked it to")
    );

    let (tasks, shutdown) = group();
    shutdown.begin(Reason::Signal(Signal::Terminate));
    tasks.spawn::<_, BoxError>("in-order", OnEnd::Shutdown, async { Ok(()) });
    tasks.joined().await;
    assert_eq!(shutdown.failure(), None);
}

#[tokio::test]
async fn another_task_may_fail_without_harm() {
    let (tasks, shutdown) = group();
    tasks.spawn::<_, BoxError>("sweeper", OnEnd::Log, async { Err("no matter".into()) });
    tasks.spawn::<_, BoxError>("reaper", OnEnd::Log, async { panic!("no matter") });
    tasks.joined().await;
    assert_eq!(shutdown.reason(), None);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_task_waits_longer_each_time_and_gives_up_in_the_end() {
    let (tasks, shutdown) = group();
    let (starts, start) = (Arc::new(AtomicU32::new(0)), Instant::now());
    let counted = Arc::clone(&starts);
    let restart = Restart {
        failures_max: 4,
        ..Restart::default()
    };
    tasks.spawn_restarting("flaky", restart, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Err::<(), BoxError>("refused".into()) }
    });
    shutdown.begun().await;
    assert_eq!(starts.load(Ordering::SeqCst), 4);
    assert_eq!(start.elapsed().as_millis(), 100 + 200 + 400);
    assert_eq!(shutdown.failure().as_deref(), Some("task flaky: refused"));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_wait_for_a_restart() {
    let (tasks, shutdown) = group();
    let slow = Restart {
        delay_first: Duration::from_secs(9),
        ..Restart::default()
    };
    tasks.spawn_restarting("flaky", slow, || async {
        Err::<(), BoxError>("refused".into())
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    shutdown.begin(Reason::Finished);
    tasks.joined().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(shutdown.failure(), None);
}

#[tokio::test(start_paused = true)]
async fn joining_names_who_is_late_and_aborting_ends_them() {
    let (tasks, _shutdown) = group();
    let joined = tasks.spawn_joined("answer", async { 42 });
    let stuck = tasks.spawn_joined("stuck", std::future::pending::<()>());
    assert_eq!(joined.await, Ok(42));
    let late = tasks.join(Instant::now() + Duration::from_secs(1)).await;
    assert_eq!(late, Err(vec!["stuck".to_owned()]));
    assert_eq!(tasks.running(), 1);
    assert_eq!(tasks.abort_all(), ["stuck"]);
    assert_eq!(
        stuck.await.unwrap_err().to_string(),
        "task stuck was aborted"
    );
    assert_eq!(
        tasks.join(Instant::now() + Duration::from_secs(1)).await,
        Ok(())
    );
}

#[tokio::test]
async fn dropping_a_joined_task_ends_it_only_on_request() {
    let (tasks, _shutdown) = group();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    drop(
        tasks
            .spawn_joined("tied", std::future::pending::<()>())
            .abort_on_drop(),
    );
    drop(tasks.spawn_joined("free", gone));
    while tasks.names() != ["free"] {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    tasks.joined().await;
}
