//! A worker over the embedded store, the queue in process and a folder of blobs, in real time.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use assay_blob::Blobs;
use assay_core::clock::{Clock, SystemClock};
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::{Job, JobSpec, RESULT_INLINE_BYTES_MAX, ResultRef};
use assay_core::kind::JobKind;
use assay_core::port::JobStore;
use assay_core::state::JobState;
use assay_queue::InProcessQueue;
use assay_service::Config;
use assay_store::{EmbeddedStore, StoreConfig};
use assay_worker_runtime::{DEFAULTS, Jitter, JobError, Ports, Settings};
use parking_lot::Mutex;
use prost::Message;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Payload, Running, Script, never, run_worker};

struct Real {
    _folder: TempDir,
    store: Arc<EmbeddedStore>,
    queue: Arc<InProcessQueue>,
    blobs: Arc<Blobs>,
    settings: Settings,
}

impl Real {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let queue = Arc::new(InProcessQueue::new(Arc::clone(&clock)));
        let hand_out = Arc::<InProcessQueue>::clone(&queue);
        let config = StoreConfig::default();
        let store = EmbeddedStore::open(folder.path(), config, clock, hand_out).unwrap();
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        Self {
            blobs: Arc::new(Blobs::open(folder.path().join("blobs")).await.unwrap()),
            store: Arc::new(store),
            queue,
            settings: Settings::read(&config).unwrap(),
            _folder: folder,
        }
    }

    fn ports(&self, worker: &str) -> Ports {
        Ports {
            queue: Arc::<InProcessQueue>::clone(&self.queue),
            store: Arc::<EmbeddedStore>::clone(&self.store),
            control: Arc::<EmbeddedStore>::clone(&self.store),
            contents: Arc::<Blobs>::clone(&self.blobs),
            clock: Arc::new(SystemClock),
            jitter: Jitter::random(),
            worker: WorkerId::new(worker).unwrap(),
        }
    }

    fn work(&self, script: Script) -> Running {
        run_worker(self.ports("worker-1"), script, self.settings)
    }

    async fn submit(&self, number: u8) -> JobId {
        let payload = Payload {
            word: number.to_string(),
        };
        let now_ms = SystemClock.now_ms();
        let mut spec = JobSpec::new(
            JobKind::ContentVerification,
            payload.encode_to_vec(),
            now_ms,
        );
        spec.policy.retry.base_ms = 1;
        let id = JobId::from_bytes([number; 16]);
        self.store.submit(id, spec).await.unwrap();
        id
    }

    async fn job(&self, id: JobId) -> Job {
        let job = self.store.get(&Tenant::default(), id).await;
        job.unwrap().unwrap()
    }

    /// Waits for a state, for at most twenty seconds, and does a scheduler's work meanwhile.
    async fn wait(&self, id: JobId, state: JobState) -> Job {
        let seen = async {
            loop {
                let job = self.job(id).await;
                if job.state == state {
                    return job;
                }
                self.store.promote_due(100).await.unwrap();
                self.store.reap(100).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), seen).await {
            Ok(job) => job,
            Err(_) => panic!("never {state}: {:#?}", self.job(id).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_jobs_succeed_each_with_its_own_result() {
    let real = Real::new().await;
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.push(real.submit(number).await);
    }
    let worker = real.work(Box::new(|context, word| {
        Box::pin(async move {
            context.progress().done("fetch");
            Ok(json!(word))
        })
    }));
    for (number, id) in ids.into_iter().enumerate() {
        let job = real.wait(id, JobState::Succeeded).await;
        assert!(job.progress.is_some_and(|progress| progress.is_complete()));
        let body = real.store.inline_result(&Tenant::default(), id).await;
        assert_eq!(body.unwrap(), Some(format!("\"{number}\"").into_bytes()));
    }
    worker.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_hands_its_checkpoint_to_the_one_that_succeeds() {
    let real = Real::new().await;
    let id = real.submit(1).await;
    let worker = real.work(Box::new(|context, _| {
        Box::pin(async move {
            let Some(found) = context.checkpoint() else {
                context.save_checkpoint(b"half".to_vec()).await?;
                return Err(JobError::transient("half", "half done"));
            };
            Ok(json!(found.len()))
        })
    }));
    let job = real.wait(id, JobState::Succeeded).await;
    assert_eq!((job.attempt, job.counters.errors), (2, 1));
    worker.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_result_is_a_blob_that_can_be_read() {
    let real = Real::new().await;
    let id = real.submit(1).await;
    let worker = real.work(Box::new(|_, _| {
        Box::pin(async { Ok(Value::String("x".repeat(RESULT_INLINE_BYTES_MAX - 1))) })
    }));
    let job = real.wait(id, JobState::Succeeded).await;
    let Some(ResultRef::Blob { content_id, bytes }) = job.result else {
        panic!("{:?} is no blob", job.result);
    };
    assert_eq!(bytes, 65_537);
    let size = real
        .blobs
        .size(&Tenant::default(), &content_id.parse().unwrap())
        .await;
    assert_eq!(size.unwrap(), Some(65_537));
    worker.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_the_handler_and_is_confirmed() {
    let real = Real::new().await;
    let id = real.submit(1).await;
    let worker = real.work(Box::new(|context, _| {
        Box::pin(async move {
            context.cancelled().await;
            Err(JobError::Stopped)
        })
    }));
    real.wait(id, JobState::Running).await;
    real.store.cancel(&Tenant::default(), id).await.unwrap();
    real.wait(id, JobState::Cancelled).await;
    worker.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_hands_back_the_next_one_ends() {
    let mut real = Real::new().await;
    real.settings.cancel_grace_ms = 1;
    let id = real.submit(1).await;
    let first = real.work(Box::new(|_, _| Box::pin(never())));
    real.wait(id, JobState::Running).await;
    first.shut_down_at_once().await;
    let job = real.job(id).await;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.counters.errors, job.counters.interruptions), (0, 1));
    let second = real.work(Box::new(|_, _| Box::pin(async { Ok(Value::Null) })));
    real.wait(id, JobState::Succeeded).await;
    second.shut_down().await;
}

const STALE: &str = "assay_stale_completion_rejected_total{kind=\"content-verification\"}";

/// A worker whose only thread stands still in its handler, as if the process had been stopped: it renews
/// nothing. Once `wake` speaks it goes on, and ends when its outcome was refused.
fn stand_still(ports: Ports, settings: Settings, wake: Receiver<()>) -> JoinHandle<()> {
    let wake = Mutex::new(wake);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let script: Script = Box::new(move |_, _| {
                wake.lock().recv().unwrap();
                Box::pin(async { Ok(json!("zombie")) })
            });
            let zombie = run_worker(ports, script, settings);
            let refused = async {
                while zombie.metric(STALE) < 1.0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), refused)
                .await
                .unwrap();
            zombie.shut_down().await;
        });
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_wakes_too_late_changes_nothing() {
    let mut real = Real::new().await;
    (real.settings.lease_ms, real.settings.renew_ms) = (1_500, 300);
    (real.settings.concurrency, real.settings.prefetch_factor) = (1, 1);
    let (waker, wake) = std::sync::mpsc::channel();
    let id = real.submit(1).await;
    let zombie = stand_still(real.ports("zombie"), real.settings, wake);
    real.wait(id, JobState::Running).await;
    let heir = run_worker(
        real.ports("heir"),
        Box::new(|_, _| Box::pin(async { Ok(json!("heir")) })),
        real.settings,
    );
    let job = real.wait(id, JobState::Succeeded).await;
    let counters = job.counters;
    assert_eq!([counters.interruptions, counters.crashes], [1, 0]);
    assert_eq!(counters.errors, 0);
    waker.send(()).unwrap();
    tokio::task::spawn_blocking(|| zombie.join().unwrap())
        .await
        .unwrap();
    heir.shut_down().await;
    let body = real.store.inline_result(&Tenant::default(), id).await;
    assert_eq!(body.unwrap(), Some(b"\"heir\"".to_vec()), "one result");
    assert_eq!(real.job(id).await, job, "nothing was written after the end");
}
