//! Real jobs: submitted to the embedded store, run by the worker runtime with our handler, recorded.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::{Clock, SystemClock};
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::{Job, JobSpec, ResultRef};
use assay_core::kind::JobKind;
use assay_core::port::JobStore;
use assay_core::progress::StepState;
use assay_core::state::JobState;
use assay_queue::InProcessQueue;
use assay_service::prometheus::Metrics;
use assay_service::shutdown::Drained;
use assay_service::tasks::Joined;
use assay_service::{Config, Context};
use assay_store::{EmbeddedStore, StoreConfig};
use assay_verification_worker::{Handler, INSTRUMENTS};
use assay_worker_runtime::{DEFAULTS, Error, Jitter, Ports, Settings, Worker};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;

use crate::child::{PATIENCE, alone, none_left};
use crate::desk::{Desk, assert_schema};
use crate::files::{self, BOMB};

/// A worker with everything around it.
pub(crate) struct Shop {
    pub(crate) desk: Desk,
    pub(crate) store: Arc<EmbeddedStore>,
    context: Context,
    worker: Joined<Result<(), Error>>,
    _folder: TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::around(Desk::new().await, Arc::new(SystemClock))
    }

    pub(crate) fn around(desk: Desk, clock: Arc<dyn Clock>) -> Self {
        let folder = TempDir::new().unwrap();
        let queue = Arc::new(InProcessQueue::new(Arc::clone(&clock)));
        let hand_out = Arc::<InProcessQueue>::clone(&queue);
        let store = EmbeddedStore::open(
            folder.path(),
            StoreConfig::default(),
            Arc::clone(&clock),
            hand_out,
        );
        let store = Arc::new(store.unwrap());
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        let settings = Settings::read(&config).unwrap();
        let metrics = Metrics::new("worker", "0", &[INSTRUMENTS]).unwrap();
        let context = Context::detached(config, metrics);
        let ports = Ports {
            queue,
            store: Arc::<EmbeddedStore>::clone(&store),
            control: Arc::<EmbeddedStore>::clone(&store),
            contents: Arc::new(desk.blobs.clone()),
            clock,
            jitter: Jitter::random(),
            worker: WorkerId::new("worker-1").unwrap(),
        };
        let handler = Handler::new(desk.verifier.clone()).unwrap();
        let worker = Worker::new(ports, handler, settings);
        let inside = context.clone();
        let worker = context
            .tasks
            .spawn_joined("worker", async move { worker.run(inside).await });
        Self {
            desk,
            store,
            context,
            worker,
            _folder: folder,
        }
    }

    pub(crate) async fn submit(&self, bytes: Vec<u8>, file_name: &str) -> JobId {
        let payload = self.desk.subject(bytes, file_name).await.payload;
        let now_ms = SystemClock.now_ms();
        let kind = JobKind::ContentVerification;
        let spec = JobSpec::new(kind, payload.encode_to_vec(), now_ms);
        let id = JobId::random(now_ms, [9; 10]);
        self.store.submit(id, spec).await.unwrap();
        id
    }

    pub(crate) async fn wait(&self, id: JobId, is_so: impl Fn(&Job) -> bool) -> Job {
        let seen = async {
            loop {
                let job = self.store.get(&Tenant::default(), id).await.unwrap();
                if let Some(job) = job.filter(&is_so) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap()
    }

    pub(crate) async fn result(&self, job: &Job) -> Value {
        let bytes = match job.result.as_ref().unwrap() {
            ResultRef::Blob { content_id, .. } => {
                let id = content_id.parse().unwrap();
                let found = self.desk.blobs.get(&job.tenant, &id, u64::MAX).await;
                found.unwrap().unwrap().to_vec()
            }
            ResultRef::Inline { .. } => {
                let body = self.store.inline_result(&job.tenant, job.id).await;
                body.unwrap().unwrap()
            }
        };
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(crate) async fn close(self) {
        let pace = self.context.config.section("shutdown").unwrap();
        let work = async { self.worker.await.unwrap().unwrap() };
        let readiness = &self.context.readiness;
        let drained = self.context.shutdown.drain(pace, readiness, work).await;
        assert_ne!(drained, Drained::Unfinished);
        none_left().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_ends_with_a_recorded_result_that_fits_the_schema() {
    let _alone = alone().await;
    let shop = Shop::open().await;
    let id = shop.submit(files::generated_png(), "a.png").await;
    let job = shop.wait(id, |job| job.state.is_terminal()).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.failure);
    let result = shop.result(&job).await;
    assert_schema(&result);
    assert_eq!(result["job_id"], id.to_string());
    assert_eq!(result["verdict"]["label"], "synthetic");
    let progress = job.progress.unwrap();
    assert!(progress.is_complete());
    let all_done = progress
        .steps
        .iter()
        .all(|step| step.state == StepState::Done);
    assert!(all_done, "{:?}", progress.steps);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_refused_fails_for_good_at_its_first_attempt() {
    let _alone = alone().await;
    let shop = Shop::open().await;
    let id = shop.submit(Vec::new(), "a.jpg").await;
    let job = shop.wait(id, |job| job.state.is_terminal()).await;
    assert_eq!((job.state, job.attempt), (JobState::Failed, 1));
    assert_eq!(job.failure.unwrap().code, "empty_input");
    let steps = job.progress.unwrap().steps;
    let states: Vec<_> = steps.iter().map(|step| step.state).collect();
    let [fetch, sniff, later @ .., fuse, persist] = states.as_slice() else {
        panic!("{steps:?}");
    };
    assert_eq!(
        (*fetch, *sniff, *fuse, *persist),
        (
            StepState::Done,
            StepState::Failed,
            StepState::Failed,
            StepState::Pending
        )
    );
    assert!(
        later.iter().all(|state| *state == StepState::Skipped),
        "{steps:?}"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_a_job_kills_its_child() {
    let _alone = alone().await;
    let shop = Shop::open().await;
    let id = shop.submit(files::jpeg_with_comment(BOMB), "a.jpg").await;
    let in_the_bomb = |job: &Job| {
        let steps = job.progress.iter().flat_map(|progress| &progress.steps);
        let mut running = steps.filter(|step| step.state == StepState::Running);
        running.any(|step| step.name == "metadata")
    };
    shop.wait(id, in_the_bomb).await;
    shop.store.cancel(&Tenant::default(), id).await.unwrap();
    shop.wait(id, |job| job.state == JobState::Cancelled).await;
    none_left().await;
    shop.close().await;
}
