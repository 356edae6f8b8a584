//! Where the result of an attempt goes: with the record, or beside it if it is large.

use std::time::Duration;

use assay_core::id::Tenant;
use assay_core::job::RESULT_INLINE_BYTES_MAX;
use assay_core::port::ResultBody;

use crate::jitter::Backoff;
use crate::ports::Ports;

/// Tries at storing a large result.
const TRIES_MAX: u32 = 4;
/// How long one try may take, in milliseconds.
const TRY_MS_MAX: u64 = 15_000;

/// Finds a place for a result; `None` when the content store does not take it. Putting it twice is one
/// content, and only the settlement makes it the job's result.
pub(crate) async fn place(ports: &Ports, tenant: &Tenant, body: Vec<u8>) -> Option<ResultBody> {
    if body.len() <= RESULT_INLINE_BYTES_MAX {
        return Some(ResultBody::Inline(body));
    }
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let mut backoff = Backoff::new(&ports.jitter);
    for tries in 1..=TRIES_MAX {
        let put = ports.contents.put(tenant, body.clone());
        match tokio::time::timeout(Duration::from_millis(TRY_MS_MAX), put).await {
            Ok(Ok(content_id)) => return Some(ResultBody::Blob { content_id, bytes }),
            Ok(Err(error)) => {
                tracing::warn!(bytes, tries, %error, "could not store a result: {error}");
            }
            Err(_) => tracing::warn!(bytes, tries, "could not store a result in {TRY_MS_MAX} ms"),
        }
        if tries < TRIES_MAX {
            tokio::time::sleep(backoff.next()).await;
        }
    }
    None
}
