//! Media in: streamed to disk, never held whole in memory.

use std::sync::Arc;

use assay_api::{CHUNK_BYTES_MAX, v1 as pb};
use assay_blob::{Received, Upload, Uploaded};
use assay_core::id::Tenant;
use bytes::Bytes;
use futures::future::ready;
use futures::stream::{self, Stream, StreamExt};
use pb::upload_content_request::Part;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tonic::Status;
use tracing::{Instrument, Span};

use crate::convert::{self, Announced, Fields};
use crate::edge::Edge;
use crate::limits::{Pace, Slow};
use crate::metric_definitions;
use crate::status::Refusal;

impl Edge {
    /// Takes one file in. Nothing is left of an upload that does not come to its end.
    pub(crate) async fn upload<R>(
        &self,
        mut parts: R,
        tenant: &Tenant,
    ) -> Result<pb::UploadContentResponse, Status>
    where
        R: Stream<Item = Result<pb::UploadContentRequest, Status>> + Unpin,
    {
        self.admit()?;
        // More than the bound wait here; their clients' chunks wait in the network.
        let permit = Arc::clone(&self.uploads).acquire_owned().await;
        let permit = permit.map_err(|_| Refusal::ShuttingDown)?;
        let received = self.take_in(&mut parts, tenant).await?;
        // A client that gives its call up looks here like one that has sent all. The server drops this
        // future when it sees that, and it looks whenever this waits: once before half a file is stored.
        tokio::task::yield_now().await;
        let stored = self.store_content(received, permit).await?;
        metric_definitions::uploaded(stored.bytes);
        tracing::info!(content_id = %stored.id, bytes = stored.bytes, "stored content {}", stored.id);
        Ok(pb::UploadContentResponse {
            content_id: stored.id.to_string(),
            size_bytes: stored.bytes,
        })
    }

    /// Reads a file to its end and compares it with what was announced.
    async fn take_in<R>(&self, parts: &mut R, tenant: &Tenant) -> Result<Received, Status>
    where
        R: Stream<Item = Result<pb::UploadContentRequest, Status>> + Unpin,
    {
        let mut pace = self.pace();
        let announced = match self.next_part(parts, &mut pace).await? {
            Some(Part::Metadata(metadata)) => convert::announced(&metadata)?,
            Some(Part::Chunk(_)) => return Err(out_of_order("a chunk came first")),
            None => return Err(out_of_order("the upload is empty")),
        };
        let limit = self.settings.content_bytes_max;
        if announced.bytes.is_some_and(|bytes| bytes > limit) {
            return Err(Refusal::ContentTooLarge { limit }.into());
        }
        let mut upload = self.blobs.upload(tenant, limit);
        while let Some(part) = self.next_part(parts, &mut pace).await? {
            let chunk = match part {
                Part::Chunk(chunk) => chunk,
                Part::Metadata(_) => return Err(out_of_order("metadata came twice")),
            };
            write(&mut upload, chunk).await?;
        }
        let received = upload.received();
        compare(&received, announced)?;
        Ok(received)
    }

    /// Stores a file in a task of its own: one whose client leaves now is stored whole, instead of left
    /// half way under no name.
    async fn store_content(
        &self,
        received: Received,
        permit: OwnedSemaphorePermit,
    ) -> Result<Uploaded, Refusal> {
        let store = async move {
            let stored = received.store().await;
            drop(permit);
            stored
        };
        let storing = self
            .tasks
            .spawn_joined("store-content", store.instrument(Span::current()));
        match storing.await {
            Ok(stored) => stored.map_err(|error| Refusal::of_blobs(&error)),
            Err(error) => Err(Refusal::Internal(error.to_string())),
        }
    }

    pub(crate) async fn get_content(
        &self,
        request: &pb::GetContentRequest,
        tenant: &Tenant,
    ) -> Result<pb::Content, Refusal> {
        let id = convert::content_id(&request.content_id)?;
        let bytes = self.blobs.size(tenant, &id).await;
        let bytes = bytes.map_err(|error| Refusal::of_blobs(&error))?;
        Ok(pb::Content {
            content_id: id.to_string(),
            size_bytes: bytes.ok_or(Refusal::ContentNotFound(id))?,
        })
    }

    /// Hands content out, as fast as the client takes it.
    pub(crate) async fn download(
        &self,
        request: &pb::DownloadContentRequest,
        tenant: &Tenant,
    ) -> Result<impl Stream<Item = Result<pb::DownloadContentResponse, Status>> + use<>, Refusal>
    {
        let id = convert::content_id(&request.content_id)?;
        let found = self.blobs.read(tenant, &id).await;
        let found = found.map_err(|error| Refusal::of_blobs(&error))?;
        let chunks = found.ok_or(Refusal::ContentNotFound(id))?;
        Ok(chunks.flat_map(|chunk| match chunk {
            Ok(chunk) => stream::iter(pieces(chunk)).map(Ok).left_stream(),
            Err(error) => {
                let refused = Err(Refusal::of_blobs(&error).into());
                stream::once(ready(refused)).right_stream()
            }
        }))
    }

    /// The next message's part. A client that falls silent must not hold its place for ever.
    async fn next_part<R>(&self, parts: &mut R, pace: &mut Pace) -> Result<Option<Part>, Status>
    where
        R: Stream<Item = Result<pb::UploadContentRequest, Status>> + Unpin,
    {
        let begun = Instant::now();
        let Ok(message) = tokio::time::timeout(pace.patience(), parts.next()).await else {
            return Err(self.too_slow(pace).into());
        };
        let Some(message) = message.transpose()? else {
            return Ok(None);
        };
        let part = message.part;
        let bytes = match &part {
            Some(Part::Chunk(chunk)) => chunk.len(),
            Some(Part::Metadata(_)) | None => 0,
        };
        pace.came(begun.elapsed(), bytes);
        part.map(Some)
            .ok_or_else(|| out_of_order("a message was empty"))
    }
}

impl Edge {
    /// How slowly a body may come.
    pub(crate) fn pace(&self) -> Pace {
        let settings = &self.settings;
        Pace::new(settings.upload_idle(), settings.upload_bytes_per_s_min)
    }

    fn too_slow(&self, pace: &Pace) -> Refusal {
        match pace.slow() {
            Slow::Part => {
                let idle = self.settings.upload_idle();
                let limit_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
                Refusal::UploadStalled { limit_ms }
            }
            Slow::Whole => Refusal::UploadTooSlow {
                least: self.settings.upload_bytes_per_s_min,
            },
        }
    }
}

/// A chunk cut to what one message may hold.
fn pieces(mut chunk: Bytes) -> Vec<pb::DownloadContentResponse> {
    let mut pieces = Vec::with_capacity(chunk.len().div_ceil(CHUNK_BYTES_MAX));
    while !chunk.is_empty() {
        let chunk = chunk.split_to(chunk.len().min(CHUNK_BYTES_MAX));
        pieces.push(pb::DownloadContentResponse { chunk });
    }
    pieces
}

async fn write(upload: &mut Upload, chunk: Bytes) -> Result<(), Refusal> {
    if chunk.len() > CHUNK_BYTES_MAX {
        let mut fields = Fields::default();
        let bytes = chunk.len();
        fields.refuse(
            "chunk",
            format!("must be at most {CHUNK_BYTES_MAX} bytes, has {bytes}"),
        );
        fields.finish()?;
    }
    let written = upload.write(chunk).await;
    written.map_err(|error| Refusal::of_blobs(&error))
}

/// Refuses an upload that is not what was announced, before it is stored.
fn compare(received: &Received, announced: Announced) -> Result<(), Refusal> {
    let content = received.content();
    if let Some(bytes) = announced.bytes
        && bytes != content.bytes
    {
        let came = content.bytes;
        return Err(Refusal::ContentMismatch(format!(
            "{came} bytes came instead of {bytes}"
        )));
    }
    if let Some(id) = announced.id
        && id != content.id
    {
        return Err(Refusal::ContentMismatch(format!(
            "it hashes to {}",
            content.id
        )));
    }
    Ok(())
}

fn out_of_order(why: &'static str) -> Status {
    Refusal::UploadOutOfOrder(why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_cut_where_a_message_is_full() {
        let sizes = |bytes: usize| -> Vec<usize> {
            let pieces = pieces(vec![0; bytes].into());
            pieces.iter().map(|piece| piece.chunk.len()).collect()
        };
        assert!(sizes(0).is_empty());
        assert_eq!(sizes(CHUNK_BYTES_MAX), [CHUNK_BYTES_MAX]);
        assert_eq!(sizes(CHUNK_BYTES_MAX + 1), [CHUNK_BYTES_MAX, 1]);
    }
}
