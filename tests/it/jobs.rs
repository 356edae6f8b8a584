//! What can happen to a job, through the front door.

use std::time::Duration;

use assay_api::v1;
use assay_api::v1::JobState;
use assay_api::v1::watch_job_response::Message;
use assay_bench::client::{self, Client};
use assay_bench::server::Server;
use assay_probe::{Act, Script};
use e2e::Sandbox;
use tokio_stream::StreamExt;

/// How long a job of these tests may take to its end.
const END_WITHIN: Duration = Duration::from_secs(60);

/// The crash that makes a dead letter of a job.
const CRASHES_MAX: u32 = 3;

/// What a job does before it takes its server with it: long enough for the answer to its submit to get out.
const ANSWERED_FIRST: Act = Act::Sleep(500);

/// Watches a job until the server says that it ended; `None` if the server dies first.
async fn watch_to_end(client: &mut Client, job_id: &str) -> Option<()> {
    let request = v1::WatchJobRequest {
        job_id: job_id.to_owned(),
        ..v1::WatchJobRequest::default()
    };
    let mut stream = client.jobs.watch_job(request).await.ok()?.into_inner();
    while let Some(message) = stream.next().await {
        message.ok()?;
    }
    Some(())
}

/// Watches a job and asks again: a server that dies may end a stream like one that is done.
async fn has_ended(client: &mut Client, job_id: &str) -> bool {
    let watched = watch_to_end(client, job_id).await;
    let request = v1::GetJobRequest {
        job_id: job_id.to_owned(),
    };
    let job = client.jobs.get_job(request).await;
    watched.is_some() && job.is_ok_and(|job| job.into_inner().finish_time.is_some())
}

/// A server, a client of it, and a content that jobs can name.
struct Scene {
    sandbox: Sandbox,
    server: Server,
    client: Client,
    content_id: String,
}

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::probe().unwrap();
        let server = sandbox.start().await.unwrap();
        let mut client = Client::connect(server.gateway).await.unwrap();
        let content_id = client.upload(b"content").await.unwrap();
        Self {
            sandbox,
            server,
            client,
            content_id,
        }
    }

    fn request(&self, acts: &[Act]) -> v1::SubmitJobRequest {
        client::request(&self.content_id, "", &Script(acts.to_vec()))
    }

    async fn submit(&mut self, request: v1::SubmitJobRequest) -> String {
        let submitted = self.client.jobs.submit_job(request).await.unwrap();
        submitted.into_inner().job.unwrap().id
    }

    async fn get(&mut self, job_id: &str) -> v1::Job {
        let request = v1::GetJobRequest {
            job_id: job_id.to_owned(),
        };
        self.client
            .jobs
            .get_job(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Watches a job until it is in `state`; every job of these tests gets there or ends elsewhere.
    async fn wait_for(&mut self, job_id: &str, state: JobState) {
        let request = v1::WatchJobRequest {
            job_id: job_id.to_owned(),
            ..v1::WatchJobRequest::default()
        };
        let mut stream = self
            .client
            .jobs
            .watch_job(request)
            .await
            .unwrap()
            .into_inner();
        let watching = async {
            while let Some(message) = stream.next().await {
                let seen = match message.unwrap().message.unwrap() {
                    Message::Event(event) => event.state(),
                    Message::Snapshot(snapshot) => snapshot.job.unwrap().state(),
                };
                if seen == state {
                    return;
                }
            }
            panic!("job {job_id} ended without being {state:?}");
        };
        tokio::time::timeout(END_WITHIN, watching).await.unwrap();
    }

    async fn end_of(&mut self, job_id: &str) -> v1::Job {
        let watching = watch_to_end(&mut self.client, job_id);
        tokio::time::timeout(END_WITHIN, watching)
            .await
            .unwrap()
            .expect("a server that lives on");
        self.get(job_id).await
    }

    async fn run(&mut self, acts: &[Act]) -> v1::Job {
        let job_id = self.submit(self.request(acts)).await;
        self.end_of(&job_id).await
    }

    async fn result_of(&mut self, job_id: &str) -> serde_json::Value {
        let request = v1::GetJobResultRequest {
            job_id: job_id.to_owned(),
        };
        let answer = self
            .client
            .jobs
            .get_job_result(request)
            .await
            .unwrap()
            .into_inner();
        serde_json::from_slice(&answer.json).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_succeeds_at_once_or_after_a_retry() {
    let mut scene = Scene::new().await;
    let job = scene.run(&[Act::Progress]).await;
    assert_eq!((job.state(), job.attempt), (JobState::Succeeded, 1));
    let job = scene.run(&[Act::Fail(1), Act::Result(70_000)]).await;
    assert_eq!(
        (job.state(), job.attempt, job.generation),
        (JobState::Succeeded, 2, 3),
        "retry, then due"
    );
    assert_eq!(job.counters.unwrap().errors, 1);
    let result = scene.result_of(&job.id).await;
    assert_eq!(
        result["filling"].as_str().unwrap().len(),
        70_000,
        "a large result comes back whole"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_does_wrong_is_told_and_bounded() {
    let mut scene = Scene::new().await;
    let job = scene.run(&[Act::FailForGood]).await;
    assert_eq!((job.state(), job.attempt), (JobState::Failed, 1));
    assert_eq!(job.failure.unwrap().code, "scripted");

    let mut request = scene.request(&[Act::Panic(9)]);
    request.attempts_max = 2;
    let job_id = scene.submit(request).await;
    let job = scene.end_of(&job_id).await;
    assert_eq!((job.state(), job.attempt), (JobState::DeadLettered, 2));
    assert_eq!(
        job.dead_letter_reason(),
        v1::DeadLetterReason::AttemptsExhausted
    );

    let mut request = scene.request(&[Act::Sleep(60_000)]);
    request.attempts_max = 1;
    request.attempt_timeout = Some("0.2s".parse().unwrap());
    let job_id = scene.submit(request).await;
    let job = scene.end_of(&job_id).await;
    assert_eq!(job.state(), JobState::DeadLettered);
    assert_eq!(job.failure.unwrap().class(), v1::FailureClass::TimedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_put_back_by_hand_starts_anew() {
    let mut scene = Scene::new().await;
    let mut request = scene.request(&[Act::Fail(1)]);
    request.attempts_max = 1;
    let job_id = scene.submit(request).await;
    let dead = scene.end_of(&job_id).await;
    assert_eq!(dead.state(), JobState::DeadLettered);
    let again = v1::RetryJobRequest {
        job_id: job_id.clone(),
    };
    let queued = scene
        .client
        .jobs
        .retry_job(again.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(queued.generation > dead.generation);
    // Attempts are counted from the redrive on, so the script fails its first attempt again.
    let dead_again = scene.end_of(&job_id).await;
    assert_eq!(
        (dead_again.state(), dead_again.attempt),
        (JobState::DeadLettered, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_a_handler_and_one_that_will_not_hear() {
    let mut scene = Scene::new()
        .await
        .with("worker.cancel_grace_ms", "200")
        .await;
    for act in [Act::Sleep(60_000), Act::IgnoreCancel(60_000)] {
        let job_id = scene.submit(scene.request(&[act])).await;
        scene.wait_for(&job_id, JobState::Running).await;
        let cancel = v1::CancelJobRequest {
            job_id: job_id.clone(),
        };
        let asked = scene
            .client
            .jobs
            .cancel_job(cancel.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(matches!(
            asked.state(),
            JobState::Cancelling | JobState::Cancelled
        ));
        let ended = scene.end_of(&job_id).await;
        assert_eq!(ended.state(), JobState::Cancelled, "{act:?}");
        let repeated = scene
            .client
            .jobs
            .cancel_job(cancel)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            repeated.event_id, ended.event_id,
            "cancelling an ended job changes nothing"
        );
    }
}

impl Scene {
    /// The same scene after a restart with a setting.
    async fn with(self, key: &str, value: &str) -> Self {
        let sandbox = self.sandbox.set(key, value);
        // Waited for: the folder is the old server's until it is gone.
        self.server.kill().await.unwrap();
        let server = sandbox.start().await.unwrap();
        let client = Client::connect(server.gateway).await.unwrap();
        Self {
            sandbox,
            server,
            client,
            content_id: self.content_id,
        }
    }

    /// The same scene with a new server.
    async fn started_again(self) -> Self {
        let server = self.sandbox.start().await.unwrap();
        let client = Client::connect(server.gateway).await.unwrap();
        Self {
            sandbox: self.sandbox,
            server,
            client,
            content_id: self.content_id,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_survives_the_death_of_its_worker_with_its_checkpoint() {
    let mut scene = Scene::new().await;
    let job_id = scene
        .submit(scene.request(&[Act::Checkpoint, ANSWERED_FIRST, Act::Abort(1)]))
        .await;
    scene.server.ended().await.unwrap();
    let mut scene = scene.started_again().await;
    let job = scene.end_of(&job_id).await;
    assert_eq!((job.state(), job.attempt), (JobState::Succeeded, 2));
    assert_eq!(job.counters.unwrap().crashes, 1);
    assert_eq!(
        scene.result_of(&job_id).await["checkpoint"],
        "1",
        "the first attempt left its number"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_its_workers_is_kept_apart() {
    let mut scene = Scene::new().await;
    let killer = scene
        .submit(scene.request(&[ANSWERED_FIRST, Act::Abort(9)]))
        .await;
    scene.server.ended().await.unwrap();
    let Scene {
        sandbox,
        content_id,
        ..
    } = scene;
    // Each start but the last dies of the job by itself, before it is ready or soon after.
    let mut ended = None;
    for _ in 0..CRASHES_MAX * 2 {
        let Ok(mut server) = sandbox.start().await else {
            continue;
        };
        if let Ok(mut client) = Client::connect(server.gateway).await
            && has_ended(&mut client, &killer).await
        {
            ended = Some((server, client));
            break;
        }
        server.ended().await.unwrap();
    }
    let (server, client) = ended.expect("a server that lives on");
    let mut scene = Scene {
        sandbox,
        server,
        client,
        content_id,
    };
    let job = scene.get(&killer).await;
    assert_eq!(job.state(), JobState::DeadLettered);
    assert_eq!(job.dead_letter_reason(), v1::DeadLetterReason::CrashLoop);
    assert_eq!(job.counters.unwrap().crashes, CRASHES_MAX);
    assert_eq!(
        scene.run(&[Act::Progress]).await.state(),
        JobState::Succeeded,
        "others run on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_is_one_job_and_a_due_time_is_kept() {
    let mut scene = Scene::new().await;
    let request = client::request(&scene.content_id, "once", &Script::default());
    let first = scene.submit(request.clone()).await;
    assert_eq!(scene.submit(request).await, first);
    let other = client::request(&scene.content_id, "once", &Script(vec![Act::Progress]));
    let refused = scene.client.jobs.submit_job(other).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::AlreadyExists);

    let mut later = scene.request(&[]);
    let due = std::time::SystemTime::UNIX_EPOCH
        + Duration::from_micros(assay_probe::journal::now_us() + 700_000);
    later.due_time = Some(due.into());
    let job_id = scene.submit(later).await;
    let job = scene.end_of(&job_id).await;
    let started = std::time::SystemTime::try_from(job.start_time.unwrap()).unwrap();
    assert!(
        started + Duration::from_millis(1) >= due,
        "not before it is due"
    );
    assert!(started < due + Duration::from_secs(5), "and not long after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_hands_running_jobs_back_without_spending_an_attempt() {
    let mut scene = Scene::new().await.with("shutdown.drain_ms", "100").await;
    let job_id = scene.submit(scene.request(&[Act::Sleep(1_500)])).await;
    scene.wait_for(&job_id, JobState::Running).await;
    let Scene {
        sandbox,
        server,
        content_id,
        ..
    } = scene;
    let code = server.terminate().await.unwrap();
    assert_eq!(code, Some(0), "{}", sandbox.log().unwrap());
    let server = sandbox.start().await.unwrap();
    let client = Client::connect(server.gateway).await.unwrap();
    let mut scene = Scene {
        sandbox,
        server,
        client,
        content_id,
    };
    let job = scene.end_of(&job_id).await;
    assert_eq!(job.state(), JobState::Succeeded);
    let counters = job.counters.unwrap();
    assert_eq!((counters.errors, counters.crashes), (0, 0));
}
