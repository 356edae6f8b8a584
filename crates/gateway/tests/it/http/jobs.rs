//! Jobs: looked at, stopped, put back.

use serde_json::json;

use super::JOBS;
use crate::fixture::Fixture;
use crate::worker::inline;

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn a_job_is_seen_from_its_submit_to_its_result() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let job = fixture.ask(&format!("GET {JOBS}/{id}")).await;
    assert_eq!(job.header("content-type"), "application/json");
    let job = job.expect(200);
    assert_eq!(
        (&job["state"], &job["status"]),
        (&json!("queued"), &json!("started"))
    );
    assert_eq!(job["kind"], "content-verification");

    let early = fixture.ask(&format!("GET {JOBS}/{id}/result")).await;
    early.problem(409, "JOB_NOT_FINISHED");
    let work = fixture.work().await;
    work.report(12).await;
    let progress = fixture.ask(&format!("GET {JOBS}/{id}/progress")).await;
    let progress = progress.expect(200);
    assert_eq!(progress["operationId"], id.as_str());
    assert_eq!(progress["description"], "Content verification");
    assert_eq!(progress["status"], "in_progress");
    assert_eq!(progress["progress"], 0.12);
    assert_eq!(progress["totalSteps"], 100);
    assert_eq!(progress["currentStep"], 0.0);
    assert_eq!(progress["steps"][0]["name"], "step");
    assert!(!progress["history"].as_array().unwrap().is_empty());

    work.succeed(inline(r#"{"verdict":"inconclusive"}"#)).await;
    let result = fixture.ask(&format!("GET {JOBS}/{id}/result")).await;
    assert!(result.header("etag").starts_with("\"sha256:"));
    assert_eq!(result.expect(200), json!({"verdict": "inconclusive"}));
    let progress = fixture.ask(&format!("GET {JOBS}/{id}/progress")).await;
    let progress = progress.expect(200);
    assert_eq!(progress["status"], "completed");
    assert_eq!(progress["progress"], 100.0);
    assert!(progress["endTime"].is_string());
}

#[tokio::test]
async fn a_job_that_failed_says_why_and_can_be_put_back() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let retry = format!("{JOBS}/{id}/retry");
    let early = fixture.post(&retry, &[], b"").await;
    early.problem(409, "JOB_NOT_RETRYABLE");
    fixture.work().await.fail().await;
    let progress = fixture.ask(&format!("GET {JOBS}/{id}/progress")).await;
    let progress = progress.expect(200);
    assert_eq!(progress["status"], "failed");
    assert_eq!(progress["errorMessage"], "it is corrupt");
    assert_eq!(progress["errorDetails"]["code"], "corrupt_media");
    let result = fixture.ask(&format!("GET {JOBS}/{id}/result")).await;
    result.problem(409, "JOB_WITHOUT_RESULT");
    let again = fixture.post(&retry, &[], b"").await.expect(202);
    assert_eq!(
        (&again["state"], &again["generation"]),
        (&json!("queued"), &json!(2))
    );
}

#[tokio::test]
async fn a_job_that_waits_is_stopped_at_once_and_one_that_runs_when_its_worker_says_so() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let _work = fixture.work().await;
    let cancelling = fixture.ask(&format!("DELETE {JOBS}/{id}")).await;
    assert_eq!(cancelling.expect(202)["state"], "cancelling");
    let id = fixture.verify().await;
    let cancel = format!("DELETE {JOBS}/{id}");
    for _ in 0..2 {
        assert_eq!(fixture.ask(&cancel).await.expect(200)["state"], "cancelled");
    }
}

#[tokio::test]
async fn pages_of_jobs_go_on_where_the_one_before_ended() {
    let fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.verify().await);
    }
    let line = format!("GET {JOBS}?pageSize=2&state=queued");
    let first = fixture.ask(&line).await.expect(200);
    let token = first["nextPageToken"].as_str().unwrap();
    let line = format!("GET {JOBS}?state=queued&pageToken={token}");
    let second = fixture.ask(&line).await.expect(200);
    assert_eq!(second["nextPageToken"], "");
    let mut seen: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["jobs"].as_array().unwrap())
        .map(|job| job["jobId"].as_str().unwrap().to_owned())
        .collect();
    seen.sort_unstable();
    ids.sort_unstable();
    assert_eq!(seen, ids);
    let line = format!("GET {JOBS}?state=running&kind=batch");
    assert_eq!(fixture.ask(&line).await.expect(200)["jobs"], json!([]));
}

#[tokio::test]
async fn a_job_of_nobody_and_what_is_no_name_look_the_same() {
    let fixture = Fixture::new().await;
    let mut told = Vec::new();
    for id in [NOBODY, "verify_1_abc", "%00", "x%2F..%2Fy"] {
        for line in [
            format!("GET {JOBS}/{id}"),
            format!("GET {JOBS}/{id}/progress"),
            format!("GET {JOBS}/{id}/result"),
            format!("GET {JOBS}/{id}/events"),
            format!("DELETE {JOBS}/{id}"),
            format!("POST {JOBS}/{id}/retry"),
        ] {
            told.push(fixture.ask(&line).await.problem(404, "JOB_NOT_FOUND"));
        }
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "{told:?}");
    assert_eq!(told[0]["error"], "Job not found");
}
