//! Going away politely.

use assay_api::v1 as pb;
use assay_service::shutdown::{Drained, Pace, Reason};
use assay_test_support::wait::wait_until;
use futures::{StreamExt, stream};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::{Fixture, reason};

const PACE: Pace = Pace {
    not_ready_ms: 0,
    drain_ms: 10_000,
    hand_back_ms: 1_000,
};

#[tokio::test]
async fn open_streams_hear_of_the_shutdown_and_the_server_ends_in_time() {
    let fixture = Fixture::new().await;
    let job_id = fixture.submit().await.id;
    let request = pb::WatchJobRequest {
        job_id,
        ..pb::WatchJobRequest::default()
    };
    let mut watch = fixture
        .jobs()
        .watch_job(request)
        .await
        .unwrap()
        .into_inner();
    assert!(watch.next().await.unwrap().is_ok());
    let submits = fixture.jobs().submit_jobs(stream::pending()).await;
    let mut submits = submits.unwrap().into_inner();

    let context = &fixture.context;
    context.shutdown.begin(Reason::Finished);
    let drain = context
        .shutdown
        .drain(PACE, &context.readiness, context.tasks.joined());
    let heard = async {
        let mut ends = Vec::new();
        while let Some(message) = watch.next().await {
            ends.extend(message.err());
        }
        while let Some(message) = submits.next().await {
            ends.extend(message.err());
        }
        ends
    };
    let (drained, ends) = tokio::join!(drain, heard);
    assert_eq!(drained, Drained::InTime);
    assert_eq!(ends.len(), 2);
    for end in ends {
        assert_eq!(
            (end.code(), reason(&end).as_str()),
            (Code::Unavailable, "SHUTTING_DOWN")
        );
    }
    let late = fixture.jobs().get_job(pb::GetJobRequest::default()).await;
    assert_eq!(late.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn probes_hear_that_it_no_longer_serves_before_the_intake_stops() {
    let fixture = Fixture::new().await;
    fixture.context.shutdown.begin(Reason::Finished);
    wait_until("the server is not serving", async || {
        let check = HealthCheckRequest::default();
        let checked = HealthClient::new(fixture.channel.clone())
            .check(check)
            .await;
        checked.unwrap().into_inner().status() == ServingStatus::NotServing
    })
    .await;
    let health = fixture.admin().get_health(pb::GetHealthRequest {}).await;
    assert_eq!(
        health.unwrap().into_inner().status(),
        pb::HealthStatus::Degraded
    );
    // New work may still come in.
    assert_eq!(fixture.submit().await.state(), pb::JobState::Queued);
}
