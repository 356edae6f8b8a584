use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use assay_scheduler::{
    ACTIVATION_MAX, Activity, ActivityName, Driver, Error, INSTRUMENTS, Pace, Report,
};
use assay_service::prometheus::Metrics;
use assay_service::shutdown::{Drained, Pace as ShutdownPace};
use assay_service::{Readiness, Shutdown};
use assay_test_support::wait::{wait_until, within};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ports::unavailable;

const PERIOD: Duration = Duration::from_millis(100);

/// What one activation does.
enum Step {
    Done,
    Full,
    Fails,
    Panics,
    Hangs,
    /// Ends when it is told to.
    Waits(Arc<Notify>),
}

/// Does its steps, then nothing; remembers when, in milliseconds after its start.
#[derive(Clone)]
struct Scripted {
    steps: Arc<Mutex<VecDeque<Step>>>,
    activated_at_ms: Arc<Mutex<Vec<u128>>>,
    start: Instant,
}

impl Scripted {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.into_iter().collect())),
            activated_at_ms: Arc::default(),
            start: Instant::now(),
        }
    }

    fn times(&self) -> Vec<u128> {
        self.activated_at_ms.lock().clone()
    }
}

#[async_trait]
impl Activity for Scripted {
    fn name(&self) -> ActivityName {
        ActivityName::PromoteDue
    }

    async fn activate(&self) -> Result<Report, Error> {
        let now_ms = self.start.elapsed().as_millis();
        self.activated_at_ms.lock().push(now_ms);
        let step = self.steps.lock().pop_front();
        let report = Report {
            changed: 10,
            more: false,
        };
        match step {
            Some(Step::Done) | None => Ok(report),
            Some(Step::Full) => Ok(Report {
                more: true,
                ..report
            }),
            Some(Step::Fails) => Err(Error::Store {
                step: "queue what is due",
                source: unavailable(),
            }),
            Some(Step::Panics) => panic!("index 7"),
            Some(Step::Hangs) => std::future::pending().await,
            Some(Step::Waits(told)) => {
                told.notified().await;
                Ok(report)
            }
        }
    }
}

/// Runs a loop until it was activated so often; answers when, rounded to the tokio timer's grain of 1 ms.
async fn activations(count: usize, steps: impl IntoIterator<Item = Step>) -> Vec<u128> {
    let scripted = Scripted::new(steps);
    let driver = Driver::new(
        Box::new(scripted.clone()),
        Pace { period: PERIOD },
        Shutdown::new(),
    );
    let enough = wait_until("the loop was activated often enough", || async {
        scripted.times().len() >= count
    });
    tokio::select! {
        () = driver.run(0.5) => panic!("a loop ended without a shutdown"),
        () = enough => {}
    }
    scripted.times()[..count].to_vec()
}

/// Each wait adds at most the timer's grain.
fn assert_about(times: &[u128], expected: &[u128]) {
    assert_eq!(times.len(), expected.len());
    for (index, (time, expected)) in times.iter().zip(expected).enumerate() {
        let late = time.checked_sub(*expected).unwrap_or(u128::MAX);
        assert!(late <= 1 + index as u128, "{times:?}, not {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_starts_within_its_first_period_and_keeps_to_it() {
    let times = activations(3, [Step::Done, Step::Done]).await;
    assert_about(&times, &[50, 150, 250]);
}

#[tokio::test(start_paused = true)]
async fn a_loop_goes_on_at_once_while_there_is_more() {
    let times = activations(5, [Step::Full, Step::Full, Step::Full, Step::Done]).await;
    assert_about(&times, &[50, 50, 50, 50, 150]);
}

#[tokio::test(start_paused = true)]
async fn a_loop_backs_off_while_it_fails_and_forgets_it_after_a_success() {
    let times = activations(
        6,
        [
            Step::Fails,
            Step::Fails,
            Step::Panics,
            Step::Done,
            Step::Fails,
        ],
    )
    .await;
    // 200, 400, 800 after failures; 100 after the success; 200 after a new first failure.
    assert_about(&times, &[50, 250, 650, 1_450, 1_550, 1_750]);
}

#[tokio::test(start_paused = true)]
async fn an_activation_that_hangs_is_given_up() {
    let times = activations(2, [Step::Hangs]).await;
    let given_up = 50 + ACTIVATION_MAX.as_millis();
    assert_about(&times, &[50, given_up + 200]);
}

const SHUTDOWN_PACE: ShutdownPace = ShutdownPace {
    not_ready_ms: 1_000,
    drain_ms: 10_000,
    hand_back_ms: 1_000,
};

#[tokio::test(start_paused = true)]
async fn a_loop_stops_with_the_intake_and_ends_what_is_under_way() {
    let told = Arc::new(Notify::new());
    let scripted = Scripted::new([Step::Waits(Arc::clone(&told)), Step::Done]);
    let shutdown = Shutdown::new();
    let activity = Box::new(scripted.clone());
    let driver = Driver::new(activity, Pace { period: PERIOD }, shutdown.clone());
    let mut ran = Box::pin(driver.run(0.0));
    tokio::select! {
        () = &mut ran => panic!("a loop ended without a shutdown"),
        () = wait_until("an activation is under way", || async { scripted.times().len() == 1 }) => {}
    }
    let ends = async {
        shutdown.intake_stopped().await;
        told.notify_one();
    };
    let readiness = Readiness::new();
    let drained = shutdown.drain(SHUTDOWN_PACE, &readiness, async {
        futures::future::join(ran, ends).await;
    });
    assert_eq!(within("the loop ends", drained).await, Drained::InTime);
    assert_eq!(
        scripted.times().len(),
        1,
        "it began another after the shutdown"
    );
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_waits_stops_at_once() {
    let scripted = Scripted::new([]);
    let shutdown = Shutdown::new();
    let period = Duration::from_secs(3_600);
    let driver = Driver::new(
        Box::new(scripted.clone()),
        Pace { period },
        shutdown.clone(),
    );
    let readiness = Readiness::new();
    let drained = shutdown.drain(SHUTDOWN_PACE, &readiness, driver.run(1.0));
    within("the loop ends", drained).await;
    assert!(scripted.times().is_empty());
    assert_eq!(scripted.start.elapsed().as_millis(), 1_000);
}

#[test]
fn activations_are_counted() {
    let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let steps = || [Step::Full, Step::Fails, Step::Panics, Step::Done];
    metrics.record(|| runtime.block_on(async { activations(5, steps()).await }));
    let text = metrics.render(&Readiness::new());
    for (total, expected) in [("activations", 5), ("failures", 2), ("jobs", 30)] {
        let line = format!(
            r#"assay_scheduler_{total}_total{{service="test",reason="promote_due"}} {expected}"#
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(text.contains("assay_scheduler_activation_seconds_bucket"));
}
