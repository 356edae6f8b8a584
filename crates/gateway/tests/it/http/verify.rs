//! A verification in the shape of the system before this one.

use assay_api::v1 as pb;
use serde_json::json;

use super::{JOBS, VERIFY};
use crate::fixture::Fixture;

const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");

#[tokio::test]
async fn what_comes_inside_the_request_is_stored_and_verified() {
    let fixture = Fixture::new().await;
    let body = json!({
        "content": {"id": "c-1", "type": "image", "name": "a.png", "data": "YWJj", "width": [1]},
        "options": {"without": "pixels"},
        "highPriority": true,
    });
    let submitted = fixture.post_json(VERIFY, &body).await;
    let told = submitted.expect(202);
    assert_eq!(told["message"], "Content verification job submitted");
    assert_eq!(told["alreadyExisted"], false);
    let id = told["jobId"].as_str().unwrap();
    assert_eq!(told["statusUrl"], format!("{JOBS}/{id}/progress"));
    assert_eq!(submitted.header("location"), format!("{JOBS}/{id}"));
    assert_eq!(submitted.header("idempotency-key").len(), 32);

    let request = pb::GetJobRequest {
        job_id: id.to_owned(),
    };
    let job = fixture.jobs().get_job(request).await.unwrap().into_inner();
    assert_eq!(job.lane(), pb::Lane::High);
    assert_eq!(job.metadata["content.id"], "c-1");
    assert_eq!(job.metadata["content.type"], "image");
    assert_eq!(fixture.blob_files().len(), 1);
}

#[tokio::test]
async fn stored_content_is_verified_by_its_name() {
    let fixture = Fixture::new().await;
    let name = fixture.upload(b"abc").await;
    for body in [
        json!({"content": {"contentId": name, "type": "image/png"}}),
        json!({"contentId": name}),
    ] {
        fixture.post_json(VERIFY, &body).await.expect(202);
    }
}

#[tokio::test]
async fn one_key_is_one_job() {
    let fixture = Fixture::new().await;
    let submit = async |key: &str, data: &str| {
        let body = json!({"content": {"data": data}}).to_string();
        let headers = [JSON, ("Idempotency-Key", key)];
        fixture.post(VERIFY, &headers, body.as_bytes()).await
    };
    let first = submit("order-1", "YWJj").await;
    assert_eq!(first.header("idempotency-key"), "order-1");
    let first = first.expect(202);
    let second = submit("order-1", "YWJj").await.expect(202);
    assert_eq!(second["jobId"], first["jobId"]);
    assert_eq!(second["alreadyExisted"], true);
    let other = submit("order-1", "YWJk").await;
    let other = other.problem(422, "REQUEST_ID_REUSED");
    assert_eq!(other["jobId"], first["jobId"]);
    let longest = "k".repeat(128);
    submit(&longest, "YWJj").await.expect(202);
    for wrong in ["", &"k".repeat(129), "\u{e9}"] {
        assert_eq!(submit(wrong, "YWJj").await.fields(), ["Idempotency-Key"]);
    }
}

#[tokio::test]
async fn a_key_of_the_server_s_own_repeats_the_request_too() {
    let fixture = Fixture::new().await;
    let body = json!({"content": {"data": "YWJj"}});
    let first = fixture.post_json(VERIFY, &body).await;
    let headers = [JSON, ("Idempotency-Key", first.header("idempotency-key"))];
    let second = fixture
        .post(VERIFY, &headers, body.to_string().as_bytes())
        .await
        .expect(202);
    assert_eq!(second["jobId"], first.json()["jobId"]);
    let third = fixture.post_json(VERIFY, &body).await.expect(202);
    assert_ne!(third["jobId"], second["jobId"]);
}

#[tokio::test]
async fn content_that_is_not_there_or_too_large_is_refused() {
    let settings = [("gateway.content_bytes_max", "3")];
    let fixture = Fixture::with(&settings, assay_store::StoreConfig::default()).await;
    let submit = async |content| {
        fixture
            .post_json(VERIFY, &json!({"content": content}))
            .await
    };
    let unknown = format!("sha256:{}", "0".repeat(64));
    let refused = submit(json!({"contentId": unknown})).await;
    refused.problem(404, "CONTENT_NOT_FOUND");
    assert_eq!(
        submit(json!({"contentId": "mine"})).await.fields(),
        ["content.contentId"]
    );
    submit(json!({"data": "YWJj"})).await.expect(202);
    let refused = submit(json!({"data": "YWJjZA=="})).await;
    assert_eq!(refused.problem(413, "CONTENT_TOO_LARGE")["limit"], "3");
}
