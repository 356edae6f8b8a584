//! Connections of HTTP: as many as there is room for, and none that lies idle.
//!
//! Unlike HTTP/2, nothing asks a silent client whether it is still there.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::time::{Instant, Sleep};

use crate::connections::Door;

/// How long a connection may carry nothing in either direction. Streams of events carry a heartbeat more often.
const IDLE_MAX: Duration = Duration::from_secs(75);

/// Lets clients in.
pub(super) struct Entrance(Door);

impl Entrance {
    /// Lets at most `connections_max` in at a time; more are closed as they come.
    pub(super) fn open(listener: TcpListener, connections_max: usize) -> Self {
        Self(Door::open(listener, connections_max))
    }
}

impl Listener for Entrance {
    type Io = Watched<crate::connections::Connection>;
    // Nothing here asks who it is.
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        (Watched::new(self.0.next().await), ())
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(())
    }
}

/// A connection that ends when it has carried nothing for long.
#[derive(Debug)]
pub(super) struct Watched<C> {
    connection: C,
    over: Pin<Box<Sleep>>,
}

impl<C> Watched<C> {
    fn new(connection: C) -> Self {
        Self {
            connection,
            over: Box::pin(tokio::time::sleep(IDLE_MAX)),
        }
    }

    fn alive(&mut self) {
        self.over.as_mut().reset(Instant::now() + IDLE_MAX);
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Watched<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        if read.is_pending() {
            ready!(self.over.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.alive();
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Watched<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.after_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(context, slices);
        self.after_write(context, written)
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

impl<C> Watched<C> {
    /// A client that takes nothing holds its connection no longer than one that says nothing.
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            ready!(self.over.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.alive();
        written
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_carries_nothing_ends() {
        let (_client, server) = duplex(8);
        let mut server = Watched::new(server);
        let began = Instant::now();
        let silent = server.read_u8().await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), IDLE_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_carries_something_in_either_direction_does_not() {
        let (mut client, server) = duplex(64);
        let mut server = Watched::new(server);
        for _ in 0..3 {
            tokio::time::advance(IDLE_MAX - Duration::from_secs(1)).await;
            server.write_all(b"a").await.unwrap();
        }
        tokio::time::advance(IDLE_MAX - Duration::from_secs(1)).await;
        client.write_all(b"b").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'b');
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_gone() {
        let (_client, server) = duplex(1);
        let mut server = Watched::new(server);
        let stuck = server.write_all(b"abc").await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
    }
}
