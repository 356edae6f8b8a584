//! The services of redis mode as processes, on the Redis of the run and on one of their own.

use assay_api::v1;
use assay_api::v1::JobState;
use assay_bench::client::{self, Client};
use assay_probe::{Act, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::redis::Database;
use assay_test_support::wait::wait_for;

fn plan() -> Plan {
    Plan::new(&e2e::programs().unwrap()).workers("probe-worker", 2)
}

async fn submit(fleet: &Fleet) -> String {
    let mut client = Client::connect(fleet.gateway()).await.unwrap();
    let content_id = client.upload(b"content").await.unwrap();
    let request = client::request(&content_id, "", &Script(vec![Act::Progress]));
    let submitted = client.jobs.submit_job(request).await.unwrap();
    submitted.into_inner().job.unwrap().id
}

async fn state(fleet: &Fleet, job_id: &str) -> JobState {
    let mut client = Client::connect(fleet.gateway()).await.unwrap();
    let request = v1::GetJobRequest {
        job_id: job_id.to_owned(),
    };
    let job = client.jobs.get_job(request).await.unwrap();
    job.into_inner().state()
}

async fn succeeds(fleet: &Fleet, job_id: &str) {
    wait_for("the job has succeeded", || async {
        (state(fleet, job_id).await == JobState::Succeeded).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_come_back_by_name_where_they_were() {
    let mut fleet = plan().database(Database::take()).start().await.unwrap();
    let job_id = submit(&fleet).await;
    succeeds(&fleet, &job_id).await;
    let address = fleet.gateway();
    for name in ["gateway", "scheduler-1", "worker-1", "worker-2"] {
        let pid = fleet.by_name(name).unwrap().pid();
        fleet.by_name(name).unwrap().kill().await.unwrap();
        fleet.restart(name).await.unwrap();
        assert_ne!(fleet.by_name(name).unwrap().pid(), pid);
    }
    assert_eq!(fleet.gateway(), address);
    assert_eq!(state(&fleet, &job_id).await, JobState::Succeeded);
    let job_id = submit(&fleet).await;
    succeeds(&fleet, &job_id).await;
    let error = fleet.by_name("worker-3").unwrap_err().to_string();
    assert_eq!(
        error,
        "the fleet has no worker-3, but gateway, scheduler-1, worker-1, worker-2"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_ends_in_order_when_asked() {
    let plan = plan().schedulers(2).database(Database::take());
    let mut fleet = plan.start().await.unwrap();
    let job_id = submit(&fleet).await;
    succeeds(&fleet, &job_id).await;
    for (name, code) in fleet.terminate().await.unwrap() {
        assert_eq!(code, Some(0), "{name}");
    }
    fleet.start_all().await.unwrap();
    assert_eq!(state(&fleet, &job_id).await, JobState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_outlive_their_redis() {
    let mut fleet = plan().start().await.unwrap();
    let job_id = submit(&fleet).await;
    succeeds(&fleet, &job_id).await;
    let redis = fleet.redis().unwrap();
    redis.kill().await.unwrap();
    redis.restart().await.unwrap();
    fleet.ready().await.unwrap();
    assert_eq!(state(&fleet, &job_id).await, JobState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_setting_is_told_with_the_words_of_the_service() {
    let plan = plan().database(Database::take());
    let plan = plan.set(Role::Worker, "worker.concurency", "1");
    let error = plan.start().await.unwrap_err().to_string();
    assert!(error.starts_with("probe-worker ended with"), "{error}");
    assert!(error.contains("worker.concurrency"), "{error}");
}
