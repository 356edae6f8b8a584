//! The same with RabbitMQ between the processes, and what only that can do.

use std::time::{Duration, Instant, SystemTime};

use assay_api::v1;
use assay_api::v1::JobState;
use assay_probe::{Act, Mark, journal};
use assay_test_support::admin;
use assay_test_support::fleet::Plan;
use assay_test_support::rabbit::{Prefix, RabbitOptions};
use assay_test_support::redis::Database;
use assay_test_support::wait::wait_until;
use tokio::process::Command;
use tonic::Code;

use super::scene::{LOOK_PERIOD, Scene, counters};
use super::{gets_a_verdict, is_cancelled, outlive_their_workers, over_redis};

/// How far ahead a job is due: through two of the broker's queues of fixed delay.
const DELAY: Duration = Duration::from_millis(2_500);
/// A job that is due runs within this time.
const DUE_WITHIN: Duration = Duration::from_secs(5);
/// Jobs that wait when the broker goes: more than a worker that runs one at a time has in hand.
const WAITING: usize = 8;
/// Leases of a test that waits for one to lapse.
const SHORT_LEASES: [(&str, &str); 2] = [("worker.lease_ms", "1500"), ("worker.renew_ms", "400")];

/// An installation of full mode, on the Redis and the RabbitMQ of the run.
fn over_rabbit() -> Plan {
    over_redis().full(Prefix::take())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_gets_its_verdict_over_rabbitmq() {
    gets_a_verdict(over_rabbit()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_the_process_that_runs_the_job_over_rabbitmq() {
    is_cancelled(over_rabbit()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_every_worker_spends_no_attempt_over_rabbitmq() {
    outlive_their_workers(over_rabbit()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delayed_jobs_and_retries_come_when_they_are_due() {
    let mut scene = Scene::new(over_rabbit(), 1, &[]).await;
    let due = Duration::from_micros(journal::now_us()) + DELAY;
    let request = v1::SubmitJobRequest {
        due_time: Some((SystemTime::UNIX_EPOCH + due).into()),
        ..scene.request(&[Act::Progress])
    };
    let submitted = scene.client.jobs.submit_job(request).await.unwrap();
    let delayed = submitted.into_inner().job.unwrap();
    assert_eq!(delayed.state(), JobState::Scheduled);
    let retried = scene.submit(&[Act::Fail(2)]).await;

    let job = scene.until(&retried, JobState::Succeeded).await;
    assert_eq!(counters(&job), (2, 0, 0));
    assert_eq!(scene.marked(&retried, Mark::Started), 3);

    let job = scene.until(&delayed.id, JobState::Succeeded).await;
    assert_eq!(counters(&job), (0, 0, 0));
    let started = Duration::from_micros(scene.entries(&delayed.id)[0].at_us);
    let late = started.checked_sub(due);
    let late = late.expect("it ran before it was due");
    assert!(late < DUE_WITHIN, "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_jobs_back_that_are_on_the_broker() {
    let mut scene = Scene::new(over_rabbit(), 1, &[]).await;
    scene.pause().await;
    scene.until_it_looked().await;
    let job_id = scene.submit(&[Act::Progress]).await;
    scene.until_it_looked().await;
    assert_eq!(scene.get(&job_id).await.state(), JobState::Queued);
    assert_eq!(scene.waiting().await, 1);
    scene.resume().await;
    scene.until(&job_id, JobState::Succeeded).await;
    assert_eq!(scene.marked(&job_id, Mark::Started), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_killed_worker_runs_again_and_ends_once() {
    let mut scene = Scene::new(over_rabbit(), 2, &SHORT_LEASES).await;
    let job_id = scene.submit(&[Act::Sleep(2_000), Act::Progress]).await;
    let worker = scene.worker_of(&job_id).await;
    let name = scene.name_of(&worker);
    scene.fleet.by_name(name).unwrap().kill().await.unwrap();
    let job = scene.until(&job_id, JobState::Succeeded).await;
    let (errors, crashes, interruptions) = counters(&job);
    assert_eq!((errors, crashes + interruptions), (0, 1), "{job:?}");
    let marks = scene.entries(&job_id).into_iter().map(|entry| entry.mark);
    let marks: Vec<Mark> = marks.collect();
    assert_eq!(marks, [Mark::Started, Mark::Started, Mark::Finished]);
}

/// Whether a submit is refused because of the queue. One that was under way when the broker went is told nothing.
async fn is_refused(scene: &mut Scene) -> bool {
    let request = scene.request(&[Act::Progress]);
    match scene.client.jobs.submit_job(request).await {
        Ok(_) => false,
        Err(status) => {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            status.message().contains("the queue takes no jobs")
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_broker_an_installation_answers_and_then_goes_on_by_itself() {
    let plan = over_redis().full(RabbitOptions::new());
    let mut scene = Scene::new(plan, 1, &[("worker.concurrency", "1")]).await;
    let runs = scene.submit(&[Act::Sleep(4_000)]).await;
    scene.until(&runs, JobState::Running).await;
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        waiting.push(scene.submit(&[Act::Progress]).await);
    }
    scene.fleet.rabbit().unwrap().stop().await.unwrap();

    let gone = Instant::now();
    while !is_refused(&mut scene).await {
        assert!(gone.elapsed() < DUE_WITHIN, "submits are not refused");
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    // Queries are answered, what runs ends, and only who lacks the broker says so.
    scene.until(&runs, JobState::Succeeded).await;
    let last = waiting.last().unwrap();
    assert_eq!(scene.get(last).await.state(), JobState::Queued);
    let ready = |scene: &mut Scene, name| {
        let process = scene.fleet.by_name(name).unwrap();
        admin::is_ready(process.admin())
    };
    assert!(ready(&mut scene, "gateway"));
    wait_until("the worker is not ready", || {
        let ready = ready(&mut scene, "worker-1");
        async move { !ready }
    })
    .await;

    scene.fleet.rabbit().unwrap().restart().await.unwrap();
    scene.fleet.ready().await.unwrap();
    waiting.push(scene.submit(&[Act::Progress]).await);
    for job_id in waiting.iter().chain([&runs]) {
        scene.until(job_id, JobState::Succeeded).await;
        assert_eq!(scene.marked(job_id, Mark::Started), 1);
    }
}

/// What the installation says of itself, and what a person is told who asks beforehand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_is_what_both_servers_keep() {
    let (database, prefix) = (Database::take(), Prefix::take());
    let plan = Plan::new(&e2e::programs().unwrap()).database(database);
    let mut scene = Scene::new(plan.full(prefix.clone()), 1, &[]).await;
    let request = scene.request(&[]);
    let submitted = scene.client.jobs.submit_job(request).await.unwrap();
    let durability = submitted.into_inner().durability;
    assert!(
        durability.contains("confirmed by the broker"),
        "{durability}"
    );
    let info = v1::GetServerInfoRequest {};
    let info = scene.admin.get_server_info(info).await.unwrap();
    assert_eq!(info.into_inner().mode(), v1::ServerMode::Full);

    let doctor = Command::new(e2e::program("assay").unwrap())
        .args(["doctor", "--server"])
        .arg(format!("http://{}", scene.fleet.gateway()))
        .env("REDIS_HOST", database.address.ip().to_string())
        .env("REDIS_PORT", database.address.port().to_string())
        .env("REDIS_DB", database.number.to_string())
        .env("RABBITMQ_URL", &prefix.url)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    let (login, host) = prefix.url.rsplit_once('@').unwrap();
    assert!(!said.contains(login), "{said}");
    let rabbit = format!("{host}/ is RabbitMQ ");
    for (line, words) in [
        ("ok    redis ", durability.as_str()),
        ("ok    rabbitmq ", rabbit.as_str()),
        ("ok    server ", "(full mode)"),
    ] {
        let found = said.lines().find(|told| told.starts_with(line));
        let found = found.unwrap_or_else(|| panic!("{line}: {said}"));
        assert!(found.contains(words), "{found}");
    }
}
