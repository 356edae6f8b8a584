//! What the tests share: a worker around a closure, its queue and store, and what happened in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use assay_core::breaker::State;
use assay_core::clock::Clock;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{ContentError, ContentStore, JobStore};
use assay_core::progress::StepPlan;
use assay_core::state::JobState;
use assay_core::worker::{BEAT_BREAKERS_MAX, BreakerSeen};
use assay_service::prometheus::Metrics;
use assay_service::shutdown::{Drained, Pace};
use assay_service::tasks::Joined;
use assay_service::{Config, Context};
use assay_worker_runtime::{
    Attendance, DEFAULTS, Error, INSTRUMENTS, Jitter, JobContext, JobError, JobHandler, Ports,
    Settings, Worker,
};
use async_trait::async_trait;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use prost::Message;
use serde_json::Value;
use tokio::time::Instant;

use crate::scripted_control::ScriptedControl;
use crate::scripted_queue::ScriptedQueue;
use crate::scripted_store::{Row, ScriptedStore};

pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// The time of day as paused time has it.
pub(crate) struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now_ms(&self) -> u64 {
        START_MS + u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<&'static str>>>);

impl Journal {
    pub(crate) fn note(&self, what: &'static str) {
        self.0.lock().push(what);
    }

    pub(crate) fn read(&self) -> Vec<&'static str> {
        self.0.lock().clone()
    }
}

/// Content under the number of its bytes.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) failures: Mutex<usize>,
    pub(crate) kept: Mutex<Vec<Vec<u8>>>,
}

#[async_trait]
impl ContentStore for Contents {
    async fn put(&self, _tenant: &Tenant, bytes: Vec<u8>) -> Result<String, ContentError> {
        let mut failures = self.failures.lock();
        if *failures > 0 {
            *failures -= 1;
            let why = "told so".to_owned();
            return Err(ContentError { why });
        }
        let name = format!("bytes-{}", bytes.len());
        self.kept.lock().push(bytes);
        Ok(name)
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Payload {
    #[prost(string, tag = "1")]
    pub(crate) word: String,
}

pub(crate) type Answer = Result<Value, JobError>;
pub(crate) type Script =
    Box<dyn for<'a> Fn(&'a JobContext, String) -> BoxFuture<'a, Answer> + Send + Sync>;

/// A handler that does what a test says.
pub(crate) struct Probe(Script);

impl JobHandler for Probe {
    const KIND: JobKind = JobKind::ContentVerification;
    type Payload = Payload;
    type Output = Value;

    fn plan(&self, _payload: &Payload) -> StepPlan {
        StepPlan::new([("fetch", 1), ("look", 3)]).unwrap()
    }

    /// One more than a beat has room for.
    fn breakers(&self) -> Vec<BreakerSeen> {
        let breaker = |number| BreakerSeen {
            downstream: format!("detector.{number}"),
            state: State::Closed,
            since_ms: 0,
            calls: 0,
            failures: 0,
            opens_in_a_row: 0,
            retry_at_ms: 0,
            held: None,
        };
        (0..=BEAT_BREAKERS_MAX).map(breaker).collect()
    }

    async fn handle(&self, context: &JobContext, payload: Payload) -> Answer {
        (self.0)(context, payload.word).await
    }
}

/// Everything around the workers of a test.
pub(crate) struct World {
    pub(crate) store: Arc<ScriptedStore>,
    pub(crate) queue: ScriptedQueue,
    pub(crate) control: Arc<ScriptedControl>,
    pub(crate) contents: Arc<Contents>,
    pub(crate) clock: Arc<PausedClock>,
    pub(crate) journal: Journal,
    pub(crate) settings: Settings,
    ids: AtomicU8,
}

/// A worker that runs.
pub(crate) struct Running {
    pub(crate) context: Context,
    ended: Joined<Result<(), Error>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(PausedClock(Instant::now()));
        let journal = Journal::default();
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        Self {
            store: Arc::new(ScriptedStore::new(Arc::clone(&clock), journal.clone())),
            queue: ScriptedQueue::new(Arc::clone(&clock), journal.clone()),
            control: Arc::default(),
            contents: Arc::default(),
            settings: Settings::read(&config).unwrap(),
            ids: AtomicU8::new(1),
            clock,
            journal,
        }
    }

    /// A job with the given word as its payload, queued.
    pub(crate) fn submit(&self, word: &str) -> JobId {
        self.submit_with(word, |_| {})
    }

    pub(crate) fn submit_with(&self, word: &str, change: impl FnOnce(&mut JobSpec)) -> JobId {
        let payload = Payload {
            word: word.to_owned(),
        };
        let now_ms = self.clock.now_ms();
        let mut spec = JobSpec::new(Probe::KIND, payload.encode_to_vec(), now_ms);
        change(&mut spec);
        let id = JobId::from_bytes([self.ids.fetch_add(1, Ordering::SeqCst); 16]);
        let envelope = self.store.add(id, &spec);
        self.queue.put(envelope, Instant::now());
        id
    }

    /// Starts a worker around a script.
    pub(crate) fn work<F>(&self, script: F) -> Running
    where
        F: for<'a> Fn(&'a JobContext, String) -> BoxFuture<'a, Answer> + Send + Sync + 'static,
    {
        run_worker(self.ports(), Box::new(script), self.settings)
    }

    /// The same, and the registry of workers is told.
    pub(crate) fn work_attending<F>(&self, attendance: &Arc<Attendance>, script: F) -> Running
    where
        F: for<'a> Fn(&'a JobContext, String) -> BoxFuture<'a, Answer> + Send + Sync + 'static,
    {
        let worker = Worker::new(self.ports(), Probe(Box::new(script)), self.settings);
        let running = run(worker.attending(attendance));
        let keeping = Arc::clone(attendance).keep(running.context.shutdown.clone());
        drop(running.context.tasks.spawn_joined("attendance", keeping));
        running
    }

    fn ports(&self) -> Ports {
        Ports {
            queue: Arc::new(self.queue.clone()),
            store: Arc::<ScriptedStore>::clone(&self.store),
            control: Arc::<ScriptedControl>::clone(&self.control),
            contents: Arc::<Contents>::clone(&self.contents),
            clock: Arc::<PausedClock>::clone(&self.clock),
            jitter: Jitter::fixed(0.5),
            worker: WorkerId::new("worker-1").unwrap(),
        }
    }

    pub(crate) async fn wait(&self, id: JobId, state: JobState) -> Row {
        self.store.wait(id, |row| row.job.state == state).await
    }

    pub(crate) async fn cancel(&self, id: JobId) {
        self.store.cancel(&Tenant::default(), id).await.unwrap();
    }
}

/// Starts a worker by itself.
pub(crate) fn run_worker(ports: Ports, script: Script, settings: Settings) -> Running {
    run(Worker::new(ports, Probe(script), settings))
}

fn run(worker: Worker<Probe>) -> Running {
    let config = Config::loader(&[DEFAULTS]).load().unwrap();
    let metrics = Metrics::new("worker", "1", &[INSTRUMENTS]).unwrap();
    let context = Context::detached(config, metrics);
    let (tasks, inside) = (context.tasks.clone(), context.clone());
    let ended = tasks.spawn_joined("worker", async move { worker.run(inside).await });
    Running { context, ended }
}

impl Running {
    /// Goes down the stages of a shutdown, and waits for the worker.
    pub(crate) async fn shut_down(self) {
        let pace = self.context.config.section("shutdown").unwrap();
        self.shut_down_at(pace).await;
    }

    /// The same with no time for what still runs.
    pub(crate) async fn shut_down_at_once(self) {
        self.shut_down_at(Pace {
            not_ready_ms: 0,
            drain_ms: 1,
            hand_back_ms: 5_000,
        })
        .await;
    }

    async fn shut_down_at(self, pace: Pace) {
        let Self { context, ended } = self;
        let work = async {
            ended.await.unwrap().unwrap();
            context.tasks.joined().await;
        };
        let drained = context.shutdown.drain(pace, &context.readiness, work).await;
        assert_ne!(drained, Drained::Unfinished);
    }

    /// The value of a series in `/metrics`, named without its service; 0 before the worker has begun.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.context.metrics.render(&self.context.readiness);
        let text = text.replace("service=\"worker\",", "");
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }
}

/// A handler that never ends by itself.
pub(crate) async fn never() -> Answer {
    std::future::pending().await
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
