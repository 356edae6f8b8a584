//! Gateway, scheduler and workers as processes that share one Redis: what must hold between them.

mod pausing;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assay_api::v1;
use assay_api::v1::JobState;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_bench::client::{self, Client};
use assay_probe::{Act, Journal, Mark, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::redis::Database;
use tokio::process::Command;
use tonic::transport::Channel;

/// How long anything of these tests may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// A job of a dead worker runs again within this time.
const RUNS_AGAIN_WITHIN: Duration = Duration::from_secs(15);

/// An installation whose workers are probes, and its client.
struct Scene {
    fleet: Fleet,
    client: Client,
    admin: AdminServiceClient<Channel>,
    content_id: String,
    _folder: tempfile::TempDir,
    journal: PathBuf,
}

impl Scene {
    async fn new(workers: usize, settings: &[(&str, &str)]) -> Self {
        Self::over(
            Plan::new(&e2e::programs().unwrap()).database(Database::take()),
            workers,
            settings,
        )
        .await
    }

    async fn over(plan: Plan, workers: usize, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        let mut plan = plan.workers("probe-worker", workers);
        plan = plan.set(Role::Worker, "probe.journal", journal.to_str().unwrap());
        for (key, value) in settings {
            plan = plan.set(Role::Worker, key, value);
        }
        let fleet = plan.start().await.unwrap();
        let mut client = Client::connect(fleet.gateway()).await.unwrap();
        let url = format!("http://{}", fleet.gateway());
        Self {
            content_id: client.upload(b"content").await.unwrap(),
            admin: AdminServiceClient::connect(url).await.unwrap(),
            client,
            fleet,
            _folder: folder,
            journal,
        }
    }

    async fn submit(&mut self, acts: &[Act]) -> String {
        let request = client::request(&self.content_id, "", &Script(acts.to_vec()));
        let submitted = self.client.jobs.submit_job(request).await.unwrap();
        submitted.into_inner().job.unwrap().id
    }

    async fn get(&mut self, job_id: &str) -> v1::Job {
        let request = v1::GetJobRequest {
            job_id: job_id.to_owned(),
        };
        let job = self.client.jobs.get_job(request).await;
        job.unwrap().into_inner()
    }

    async fn until(&mut self, job_id: &str, state: JobState) -> v1::Job {
        let start = Instant::now();
        loop {
            let job = self.get(job_id).await;
            if job.state() == state {
                return job;
            }
            assert!(start.elapsed() < PATIENCE, "not {state:?}: {job:?}");
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// The living worker that says that it runs a job.
    async fn worker_of(&mut self, job_id: &str) -> v1::Worker {
        let start = Instant::now();
        loop {
            let listed = self.admin.list_workers(v1::ListWorkersRequest {}).await;
            let workers = listed.unwrap().into_inner().workers;
            let runs =
                |worker: &v1::Worker| worker.alive && worker.job_ids.iter().any(|id| id == job_id);
            if let Some(worker) = workers.iter().find(|worker| runs(worker)) {
                return worker.clone();
            }
            assert!(start.elapsed() < PATIENCE, "nobody runs it: {workers:?}");
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// The name of the process that is this worker.
    fn name_of(&mut self, worker: &v1::Worker) -> &'static str {
        let names = ["worker-1", "worker-2"];
        let is_it = |name: &&str| self.fleet.by_name(name).unwrap().pid() == Some(worker.pid);
        let name = names.into_iter().find(is_it);
        name.unwrap_or_else(|| panic!("no process of this fleet: {worker:?}"))
    }

    fn started(&self, job_id: &str) -> usize {
        let entries = Journal::read(&self.journal).unwrap();
        let starts = entries
            .iter()
            .filter(|entry| entry.job_id == job_id && entry.mark == Mark::Started);
        starts.count()
    }
}

fn counters(job: &v1::Job) -> (u32, u32, u32) {
    let counters = job.counters.unwrap_or_default();
    (counters.errors, counters.crashes, counters.interruptions)
}

/// One picture on its way through the three programs, with the parsing in children of the worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_gets_its_verdict_from_processes_that_run_apart() {
    let plan = Plan::new(&e2e::programs().unwrap()).database(Database::take());
    let fleet = plan.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = picture(folder.path());
    let verified = Command::new(e2e::program("assay").unwrap())
        .args(["verify", "--json", "--server"])
        .arg(format!("http://{}", fleet.gateway()))
        .arg(&file)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    let first = said.lines().next();
    let first = first.unwrap_or_else(|| panic!("{verified:?}"));
    let document: serde_json::Value = serde_json::from_str(first).unwrap();
    assert_eq!(document["outcome"], "verified", "{document:#}");
    let result = &document["result"];
    assert_eq!(result["verdict"]["label"], "inconclusive", "{result:#}");
    assert!(!result["coverage"].as_array().unwrap().is_empty());
}

/// Told at once: long before the next renewal, which would tell it too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_the_process_that_runs_the_job() {
    let slow = [("worker.lease_ms", "90000"), ("worker.renew_ms", "30000")];
    let mut scene = Scene::new(2, &slow).await;
    let job_id = scene.submit(&[Act::Sleep(60_000)]).await;
    scene.until(&job_id, JobState::Running).await;
    let request = v1::CancelJobRequest {
        job_id: job_id.clone(),
    };
    let asked = Instant::now();
    let job = scene.client.jobs.cancel_job(request).await.unwrap();
    assert_eq!(job.into_inner().state(), JobState::Cancelling);
    scene.until(&job_id, JobState::Cancelled).await;
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    let marks: Vec<Mark> = Journal::read(&scene.journal)
        .unwrap()
        .iter()
        .map(|entry| entry.mark)
        .collect();
    assert_eq!(marks, [Mark::Started, Mark::Cancelled]);
}

/// A worker that hears nothing learns of a cancel from the answer to its next renewal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_a_process_that_cannot_listen() {
    let plan = Plan::new(&e2e::programs().unwrap());
    let mut scene = Scene::over(plan, 1, &[]).await;
    let mut redis = scene.fleet.redis().unwrap().client().unwrap();
    let job_id = scene.submit(&[Act::Sleep(60_000)]).await;
    scene.until(&job_id, JobState::Running).await;
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let deafening = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(2)).is_err() {
            redis.run(&["CLIENT", "KILL", "TYPE", "PUBSUB"]).unwrap();
        }
    });
    let request = v1::CancelJobRequest {
        job_id: job_id.clone(),
    };
    let asked = Instant::now();
    scene.client.jobs.cancel_job(request).await.unwrap();
    scene.until(&job_id, JobState::Cancelled).await;
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    stop.send(()).unwrap();
    deafening.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_killed_worker_runs_again_soon_and_counts_as_a_crash() {
    let mut scene = Scene::new(2, &[]).await;
    let job_id = scene.submit(&[Act::Sleep(60_000)]).await;
    let worker = scene.worker_of(&job_id).await;
    let name = scene.name_of(&worker);
    scene.fleet.by_name(name).unwrap().kill().await.unwrap();
    let killed = Instant::now();
    while scene.started(&job_id) < 2 {
        assert!(
            killed.elapsed() < RUNS_AGAIN_WITHIN,
            "it does not run again"
        );
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    let job = scene.until(&job_id, JobState::Running).await;
    assert_eq!(counters(&job), (0, 1, 0));
    let other = scene.worker_of(&job_id).await;
    assert_ne!(other.id, worker.id);
    let listed = scene.admin.list_workers(v1::ListWorkersRequest {}).await;
    let workers = listed.unwrap().into_inner().workers;
    let dead: Vec<_> = workers.iter().filter(|known| !known.alive).collect();
    assert_eq!(dead.len(), 1, "{workers:?}");
    assert_eq!(dead[0].id, worker.id);
}

/// Workers are replaced one by one under load, with no time to end what they run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_every_worker_loses_nothing_and_spends_no_attempt() {
    let impatient = [("worker.concurrency", "4"), ("shutdown.drain_ms", "100")];
    let mut scene = Scene::new(2, &impatient).await;
    let mut job_ids = Vec::new();
    for _ in 0..60 {
        job_ids.push(scene.submit(&[Act::Progress, Act::Sleep(400)]).await);
    }
    for name in ["worker-1", "worker-2", "worker-1"] {
        let code = scene
            .fleet
            .by_name(name)
            .unwrap()
            .terminate()
            .await
            .unwrap();
        assert_eq!(code, Some(0), "{name}");
        scene.fleet.restart(name).await.unwrap();
    }
    let mut interruptions = 0;
    for job_id in &job_ids {
        let job = scene.until(job_id, JobState::Succeeded).await;
        let (errors, crashes, interrupted) = counters(&job);
        assert_eq!((errors, crashes), (0, 0), "{job:?}");
        interruptions += interrupted;
    }
    assert!(
        interruptions > 0,
        "none was interrupted, so nothing is proven"
    );
    let listed = scene.admin.list_workers(v1::ListWorkersRequest {}).await;
    let workers = listed.unwrap().into_inner().workers;
    assert_eq!(
        workers.len(),
        2,
        "whoever ends in order leaves: {workers:?}"
    );
    assert!(workers.iter().all(|worker| worker.alive));
}

/// What the server says of itself is what Redis is really set to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_is_what_redis_is_set_to() {
    use assay_test_support::redis::{Appendfsync, RedisOptions};
    for (sync, promised) in [
        (Appendfsync::Always, "survives a power cut"),
        (Appendfsync::EverySec, "may take the last second"),
    ] {
        let plan = Plan::new(&e2e::programs().unwrap()).redis(RedisOptions::new(sync));
        let mut scene = Scene::over(plan, 1, &[]).await;
        let request = client::request(&scene.content_id, "", &Script::default());
        let submitted = scene.client.jobs.submit_job(request).await.unwrap();
        let durability = submitted.into_inner().durability;
        assert!(durability.contains(promised), "{durability}");
        let info = scene
            .admin
            .get_server_info(v1::GetServerInfoRequest {})
            .await;
        let info = info.unwrap().into_inner();
        assert_eq!(
            (info.mode(), info.durability),
            (v1::ServerMode::Redis, durability)
        );
        let health = scene.admin.get_health(v1::GetHealthRequest {}).await;
        let health = health.unwrap().into_inner();
        assert_eq!(health.status(), v1::HealthStatus::Healthy, "{health:?}");
        let redis = scene.fleet.redis().unwrap().address();
        let url = format!("http://{}", scene.fleet.gateway());
        let doctor = Command::new(e2e::program("assay").unwrap())
            .args(["doctor", "--server", &url])
            .env("REDIS_HOST", redis.ip().to_string())
            .env("REDIS_PORT", redis.port().to_string())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(doctor.stdout).unwrap();
        for (line, words) in [("redis ", "will do"), ("server ", "(redis mode)")] {
            let found = said.lines().find(|told| told.contains(line));
            let found = found.unwrap_or_else(|| panic!("{line}: {said}"));
            assert!(found.starts_with("ok") && found.contains(words), "{found}");
            assert!(found.contains(promised), "{found}");
        }
    }
}

/// A picture without a trace of anything: one black pixel as a PNG.
fn picture(folder: &Path) -> PathBuf {
    const PNG: [u8; 67] = [
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
        0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a,
        0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60,
        0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0xe5, 0x27, 0xde, 0xfc, 0x00, 0x00, 0x00, 0x00, 0x49,
        0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    let file = folder.join("black.png");
    std::fs::write(&file, PNG).unwrap();
    file
}
