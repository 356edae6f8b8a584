//! Submits a verification in the shape of the system before this one.

use assay_api::{CHUNK_BYTES_MAX, v1 as pb};
use assay_core::id::{RequestKey, Tenant};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use pb::upload_content_request::Part;
use serde_json::json;
use tonic::Status;

use super::answer;
use super::ask::{Ask, wrong};
use super::json::Members;
use super::problem::Problem;
use super::route::Route;
use crate::edge::Edge;

mod read;

use read::{Source, Wanted};

/// The client's own name for a request: one name, one job.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Takes a verification in.
pub(super) async fn submit(ask: Ask, body: Body) -> Result<Response, Problem> {
    let edge = &ask.edge;
    edge.admit()?;
    let key = key(&ask)?;
    let held = super::body::object(edge, &ask.headers, body).await?;
    let wanted = read::wanted(held.members)?;
    let request = request(edge, &ask.caller.tenant, wanted, &key).await?;
    let submitted = edge
        .submit(&request, &ask.caller.tenant, &ask.trace)
        .await?;
    respond(&submitted, &key)
}

/// The client's key, or one of ours.
fn key(ask: &Ask) -> Result<String, Problem> {
    let Some(key) = ask.header(IDEMPOTENCY_KEY)? else {
        return Ok(format!("{:032x}", rand::random::<u128>()));
    };
    match RequestKey::new(key) {
        Ok(_) => Ok(key.to_owned()),
        Err(error) => Err(wrong(IDEMPOTENCY_KEY, &error.to_string())),
    }
}

/// The call that makes the job; its content is stored first.
async fn request(
    edge: &Edge,
    tenant: &Tenant,
    wanted: Wanted,
    key: &str,
) -> Result<pb::SubmitJobRequest, Problem> {
    let lane = if wanted.high_priority {
        pb::Lane::High
    } else {
        pb::Lane::Normal
    };
    let metadata = wanted.labels.clone();
    let payload = packed(edge, tenant, wanted).await?;
    Ok(pb::SubmitJobRequest {
        request_id: key.to_owned(),
        lane: lane.into(),
        metadata,
        payload: Some(pb::submit_job_request::Payload::ContentVerification(
            payload,
        )),
        ..pb::SubmitJobRequest::default()
    })
}

/// The payload that the members of a body describe, for a job that there is; its content is stored first. The lane and
/// the labels of that job stay.
pub(super) async fn payload(
    edge: &Edge,
    tenant: &Tenant,
    body: Members,
) -> Result<pb::ContentVerification, Problem> {
    packed(edge, tenant, read::wanted(body)?).await
}

async fn packed(
    edge: &Edge,
    tenant: &Tenant,
    wanted: Wanted,
) -> Result<pb::ContentVerification, Problem> {
    let content_id = match wanted.source {
        Source::Stored(content_id) => content_id,
        Source::Inline(bytes) => store(edge, tenant, bytes).await?,
    };
    Ok(pb::ContentVerification {
        content_id,
        file_name: wanted.name,
        declared_mime: wanted.declared_mime,
        options: wanted.options,
    })
}

/// Stores what came inside the request, like an upload.
async fn store(edge: &Edge, tenant: &Tenant, mut bytes: Bytes) -> Result<String, Problem> {
    let announced = pb::ContentMetadata {
        size_bytes: Some(bytes.len() as u64),
        ..pb::ContentMetadata::default()
    };
    let mut parts = vec![Part::Metadata(announced)];
    while !bytes.is_empty() {
        let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES_MAX));
        parts.push(Part::Chunk(chunk));
    }
    let parts = parts
        .into_iter()
        .map(|part| Ok::<_, Status>(pb::UploadContentRequest { part: Some(part) }));
    let stored = edge.upload(stream::iter(parts), tenant).await?;
    Ok(stored.content_id)
}

fn respond(submitted: &pb::SubmitJobResponse, key: &str) -> Result<Response, Problem> {
    let job = submitted.job.as_ref().map_or("", |job| job.id.as_str());
    let answered = json!({
        "message": "Content verification job submitted",
        "jobId": job,
        "statusUrl": Route::GetProgress.path_to(job),
        "alreadyExisted": submitted.already_existed,
        "durability": submitted.durability,
    });
    let mut response = answer::json(StatusCode::ACCEPTED, &answered);
    let headers = response.headers_mut();
    for (name, text) in [
        (header::LOCATION, Route::GetJob.path_to(job)),
        (HeaderName::from_static("idempotency-key"), key.to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
