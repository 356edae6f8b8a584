//! Files in and out, as they are: streamed, never held whole in memory.

use assay_api::{CHUNK_BYTES_MAX, v1 as pb};
use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use pb::upload_content_request::Part;
use serde_json::json;
use tonic::Status;

use super::answer;
use super::ask::Ask;
use super::body::{BROKEN, must_be_a_file};
use super::problem::Problem;
use super::route::Route;
use crate::convert::Fields;

/// Takes one file in. Nothing is left of one that does not come to its end.
pub(super) async fn upload(ask: Ask, body: Body) -> Result<Response, Problem> {
    let mut fields = Fields::default();
    let mut said = |name| {
        ask.query
            .one(name, &mut fields)
            .unwrap_or_default()
            .to_owned()
    };
    let (file_name, sha256) = (said("name"), said("sha256"));
    fields.finish()?;
    must_be_a_file(&ask.headers)?;
    let declared_mime = ask.header("Content-Type")?.unwrap_or_default();
    let announced = pb::ContentMetadata {
        file_name,
        declared_mime: declared_mime.to_owned(),
        size_bytes: body.size_hint().exact(),
        sha256,
    };
    let chunks = body.into_data_stream().flat_map(|chunk| match chunk {
        Ok(chunk) => stream::iter(pieces(chunk)).map(Ok).left_stream(),
        Err(_) => {
            let broken = Err(Status::aborted(BROKEN));
            stream::once(std::future::ready(broken)).right_stream()
        }
    });
    let parts = stream::iter([Ok(part(Part::Metadata(announced)))]).chain(chunks);
    let stored = ask.edge.upload(Box::pin(parts), &ask.caller.tenant).await?;
    let answered = json!({"contentId": stored.content_id, "sizeBytes": stored.size_bytes});
    let mut response = answer::json(StatusCode::CREATED, &answered);
    let place = Route::GetContent.path_to(&stored.content_id);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

fn part(part: Part) -> pb::UploadContentRequest {
    pb::UploadContentRequest { part: Some(part) }
}

/// What came from the network at once, cut to what one part of an upload may hold.
fn pieces(mut chunk: Bytes) -> Vec<pb::UploadContentRequest> {
    let mut pieces = Vec::with_capacity(chunk.len().div_ceil(CHUNK_BYTES_MAX));
    while !chunk.is_empty() {
        let piece = chunk.split_to(chunk.len().min(CHUNK_BYTES_MAX));
        pieces.push(part(Part::Chunk(piece)));
    }
    pieces
}

/// Whether content is stored, and how large it is.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let content = find(&ask).await?;
    let answered = json!({
        "contentId": content.content_id,
        "sizeBytes": content.size_bytes,
        "dataUrl": Route::DownloadContent.path_to(&content.content_id),
    });
    Ok(answer::json(StatusCode::OK, &answered))
}

async fn find(ask: &Ask) -> Result<pb::Content, Problem> {
    let request = pb::GetContentRequest {
        content_id: ask.id.clone(),
    };
    Ok(ask.edge.get_content(&request, &ask.caller.tenant).await?)
}

/// Hands a file out. It is somebody's file: no browser is to show it as a page of ours.
pub(super) async fn download(ask: Ask) -> Result<Response, Problem> {
    let content = find(&ask).await?;
    let request = pb::DownloadContentRequest {
        content_id: content.content_id.clone(),
    };
    let chunks = ask.edge.download(&request, &ask.caller.tenant).await?;
    let bytes = chunks.map(|message| message.map(|message| message.chunk));
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LENGTH, content.size_bytes.into());
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", content.content_id)) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_once_is_cut_where_a_part_is_full() {
        let count = |bytes: usize| pieces(vec![0; bytes].into()).len();
        assert_eq!((count(0), count(1)), (0, 1));
        assert_eq!((count(CHUNK_BYTES_MAX), count(CHUNK_BYTES_MAX + 1)), (1, 2));
    }
}
