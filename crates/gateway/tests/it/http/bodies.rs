//! Bodies: their bounds, and clients that do not send them.

use assay_store::StoreConfig;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, VERIFY};
use crate::fixture::Fixture;

const JSON: (&str, &str) = ("Content-Type", "application/json");
const BODY_BYTES_MAX: usize = 2_048;

async fn fixture(more: &[(&str, &str)]) -> Fixture {
    let settings = [&[("gateway.http_body_bytes_max", "2048")], more].concat();
    Fixture::with(&settings, StoreConfig::default()).await
}

/// A request body of so many bytes.
fn body(bytes: usize) -> Vec<u8> {
    let mut body = json!({"content": {"data": "YWJj"}})
        .to_string()
        .into_bytes();
    body.resize(bytes, b' ');
    body
}

/// The same in chunks, so that nobody announces its size.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {VERIFY} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for chunk in body.chunks(1_000) {
        request.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    request
}

#[tokio::test]
async fn the_bound_on_a_body_holds_at_n_and_n_plus_one() {
    let fixture = fixture(&[]).await;
    let fits = fixture.post(VERIFY, &[JSON], &body(BODY_BYTES_MAX)).await;
    fits.expect(202);
    let over = fixture
        .post(VERIFY, &[JSON], &body(BODY_BYTES_MAX + 1))
        .await;
    let told = over.problem(413, "MESSAGE_TOO_LARGE");
    assert_eq!(told["limit"], "2048");
    let fits = super::send(fixture.http, &chunked(&body(BODY_BYTES_MAX))).await;
    fits.expect(202);
    let over = super::send(fixture.http, &chunked(&body(BODY_BYTES_MAX + 1))).await;
    over.problem(413, "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let fixture = fixture(&[("gateway.upload_idle_ms", "20")]).await;
    let mut half = super::request(&format!("POST {VERIFY}"), &[JSON], &body(100));
    half.truncate(half.len() - 1);
    let mut stream = TcpStream::connect(fixture.http).await.unwrap();
    stream.write_all(&half).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::read(&bytes).problem(408, "BODY_STALLED");
}

#[tokio::test]
async fn bodies_take_no_more_memory_than_there_is_for_submits() {
    let fixture = Fixture::with(
        &[("gateway.submit_bytes_max", "524288")],
        StoreConfig::default(),
    )
    .await;
    let held = fixture.post(VERIFY, &[JSON], &body(524_289)).await;
    let told = held.problem(429, "SERVER_BUSY");
    assert_eq!(told["error"], "Server busy");
    assert_eq!(held.header("retry-after"), "1");
    // What was refused holds nothing.
    let fits = fixture.post(VERIFY, &[JSON], &body(1_000)).await;
    fits.expect(202);
}
