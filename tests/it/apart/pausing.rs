//! A kind that is held back, in whatever process its workers are.

use std::time::Instant;

use assay_api::v1;
use assay_api::v1::JobState;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_bench::client::Client;
use assay_probe::{Act, Mark};

use super::over_redis;
use super::scene::{LOOK_PERIOD, PATIENCE, Scene};

const KIND: &str = "content-verification";

/// Beats are two seconds apart, looks at what is paused one: between three beats a worker has looked.
const BEATS: usize = 3;

impl Scene {
    /// A pause goes through the gateway, and only that.
    pub(super) async fn pause(&mut self) {
        let kind = KIND.to_owned();
        let request = v1::PauseQueueRequest { kind };
        self.admin.pause_queue(request).await.unwrap();
    }

    pub(super) async fn resume(&mut self) {
        let kind = KIND.to_owned();
        let request = v1::ResumeQueueRequest { kind };
        self.admin.resume_queue(request).await.unwrap();
    }

    /// How many jobs wait, if the kind is paused in all its lanes.
    pub(super) async fn waiting(&mut self) -> u64 {
        let listed = self.admin.list_queues(v1::ListQueuesRequest {}).await;
        let queues = listed.unwrap().into_inner().queues;
        assert!(queues.iter().all(|queue| queue.paused), "{queues:?}");
        queues.iter().map(|queue| queue.depth).sum()
    }

    /// The only worker that lives.
    async fn worker(&mut self) -> Option<v1::Worker> {
        let listed = self.admin.list_workers(v1::ListWorkersRequest {}).await;
        let mut workers = listed.unwrap().into_inner().workers;
        workers.retain(|worker| worker.alive);
        workers.pop()
    }

    /// Waits until the worker has beaten so often that it must have looked meanwhile.
    pub(super) async fn until_it_looked(&mut self) {
        let start = Instant::now();
        let mut beats = 0;
        let mut before = f64::MAX;
        while beats < BEATS {
            let silence = self.worker().await.and_then(|worker| worker.silence);
            if let Some(silence) = silence {
                let seconds = std::time::Duration::try_from(silence)
                    .unwrap()
                    .as_secs_f64();
                if seconds < before {
                    beats += 1;
                }
                before = seconds;
            }
            assert!(start.elapsed() < PATIENCE, "the worker does not beat");
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    async fn restart(&mut self, name: &str) {
        let process = self.fleet.by_name(name).unwrap();
        assert_eq!(process.terminate().await.unwrap(), Some(0), "{name}");
        self.fleet.restart(name).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_in_every_process_and_over_their_restarts() {
    let mut scene = Scene::new(over_redis(), 1, &[]).await;
    let runs = scene.submit(&[Act::Sleep(8_000)]).await;
    scene.until(&runs, JobState::Running).await;
    scene.pause().await;
    scene.until_it_looked().await;
    let waits = scene.submit(&[Act::Progress]).await;
    scene.until(&runs, JobState::Succeeded).await;
    scene.until_it_looked().await;
    assert_eq!(scene.get(&waits).await.state(), JobState::Queued);
    assert_eq!(scene.waiting().await, 1);

    for name in ["worker-1", "gateway"] {
        scene.restart(name).await;
    }
    scene.client = Client::connect(scene.fleet.gateway()).await.unwrap();
    let url = format!("http://{}", scene.fleet.gateway());
    scene.admin = AdminServiceClient::connect(url).await.unwrap();
    scene.until_it_looked().await;
    let later = scene.submit(&[Act::Progress]).await;
    scene.until_it_looked().await;
    assert_eq!(scene.waiting().await, 2);
    for job_id in [&waits, &later] {
        assert_eq!(scene.get(job_id).await.state(), JobState::Queued);
        assert_eq!(scene.marked(job_id, Mark::Started), 0);
    }

    scene.resume().await;
    for job_id in [&waits, &later] {
        scene.until(job_id, JobState::Succeeded).await;
        assert_eq!(scene.marked(job_id, Mark::Started), 1);
    }
}
