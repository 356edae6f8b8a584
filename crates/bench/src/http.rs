//! Just enough of an HTTP client for a server of ours: requests one after the other over a connection that stays, and
//! streams of events ([`events`]).
//!
//! Not here: TLS, redirects, chunks; what a client of other servers would need.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub mod events;

/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: u64 = 16 * 1024;
/// The longest body of an answer, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A connection that carries one request after the other.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// As in RFC 9110.
    pub status: u16,
    /// All of it.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = BufReader::new(connect(address).await?);
        Ok(Self { stream })
    }

    /// Sends a whole request and waits for the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer does not say how long it is.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let sent = self.stream.get_mut().write_all(request).await;
        sent.context("send a request")?;
        let head = Head::read(&mut self.stream).await?;
        let bytes = head.body_bytes.context("find the length of an answer")?;
        anyhow::ensure!(
            bytes <= BODY_BYTES_MAX,
            "an answer has {bytes} bytes, more than {BODY_BYTES_MAX}"
        );
        let mut body = vec![0; bytes];
        let read = self.stream.read_exact(&mut body).await;
        read.context("read an answer")?;
        Ok(Answer {
            status: head.status,
            body,
        })
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.context("connect to the gateway over HTTP")?;
    stream.set_nodelay(true).context("send at once")?;
    Ok(stream)
}

/// A request with a JSON body and a name of its own: one name, one job.
#[must_use]
pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    let bytes = body.len();
    let lines = [
        format!("POST {path} HTTP/1.1"),
        "Host: localhost".to_owned(),
        "Content-Type: application/json".to_owned(),
        format!("Idempotency-Key: {key}"),
        format!("Content-Length: {bytes}"),
    ];
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body_bytes: Option<usize>,
}

impl Head {
    async fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Self> {
        let mut stream = stream.take(HEAD_BYTES_MAX);
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            let read = stream.read_line(&mut text).await;
            let bytes = read.context("read the head of an answer")?;
            anyhow::ensure!(bytes > 0, "an answer broke off in its head");
        }
        Self::parse(&text).with_context(|| format!("read the head of an answer: {text}"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = lines.filter_map(|line| line.split_once(':'));
        let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let body_bytes = length.and_then(|(_, bytes)| bytes.trim().parse().ok());
        Some(Self { status, body_bytes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_head_tells_status_and_length() {
        let head = |text| Head::parse(text).map(|head| (head.status, head.body_bytes));
        let text = "HTTP/1.1 202 Accepted\r\ncontent-type: a/b\r\nContent-Length: 17\r\n\r\n";
        assert_eq!(head(text), Some((202, Some(17))));
        assert_eq!(head("HTTP/1.0 200 OK\r\n\r\n"), Some((200, None)));
        assert_eq!(head(""), None);
        assert_eq!(head("HTTP/1.1 many\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_connection_carries_one_request_after_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let request = post("/here", "mine", "{}");
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut came = vec![0; request.len()];
            for body in ["one", "another"] {
                stream.read_exact(&mut came).await.unwrap();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            String::from_utf8(came).unwrap()
        };
        let asked = async {
            let mut connection = Connection::open(address).await.unwrap();
            let first = connection.ask(&request).await.unwrap();
            let second = connection.ask(&request).await.unwrap();
            [first.body, second.body]
        };
        let (came, answers) = tokio::join!(served, asked);
        assert_eq!(answers, [b"one".to_vec(), b"another".to_vec()]);
        assert!(came.starts_with("POST /here HTTP/1.1\r\n"), "{came}");
        assert!(came.contains("Idempotency-Key: mine\r\n"), "{came}");
        assert!(came.ends_with("Content-Length: 2\r\n\r\n{}"), "{came}");
    }

    proptest! {
        #[test]
        fn no_head_makes_it_panic(text in ".{0,80}") {
            Head::parse(&text);
        }
    }
}
