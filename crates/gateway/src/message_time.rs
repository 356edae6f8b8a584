//! The one message of a call must come in time, and there must be room for it: whoever begins calls and does not end
//! their messages would hold memory for each of them, for as long as they like.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tonic::Status;

use crate::access::Rule;
use crate::edge::Edge;
use crate::limits::{Pace, STRANGER_BYTES_MAX};
use crate::method::Method;
use crate::status::Refusal;

/// What stands before a message of gRPC, in bytes.
const PREFIX_BYTES: usize = 5;

/// The same request, whose body ends with a refusal when it comes too slowly, or when there is no room for it.
///
/// A stream of submits may pause for as long as its client likes, as may one of reflection, and an upload has a patience
/// of its own.
pub(crate) fn in_time(
    edge: &Edge,
    rule: Rule,
    method: Option<Method>,
    request: Request,
) -> Request {
    let room = match (rule, method) {
        (Rule::Nothing, _) => Room::Own {
            left: STRANGER_BYTES_MAX + PREFIX_BYTES,
        },
        (_, None | Some(Method::SubmitJobs | Method::UploadContent)) => return request,
        (Rule::Token | Rule::Scope(_), Some(_)) => Room::Shared {
            all: Arc::clone(&edge.submit_bytes),
            limit: edge.settings.submit_bytes_max,
            taken: None,
        },
    };
    request.map(|body| Body::new(InTime::new(body, edge.pace(), room)))
}

/// Where the bytes of a message go until it is whole.
#[derive(Debug)]
enum Room {
    /// So many are left to one who may have no token: they must not take what others need.
    Own { left: usize },
    /// Into what all messages on their way share.
    Shared {
        all: Arc<Semaphore>,
        limit: usize,
        taken: Option<OwnedSemaphorePermit>,
    },
}

impl Room {
    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        match self {
            Self::Own { left } => {
                let limit = STRANGER_BYTES_MAX;
                let rest = left.checked_sub(bytes);
                *left = rest.ok_or(Refusal::MessageTooLarge { limit })?;
            }
            Self::Shared { all, limit, taken } => {
                let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
                let more = Arc::clone(all).try_acquire_many_owned(permits);
                let more = more.map_err(|_| Refusal::ServerBusy { limit: *limit })?;
                match taken {
                    Some(taken) => taken.merge(more),
                    None => *taken = Some(more),
                }
            }
        }
        Ok(())
    }
}

/// A body that must come in time. What it takes is free again when it is dropped: then its message is read.
#[derive(Debug)]
struct InTime {
    body: Body,
    pace: Pace,
    room: Room,
    // Since when its next part is waited for, and until when.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl InTime {
    fn new(body: Body, pace: Pace, room: Room) -> Self {
        Self {
            body,
            pace,
            room,
            wait: None,
        }
    }

    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<Refusal> {
        let patience = self.pace.patience();
        let begin = || (Instant::now(), Box::pin(tokio::time::sleep(patience)));
        let (_, over) = self.wait.get_or_insert_with(begin);
        let limit_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let over = over.as_mut().poll(context);
        over.map(|()| Refusal::MessageStalled { limit_ms })
    }
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(came) = Pin::new(&mut self.body).poll_frame(context) else {
            let stalled = self.poll_wait(context);
            return stalled.map(|refusal| Some(Err(Status::from(refusal).into())));
        };
        let frame = came.as_ref().and_then(|came| came.as_ref().ok());
        let bytes = frame.and_then(Frame::data_ref).map_or(0, Bytes::len);
        let waited = self.wait.take();
        let waited = waited.map(|(since, _)| since.elapsed());
        self.pace.came(waited.unwrap_or_default(), bytes);
        if let Err(refusal) = self.room.take(bytes) {
            return Poll::Ready(Some(Err(Status::from(refusal).into())));
        }
        Poll::Ready(came.map(|came| came.map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::{StreamExt, stream};

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    fn parts(count: usize, gap: Duration) -> Body {
        let parts = stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(gap).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"part"))
        });
        Body::from_stream(parts)
    }

    async fn read(body: Body) -> Result<usize, String> {
        let pace = Pace::new(IDLE, 1);
        let room = Room::Own {
            left: STRANGER_BYTES_MAX * 4,
        };
        let mut parts = Body::new(InTime::new(body, pace, room)).into_data_stream();
        let mut count = 0;
        while let Some(part) = parts.next().await {
            part.map_err(|error| Status::from_error(error.into()).message().to_owned())?;
            count += 1;
        }
        Ok(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_comes_in_time_or_not_at_all() {
        assert_eq!(read(parts(3, Duration::from_secs(4))).await, Ok(3));
        let begun = Instant::now();
        let stalled = read(parts(3, IDLE + Duration::from_secs(1))).await;
        assert!(stalled.unwrap_err().contains("did not come"));
        assert_eq!(begun.elapsed(), IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn drops_do_not_make_up_for_it() {
        let begun = Instant::now();
        read(parts(1_000, IDLE - Duration::from_secs(1)))
            .await
            .unwrap_err();
        assert_eq!(
            begun.elapsed(),
            IDLE + Duration::from_secs(4),
            "a second for each byte"
        );
    }
    #[test]
    fn a_stranger_s_room_ends_at_its_bound() {
        let mut room = Room::Own { left: 10 };
        assert!(room.take(4).is_ok() && room.take(6).is_ok() && room.take(0).is_ok());
        let limit = STRANGER_BYTES_MAX;
        assert_eq!(room.take(1), Err(Refusal::MessageTooLarge { limit }));
    }

    #[test]
    fn shared_room_is_taken_until_it_is_dropped() {
        let all = Arc::new(Semaphore::new(10));
        let room = || Room::Shared {
            all: Arc::clone(&all),
            limit: 10,
            taken: None,
        };
        let (mut one, mut other) = (room(), room());
        assert!(one.take(3).is_ok() && one.take(4).is_ok() && other.take(3).is_ok());
        assert_eq!(other.take(1), Err(Refusal::ServerBusy { limit: 10 }));
        drop(one);
        assert!(other.take(7).is_ok());
        drop(other);
        assert_eq!(all.available_permits(), 10);
    }
}
