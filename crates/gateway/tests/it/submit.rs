//! One job in.

use std::collections::BTreeMap;

use assay_api::v1 as pb;
use assay_store::StoreConfig;
use pb::submit_job_request::Payload;
use tonic::Code;
use tonic_types::StatusExt;

use crate::fixture::{Fixture, detail, fields, reason};

#[tokio::test]
async fn a_job_is_recorded_and_queued() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    request.lane = pb::Lane::High.into();
    request.metadata.insert("case".to_owned(), "7".to_owned());
    let response = fixture
        .jobs()
        .submit_job(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!response.already_existed);
    assert!(response.durability.contains("power cut"));
    assert_eq!(response.carrier, "assay");
    let job = response.job.unwrap();
    assert_eq!(job.kind, "content-verification");
    assert_eq!(
        (job.state(), job.lane()),
        (pb::JobState::Queued, pb::Lane::High)
    );
    assert_eq!(job.metadata["case"], "7");
    assert_eq!(job.generation, 1);

    let get = pb::GetJobRequest {
        job_id: job.id.clone(),
    };
    assert_eq!(fixture.jobs().get_job(get).await.unwrap().into_inner(), job);
}

#[tokio::test]
async fn a_repeat_answers_the_same_job_and_another_request_is_refused() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    request.request_id = "order-1".to_owned();
    let first = fixture
        .jobs()
        .submit_job(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = fixture
        .jobs()
        .submit_job(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(again.already_existed);
    assert_eq!(again.carrier, "");
    let id = first.job.unwrap().id;
    assert_eq!(again.job.unwrap().id, id);

    request
        .metadata
        .insert("other".to_owned(), "payload".to_owned());
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    assert_eq!(detail(&refused, "job_id"), id);
}

#[tokio::test]
async fn a_due_time_in_the_past_runs_at_once_and_repeats() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    request.request_id = "order-1".to_owned();
    request.due_time = Some(prost_types::Timestamp {
        seconds: 1_000,
        nanos: 0,
    });
    for already_existed in [false, true] {
        let response = fixture
            .jobs()
            .submit_job(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(response.already_existed, already_existed);
        assert_eq!(response.job.unwrap().state(), pb::JobState::Queued);
    }
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let fixture = Fixture::new().await;
    let request = pb::SubmitJobRequest {
        request_id: "k".repeat(129),
        attempts_max: 101,
        ..pb::SubmitJobRequest::default()
    };
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(fields(&refused), ["request_id", "attempts_max", "payload"]);
}

#[tokio::test]
async fn content_must_be_there_first() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    let Some(Payload::ContentVerification(payload)) = &mut request.payload else {
        panic!("the request has a payload");
    };
    payload.content_id = format!("sha256:{}", "0".repeat(64));
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(reason(&refused), "CONTENT_NOT_FOUND");
}

#[tokio::test]
async fn a_kind_that_is_not_served_is_refused() {
    let settings = [("gateway.kinds", "batch")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let request = fixture.request().await;
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refused), "KIND_NOT_SERVED");
}

#[tokio::test]
async fn the_bound_on_unfinished_jobs_holds_at_n_and_n_plus_one() {
    let config = StoreConfig {
        queued_jobs_max: 2,
        ..StoreConfig::default()
    };
    let fixture = Fixture::with(&[], config).await;
    fixture.submit().await;
    fixture.submit().await;
    let request = fixture.request().await;
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "QUEUE_FULL");
    assert!(
        refused
            .get_details_retry_info()
            .unwrap()
            .retry_delay
            .is_some()
    );
}

#[tokio::test]
async fn a_closed_store_takes_nothing_and_says_when_to_try_again() {
    let fixture = Fixture::new().await;
    let request = fixture.request().await;
    let job_id = fixture.submit().await.id;
    fixture.store.close().await;
    let submit = fixture.jobs().submit_job(request).await.unwrap_err();
    assert_eq!(reason(&submit), "SHUTTING_DOWN");
    let cancel = pb::CancelJobRequest { job_id };
    let cancel = fixture.jobs().cancel_job(cancel).await.unwrap_err();
    assert_eq!(reason(&cancel), "STORE_UNAVAILABLE");
    for refused in [submit, cancel] {
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.get_details_retry_info().is_some());
    }
}

/// A status travels in headers, of which clients take some kilobytes.
#[tokio::test]
async fn whatever_is_wrong_the_refusal_reaches_its_client() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    let labels: BTreeMap<_, _> = (0..32)
        .map(|number| (format!("{number:0>64}"), "v".repeat(257)))
        .collect();
    request.metadata = labels.clone();
    let Some(Payload::ContentVerification(payload)) = &mut request.payload else {
        panic!("{request:?}")
    };
    payload.options = labels;
    let refused = fixture.jobs().submit_job(request).await.unwrap_err();
    assert!(fields(&refused).len() > 3, "{refused:?}");
    assert!(refused.message().contains("more"), "{refused:?}");

    let kind = "k".repeat(100_000);
    let pause = pb::PauseQueueRequest { kind };
    let refused = fixture.admin().pause_queue(pause).await.unwrap_err();
    assert_eq!(fields(&refused), ["kind"]);
}
