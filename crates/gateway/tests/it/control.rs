//! What people do to jobs by hand.

use assay_api::v1 as pb;
use tonic::{Code, Status};

use crate::fixture::{Fixture, fields, reason};
use crate::worker::inline;

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn cancel(fixture: &Fixture, job_id: &str) -> Result<pb::Job, Status> {
    let job_id = job_id.to_owned();
    let cancelled = fixture
        .jobs()
        .cancel_job(pb::CancelJobRequest { job_id })
        .await;
    cancelled.map(tonic::Response::into_inner)
}

async fn retry(fixture: &Fixture, job_id: &str) -> Result<pb::Job, Status> {
    let job_id = job_id.to_owned();
    let retried = fixture
        .jobs()
        .retry_job(pb::RetryJobRequest { job_id })
        .await;
    retried.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_and_a_repeat_is_no_error() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    let cancelled = cancel(&fixture, &job.id).await.unwrap();
    assert_eq!(cancelled.state(), pb::JobState::Cancelled);
    assert_eq!(cancel(&fixture, &job.id).await.unwrap(), cancelled);
}

#[tokio::test]
async fn a_running_job_is_cancelling_until_its_worker_confirms() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    let work = fixture.work().await;
    assert_eq!(
        cancel(&fixture, &job.id).await.unwrap().state(),
        pb::JobState::Cancelling
    );
    drop(work);
}

#[tokio::test]
async fn cancel_of_a_finished_job_answers_it_unchanged() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    fixture.work().await.succeed(inline("{}")).await;
    let get = pb::GetJobRequest {
        job_id: job.id.clone(),
    };
    let finished = fixture.jobs().get_job(get).await.unwrap().into_inner();
    assert_eq!(finished.state(), pb::JobState::Succeeded);
    assert_eq!(cancel(&fixture, &job.id).await.unwrap(), finished);
}

#[tokio::test]
async fn a_failed_job_is_put_back_and_a_succeeded_one_is_not() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    fixture.work().await.fail().await;
    let retried = retry(&fixture, &job.id).await.unwrap();
    assert_eq!(
        (retried.state(), retried.generation),
        (pb::JobState::Queued, 2)
    );

    fixture.work().await.succeed(inline("{}")).await;
    let refused = retry(&fixture, &job.id).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refused), "JOB_NOT_RETRYABLE");
}

#[tokio::test]
async fn an_unknown_job_is_not_found() {
    let fixture = Fixture::new().await;
    assert_eq!(
        reason(&cancel(&fixture, NOBODY).await.unwrap_err()),
        "JOB_NOT_FOUND"
    );
    assert_eq!(
        reason(&retry(&fixture, NOBODY).await.unwrap_err()),
        "JOB_NOT_FOUND"
    );
    assert_eq!(
        fields(&cancel(&fixture, "7").await.unwrap_err()),
        ["job_id"]
    );
    assert_eq!(fields(&retry(&fixture, "7").await.unwrap_err()), ["job_id"]);
}
