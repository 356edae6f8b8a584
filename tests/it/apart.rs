//! Gateway, scheduler and workers as processes that share one Redis: what must hold between them.

mod full;
mod pausing;
mod scene;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assay_api::v1;
use assay_api::v1::JobState;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Plan;
use assay_test_support::redis::Database;
use scene::{LOOK_PERIOD, Scene, counters};
use tokio::process::Command;

/// A job of a dead worker runs again within this time.
const RUNS_AGAIN_WITHIN: Duration = Duration::from_secs(15);

/// An installation of redis mode, on the Redis of the run.
fn over_redis() -> Plan {
    Plan::new(&e2e::programs().unwrap()).database(Database::take())
}

/// One picture on its way through the three programs, with the parsing in children of the worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_gets_its_verdict_from_processes_that_run_apart() {
    gets_a_verdict(over_redis()).await;
}

async fn gets_a_verdict(plan: Plan) {
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
    is_cancelled(over_redis()).await;
}

async fn is_cancelled(plan: Plan) {
    let slow = [("worker.lease_ms", "90000"), ("worker.renew_ms", "30000")];
    let mut scene = Scene::new(plan, 2, &slow).await;
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
    let entries = scene.entries(&job_id).into_iter();
    let marks: Vec<Mark> = entries.map(|entry| entry.mark).collect();
    assert_eq!(marks, [Mark::Started, Mark::Cancelled]);
}

/// A worker that hears nothing learns of a cancel from the answer to its next renewal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_a_process_that_cannot_listen() {
    let plan = Plan::new(&e2e::programs().unwrap());
    let mut scene = Scene::new(plan, 1, &[]).await;
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
    let mut scene = Scene::new(over_redis(), 2, &[]).await;
    let job_id = scene.submit(&[Act::Sleep(60_000)]).await;
    let worker = scene.worker_of(&job_id).await;
    let name = scene.name_of(&worker);
    scene.fleet.by_name(name).unwrap().kill().await.unwrap();
    let killed = Instant::now();
    while scene.marked(&job_id, Mark::Started) < 2 {
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
    outlive_their_workers(over_redis()).await;
}

async fn outlive_their_workers(plan: Plan) {
    let impatient = [("worker.concurrency", "4"), ("shutdown.drain_ms", "100")];
    let mut scene = Scene::new(plan, 2, &impatient).await;
    // Runs for longer than a drain however slow the machine is, so that its worker interrupts it.
    let longest = scene.submit(&[Act::Progress, Act::Sleep(6_000)]).await;
    let mut job_ids = vec![longest.clone()];
    for _ in 0..60 {
        job_ids.push(scene.submit(&[Act::Progress, Act::Sleep(400)]).await);
    }
    let busy = scene.worker_of(&longest).await;
    let first = scene.name_of(&busy);
    let second = if first == "worker-1" {
        "worker-2"
    } else {
        "worker-1"
    };
    for name in [first, second, first] {
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
        let mut scene = Scene::new(plan, 1, &[]).await;
        let request = scene.request(&[]);
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
