//! Files, as they are.

use assay_store::StoreConfig;
use assay_test_support::wait::wait_until;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::fixture::Fixture;

const CONTENTS: &str = "/api/async/contents";
const BYTES: (&str, &str) = ("Content-Type", "application/octet-stream");

/// More than is held in memory: its file is there before it ends.
const LARGE_BYTES: usize = 6 * 1024 * 1024;

/// An upload in chunks, whose size nobody announces.
fn chunked(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {CONTENTS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

#[tokio::test]
async fn a_file_is_stored_found_and_handed_out() {
    let fixture = Fixture::new().await;
    let file: Vec<u8> = (0..1_000_003_u32)
        .map(|place| (place % 251) as u8)
        .collect();
    let path = format!("{CONTENTS}?name=a%20b.bin");
    let stored = fixture.post(&path, &[BYTES], &file).await;
    let told = stored.expect(201);
    assert_eq!(told["sizeBytes"], 1_000_003);
    let id = told["contentId"].as_str().unwrap();
    assert_eq!(stored.header("location"), format!("{CONTENTS}/{id}"));
    let found = fixture
        .ask(&format!("GET {CONTENTS}/{id}"))
        .await
        .expect(200);
    assert_eq!(found["sizeBytes"], 1_000_003);
    let data = found["dataUrl"].as_str().unwrap();
    let data = fixture.ask(&format!("GET {data}")).await;
    assert_eq!(data.status, 200);
    assert_eq!(data.header("content-type"), "application/octet-stream");
    assert_eq!(data.header("x-content-type-options"), "nosniff");
    assert!(data.body == file, "every byte came back");
    let again = super::send(fixture.http, &chunked(&file)).await.expect(201);
    assert_eq!(again["contentId"], id, "the same bytes have the same name");
}

#[tokio::test]
async fn the_bound_on_files_holds_at_n_and_n_plus_one_announced_or_not() {
    let settings = [("gateway.content_bytes_max", "70000")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let (fits, over) = (vec![7; 70_000], vec![7; 70_001]);
    fixture.post(CONTENTS, &[BYTES], &fits).await.expect(201);
    super::send(fixture.http, &chunked(&fits)).await.expect(201);
    let announced = fixture.post(CONTENTS, &[BYTES], &over).await;
    assert_eq!(
        announced.problem(413, "CONTENT_TOO_LARGE")["limit"],
        "70000"
    );
    let counted = super::send(fixture.http, &chunked(&over)).await;
    counted.problem(413, "CONTENT_TOO_LARGE");
    assert_eq!(fixture.blob_files().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_not_what_was_announced_is_not_stored() {
    let fixture = Fixture::new().await;
    let path = format!("{CONTENTS}?sha256={}", "0".repeat(64));
    let refused = fixture.post(&path, &[], b"abc").await;
    refused.problem(400, "CONTENT_MISMATCH");
    for (query, field) in [("sha256=ABC", "sha256"), ("name=a%2Fb", "name")] {
        let refused = fixture
            .post(&format!("{CONTENTS}?{query}"), &[], b"abc")
            .await;
        assert_eq!(refused.fields(), [field]);
    }
    assert!(fixture.blob_files().is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_leaves_nothing() {
    let fixture = Fixture::new().await;
    let mut half = super::request(&format!("POST {CONTENTS}"), &[BYTES], &vec![7; LARGE_BYTES]);
    half.truncate(half.len() - 1);
    let mut stream = TcpStream::connect(fixture.http).await.unwrap();
    stream.write_all(&half).await.unwrap();
    wait_until("the upload is on disk", async || {
        !fixture.blob_files().is_empty()
    })
    .await;
    drop(stream);
    wait_until("the upload is gone", async || {
        fixture.blob_files().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_client_that_falls_silent_makes_room_for_the_next() {
    let settings = [
        ("gateway.upload_idle_ms", "20"),
        ("gateway.uploads_max", "1"),
    ];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let mut half = super::request(&format!("POST {CONTENTS}"), &[BYTES], b"abcd");
    half.truncate(half.len() - 1);
    super::send(fixture.http, &half)
        .await
        .problem(408, "UPLOAD_STALLED");
    fixture.post(CONTENTS, &[BYTES], b"abcd").await.expect(201);
}

#[tokio::test]
async fn content_of_nobody_and_what_is_no_name_are_refused() {
    let fixture = Fixture::new().await;
    let nobody = format!("sha256:{}", "0".repeat(64));
    for tail in ["", "/data"] {
        let line = format!("GET {CONTENTS}/{nobody}{tail}");
        fixture.ask(&line).await.problem(404, "CONTENT_NOT_FOUND");
        let line = format!("GET {CONTENTS}/..%2F..%2Fetc{tail}");
        assert_eq!(fixture.ask(&line).await.fields(), ["id"]);
    }
}
