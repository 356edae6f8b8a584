//! Asks what listens at an address, to tell a server of ours from a stranger.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::server::Server;

/// For a server to answer so much.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// What an answer begins with, up to the status, in bytes: `HTTP/1.1 200`.
const STATUS_BYTES: usize = 12;

/// What is served at an address, if it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The API over gRPC.
    Api,
    /// The API over HTTP.
    Http,
    /// Health and metrics.
    Admin,
}

impl Sort {
    /// Whether what listens there is a server of ours.
    pub(crate) async fn is_at(self, address: SocketAddr) -> bool {
        let asked = async {
            match self {
                Self::Api => says_what_it_is(address).await,
                Self::Http => {
                    // 503: it is ours, and not well.
                    let status = status(address, "/api/async/health").await;
                    matches!(status, Some(200 | 503))
                }
                Self::Admin => status(address, "/live").await == Some(200),
            }
        };
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, asked).await;
        asked.unwrap_or(false)
    }
}

async fn says_what_it_is(address: SocketAddr) -> bool {
    let Ok(client) = Client::connect(&Server::at(address)).await else {
        return false;
    };
    match client.info().await {
        Ok(_) => true,
        Err(fault) => fault.is_of_assay(),
    }
}

/// The status of a GET.
async fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut begin = [0; STATUS_BYTES];
    stream.read_exact(&mut begin).await.ok()?;
    status_of(&begin)
}

fn status_of(begin: &[u8]) -> Option<u16> {
    let begin = std::str::from_utf8(begin).ok()?;
    begin.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Whether a listener is taken for a server of ours that answers every request so.
    async fn taken_for(sort: Sort, answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // All of it: a connection with something unread is not closed but broken.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            stream.write_all(answer).await.unwrap();
        };
        tokio::join!(sort.is_at(address), served).0
    }

    #[tokio::test]
    async fn a_stranger_is_told_from_a_server_of_ours() {
        assert!(taken_for(Sort::Admin, b"HTTP/1.1 200 OK\r\n\r\n").await);
        assert!(!taken_for(Sort::Admin, b"HTTP/1.1 404 Not Found\r\n\r\n").await);
        assert!(taken_for(Sort::Http, b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await);
        assert!(!taken_for(Sort::Http, b"SSH-2.0-stranger\r\n").await);
        assert!(!taken_for(Sort::Http, b"\xff").await);
    }

    #[tokio::test]
    async fn where_nobody_listens_nobody_is_ours() {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        for sort in [Sort::Api, Sort::Http, Sort::Admin] {
            assert!(!sort.is_at(nobody).await, "{sort:?}");
        }
    }
}
