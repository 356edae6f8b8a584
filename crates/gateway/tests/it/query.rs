//! Questions about jobs.

use std::collections::BTreeSet;

use assay_api::v1 as pb;
use assay_core::id::Tenant;
use assay_core::port::ResultBody;
use bytes::Bytes;
use tonic::{Code, Status};

use crate::fixture::{Fixture, fields, reason};
use crate::worker::inline;

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn result(fixture: &Fixture, job_id: &str) -> Result<pb::GetJobResultResponse, Status> {
    let job_id = job_id.to_owned();
    let request = pb::GetJobResultRequest { job_id };
    let answered = fixture.jobs().get_job_result(request).await;
    answered.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn an_unknown_id_is_not_found_and_no_id_is_named() {
    let fixture = Fixture::new().await;
    let get = |job_id: &str| {
        let job_id = job_id.to_owned();
        let mut jobs = fixture.jobs();
        async move {
            jobs.get_job(pb::GetJobRequest { job_id })
                .await
                .unwrap_err()
        }
    };
    let missing = get(NOBODY).await;
    assert_eq!(
        (missing.code(), reason(&missing).as_str()),
        (Code::NotFound, "JOB_NOT_FOUND")
    );
    assert_eq!(fields(&get("nonsense").await), ["job_id"]);
    assert_eq!(
        reason(&result(&fixture, NOBODY).await.unwrap_err()),
        "JOB_NOT_FOUND"
    );
}

#[tokio::test]
async fn pages_show_every_job_once_newest_first() {
    let fixture = Fixture::new().await;
    let mut submitted = BTreeSet::new();
    for _ in 0..7 {
        submitted.insert(fixture.submit().await.id);
    }
    let mut request = pb::ListJobsRequest {
        page_size: 3,
        states: vec![pb::JobState::Queued.into()],
        ..pb::ListJobsRequest::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = fixture
            .jobs()
            .list_jobs(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(page.jobs.len() <= 3);
        seen.extend(page.jobs);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        // A job that comes between two pages shifts nothing.
        fixture.submit().await;
    }
    let order: Vec<_> = seen
        .iter()
        .map(|job| job.create_time.map(|it| (it.seconds, it.nanos)))
        .collect();
    assert!(order.is_sorted_by(|one, next| one >= next));
    assert_eq!(seen.len(), 7);
    assert_eq!(
        seen.into_iter().map(|job| job.id).collect::<BTreeSet<_>>(),
        submitted
    );
}

#[tokio::test]
async fn a_token_of_another_query_and_a_page_over_the_bound_are_refused() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        fixture.submit().await;
    }
    let list = |request| {
        let mut jobs = fixture.jobs();
        async move { jobs.list_jobs(request).await }
    };
    let first = pb::ListJobsRequest {
        page_size: 1,
        ..pb::ListJobsRequest::default()
    };
    let page_token = list(first).await.unwrap().into_inner().next_page_token;
    let other = pb::ListJobsRequest {
        kinds: vec!["batch".to_owned()],
        page_token,
        ..pb::ListJobsRequest::default()
    };
    assert_eq!(fields(&list(other).await.unwrap_err()), ["page_token"]);
    let sized = |page_size| pb::ListJobsRequest {
        page_size,
        ..pb::ListJobsRequest::default()
    };
    assert!(list(sized(1_000)).await.is_ok());
    assert_eq!(
        fields(&list(sized(1_001)).await.unwrap_err()),
        ["page_size"]
    );
}

#[tokio::test]
async fn a_result_comes_once_the_job_has_succeeded() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    let early = result(&fixture, &job.id).await.unwrap_err();
    assert_eq!(
        (early.code(), reason(&early).as_str()),
        (Code::FailedPrecondition, "JOB_NOT_FINISHED")
    );

    fixture.work().await.succeed(inline("{}")).await;
    let response = result(&fixture, &job.id).await.unwrap();
    assert_eq!(response.json, "{}");
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(response.content_id, format!("sha256:{hash}"));
}

#[tokio::test]
async fn a_job_that_failed_has_no_result() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    fixture.work().await.fail().await;
    let refused = result(&fixture, &job.id).await.unwrap_err();
    assert_eq!(reason(&refused), "JOB_WITHOUT_RESULT");
}

#[tokio::test]
async fn a_large_result_comes_up_to_the_bound() {
    const BOUND: usize = 3 * 1024 * 1024;
    let fixture = Fixture::new().await;
    for bytes in [BOUND, BOUND + 1] {
        let job = fixture.submit().await;
        let json = Bytes::from(vec![b' '; bytes]);
        let id = fixture.blobs.put(&Tenant::default(), json).await.unwrap();
        let body = ResultBody::Blob {
            content_id: id.to_string(),
            bytes: bytes as u64,
        };
        fixture.work().await.succeed(body).await;
        match result(&fixture, &job.id).await {
            Ok(response) => {
                assert_eq!((bytes, response.json.len()), (BOUND, BOUND));
                assert_eq!(response.content_id, id.to_string());
            }
            Err(refused) => {
                assert_eq!(bytes, BOUND + 1);
                assert_eq!(reason(&refused), "RESULT_TOO_LARGE");
            }
        }
    }
}

#[tokio::test]
async fn a_result_that_is_lost_is_a_fault_and_tells_no_details() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    let body = ResultBody::Blob {
        content_id: format!("sha256:{}", "0".repeat(64)),
        bytes: 5,
    };
    fixture.work().await.succeed(body).await;
    let refused = result(&fixture, &job.id).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Internal, "INTERNAL")
    );
    assert!(!refused.message().contains("sha256"));
}
