//! Submits whose outcome is not simply "recorded and queued".

use std::sync::Arc;

use assay_api::v1 as pb;
use assay_core::kind::JobKind;
use assay_core::port::JobQueue;
use assay_store::StoreConfig;
use futures::{StreamExt, stream};
use pb::submit_jobs_result::Outcome;
use prost::Message;
use tonic::Code;

use crate::fixture::{Fixture, detail, reason};
use crate::scripted::{Script, ScriptedStore};

async fn fixture(script: Script) -> Fixture {
    fixture_with(&[], script).await
}

async fn fixture_with(settings: &[(&str, &str)], script: Script) -> Fixture {
    let wrap = |inner| {
        Arc::new(ScriptedStore {
            script,
            inner,
            noted: Arc::default(),
        }) as _
    };
    Fixture::over(settings, StoreConfig::default(), wrap).await
}

async fn keyed(fixture: &Fixture) -> pb::SubmitJobRequest {
    pb::SubmitJobRequest {
        request_id: "order-1".to_owned(),
        ..fixture.request().await
    }
}

/// Envelopes that wait. The embedded store hands each job out too, by itself.
async fn waiting(fixture: &Fixture) -> u64 {
    let lanes = fixture
        .queue
        .depth(JobKind::ContentVerification)
        .await
        .unwrap();
    lanes.iter().map(|lane| lane.ready).sum()
}

#[tokio::test]
async fn what_must_be_published_is_and_a_repeat_publishes_again() {
    let fixture = fixture(Script::Publish).await;
    let request = keyed(&fixture).await;
    let first = fixture
        .jobs()
        .submit_job(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(!first.already_existed);
    assert_eq!(waiting(&fixture).await, 2);
    let again = fixture
        .jobs()
        .submit_job(request)
        .await
        .unwrap()
        .into_inner();
    assert!(again.already_existed);
    assert_eq!(again.job.unwrap().id, first.job.unwrap().id);
    assert_eq!(waiting(&fixture).await, 3);
}

#[tokio::test]
async fn a_queue_that_takes_nothing_leaves_the_outcome_open() {
    let fixture = fixture(Script::PublishElsewhere).await;
    let request = keyed(&fixture).await;
    fixture.queue.close();
    let open = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(
        (open.code(), reason(&open).as_str()),
        (Code::Unknown, "OUTCOME_UNKNOWN")
    );
    let job_id = detail(&open, "job_id");
    let get = pb::GetJobRequest { job_id };
    assert!(
        fixture.jobs().get_job(get).await.is_ok(),
        "it is recorded all the same"
    );
}

#[tokio::test]
async fn a_lost_answer_names_the_job_and_a_repeat_finds_it() {
    let fixture = fixture(Script::LoseAnswer).await;
    let request = keyed(&fixture).await;
    let open = fixture
        .jobs()
        .submit_job(request.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (open.code(), reason(&open).as_str()),
        (Code::Unknown, "OUTCOME_UNKNOWN")
    );
    let again = fixture
        .jobs()
        .submit_job(request)
        .await
        .unwrap()
        .into_inner();
    assert!(again.already_existed);
    assert_eq!(again.job.unwrap().id, detail(&open, "job_id"));
}

#[tokio::test]
async fn a_full_disk_refuses_and_says_when_to_try_again() {
    let fixture = fixture(Script::DiskFull).await;
    let request = keyed(&fixture).await;
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "STORE_FULL")
    );
}

#[tokio::test]
async fn what_is_being_recorded_takes_no_more_memory_than_the_bound() {
    const BOUND: usize = 512 * 1024;
    let settings = [("gateway.submit_bytes_max", "524288")];
    let fixture = fixture_with(&settings, Script::Hang).await;
    let mut request = fixture.request().await;
    let label = |number| (format!("{number:064}"), "v".repeat(256));
    request.metadata = (0..32).map(label).collect();
    let fits = BOUND / request.encoded_len();
    let sent = (fits + 2) as u64;
    let requests = (0..sent).map(move |sequence| pb::SubmitJobsRequest {
        sequence,
        request: Some(request.clone()),
    });
    let requests = stream::iter(requests).chain(stream::pending());
    let answers = fixture.jobs().submit_jobs(requests).await;
    let mut answers = answers.unwrap().into_inner();
    let mut refused = Vec::new();
    while refused.len() < 2 {
        for result in answers.next().await.unwrap().unwrap().results {
            let Some(Outcome::Error(error)) = result.outcome else {
                panic!("the store answers nothing");
            };
            assert_eq!(error.reason, "SERVER_BUSY");
            assert!(error.retry_after.is_some());
            refused.push(result.sequence);
        }
    }
    assert_eq!(refused, [sent - 2, sent - 1], "those before fit");
}
