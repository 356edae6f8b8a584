//! Messages at the bound and one byte over it, in every form of a call.

use assay_api::v1 as pb;
use futures::{StreamExt, stream};
use prost::Message;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::{Fixture, detail, reason};

/// `gateway.message_bytes_max` as it is by default.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// The most that somebody without a token may say at once.
const STRANGER_BYTES_MAX: usize = 1024;

/// A message of exactly so many bytes, with a text of its own in it.
fn of_bytes<M: Message>(bytes: usize, make: impl Fn(String) -> M) -> M {
    let around = make("k".repeat(bytes)).encoded_len() - bytes;
    let message = make("k".repeat(bytes - around));
    assert_eq!(message.encoded_len(), bytes);
    message
}

fn check_refused(refused: &Status) {
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(reason(refused), "MESSAGE_TOO_LARGE");
    assert_eq!(detail(refused, "limit"), MESSAGE_BYTES_MAX.to_string());
    let bound = format!("{MESSAGE_BYTES_MAX} bytes");
    assert!(refused.message().contains(&bound), "{refused:?}");
}

#[tokio::test]
async fn a_call_says_why_its_message_is_refused() {
    let fixture = Fixture::new().await;
    let submit = |bytes| {
        let request = of_bytes(bytes, |request_id| pb::SubmitJobRequest {
            request_id,
            ..pb::SubmitJobRequest::default()
        });
        let mut jobs = fixture.jobs();
        async move { jobs.submit_job(request).await.unwrap_err() }
    };
    assert_eq!(reason(&submit(MESSAGE_BYTES_MAX).await), "INVALID_FIELD");
    check_refused(&submit(MESSAGE_BYTES_MAX + 1).await);
}

#[tokio::test]
async fn a_call_that_answers_with_a_stream_says_so_too() {
    let fixture = Fixture::new().await;
    let watch = |bytes| {
        let request = of_bytes(bytes, |job_id| pb::WatchJobRequest {
            job_id,
            ..pb::WatchJobRequest::default()
        });
        let mut jobs = fixture.jobs();
        async move { jobs.watch_job(request).await.map(drop).unwrap_err() }
    };
    assert_eq!(reason(&watch(MESSAGE_BYTES_MAX).await), "INVALID_FIELD");
    check_refused(&watch(MESSAGE_BYTES_MAX + 1).await);
}

#[tokio::test]
async fn an_upload_says_so_too() {
    let fixture = Fixture::new().await;
    let upload = |bytes| {
        let chunk = of_bytes(bytes, |chunk| pb::UploadContentRequest {
            part: Some(pb::upload_content_request::Part::Chunk(chunk.into())),
        });
        let mut contents = fixture.content();
        async move {
            let uploaded = contents.upload_content(stream::iter([chunk])).await;
            uploaded.unwrap_err()
        }
    };
    assert_eq!(
        reason(&upload(MESSAGE_BYTES_MAX).await),
        "UPLOAD_OUT_OF_ORDER"
    );
    check_refused(&upload(MESSAGE_BYTES_MAX + 1).await);
}

#[tokio::test]
async fn a_stream_of_submits_ends_with_it() {
    let fixture = Fixture::new().await;
    let requests = [MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1].map(|bytes| {
        of_bytes(bytes, |request_id| pb::SubmitJobsRequest {
            sequence: 1,
            request: Some(pb::SubmitJobRequest {
                request_id,
                ..pb::SubmitJobRequest::default()
            }),
        })
    });
    let answers = fixture.jobs().submit_jobs(stream::iter(requests)).await;
    let answers: Vec<_> = answers.unwrap().into_inner().collect().await;
    let [Ok(first), Err(end)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(first.results.len(), 1, "what has the bound's size was read");
    check_refused(end);
}

#[tokio::test]
async fn strangers_may_not_say_much() {
    let fixture = Fixture::new().await;
    let check = |bytes: usize| {
        let service = "s".repeat(bytes);
        let mut health = HealthClient::new(fixture.channel.clone());
        async move {
            health
                .check(HealthCheckRequest { service })
                .await
                .unwrap_err()
        }
    };
    // The name of a field, and a length of two bytes.
    let around = 3;
    let fits = check(STRANGER_BYTES_MAX - around).await;
    assert_eq!(fits.code(), Code::NotFound, "it was read");
    let refused = check(STRANGER_BYTES_MAX - around + 1).await;
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(reason(&refused), "MESSAGE_TOO_LARGE");
}
