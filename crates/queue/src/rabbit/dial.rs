//! Makes one connection to a broker, encrypted if its address says so.
//!
//! The library has encryption of its own. With ours, who is trusted is decided in one place for all servers, and the
//! library gets a runtime whose connections are encrypted already.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use assay_tls::{Refusal, Roots, TlsStream};
use async_compat::Compat;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures::{AsyncRead, AsyncWrite, Stream};
use lapin::uri::AMQPUri;
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, Error, ErrorKind};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects and logs in. With `roots`, what is sent is encrypted, and the broker has to prove who it is.
pub(super) async fn dial(
    uri: AMQPUri,
    properties: ConnectionProperties,
    roots: Option<&Roots>,
    limit: Duration,
) -> lapin::Result<Connection> {
    let Some(roots) = roots.cloned() else {
        return Connection::connect_uri(uri, properties).await;
    };
    let tokio = Tokio::current();
    let encrypting = Encrypting {
        tokio: tokio.clone(),
        roots,
        host: uri.authority.host.clone(),
        limit,
    };
    let runtime = Runtime::new(RuntimeParts::new(tokio, encrypting));
    Connection::connector(uri, runtime, open, properties).await
}

/// Connects to the first address of a host that takes it.
async fn open(uri: AMQPUri, runtime: Runtime<Kit>) -> lapin::Result<AsyncTcpStream<Encrypted>> {
    let at = runtime.to_socket_addrs((uri.authority.host, uri.authority.port));
    Ok(AsyncTcpStream::connect(&runtime, at).await?)
}

/// Connects once and encrypts that.
pub(super) async fn encrypted(
    at: impl tokio::net::ToSocketAddrs,
    host: &str,
    roots: &Roots,
) -> io::Result<TlsStream<TcpStream>> {
    let connection = TcpStream::connect(at).await?;
    connection.set_nodelay(true)?;
    roots.encrypt(host, connection).await
}

/// What an error means to people. `encrypted` says how the broker was spoken to.
pub(super) fn why(error: &Error, encrypted: bool) -> String {
    match Refusal::of(error) {
        Some(refusal) => refusal.to_string(),
        None if !encrypted && is_no_greeting(error) => {
            format!("{error}; if TLS is spoken there, begin its URL with amqps://")
        }
        None => error.to_string(),
    }
}

/// Whether a broker that speaks what we speak would not have answered like this.
fn is_no_greeting(error: &Error) -> bool {
    let ErrorKind::IOError(error) = error.kind() else {
        return matches!(error.kind(), ErrorKind::ParsingError(_));
    };
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof
    )
}

type Kit = RuntimeParts<Tokio, Encrypting>;
type Encrypted = Compat<TlsStream<TcpStream>>;

/// Tokio's sockets and timers; connections are encrypted, all to one host.
#[derive(Clone, Debug)]
struct Encrypting {
    tokio: Tokio,
    roots: Roots,
    host: String,
    /// How long a connection may take until it is encrypted. Nobody else ends one that never is.
    limit: Duration,
}

impl Reactor for Encrypting {
    type TcpStream = Encrypted;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let Self {
            roots, host, limit, ..
        } = self.clone();
        async move {
            let made = timeout(limit, encrypted(address, &host, &roots)).await;
            made.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map(Compat::new)
        }
    }
}
