//! A connection of HTTP that is cut off when its client keeps it waiting.
//!
//! Unlike HTTP/2, nothing asks a silent client whether it is still there. What comes and goes is noted here; when that
//! is too little, `pulse` says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::pulse::{Cut, Patience, Pulse};

/// The pulse of one connection, for all who take part in it. They are polled by one task.
#[derive(Clone, Debug)]
pub(super) struct Beat(Arc<Mutex<Pulse>>);

impl Beat {
    /// Of a connection that begins now.
    pub(super) fn new(patience: Patience) -> Self {
        Self(Arc::new(Mutex::new(Pulse::new(patience, Instant::now()))))
    }

    /// A request's head is complete; it is being answered until what is answered here is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.0.lock().begin();
        Answering(self.clone())
    }

    fn over(&self) -> Option<(Instant, Cut)> {
        self.0.lock().over()
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Beat);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.lock().end(Instant::now());
    }
}

/// The body of an answer, until all of it is handed over.
#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    _answering: Answering,
}

impl Answered {
    pub(super) fn new(body: Body, answering: Answering) -> Self {
        Self {
            body,
            _answering: answering,
        }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves a connection until it ends by itself or is to be cut off.
#[derive(Debug)]
pub(super) struct Watch {
    beat: Beat,
    // Armed for the earliest end that was seen; later ones are found out when it fires.
    alarm: Pin<Box<Sleep>>,
}

impl Watch {
    pub(super) fn new(beat: Beat) -> Self {
        let at = beat.over().map_or_else(Instant::now, |(at, _)| at);
        Self {
            beat,
            alarm: Box::pin(tokio::time::sleep_until(at)),
        }
    }

    /// Ready when the connection is to be cut off. To be polled whenever the connection was.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Cut> {
        while let Some((at, cut)) = self.beat.over() {
            if at < self.alarm.deadline() {
                self.alarm.as_mut().reset(at);
            }
            if self.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if at <= Instant::now() {
                return Poll::Ready(cut);
            }
            self.alarm.as_mut().reset(at);
        }
        Poll::Pending
    }
}

/// What a client sends and takes, noted.
#[derive(Debug)]
pub(super) struct Noted<C> {
    connection: C,
    beat: Beat,
}

impl<C> Noted<C> {
    pub(super) fn new(connection: C, beat: Beat) -> Self {
        Self { connection, beat }
    }

    fn after_write(&self, written: &Poll<io::Result<usize>>) {
        let mut pulse = self.beat.0.lock();
        match written {
            Poll::Pending => pulse.stuck(Instant::now()),
            Poll::Ready(_) => pulse.went(Instant::now()),
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Noted<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        if read.is_ready() {
            self.beat.0.lock().came(Instant::now());
        }
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Noted<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.after_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(context, slices);
        self.after_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        write: Duration::from_secs(30),
    };

    /// Waits until the work ends or its connection is cut off.
    async fn watched<T>(beat: &Beat, work: impl Future<Output = T>) -> Result<T, Cut> {
        let mut watch = Watch::new(beat.clone());
        let mut work = std::pin::pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => watch.poll(context).map(Err),
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_gone() {
        let (_client, server) = duplex(8);
        let (beat, began) = (Beat::new(PATIENCE), Instant::now());
        let mut server = Noted::new(server, beat.clone());
        let cut = watched(&beat, server.read_u8()).await;
        assert_eq!(cut.unwrap_err(), Cut::Head);
        assert_eq!(began.elapsed(), PATIENCE.head);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_little_is_gone_as_soon() {
        let (mut client, server) = duplex(8);
        let (beat, began) = (Beat::new(PATIENCE), Instant::now());
        let mut server = Noted::new(server, beat.clone());
        let drip = async {
            for _ in 0..100 {
                client.write_all(b"a").await.unwrap();
                tokio::time::sleep(SECOND).await;
            }
        };
        let read = async {
            for _ in 0..100 {
                server.read_u8().await.unwrap();
            }
        };
        tokio::select! {
            cut = watched(&beat, read) => assert_eq!(cut, Err(Cut::Head)),
            () = drip => panic!("it was let drip on"),
        }
        assert_eq!(began.elapsed(), PATIENCE.head);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_only_between_requests() {
        let (_client, server) = duplex(8);
        let beat = Beat::new(PATIENCE);
        let mut server = Noted::new(server, beat.clone());
        let answering = beat.begin();
        let began = Instant::now();
        let long = tokio::time::sleep(10 * PATIENCE.idle);
        watched(&beat, long).await.unwrap();
        drop(answering);
        let cut = watched(&beat, server.read_u8()).await;
        assert_eq!(cut.unwrap_err(), Cut::Idle);
        assert_eq!(began.elapsed(), 11 * PATIENCE.idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_gone() {
        let (_client, server) = duplex(1);
        let beat = Beat::new(PATIENCE);
        let mut server = Noted::new(server, beat.clone());
        let _answering = beat.begin();
        let began = Instant::now();
        let cut = watched(&beat, server.write_all(b"abc")).await;
        assert_eq!(cut.unwrap_err(), Cut::Reader);
        assert_eq!(began.elapsed(), PATIENCE.write);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_little_at_a_time_is_not() {
        let (mut client, server) = duplex(1);
        let beat = Beat::new(PATIENCE);
        let mut server = Noted::new(server, beat.clone());
        let _answering = beat.begin();
        let take = async {
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE.write - SECOND).await;
                client.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(watched(&beat, server.write_all(b"abcde")), take);
        written.unwrap().unwrap();
    }
}
