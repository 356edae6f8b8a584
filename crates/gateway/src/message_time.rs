//! The one message of a call must come in time, and there must be room for it: whoever begins calls and does not end
//! their messages would hold memory for each of them, for as long as they like.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::Status;

use crate::access::Rule;
use crate::edge::Edge;
use crate::limits::Pace;
use crate::message_room::Room;
use crate::method::Method;
use crate::status::Refusal;

/// The same request, whose body ends with a refusal when it comes too slowly, or when there is no room for it.
///
/// A stream may pause between its messages for as long as its client likes, and an upload has a patience of its own.
pub(crate) fn in_time(
    edge: &Edge,
    rule: Rule,
    method: Option<Method>,
    request: Request,
) -> Request {
    let (all, limit) = (&edge.submit_bytes, edge.settings.submit_bytes_max);
    let room = match (rule, method) {
        (Rule::Nothing, _) => Room::of_stranger(),
        (_, Some(Method::UploadContent)) => return request,
        // Reflection is a stream, too.
        (_, None | Some(Method::SubmitJobs)) => Room::of_stream(all, limit),
        (_, Some(_)) => Room::of_message(all, limit),
    };
    request.map(|body| Body::new(InTime::new(body, edge.pace(), room)))
}

/// A body that must come in time. What it takes is free again when it is dropped: then its message is read.
#[derive(Debug)]
struct InTime {
    body: Body,
    // Of the message that is coming, and of one that begins.
    pace: Pace,
    fresh: Pace,
    room: Room,
    // Since when its next part is waited for, and until when.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl InTime {
    fn new(body: Body, pace: Pace, room: Room) -> Self {
        Self {
            body,
            pace,
            fresh: pace,
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
            if self.room.is_between_messages() {
                return Poll::Pending;
            }
            let stalled = self.poll_wait(context);
            return stalled.map(|refusal| Some(Err(Status::from(refusal).into())));
        };
        let frame = came.as_ref().and_then(|came| came.as_ref().ok());
        let data = frame.and_then(Frame::data_ref);
        let data = data.map(Bytes::as_ref).unwrap_or_default();
        let waited = self.wait.take();
        let waited = waited.map(|(since, _)| since.elapsed());
        self.pace.came(waited.unwrap_or_default(), data.len());
        if let Err(refusal) = self.room.take(data) {
            return Poll::Ready(Some(Err(Status::from(refusal).into())));
        }
        if self.room.is_between_messages() {
            self.pace = self.fresh;
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
    use std::sync::Arc;
    use std::time::Duration;

    use futures::{StreamExt, stream};
    use tokio::sync::Semaphore;

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
        let room = Room::of_message(&Arc::new(Semaphore::new(10_000)), 10_000);
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

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_pause_between_messages_and_not_within_one() {
        let pause = IDLE * 2;
        let read = async |parts: [&'static [u8]; 3]| {
            let parts = stream::iter(parts).then(move |part| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::io::Error>(Bytes::from_static(part))
            });
            let room = Room::of_stream(&Arc::new(Semaphore::new(100)), 100);
            let body = InTime::new(Body::from_stream(parts), Pace::new(IDLE, 1), room);
            let mut parts = Body::new(body).into_data_stream();
            let mut count = 0;
            while let Some(part) = parts.next().await {
                part.map_err(|error| Status::from_error(error.into()).message().to_owned())?;
                count += 1;
            }
            Ok::<_, String>(count)
        };
        let whole = b"\0\0\0\0\x01m";
        assert_eq!(read([whole, whole, whole]).await, Ok(3));
        let begun = Instant::now();
        let stalled = read([whole, b"\0\0", b"\0\0\x01m"]).await;
        assert!(stalled.unwrap_err().contains("did not come"));
        assert_eq!(begun.elapsed(), pause * 2 + IDLE);
    }
}
