use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use assay_service::bootstrap::{Exit, Globals, Process};
use assay_service::shutdown::{Reason, Stage};
use assay_service::signals::{Signal, Signals};
use assay_service::tasks::{OnEnd, TaskGroup};
use assay_service::{BoxError, Config, Context, Service, Shutdown};
use tokio::sync::{mpsc, oneshot};

use crate::admin::{get, status};

/// How long a process of these tests may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(10);

pub(crate) const PROBE: Service = Service {
    name: "probe",
    version: "1.2.3",
    defaults: &["[probe]\nsize = 3\n"],
    instruments: &[],
    check: |config| match config.section::<u8>("probe.size")? {
        0 => Err(config.refuse("probe.size", "be at least 1")),
        _ => Ok(()),
    },
};

async fn start(listen: &str) -> Process {
    let config = Config::loader(PROBE.defaults)
        .set("admin.listen", listen)
        .load()
        .unwrap();
    Process::start(&PROBE, config, Globals::Leave)
        .await
        .unwrap()
}

fn signals() -> (mpsc::Sender<Signal>, Signals) {
    let (sender, receiver) = mpsc::channel(2);
    (sender, Signals::from_channel(receiver))
}

/// Asks until the process says that it is ready.
async fn ready(address: SocketAddr) {
    let asked = async {
        while status(&get(address, "/ready", "").await) != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(READY_WITHIN, asked).await.unwrap();
}

#[tokio::test]
async fn a_process_is_not_ready_before_its_program_has_begun() {
    let process = start("127.0.0.1:0").await;
    let address = process.admin_address().unwrap();
    let report = get(address, "/ready?verbose", "").await;
    assert_eq!(status(&report), 503);
    assert!(report.contains("[-] latch boot: not done yet"), "{report}");
    let (_kill, signals) = signals();
    let outside = TaskGroup::new(Shutdown::new());
    let (finish, finished) = oneshot::channel::<()>();
    let begin = |context: Context| async move {
        let latch = context.readiness.latch("store");
        finished.await?;
        latch.release();
        pending::<Result<(), BoxError>>().await
    };
    let shutdown = process.context().shutdown.clone();
    let running = outside.spawn_joined("process", process.run(signals, begin));
    let begun = async {
        while !get(address, "/ready?verbose", "")
            .await
            .contains("[+] latch boot")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(READY_WITHIN, begun).await.unwrap();
    assert_eq!(status(&get(address, "/ready", "").await), 503);
    finish.send(()).unwrap();
    ready(address).await;
    shutdown.begin(Reason::Finished);
    drop(running);
}

#[tokio::test]
async fn a_signal_takes_a_process_down_in_order() {
    let process = start("127.0.0.1:0").await;
    let (address, context) = (process.admin_address().unwrap(), process.context().clone());
    let (kill, signals) = signals();
    let (finish, finished) = oneshot::channel::<()>();
    let outside = TaskGroup::new(Shutdown::new());
    let running = outside.spawn_joined(
        "process",
        process.run(signals, |context: Context| async move {
            context
                .tasks
                .spawn::<_, BoxError>("attempt", OnEnd::Log, async move { Ok(finished.await?) });
            context.shutdown.intake_stopped().await;
            Ok::<(), BoxError>(())
        }),
    );
    ready(address).await;
    kill.send(Signal::Terminate).await.unwrap();
    context.shutdown.intake_stopped().await;
    assert_eq!(status(&get(address, "/ready", "").await), 503);
    assert!(context.shutdown.drain_deadline().is_some());
    assert_eq!(context.shutdown.stage(), Stage::IntakeStopped);
    finish.send(()).unwrap();
    assert_eq!(running.await.unwrap(), Exit::Orderly);
    assert_eq!(context.shutdown.stage(), Stage::Flush);
    assert_eq!(
        context.shutdown.reason(),
        Some(Reason::Signal(Signal::Terminate))
    );
}

#[tokio::test]
async fn a_second_signal_ends_a_process_at_once() {
    for second in [Signal::Terminate, Signal::Interrupt] {
        let (kill, signals) = signals();
        kill.send(Signal::Terminate).await.unwrap();
        kill.send(second).await.unwrap();
        let process = start("").await;
        let exit = process
            .run(signals, |_| pending::<Result<(), BoxError>>())
            .await;
        assert_eq!(exit, Exit::Forced(second));
        assert_eq!(exit.code(), second.exit_code());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_blocks_its_thread_does_not_hide_the_second_signal() {
    let (kill, signals) = signals();
    let (started, start_seen) = oneshot::channel();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let process = start("").await;
    let outside = TaskGroup::new(Shutdown::new());
    let running = outside.spawn_joined(
        "process",
        process.run(signals, |_| async move {
            started.send(()).unwrap();
            blocked.recv().map_err(BoxError::from)
        }),
    );
    start_seen.await.unwrap();
    kill.send(Signal::Interrupt).await.unwrap();
    kill.send(Signal::Interrupt).await.unwrap();
    assert_eq!(running.await.unwrap(), Exit::Forced(Signal::Interrupt));
    release.send(()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn work_that_never_ends_is_cut_off_and_named() {
    let (kill, signals) = signals();
    kill.send(Signal::Terminate).await.unwrap();
    let process = start("").await;
    let began = tokio::time::Instant::now();
    let exit = process.run(signals, |context: Context| async move {
        context
            .tasks
            .spawn::<_, BoxError>("stuck", OnEnd::Log, pending());
        context.shutdown.hand_back().await;
        Ok::<(), BoxError>(())
    });
    assert_eq!(
        exit.await,
        Exit::Failed("tasks did not end: stuck".to_owned())
    );
    assert!(
        began.elapsed() >= Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_process_without_work_left_ends_by_itself() {
    let process = start("").await;
    let context = process.context().clone();
    let exit = process.run(signals().1, |context: Context| async move {
        context
            .tasks
            .spawn::<_, BoxError>("last", OnEnd::Log, async { Ok(()) });
        Ok::<(), BoxError>(())
    });
    assert_eq!(exit.await, Exit::Orderly);
    assert_eq!(context.shutdown.reason(), Some(Reason::Finished));
}

#[tokio::test]
async fn a_program_that_fails_or_panics_is_a_failed_process() {
    let failed = start("")
        .await
        .run(signals().1, |_| async { Err::<(), _>("no broker") })
        .await;
    assert_eq!(failed, Exit::Failed("no broker".to_owned()));
    assert_eq!(failed.code(), 1);
    let process = start("").await;
    let program = |_| async {
        if true {
            panic!("at the disco")
        } else {
            Ok::<(), BoxError>(())
        }
    };
    let panicked = process.run(signals().1, program).await;
    assert_eq!(
        panicked,
        Exit::Failed("task program panicked: at the disco".to_owned())
    );
}
