//! What the registry of workers is told, and when.

use std::sync::Arc;
use std::time::Duration;

use assay_core::id::WorkerId;
use assay_core::kind::JobKind;
use assay_core::port::{Registered, RegistryError, WorkerRegistry};
use assay_core::state::JobState;
use assay_core::worker::{BEAT_BREAKERS_MAX, BEAT_JOBS_MAX, BEAT_PERIOD_MS, Beat, Presence};
use assay_worker_runtime::{Attendance, JobError, Program};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::world::{Journal, Running, World, never, seconds};

const PROGRAM: Program = Program {
    name: "probe-worker",
    version: "1.2.3",
};

/// A registry that can be unreachable, and notes what it is told.
struct ScriptedRegistry {
    journal: Journal,
    down: watch::Sender<bool>,
    beats: Mutex<Vec<Beat>>,
    tries: Mutex<usize>,
}

#[async_trait]
impl WorkerRegistry for ScriptedRegistry {
    async fn beat(&self, beat: &Beat) -> Result<(), RegistryError> {
        *self.tries.lock() += 1;
        if *self.down.borrow() {
            // As a server that takes connections and says nothing.
            return std::future::pending().await;
        }
        self.beats.lock().push(beat.clone());
        Ok(())
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), RegistryError> {
        assert_eq!(worker.as_str(), "worker-1");
        self.journal.note("leave");
        Ok(())
    }

    async fn presence(&self, _workers: &[WorkerId]) -> Result<Vec<Presence>, RegistryError> {
        Ok(Vec::new())
    }

    async fn list(&self) -> Result<Vec<Registered>, RegistryError> {
        Ok(Vec::new())
    }
}

impl ScriptedRegistry {
    fn new(world: &World, down: bool) -> Arc<Self> {
        Arc::new(Self {
            journal: world.journal.clone(),
            down: watch::Sender::new(down),
            beats: Mutex::default(),
            tries: Mutex::default(),
        })
    }

    fn beats(&self) -> Vec<Beat> {
        self.beats.lock().clone()
    }
}

/// A worker that attends; its handlers never end by themselves, and stop when asked to.
fn work(world: &World, registry: &Arc<ScriptedRegistry>) -> Running {
    let registry = Arc::<ScriptedRegistry>::clone(registry);
    let worker = WorkerId::new("worker-1").unwrap();
    let attendance = Attendance::new(PROGRAM, worker, registry, &*world.clock);
    world.work_attending(&attendance, |context, _| {
        Box::pin(async move {
            tokio::select! {
                () = context.cancelled() => Err(JobError::Stopped),
                answer = never() => answer,
            }
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_beat_says_what_the_process_is_and_what_it_runs() {
    let mut world = World::new();
    world.settings.concurrency = BEAT_JOBS_MAX + 1;
    let registry = ScriptedRegistry::new(&world, false);
    let ids: Vec<_> = (0..=BEAT_JOBS_MAX).map(|_| world.submit("hello")).collect();
    let worker = work(&world, &registry);
    for id in &ids {
        world.wait(*id, JobState::Running).await;
    }
    let before = registry.beats().len();
    tokio::time::sleep(Duration::from_millis(BEAT_PERIOD_MS + 1)).await;
    let beats = registry.beats();
    assert_eq!(beats.len(), before + 1, "every {BEAT_PERIOD_MS} ms");
    let beat = beats.last().unwrap();
    assert_eq!(
        (beat.service.as_str(), beat.version.as_str()),
        ("probe-worker", "1.2.3")
    );
    assert_eq!(
        (beat.worker.as_str(), beat.pid),
        ("worker-1", std::process::id())
    );
    assert_eq!(beat.started_at_ms, crate::world::START_MS);
    assert!(!beat.host.is_empty());
    assert_eq!(beat.kinds, [JobKind::ContentVerification]);
    assert_eq!((beat.concurrency, beat.running), (65, 65));
    assert_eq!(beat.jobs, ids[..BEAT_JOBS_MAX]);
    assert_eq!(beat.breakers.len(), BEAT_BREAKERS_MAX);
    assert_eq!(beat.breakers[0].downstream, "detector.0");
    worker.shut_down_at_once().await;
}

#[tokio::test(start_paused = true)]
async fn no_job_is_taken_before_the_registry_knows() {
    let world = World::new();
    let registry = ScriptedRegistry::new(&world, true);
    let id = world.submit("hello");
    let worker = work(&world, &registry);
    tokio::time::sleep(seconds(20)).await;
    assert_eq!(world.store.row(id).job.state, JobState::Queued);
    let tries = *registry.tries.lock();
    assert!(
        (5..=11).contains(&tries),
        "a call that hangs is given up: {tries}"
    );
    registry.down.send_replace(false);
    world.wait(id, JobState::Running).await;
    worker.shut_down_at_once().await;
}

/// Until its last job is settled a worker must not look dead, and not gone.
#[tokio::test(start_paused = true)]
async fn a_worker_leaves_after_its_last_job() {
    let world = World::new();
    let registry = ScriptedRegistry::new(&world, false);
    let id = world.submit("hello");
    let worker = work(&world, &registry);
    world.wait(id, JobState::Running).await;
    worker.shut_down().await;
    let journal = world.journal.read();
    assert_eq!(journal.last(), Some(&"leave"), "{journal:?}");
    assert_eq!(journal.iter().filter(|word| **word == "leave").count(), 1);
    // It drained for 25 s, and beat all the while.
    assert!(registry.beats().len() >= 12, "{}", registry.beats().len());
    assert_eq!(world.store.row(id).job.state, JobState::Queued);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_was_away_hears_of_the_worker_again() {
    let world = World::new();
    let registry = ScriptedRegistry::new(&world, false);
    let worker = work(&world, &registry);
    tokio::time::sleep(seconds(3)).await;
    registry.down.send_replace(true);
    tokio::time::sleep(seconds(30)).await;
    let before = registry.beats().len();
    registry.down.send_replace(false);
    tokio::time::sleep(seconds(4)).await;
    assert!(registry.beats().len() > before);
    worker.shut_down_at_once().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_registry_that_never_came() {
    let world = World::new();
    let registry = ScriptedRegistry::new(&world, true);
    let worker = work(&world, &registry);
    tokio::time::sleep(seconds(3)).await;
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["leave"]);
    assert_eq!(registry.beats(), []);
}
