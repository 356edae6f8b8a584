//! What a subscription does beside its deliveries, one thing for each message that is not to be taken.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::port::Markers;
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::buffers::Receipt;
use super::depth::Look;
use super::desk::Desk;
use super::link::Live;
use super::message::MessageId;
use super::receive::UNREADABLE;
use super::topology::Topology;

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
    /// Whether the broker still sends to somebody, and which round of consumers that was asked for.
    Checked {
        is_heard: bool,
        round: u64,
    },
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

/// Asks the broker whether it still sends: it does not always tell that a queue is gone, and with it whoever received
/// from it. What can't be asked counts as heard; the end of a connection is told by other means.
pub(super) fn check(
    live: &Arc<Live>,
    topology: &Arc<Topology>,
    kind: JobKind,
    round: u64,
) -> Errand {
    let (live, topology) = (Arc::clone(live), Arc::clone(topology));
    Box::pin(async move {
        let is_heard = match Look::new(&live, &topology).await {
            Ok(look) => look.is_heard(kind).await,
            Err(_) => true,
        };
        Done::Checked { is_heard, round }
    })
}
