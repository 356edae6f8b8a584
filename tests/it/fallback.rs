//! An installation over RabbitMQ whose Redis stands in while the broker is away.

use std::time::{Duration, Instant};

use assay_api::v1::JobState;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_api::v1::{GetJobRequest, ListQueuesRequest};
use assay_bench::client::{self, Client};
use assay_probe::{Act, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::rabbit::RabbitOptions;
use assay_test_support::redis::Database;

/// How long anything of these tests may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// Jobs without the broker, and after it came back.
const EACH: usize = 30;

struct Scene {
    fleet: Fleet,
    client: Client,
    content_id: String,
    jobs: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let mut plan = Plan::new(&e2e::programs().unwrap())
            .database(Database::take())
            .full(RabbitOptions::new())
            .workers("probe-worker", 2);
        for role in [Role::Gateway, Role::Scheduler, Role::Worker] {
            plan = plan.set(role, "rabbitmq.fallback", "redis");
        }
        let fleet = plan.start().await.unwrap();
        let mut client = Client::connect(fleet.gateway()).await.unwrap();
        Self {
            content_id: client.upload(b"content").await.unwrap(),
            client,
            fleet,
            jobs: Vec::new(),
        }
    }

    /// Submits a job; what took it.
    async fn submit(&mut self) -> String {
        let script = Script(vec![Act::Progress]);
        let request = client::request(&self.content_id, "", &script);
        let submitted = self.client.jobs.submit_job(request).await.unwrap();
        let submitted = submitted.into_inner();
        self.jobs.push(submitted.job.unwrap().id);
        submitted.carrier
    }

    async fn all_succeed(&mut self) {
        let begun = Instant::now();
        for job_id in std::mem::take(&mut self.jobs) {
            loop {
                let job_id = job_id.clone();
                let job = self.client.jobs.get_job(GetJobRequest { job_id }).await;
                let job = job.unwrap().into_inner();
                if job.state() == JobState::Succeeded {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "it has not ended: {job:?}");
                tokio::time::sleep(LOOK_PERIOD).await;
            }
        }
    }

    /// Envelopes that wait, on either way.
    async fn waiting(&mut self) -> u64 {
        let url = format!("http://{}", self.fleet.gateway());
        let mut admin = AdminServiceClient::connect(url).await.unwrap();
        let queues = admin.list_queues(ListQueuesRequest {}).await.unwrap();
        let queues = queues.into_inner().queues;
        queues.iter().map(|queue| queue.depth).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_taken_and_end_while_the_broker_is_away_and_after() {
    let mut scene = Scene::new().await;
    for _ in 0..EACH {
        assert_eq!(scene.submit().await, "rabbitmq");
    }
    let broker = scene.fleet.rabbit().unwrap();
    broker.keep_queues().await.unwrap();
    broker.kill().await.unwrap();
    for _ in 0..EACH {
        scene.submit().await;
    }
    assert_eq!(scene.submit().await, "redis");
    let without_the_broker = scene.jobs.split_off(scene.jobs.len() - EACH);
    let before = std::mem::replace(&mut scene.jobs, without_the_broker);
    scene.all_succeed().await;

    scene.fleet.rabbit().unwrap().restart().await.unwrap();
    scene.fleet.ready().await.unwrap();
    let back = Instant::now();
    while scene.submit().await != "rabbitmq" {
        assert!(back.elapsed() < PATIENCE, "the broker is not used again");
    }
    for _ in 0..EACH {
        scene.submit().await;
    }
    scene.jobs.extend(before);
    scene.all_succeed().await;
    while scene.waiting().await > 0 {
        assert!(back.elapsed() < PATIENCE, "something is left");
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}
