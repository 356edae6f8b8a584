//! Clients that share no code with the server, as README.md shows them: Python, which makes its own gRPC from the proto
//! files, and `curl`.

use std::collections::BTreeSet;
use std::process::Output;

use assay_api::v1;
use assay_api::v1::JobState;
use assay_api::v1::submit_job_request::Payload;
use assay_bench::client::Client;
use assay_bench::server::Server;
use assay_test_support::clients;
use assay_test_support::wait::wait_until;
use e2e::Sandbox;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::readme;

/// What README.md calls the Python of its client.
const PYTHON: &str = "target/clients/bin/python";
/// Where README.md has the server serve HTTP/JSON.
const HTTP: &str = "127.0.0.1:7401";
/// What the server says before that place.
const HTTP_LINE: &str = "HTTP/JSON";
/// How `curl` is typed by somebody who wants to know whether it went well.
const CURL: &str = "curl --fail-with-body --silent --show-error --max-time 60 ";

/// So little time that no attempt can end well.
const TOO_LITTLE: &str = "0.001s";
/// So far ahead that a job will not run meanwhile.
const LATER_S: i64 = 3_600;

/// Lines that the Python client begins, in their order.
const STEPS: [&str; 8] = [
    "stored",
    "submitted",
    "event",
    "verdict",
    "cancelled",
    "refused",
    "dead",
    "redriven",
];

/// What README.md asks of the server with `curl`, and what the answers hold.
const ANSWERS: [(&str, &str); 10] = [
    ("--data-binary @photo.jpg", r#""contentId":"sha256:"#),
    ("/api/async/verify", r#""jobId":""#),
    ("/progress", r#""operationId":""#),
    ("/events", "event: snapshot\n"),
    ("/result", r#""verdict":{"#),
    ("-X DELETE", r#""state":"cancelled""#),
    ("/jobs?state=", r#""jobs":["#),
    (r#"{"dryRun": true}"#, r#""matched":1,"#),
    ("/DEAD_ID/redrive", r#""state":"queued""#),
    ("/health", r#""status":"healthy""#),
];

/// A server, and a folder with the files that README.md names.
struct Scene {
    folder: TempDir,
    sandbox: Sandbox,
    server: Server,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        readme::photos(folder.path());
        let sandbox = Sandbox::assay().unwrap();
        let server = sandbox.start().await.unwrap();
        Self {
            folder,
            sandbox,
            server,
        }
    }

    /// Types a line; it must go well.
    async fn type_line(&self, line: &str) -> String {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).current_dir(self.folder.path());
        let Output {
            status,
            stdout,
            stderr,
        } = shell.output().await.unwrap();
        let said = String::from_utf8(stdout).unwrap();
        let complaint = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{line}\n{said}{complaint}");
        said
    }

    /// Where HTTP/JSON is served.
    fn http(&self) -> String {
        let log = self.sandbox.log().unwrap();
        let line = log.lines().find(|line| line.contains(HTTP_LINE)).unwrap();
        let (_, place) = line.split_once("http://").unwrap();
        place.split('/').next().unwrap().to_owned()
    }

    /// Jobs that do not come about by themselves: one that waits for its time, and a dead letter.
    async fn jobs(&self) -> (String, String) {
        let mut client = Client::connect(self.server.gateway).await.unwrap();
        let content_id = client.upload(b"content").await.unwrap();
        let dead = submit(
            &mut client,
            v1::SubmitJobRequest {
                attempts_max: 1,
                attempt_timeout: TOO_LITTLE.parse().ok(),
                ..verification(&content_id)
            },
        )
        .await;
        let mut later = dead.create_time.unwrap();
        later.seconds += LATER_S;
        let waiting = submit(
            &mut client,
            v1::SubmitJobRequest {
                due_time: Some(later),
                ..verification(&content_id)
            },
        )
        .await;
        wait_until("a job is dead", || is_dead(client.clone(), dead.id.clone())).await;
        (waiting.id, dead.id)
    }
}

fn verification(content_id: &str) -> v1::SubmitJobRequest {
    let payload = v1::ContentVerification {
        content_id: content_id.to_owned(),
        ..v1::ContentVerification::default()
    };
    v1::SubmitJobRequest {
        payload: Some(Payload::ContentVerification(payload)),
        ..v1::SubmitJobRequest::default()
    }
}

async fn submit(client: &mut Client, request: v1::SubmitJobRequest) -> v1::Job {
    let submitted = client.jobs.submit_job(request).await.unwrap();
    submitted.into_inner().job.unwrap()
}

async fn is_dead(mut client: Client, job_id: String) -> bool {
    let request = v1::GetJobRequest { job_id };
    let job = client.jobs.get_job(request).await.unwrap().into_inner();
    job.state() == JobState::DeadLettered
}

/// A member of an answer that names something; empty if there is none.
fn named(answer: &str, member: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer[member].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_that_knows_only_the_proto_files_goes_all_the_way() {
    let scene = Scene::new().await;
    let lines = readme::commands();
    let line = lines.iter().find(|line| line.starts_with(PYTHON));
    let line = line.expect("README.md shows the Python client");
    let client = e2e::top().unwrap().join("tests/clients/client.py");
    let line = line
        .replace(PYTHON, &clients::python().unwrap().display().to_string())
        .replace("tests/clients/client.py", &client.display().to_string());
    let line = format!("{line} --server {}", scene.server.gateway);
    let said = scene.type_line(&line).await;
    let mut steps: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    // The events of the dead letter come before and after it is put back.
    let events = steps.iter().filter(|step| **step == "event").count();
    assert!(events > 3, "{said}");
    let mut seen = BTreeSet::new();
    steps.retain(|step| seen.insert(*step));
    assert_eq!(steps, STEPS, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_goes_all_the_way() {
    clients::curl().unwrap();
    let scene = Scene::new().await;
    let (waiting, dead) = scene.jobs().await;
    let (mut content_id, mut job_id) = (String::new(), String::new());
    let mut answers = Vec::new();
    let lines = readme::commands();
    for line in lines.iter().filter(|line| line.starts_with("curl ")) {
        // Only what has not ended can be stopped.
        let job = if line.contains("-X DELETE") {
            &waiting
        } else {
            &job_id
        };
        let typed = line
            .replacen("curl ", CURL, 1)
            .replace(HTTP, &scene.http())
            .replace("CONTENT_ID", &content_id)
            .replace("JOB_ID", job)
            .replace("DEAD_ID", &dead);
        let answer = scene.type_line(&typed).await;
        // What an answer names, the next lines ask for.
        if line.contains("--data-binary") {
            content_id = named(&answer, "contentId");
        } else if line.ends_with("/verify") {
            job_id = named(&answer, "jobId");
        }
        answers.push((line, answer));
    }
    for (part, holds) in ANSWERS {
        let (line, answer) = answers
            .iter()
            .find(|(line, _)| line.contains(part))
            .unwrap_or_else(|| panic!("README.md shows no curl with {part}"));
        assert!(answer.contains(holds), "{line}\n{answer}");
    }
}
