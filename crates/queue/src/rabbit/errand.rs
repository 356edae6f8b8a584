//! What a subscription does beside its deliveries, one thing for each message that is not to be taken.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::port::Markers;
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::buffers::Receipt;
use super::desk::Desk;
use super::message::MessageId;
use super::receive::UNREADABLE;

/// How long a message is held that could not be published, before it goes back.
const PAUSE: Duration = Duration::from_secs(1);

/// Something that a subscription does.
pub(super) type Errand = BoxFuture<'static, Done>;

/// How it ended.
pub(super) enum Done {
    /// The broker has it elsewhere.
    Published(Receipt),
    /// It stays, and goes back then.
    NotPublished(Receipt, Instant),
    Noted,
}

/// Has a message wait on the broker.
pub(super) fn put_off(
    desk: &Desk,
    at: Receipt,
    message: (MessageId, Bytes),
    not_before_ms: u64,
) -> Errand {
    let (publisher, kind) = (Arc::clone(&desk.publisher), desk.kind);
    Box::pin(async move {
        let published = publisher
            .at(kind, at.place, message, Some(not_before_ms))
            .await;
        match published {
            Ok(()) => Done::Published(at),
            Err(_) => Done::NotPublished(at, Instant::now() + PAUSE),
        }
    })
}

/// Moves a message out of the way that nobody can read.
pub(super) fn bury(desk: &Desk, at: Receipt, message: (MessageId, Bytes)) -> Errand {
    let (publisher, kind) = (Arc::clone(&desk.publisher), desk.kind);
    Box::pin(async move {
        tracing::warn!(
            kind = kind.as_str(),
            bytes = message.1.len(),
            "moved an envelope out of the way that nobody can read"
        );
        match publisher.dead_letter(kind, message, UNREADABLE).await {
            Ok(()) => Done::Published(at),
            Err(_) => Done::NotPublished(at, Instant::now() + PAUSE),
        }
    })
}

/// Notes that a marker came out. One that can't be noted is lost; the next says the same.
pub(super) fn pass(
    markers: &Arc<dyn Markers>,
    kind: JobKind,
    lane: Lane,
    published_at_ms: u64,
) -> Errand {
    let markers = Arc::clone(markers);
    Box::pin(async move {
        if let Err(error) = markers.passed(kind, lane, published_at_ms).await {
            tracing::warn!(kind = kind.as_str(), lane = lane.as_str(), %error, "could not note a marker: {error}");
        }
        Done::Noted
    })
}
