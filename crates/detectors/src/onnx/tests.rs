//! What is asked of an engine that a test steers, and what damaged models do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use assay_core::breaker::{BreakerConfig, State};
use assay_core::clock::{Clock, ManualClock};
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::caller::{Caller, Missed};
use crate::gate::{Barred, Gate};
use crate::metric_definitions::Meters;
use crate::model::tests::tiny;

#[path = "../../tests/it/tiny_model.rs"]
#[expect(dead_code, reason = "the tests of its home use more of it")]
mod tiny_model;

/// How long a call may take that is to be late.
const SHORT: Duration = Duration::from_millis(50);
/// How long a call may take that is to end.
const LONG: Duration = Duration::from_secs(20);
/// How many calls in vain make a breaker open.
const CALLS_TILL_OPEN: usize = 10;
/// How long it stays open at first, in milliseconds.
const OPEN_MS: u64 = 30_000;

/// Runs until it is told to end, and counts.
struct Held {
    release: Mutex<Receiver<()>>,
    running: AtomicUsize,
    running_max: AtomicUsize,
}

impl Held {
    fn new() -> (Arc<Self>, Sender<()>) {
        let (sender, receiver) = channel();
        let held = Self {
            release: Mutex::new(receiver),
            running: AtomicUsize::new(0),
            running_max: AtomicUsize::new(0),
        };
        (Arc::new(held), sender)
    }
}

impl Engine for Held {
    fn run(&self, _: Vec<f32>) -> Result<Vec<f32>, CallError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.running_max.fetch_max(running, Ordering::SeqCst);
        self.release.lock().recv().unwrap_or_default();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(vec![0.75])
    }
}

struct Panics;

impl Engine for Panics {
    fn run(&self, _: Vec<f32>) -> Result<Vec<f32>, CallError> {
        panic!("over these numbers");
    }
}

/// A detector of an engine, and what stands before it.
struct Bench {
    onnx: Onnx,
    caller: Caller,
    clock: Arc<ManualClock>,
    described: Description,
}

impl Bench {
    async fn of(engine: Arc<dyn Engine>, places: usize) -> Self {
        let clock = Arc::new(ManualClock::at(1_000));
        let meter = Meters::default().meter("acme");
        let gate = Gate::new(
            "acme".into(),
            BreakerConfig::detector(20_000),
            Arc::clone(&clock) as Arc<dyn Clock>,
            || 0.0,
            Arc::clone(&meter),
        );
        let onnx = Onnx {
            model: Arc::new(tiny()),
            engine,
            task: Task::Splice,
        };
        Self {
            described: onnx.describe(LONG).await.unwrap(),
            caller: Caller::new(gate.unwrap(), places, || 0.0, meter),
            onnx,
            clock,
        }
    }

    async fn ask(&self, limit: Duration) -> Result<Answer, Missed> {
        let exam = exam();
        let until = Instant::now() + limit;
        let call = |turn| self.onnx.analyze(&exam, &self.described, turn);
        self.caller.call(&self.onnx, until, limit, call).await
    }

    fn state(&self) -> State {
        self.caller.gate().snapshot().0.state
    }

    fn failures(&self) -> u64 {
        self.caller.gate().snapshot().0.window.failures
    }
}

fn exam() -> Exam {
    Exam {
        request_id: "job".to_owned(),
        idempotency_key: "key".to_owned(),
        body: Body::Pixels(Pixels::new(2, 1, vec![0; 6]).unwrap()),
        mime: String::new(),
        modality: Modality::Image,
        size: None,
        tasks: vec![Task::Splice],
        want_map: false,
        hints: std::collections::BTreeMap::new(),
    }
}

/// Waits until something is so that a thread of an engine brings about.
async fn until(is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "it comes about");
}

#[tokio::test]
async fn a_run_that_is_late_counts_and_keeps_its_place() {
    let (held, release) = Held::new();
    let bench = Bench::of(Arc::clone(&held) as Arc<dyn Engine>, 2).await;
    let late = Missed::Failed(CallError::TimedOut);
    assert_eq!(bench.ask(SHORT).await, Err(late));
    assert_eq!((bench.failures(), bench.state()), (1, State::Closed));
    until(|| held.running.load(Ordering::SeqCst) == 1).await;
    // There is a place left, and no more than one.
    let (one, other) = tokio::join!(bench.ask(SHORT), bench.ask(SHORT));
    let waited_in_vain = [&one, &other].map(|ended| *ended == Err(Missed::Late));
    assert_eq!(waited_in_vain.iter().filter(|is_so| **is_so).count(), 1);
    assert_eq!(bench.failures(), 2);
    assert_eq!(held.running_max.load(Ordering::SeqCst), 2);
    // The places are free when the runs have ended.
    drop(release);
    until(|| !bench.caller.is_stuck()).await;
    let answer = bench.ask(LONG).await.unwrap();
    assert!(answer.results.contains_key(&Task::Splice));
    assert_eq!(held.running_max.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_waits_for_places_that_are_never_free() {
    let (held, release) = Held::new();
    let bench = Bench::of(Arc::clone(&held) as Arc<dyn Engine>, 1).await;
    assert_eq!(
        bench.ask(SHORT).await,
        Err(Missed::Failed(CallError::TimedOut))
    );
    until(|| held.running.load(Ordering::SeqCst) == 1).await;
    for _ in 1..CALLS_TILL_OPEN {
        let begun = Instant::now();
        let ended = bench.ask(LONG).await;
        let why = ended.unwrap_err().to_string();
        assert!(why.contains("all its places are taken"), "{why}");
        assert!(begun.elapsed() < LONG / 2);
    }
    assert_eq!(bench.state(), State::Open);
    drop(release);
    until(|| !bench.caller.is_stuck()).await;
    // It is tried again in time, and is well.
    assert!(matches!(
        bench.ask(LONG).await,
        Err(Missed::Barred(Barred::Open { .. }))
    ));
    bench.clock.advance(OPEN_MS);
    for _ in 0..3 {
        bench.ask(LONG).await.unwrap();
    }
    assert_eq!(bench.state(), State::Closed);
}

#[tokio::test]
async fn no_more_runs_go_on_at_once_than_there_are_places() {
    const PLACES: usize = 2;
    let (held, release) = Held::new();
    let bench = Bench::of(Arc::clone(&held) as Arc<dyn Engine>, PLACES).await;
    let asked = futures::future::join_all((0..5).map(|_| bench.ask(LONG)));
    let ends = async {
        until(|| held.running.load(Ordering::SeqCst) == PLACES).await;
        drop(release);
    };
    let (answered, ()) = tokio::join!(asked, ends);
    assert!(answered.iter().all(Result::is_ok), "{answered:?}");
    assert_eq!(held.running_max.load(Ordering::SeqCst), PLACES);
}

#[tokio::test]
async fn a_job_that_is_given_up_leaves_its_run_in_its_place() {
    let (held, release) = Held::new();
    let bench = Bench::of(Arc::clone(&held) as Arc<dyn Engine>, 1).await;
    tokio::select! {
        ended = bench.ask(LONG) => panic!("{ended:?}"),
        () = until(|| held.running.load(Ordering::SeqCst) == 1) => {}
    }
    assert_eq!(bench.failures(), 0);
    assert!(bench.ask(SHORT).await.is_err());
    drop(release);
    until(|| !bench.caller.is_stuck()).await;
    bench.ask(LONG).await.unwrap();
}

#[tokio::test]
async fn a_run_that_panics_is_a_failure() {
    let bench = Bench::of(Arc::new(Panics), 1).await;
    let why = bench.ask(LONG).await.unwrap_err().to_string();
    assert_eq!(why, "running it has panicked");
    assert_eq!(bench.failures(), 1);
}

#[tokio::test]
async fn without_samples_there_is_nothing_to_show() {
    let bench = Bench::of(Arc::new(Panics), 1).await;
    let exam = Exam {
        body: Body::Rendered(bytes::Bytes::new()),
        ..exam()
    };
    let call = |turn| bench.onnx.analyze(&exam, &bench.described, turn);
    let until = Instant::now() + LONG;
    let ended = bench.caller.call(&bench.onnx, until, LONG, call).await;
    assert!(matches!(ended, Err(Missed::Failed(CallError::Ours(_)))));
    assert_eq!(bench.failures(), 0);
}

/// Loads and tries out these bytes as the model that they are said to be.
fn load_bytes(bytes: &[u8]) -> Result<Session, Unfit> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let model = Model {
        path: file.path().to_owned(),
        sha256: assay_forensics::sha256(bytes),
        input: tiny_model::INPUT.to_owned(),
        output: tiny_model::OUTPUT.to_owned(),
        width: tiny_model::SIDE,
        height: tiny_model::SIDE,
        ..tiny()
    };
    load::session(&model, 1)
}

#[test]
fn a_model_that_is_cut_off_is_none() {
    let whole = tiny_model::edges();
    assert_eq!(load_bytes(&whole).err(), None);
    // What comes last only says of its tensors what is known without it.
    let needed = whole.len() * 3 / 4;
    for length in (0..needed).step_by(5) {
        assert!(load_bytes(&whole[..length]).is_err(), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(at in 0_usize..400, byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..8)) {
        let mut bytes = tiny_model::edges();
        if let Some(one) = bytes.get_mut(at) {
            *one = byte;
        }
        bytes.extend(tail);
        drop(load_bytes(&bytes));
    }
}
