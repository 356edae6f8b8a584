//! What a client may ask for, how often, and how long it may keep this server waiting.

use std::time::Duration;

use assay_core::id::Tenant;
use assay_store::StoreConfig;
use assay_test_support::wait::{wait_until, within};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{Answer, JOBS, VERIFY, request, send};
use crate::fixture::Fixture;

const HEALTH: &str = "/api/async/health";
const CONTENTS: &str = "/api/async/contents";
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn fixture(settings: &[(&str, &str)]) -> Fixture {
    Fixture::with(settings, StoreConfig::default()).await
}

/// Reads until the other side closes.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let read = async {
        let mut bytes = Vec::new();
        // One that is cut off may also be reset.
        drop(stream.read_to_end(&mut bytes).await);
        bytes
    };
    within("the connection is closed", read).await
}

/// A question whose head has exactly so many bytes.
fn of_bytes(bytes: usize) -> Vec<u8> {
    let around = request(&format!("GET {HEALTH}"), &[("X-Fill", "")], b"").len();
    let fill = "f".repeat(bytes - around);
    let request = request(&format!("GET {HEALTH}"), &[("X-Fill", &fill)], b"");
    assert_eq!(request.len(), bytes);
    request
}

#[tokio::test]
async fn the_bound_on_headers_holds_at_n_and_n_plus_one() {
    let fixture = fixture(&[("gateway.header_bytes_max", "1024")]).await;
    send(fixture.http, &of_bytes(1_024)).await.expect(200);
    let refused = send(fixture.http, &of_bytes(1_025)).await;
    assert_eq!(refused.status, 431);
}

#[tokio::test]
async fn the_bound_on_the_number_of_headers_holds_at_n_and_n_plus_one() {
    let fixture = fixture(&[("gateway.http_headers_max", "16")]).await;
    let of = |count: usize| {
        // Two are in each request.
        let more = vec![("X-More", "more"); count - 2];
        request(&format!("GET {HEALTH}"), &more, b"")
    };
    send(fixture.http, &of(16)).await.expect(200);
    let refused = send(fixture.http, &of(17)).await;
    refused.problem(431, "TOO_MANY_HEADERS");
}

#[tokio::test]
async fn the_bound_on_addresses_holds_at_n_and_n_plus_one() {
    let fixture = fixture(&[("gateway.http_url_bytes_max", "256")]).await;
    let of = |bytes: usize| format!("GET {JOBS}/{}", "j".repeat(bytes - JOBS.len() - 1));
    let fits = fixture.ask(&of(256)).await;
    fits.problem(404, "JOB_NOT_FOUND");
    let refused = fixture.ask(&of(257)).await;
    refused.problem(414, "URL_TOO_LONG");
}

#[tokio::test]
async fn a_request_that_means_another_server_is_not_answered() {
    let fixture = fixture(&[("gateway.http_hosts", "assay.example")]).await;
    let ask = async |host: String| {
        let line = format!("GET {HEALTH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        send(fixture.http, line.as_bytes()).await
    };
    for ours in [
        "localhost".to_owned(),
        fixture.http.to_string(),
        format!("[::1]:{}", fixture.http.port()),
        "assay.example".to_owned(),
    ] {
        ask(ours).await.expect(200);
    }
    for theirs in ["evil.example".to_owned(), "evil.example:7401".to_owned()] {
        let told = ask(theirs).await.problem(421, "WRONG_HOST");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("gateway.http_hosts"), "{detail}");
        assert!(!told.to_string().contains("evil"), "{told}");
    }
}

#[tokio::test]
async fn a_head_that_comes_in_drops_is_not_waited_for() {
    let fixture = fixture(&[("gateway.http_head_ms", "100")]).await;
    let mut stream = TcpStream::connect(fixture.http).await.unwrap();
    let (mut read, mut write) = stream.split();
    let line = format!("GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nX-Drops: ");
    write.write_all(line.as_bytes()).await.unwrap();
    let drip = async {
        let mut drops = tokio::time::interval(Duration::from_millis(5));
        while write.write_all(b"d").await.is_ok() {
            drops.tick().await;
        }
    };
    let closed = async {
        let mut bytes = Vec::new();
        drop(read.read_to_end(&mut bytes).await);
        bytes
    };
    let ((), answered) = within("it is cut off", async { tokio::join!(drip, closed) }).await;
    assert!(answered.is_empty(), "there was nothing to answer");
}

#[tokio::test]
async fn a_connection_may_be_used_again_and_is_closed_when_it_is_not() {
    let settings = [
        ("gateway.http_idle_ms", "100"),
        ("gateway.http_head_ms", "60000"),
    ];
    let fixture = fixture(&settings).await;
    let mut stream = TcpStream::connect(fixture.http).await.unwrap();
    let line = format!("GET {JOBS}/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(line.repeat(2).as_bytes()).await.unwrap();
    let answers = rest(&mut stream).await;
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 2, "{answers}");
}

/// Asks for more than the network holds, and takes nothing of it.
async fn stuck_reader(fixture: &Fixture) -> (TcpStream, usize) {
    const BYTES: usize = 6 * 1024 * 1024;
    let tenant = Tenant::default();
    let content = fixture.blobs.put(&tenant, vec![7; BYTES].into());
    let id = content.await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(fixture.http).await.unwrap();
    let line = format!("GET {CONTENTS}/{id}/data");
    stream.write_all(&request(&line, &[], b"")).await.unwrap();
    (stream, BYTES)
}

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_connection_to_others() {
    let settings = [
        ("gateway.connections_max", "1"),
        ("gateway.write_idle_ms", "100"),
    ];
    let fixture = fixture(&settings).await;
    let (mut stuck, bytes) = stuck_reader(&fixture).await;
    wait_until("there is room for another", async || {
        let mut stream = TcpStream::connect(fixture.http).await.unwrap();
        let line = format!("GET {HEALTH}");
        drop(stream.write_all(&request(&line, &[], b"")).await);
        !rest(&mut stream).await.is_empty()
    })
    .await;
    assert!(rest(&mut stuck).await.len() < bytes);
}

#[tokio::test]
async fn an_upload_that_comes_in_drops_is_cut() {
    let settings = [
        ("gateway.upload_idle_ms", "100"),
        ("gateway.upload_bytes_per_s_min", "1073741824"),
    ];
    let fixture = fixture(&settings).await;
    for (path, reason) in [(CONTENTS, "UPLOAD_STALLED"), (VERIFY, "BODY_STALLED")] {
        let whole = request(&format!("POST {path}"), &[JSON], &[b' '; 100_000]);
        let head = whole.len() - 100_000;
        let mut stream = TcpStream::connect(fixture.http).await.unwrap();
        let (mut read, mut write) = stream.split();
        write.write_all(&whole[..head]).await.unwrap();
        let drip = async {
            let mut drops = tokio::time::interval(Duration::from_millis(5));
            while write.write_all(b" ").await.is_ok() {
                drops.tick().await;
            }
        };
        let answered = async {
            let mut bytes = Vec::new();
            drop(read.read_to_end(&mut bytes).await);
            Answer::read(&bytes)
        };
        let cut = async { tokio::join!(drip, answered) };
        let ((), answered) = within("it is cut", cut).await;
        let told = answered.problem(408, reason);
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.contains("gateway.upload_bytes_per_s_min"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn no_more_requests_are_answered_at_the_same_time_than_the_bound() {
    let fixture = fixture(&[("gateway.calls_max", "1")]).await;
    let body = json!({"content": {"data": "YWJj"}}).to_string();
    let headers = [JSON, ("Expect", "100-continue")];
    let whole = request(&format!("POST {VERIFY}"), &headers, body.as_bytes());
    let (head, body) = whole.split_at(whole.len() - body.len());
    let mut stream = TcpStream::connect(fixture.http).await.unwrap();
    stream.write_all(head).await.unwrap();
    // Said when the body is waited for.
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    let said = stream.read_exact(&mut go_on);
    within("the body is waited for", said).await.unwrap();
    let line = format!("GET {JOBS}");
    let refused = fixture.ask(&line).await;
    let told = refused.problem(429, "SERVER_BUSY");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("gateway.calls_max")
    );
    assert_eq!(refused.header("retry-after"), "1");
    stream.write_all(body).await.unwrap();
    Answer::read(&rest(&mut stream).await).expect(202);
    fixture.ask(&line).await.expect(200);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let settings = [
        ("gateway.rate_limits.submit.per_minute", "1"),
        ("gateway.rate_limits.submit.burst", "2"),
    ];
    let fixture = fixture(&settings).await;
    for _ in 0..2 {
        fixture.verify().await;
    }
    let refused = fixture
        .post_json(VERIFY, &json!({"content": {"data": "YWJj"}}))
        .await;
    let told = refused.problem(429, "RATE_LIMITED");
    assert_eq!(
        (&told["scope"], &told["error"]),
        (&json!("submit"), &json!("Rate limited"))
    );
    let after: u64 = refused.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&after), "{after}");
    for line in [format!("GET {JOBS}"), format!("GET {HEALTH}")] {
        fixture.ask(&line).await.expect(200);
    }
}

#[tokio::test]
async fn health_is_always_told() {
    let settings = [
        ("gateway.rate_limits.read.per_minute", "1"),
        ("gateway.rate_limits.read.burst", "1"),
    ];
    let fixture = fixture(&settings).await;
    fixture.ask(&format!("GET {JOBS}")).await.expect(200);
    let refused = fixture.ask(&format!("GET {JOBS}")).await;
    refused.problem(429, "RATE_LIMITED");
    for _ in 0..3 {
        fixture.ask(&format!("GET {HEALTH}")).await.expect(200);
    }
}
