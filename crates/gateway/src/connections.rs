//! Clients' connections: so many at a time, and none that says nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::metric_definitions;

/// What a client of HTTP/2 says first, in bytes; no request of HTTP/1.1 with a host is shorter.
const GREETING_BYTES: usize = 24;
/// How long nothing is accepted after the system refused to: it has run out of something, such as files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections for ever, at most `connections_max` at a time. More are closed at once: a client
/// that is refused tries again, one that waits in vain hangs. `greeting` is as for [`Door::open`].
pub(crate) fn accept(
    listener: TcpListener,
    connections_max: usize,
    greeting: Duration,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let door = Door::open(listener, connections_max, greeting);
    stream::unfold(door, |mut door| async move {
        let connection = door.next().await;
        Some((Ok(connection), door))
    })
}

/// Where connections come in.
pub(crate) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    connections_max: usize,
    greeting: Duration,
    // So that the log says once what goes on.
    full: bool,
}

impl Door {
    /// Lets at most `connections_max` in at a time. `greeting` is how long a client may take to say what it speaks. Later
    /// on keep-alive pings find out who is gone, or, where there are none, `http::connection`.
    pub(crate) fn open(listener: TcpListener, connections_max: usize, greeting: Duration) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(connections_max)),
            connections_max,
            greeting,
            full: false,
        }
    }

    /// The next connection that there is room for.
    pub(crate) async fn next(&mut self) -> Connection {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = self.admit(stream) {
                        return connection;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&mut self, stream: TcpStream) -> Option<Connection> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metric_definitions::connection_refused();
            if !self.full {
                let connections_max = self.connections_max;
                tracing::warn!(
                    connections_max,
                    "closed a new connection: {connections_max} are open, which is the limit (gateway.connections_max)"
                );
            }
            self.full = true;
            return None;
        };
        self.full = false;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers on a connection may be late: {error}");
        }
        Some(Connection {
            stream,
            greeting: Some(Greeting::within(self.greeting)),
            _place: place,
        })
    }
}

/// A client's connection. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    // None once the client has said enough.
    greeting: Option<Greeting>,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Greeting {
    bytes: usize,
    over: Pin<Box<Sleep>>,
}

impl Greeting {
    fn within(time_max: Duration) -> Self {
        Self {
            bytes: 0,
            over: Box::pin(tokio::time::sleep(time_max)),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(greeting) = &mut self.greeting else {
            return read;
        };
        if read.is_pending() {
            ready!(greeting.over.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        greeting.bytes += buffer.filled().len() - before;
        if greeting.bytes >= GREETING_BYTES {
            self.greeting = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use futures::StreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const GREETING_TIME_MAX: Duration = Duration::from_secs(10);

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn the_bound_holds_and_a_connection_that_ends_makes_room() {
        let (listener, address) = listener().await;
        let mut accepted = Box::pin(accept(listener, 2, GREETING_TIME_MAX));
        let connect = || TcpStream::connect(address);
        let _clients = [connect().await.unwrap(), connect().await.unwrap()];
        let first = accepted.next().await.unwrap().unwrap();
        let _second = accepted.next().await.unwrap().unwrap();

        let mut third = connect().await.unwrap();
        let mut byte = [0];
        tokio::select! {
            _ = accepted.next() => panic!("there is no room for a third"),
            read = third.read(&mut byte) => assert_eq!(read.unwrap_or(0), 0, "it is closed"),
        }
        drop(first);
        let _fourth = connect().await.unwrap();
        assert!(accepted.next().await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_greet_in_time_is_gone() {
        let (listener, address) = listener().await;
        let mut accepted = Box::pin(accept(listener, 1, GREETING_TIME_MAX));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&[0; GREETING_BYTES - 1]).await.unwrap();
        let mut connection = accepted.next().await.unwrap().unwrap();
        let began = tokio::time::Instant::now();
        let mut said = [0; GREETING_BYTES];
        let silent = connection.read_exact(&mut said).await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), GREETING_TIME_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_greeted_may_be_silent() {
        let (listener, address) = listener().await;
        let mut accepted = Box::pin(accept(listener, 1, GREETING_TIME_MAX));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&[0; GREETING_BYTES]).await.unwrap();
        let mut connection = accepted.next().await.unwrap().unwrap();
        let mut said = [0; GREETING_BYTES];
        connection.read_exact(&mut said).await.unwrap();
        let more = connection.read(&mut said);
        let waited = tokio::time::timeout(2 * GREETING_TIME_MAX, more).await;
        assert!(waited.is_err(), "nothing came, and nothing is wrong");
    }
}
