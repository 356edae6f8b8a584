//! The gateway over HTTP/JSON: a plain client over loopback.

use std::net::SocketAddr;

use assay_test_support::wait::within;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::Fixture;

mod bad_input;
mod bodies;
mod contents;
mod dead_letters;
mod description;
mod events;
mod generated;
mod jobs;
mod limits;
mod overview;
mod queues;
mod verify;

const JOBS: &str = "/api/async/jobs";
const VERIFY: &str = "/api/async/verify";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        };
        Self {
            status: status.parse().unwrap(),
            headers: lines.map(header).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let named = self.headers.iter().find(|(known, _)| known == name);
        named.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The document of an answer that must be this one.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self.json()
    }

    /// The problem that it must be.
    pub(crate) fn problem(&self, status: u16, reason: &str) -> Value {
        let told = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(told["reason"], reason, "{told}");
        assert_eq!(told["status"], status);
        for member in ["type", "title", "detail", "error"] {
            let text = told[member].as_str().unwrap();
            assert!(!text.is_empty(), "{told}");
        }
        told
    }

    /// The fields that it names.
    fn fields(&self) -> Vec<String> {
        let told = self.problem(400, "INVALID_FIELD");
        let fields = told["fields"].as_array().unwrap().iter();
        fields
            .map(|field| field["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Sends bytes and reads what comes until the other side closes.
pub(crate) async fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // One that is refused early may have closed already.
        drop(stream.write_all(request).await);
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes).await);
        Answer::read(&bytes)
    };
    within("an answer over HTTP", exchange).await
}

/// A request with its end.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

impl Fixture {
    /// Sends a request line, such as `GET /path`.
    async fn ask(&self, line: &str) -> Answer {
        send(self.http, &request(line, &[], b"")).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let line = format!("POST {path}");
        send(self.http, &request(&line, headers, body)).await
    }

    /// Sends a request line with a JSON body.
    async fn send_json(&self, line: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        let body = body.to_string();
        send(self.http, &request(line, &headers, body.as_bytes())).await
    }

    async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        self.post(path, &headers, body.to_string().as_bytes()).await
    }

    /// Submits a verification of `abc`; answers the job's id.
    async fn verify(&self) -> String {
        let submitted = self
            .post_json(VERIFY, &json!({"content": {"data": "YWJj"}}))
            .await;
        let job = submitted.expect(202)["jobId"].clone();
        job.as_str().unwrap().to_owned()
    }
}
