//! What belongs to another tenant looks like what is not there, for every call.

use std::time::{Duration, Instant};

use assay_api::v1 as pb;
use assay_core::id::JobId;
use assay_core::retry::DeadLetterReason;
use assay_gateway::NewToken;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tonic::Status;

use super::calls::{methods, operations};
use super::{House, token, verification};
use crate::http::Answer;
use crate::worker::inline;

const EVERYTHING: &str = "read,submit,admin";
const CASES: u32 = 96;

/// A request that names one thing.
#[derive(Clone, PartialEq, prost::Message)]
struct Naming {
    #[prost(string, tag = "1")]
    id: String,
}

/// A call about one thing.
#[derive(Clone, Debug)]
enum Call {
    Grpc(String),
    Http(String),
    /// Submits a job over the content.
    Submit,
    SubmitOverHttp,
}

/// Calls about jobs, and calls about contents.
fn calls() -> (Vec<Call>, Vec<Call>) {
    let (mut of_jobs, mut of_contents) = (Vec::new(), vec![Call::Submit, Call::SubmitOverHttp]);
    for method in methods() {
        match method.names.as_deref() {
            Some("job_id") => of_jobs.push(Call::Grpc(method.path)),
            Some(_) => of_contents.push(Call::Grpc(method.path)),
            None => {}
        }
    }
    for operation in operations() {
        if operation.line.contains("/contents/{id}") {
            of_contents.push(Call::Http(operation.line));
        } else if operation.line.contains("{id}") {
            of_jobs.push(Call::Http(operation.line));
        }
    }
    (of_jobs, of_contents)
}

/// What a status says, but for the name of the thing.
fn told(status: &Status, id: &str) -> String {
    let details = String::from_utf8_lossy(status.details());
    let text = format!("{:?} {} {details:?}", status.code(), status.message());
    text.replace(id, "ID")
}

fn told_over_http(answer: &Answer, id: &str) -> String {
    let headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name != "date" && name != "idempotency-key")
        .collect();
    let body = String::from_utf8_lossy(&answer.body);
    format!("{} {headers:?} {body}", answer.status).replace(id, "ID")
}

impl House {
    /// Makes a call about `id`; answers all that is told, but for the name.
    async fn outcome(&self, call: &Call, token: &NewToken, id: &str) -> String {
        match call {
            Call::Grpc(path) => {
                let naming = Naming { id: id.to_owned() };
                match self.call::<_, ()>(path, Some(token), naming).await {
                    Ok(answers) => format!("{} answers", answers.len()),
                    Err(status) => told(&status, id),
                }
            }
            Call::Http(line) => {
                let answer = self.ask(&line.replace("{id}", id), Some(token), "").await;
                told_over_http(&answer, id)
            }
            Call::Submit => {
                let request = verification(id.to_owned(), "");
                match self.jobs(token).submit_job(request).await {
                    Ok(_) => "a job".to_owned(),
                    Err(status) => told(&status, id),
                }
            }
            Call::SubmitOverHttp => {
                let body = json!({"content": {"contentId": id}}).to_string();
                let answer = self.ask("POST /api/async/verify", Some(token), &body).await;
                told_over_http(&answer, id)
            }
        }
    }

    /// A job in each state that somebody could try to look at or to change.
    async fn jobs_in_all_states(&self, owner: &NewToken) -> Vec<String> {
        let succeeded = self.submit(owner, "succeeded").await;
        self.fixture.work().await.succeed(inline("{}")).await;
        let failed = self.submit(owner, "failed").await;
        self.fixture.work().await.fail().await;
        let dead = self.submit(owner, "dead").await;
        let work = self.fixture.work().await;
        work.die(DeadLetterReason::AttemptsExhausted).await;
        let running = self.submit(owner, "running").await;
        drop(self.fixture.work().await);
        let cancelled = self.submit(owner, "cancelled").await;
        let request = pb::CancelJobRequest {
            job_id: cancelled.clone(),
        };
        self.jobs(owner).cancel_job(request).await.unwrap();
        let queued = self.submit(owner, "queued").await;
        vec![succeeded, failed, dead, running, cancelled, queued]
    }

    /// What the owner sees of all jobs.
    async fn list(&self, token: &NewToken) -> Vec<pb::Job> {
        let mut jobs = self.jobs(token);
        let listed = jobs.list_jobs(pb::ListJobsRequest::default()).await;
        listed.unwrap().into_inner().jobs
    }
}

#[test]
fn the_calls_about_one_thing_are_found() {
    let (of_jobs, of_contents) = calls();
    assert!(of_jobs.len() >= 13 && of_contents.len() >= 6);
}

#[test]
fn another_tenants_id_looks_absent() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let (owner, visitor) = (token("acme", EVERYTHING), token("other", EVERYTHING));
    let house = runtime.block_on(House::of(&[&owner, &visitor]));
    let jobs = runtime.block_on(house.jobs_in_all_states(&owner));
    let content = runtime.block_on(house.upload(&owner));
    let before = runtime.block_on(house.list(&owner));
    assert_eq!(before.len(), jobs.len());

    let (of_jobs, of_contents) = calls();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let case = (
        any::<bool>(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<[u8; 32]>(),
    );
    let tried = TestRunner::new(config).run(&case, |(of_a_job, call, job, random)| {
        let (call, foreign, absent) = if of_a_job {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&random[..16]);
            let absent = JobId::from_bytes(bytes).to_string();
            (call.get(&of_jobs), job.get(&jobs), absent)
        } else {
            let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let absent = format!("sha256:{hex}");
            (call.get(&of_contents), &content, absent)
        };
        let foreign = runtime.block_on(house.outcome(call, &visitor, foreign));
        let absent = runtime.block_on(house.outcome(call, &visitor, &absent));
        prop_assert_eq!(foreign, absent, "{:?}", call);
        Ok(())
    });
    tried.unwrap();
    let after = runtime.block_on(house.list(&owner));
    assert_eq!(after, before, "the owner's jobs are as they were");
}

#[tokio::test]
async fn lists_hold_ones_own_and_request_ids_are_ones_own() {
    let (owner, visitor) = (token("acme", EVERYTHING), token("other", EVERYTHING));
    let house = House::of(&[&owner, &visitor]).await;
    house.jobs_in_all_states(&owner).await;
    assert_eq!(house.list(&visitor).await, []);
    for (line, list) in [
        ("GET /api/async/jobs", "jobs"),
        ("GET /api/async/dead-letters", "deadLetters"),
    ] {
        let page = house.ask(line, Some(&visitor), "").await.expect(200);
        assert_eq!(page[list], json!([]), "{line}");
    }
    let line = "POST /api/async/dead-letters/redrive";
    let redriven = house.ask(line, Some(&visitor), "{}").await.expect(200);
    assert_eq!(redriven["matched"], 0, "{redriven}");
    let before = house.list(&owner).await;
    for (line, body) in [
        ("POST /api/async/dead-letters/purge", r#"{"all": true}"#),
        ("POST /api/async/queues/content-verification/purge", "{}"),
    ] {
        let purged = house.ask(line, Some(&visitor), body).await.expect(200);
        assert_eq!(purged["matched"], 0, "{purged}");
    }
    assert_eq!(house.list(&owner).await, before);

    let own = house.submit(&visitor, "queued").await;
    let listed = house.list(&visitor).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, own);
    let theirs = house.submit(&owner, "queued").await;
    assert_ne!(theirs, own, "the same request id is another request");
}

/// What the store does differs, and the time that it takes.
#[tokio::test]
async fn how_long_a_cancel_takes_tells_nothing_of_another_tenants_job() {
    const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const LEAST: Duration = Duration::from_millis(50);
    let (owner, visitor) = (token("acme", EVERYTHING), token("other", EVERYTHING));
    let house = House::of(&[&owner, &visitor]).await;
    let foreign = house.submit(&owner, "order-1").await;
    for id in [foreign.as_str(), NOBODY, NOBODY] {
        let began = Instant::now();
        let line = format!("DELETE /api/async/jobs/{id}");
        let told = house.ask(&line, Some(&visitor), "").await;
        told.problem(404, "JOB_NOT_FOUND");
        assert!(began.elapsed() >= LEAST, "{id}: {:?}", began.elapsed());
    }
}
