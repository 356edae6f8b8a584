//! JSON bodies in: never more than the bound, and none that stops coming.

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::ask::wrong;
use super::json::{self, Members, Node};
use super::problem::Problem;
use crate::edge::Edge;
use crate::limits::{Pace, Slow};
use crate::status::Refusal;

/// A body that was read, and the room that it takes until this is dropped.
pub(super) struct Held<'a> {
    pub(super) members: Members,
    _room: Option<SemaphorePermit<'a>>,
}

/// Reads a body that must be one JSON object.
pub(super) async fn object<'a>(
    edge: &'a Edge,
    headers: &HeaderMap,
    body: Body,
) -> Result<Held<'a>, Problem> {
    must_be_json(headers)?;
    let (bytes, room) = whole(edge, body).await?;
    match json::read(&bytes) {
        Ok(Node::Object(members)) => Ok(Held {
            members,
            _room: room,
        }),
        Ok(other) => {
            let must = format!("must be a JSON object, is {}", other.sort());
            Err(wrong("body", &must))
        }
        Err(error) => {
            let detail = format!("the body is no JSON that can be read: {error}");
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "MALFORMED_JSON",
                detail,
            ))
        }
    }
}

/// Browsers send JSON to other sites only if those allow it, and everything else without asking.
fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    must_be_plain(headers)?;
    if media(headers).eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(unsupported(
        "send the header `Content-Type: application/json`",
    ))
}

/// The bytes of a body are those of the file: else a file that nobody meant is stored and verified.
pub(super) fn must_be_a_file(headers: &HeaderMap) -> Result<(), Problem> {
    must_be_plain(headers)?;
    if media(headers).eq_ignore_ascii_case("multipart/form-data") {
        let detail = "send the file as it is, not inside a form: with curl, --data-binary @FILE in place of -F";
        return Err(unsupported(detail));
    }
    Ok(())
}

/// Nothing is unpacked here.
fn must_be_plain(headers: &HeaderMap) -> Result<(), Problem> {
    for (header, name, plain) in [
        (header::CONTENT_ENCODING, "Content-Encoding", "identity"),
        (header::TRANSFER_ENCODING, "Transfer-Encoding", "chunked"),
    ] {
        let is_plain = |coding: &HeaderValue| {
            let coding = coding.as_bytes();
            coding.eq_ignore_ascii_case(plain.as_bytes())
        };
        if !headers.get_all(header).iter().all(is_plain) {
            let detail = format!("send the body as it is: {name} must be {plain}, or left out");
            return Err(unsupported(&detail));
        }
    }
    Ok(())
}

/// What a body is said to be, without parameters.
fn media(headers: &HeaderMap) -> &str {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    given.split(';').next().unwrap_or_default().trim()
}

fn unsupported(detail: &str) -> Problem {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Problem::new(status, "UNSUPPORTED_MEDIA_TYPE", detail)
}

/// Reads a body to its end.
async fn whole(edge: &Edge, body: Body) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let limit = edge.settings.http_body_bytes_max;
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |bytes| bytes > limit) {
        return Err(Problem::body_too_large(limit));
    }
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut room) = (Vec::new(), None);
    let mut pace = edge.pace();
    while let Some(chunk) = next(edge, &mut chunks, &mut pace).await? {
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
        take_room(edge, &mut room, chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, room))
}

async fn next(
    edge: &Edge,
    chunks: &mut axum::body::BodyDataStream,
    pace: &mut Pace,
) -> Result<Option<Bytes>, Problem> {
    let begun = Instant::now();
    let Ok(chunk) = tokio::time::timeout(pace.patience(), chunks.next()).await else {
        let detail = too_slow(edge, pace);
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "BODY_STALLED",
            detail,
        ));
    };
    let chunk = chunk.transpose().map_err(|_| broken())?;
    pace.came(begun.elapsed(), chunk.as_ref().map_or(0, Bytes::len));
    Ok(chunk)
}

fn too_slow(edge: &Edge, pace: &Pace) -> String {
    match pace.slow() {
        Slow::Part => format!(
            "the next part of the body did not come within {} ms",
            edge.settings.upload_idle().as_millis()
        ),
        Slow::Whole => format!(
            "the body came at less than {} bytes a second (gateway.upload_bytes_per_s_min)",
            edge.settings.upload_bytes_per_s_min
        ),
    }
}

/// The body is no HTTP, or its sender went away.
pub(super) fn broken() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BODY_BROKEN", BROKEN)
}

/// What is said of a body that broke off.
pub(super) const BROKEN: &str = "the body broke off before its end";

/// However many clients there are, their bodies and what is made of them take no more than so much memory.
fn take_room<'a>(
    edge: &'a Edge,
    room: &mut Option<SemaphorePermit<'a>>,
    bytes: usize,
) -> Result<(), Problem> {
    let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
    let taken = edge.submit_bytes.try_acquire_many(permits);
    let taken = taken.map_err(|_| Refusal::ServerBusy {
        limit: edge.settings.submit_bytes_max,
    })?;
    match room {
        Some(room) => room.merge(taken),
        None => *room = Some(taken),
    }
    Ok(())
}
