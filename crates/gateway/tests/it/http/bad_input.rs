//! Everything that a client can do wrong, and that no answer tells more than it should.

use serde_json::{Value, json};

use super::{JOBS, VERIFY};
use crate::fixture::Fixture;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let fixture = Fixture::new().await;
    for body in [
        "{",
        "nonsense",
        "{\"content\":{}}x",
        "{\"content\":{},\"content\":{}}",
        " ",
    ] {
        let refused = fixture.post(VERIFY, &[JSON], body.as_bytes()).await;
        refused.problem(400, "MALFORMED_JSON");
    }
    let refused = fixture.post(VERIFY, &[JSON], b"{\"a\":\"\xff\"}").await;
    refused.problem(400, "MALFORMED_JSON");
    let absent = fixture.post(VERIFY, &[JSON], b"").await;
    absent.problem(400, "MALFORMED_JSON");
}

#[tokio::test]
async fn json_that_is_deep_or_long_does_no_harm() {
    let fixture = Fixture::new().await;
    let deep = format!(
        "{{\"content\":{{\"data\":{}{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let refused = fixture.post(VERIFY, &[JSON], deep.as_bytes()).await;
    assert_eq!(refused.fields(), ["content.data"]);
    let deep = "[".repeat(500_000);
    let refused = fixture.post(VERIFY, &[JSON], deep.as_bytes()).await;
    refused.problem(400, "MALFORMED_JSON");
    let many: Vec<_> = (0..100).map(|one| format!("\"m{one}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    let refused = fixture.post(VERIFY, &[JSON], many.as_bytes()).await;
    refused.problem(400, "MALFORMED_JSON");
}

#[tokio::test]
async fn what_is_missing_or_of_the_wrong_sort_is_named() {
    let fixture = Fixture::new().await;
    let missing = fixture.post_json(VERIFY, &json!({})).await;
    assert_eq!(missing.fields(), ["content", "content.data"]);
    assert_eq!(missing.json()["error"], "Content is required");
    let table = [
        (json!([]), vec!["body"]),
        (json!("text"), vec!["body"]),
        (json!({"content": {}}), vec!["content.data"]),
        (json!({"content": "text"}), vec!["content", "content.data"]),
        (json!({"content": {"data": 1}}), vec!["content.data"]),
        (json!({"content": {"data": "*"}}), vec!["content.data"]),
        (
            json!({"content": {"data": "YQ=="}, "options": 1}),
            vec!["options"],
        ),
        (
            json!({"content": {"data": "YQ=="}, "highPriority": "x"}),
            vec!["highPriority"],
        ),
        (
            json!({"content": {"data": "YQ=="}, "priority": 1}),
            vec!["priority"],
        ),
        (
            json!({"content": {"data": "YQ==", "name": "a/b"}}),
            vec!["content.name"],
        ),
        (
            json!({"content": {"data": "YQ==", "id": "i".repeat(257)}}),
            vec!["content.id"],
        ),
    ];
    for (body, fields) in table {
        assert_eq!(
            fixture.post_json(VERIFY, &body).await.fields(),
            fields,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_not_read() {
    let fixture = Fixture::new().await;
    let body = json!({"content": {"data": "YWJj"}}).to_string();
    for headers in [
        &[][..],
        &[("Content-Type", "text/plain")],
        &[("Content-Type", "application/x-www-form-urlencoded")],
    ] {
        let refused = fixture.post(VERIFY, headers, body.as_bytes()).await;
        refused.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn parameters_that_are_unknown_or_wrong_are_named() {
    let fixture = Fixture::new().await;
    let table = [
        (format!("GET {JOBS}?limit=5"), vec!["limit"]),
        (
            format!("GET {JOBS}?pagesize=5&state=queued"),
            vec!["pagesize"],
        ),
        (format!("GET {JOBS}?pageSize=1001"), vec!["pageSize"]),
        (format!("GET {JOBS}?pageSize=-1"), vec!["pageSize"]),
        (format!("GET {JOBS}?pageSize=x"), vec!["pageSize"]),
        (format!("GET {JOBS}?pageToken=x"), vec!["pageToken"]),
        (
            format!("GET {JOBS}?kind=virus&state=asleep"),
            vec!["kind", "state"],
        ),
        (
            format!("GET {JOBS}?createdFrom=yesterday"),
            vec!["createdFrom"],
        ),
        (format!("GET {JOBS}?state=%ff"), vec!["query"]),
        ("GET /api/async/health?verbose".to_owned(), vec!["verbose"]),
        (
            "GET /api/async/dead-letters?reason=bad".to_owned(),
            vec!["reason"],
        ),
    ];
    for (line, fields) in table {
        assert_eq!(fixture.ask(&line).await.fields(), fields, "{line}");
    }
}

#[tokio::test]
async fn addresses_and_methods_that_do_not_exist_are_problems_too() {
    let fixture = Fixture::new().await;
    for line in [
        "GET /",
        "GET /api/async",
        "GET /api/async/",
        "GET /api/async/jobs/",
        "GET /api/async/jobs/../../etc/passwd",
        "POST /api/async/batch-verify",
        "GET /metrics",
    ] {
        fixture.ask(line).await.problem(404, "NO_SUCH_ADDRESS");
    }
    for (line, allowed) in [
        ("GET /api/async/verify", "POST"),
        ("PUT /api/async/jobs", "GET,HEAD"),
        ("PATCH /api/async/jobs/x", "GET,HEAD,DELETE"),
        ("DELETE /api/async/health", "GET,HEAD"),
    ] {
        let refused = fixture.ask(line).await;
        refused.problem(405, "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), allowed);
    }
}

#[tokio::test]
async fn a_last_event_id_that_is_none_is_named() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let line = format!("GET {JOBS}/{id}/events");
    for wrong in ["x", "1", "1-", "1-2-3", "-end", "1-x-end"] {
        let request = super::request(&line, &[("Last-Event-ID", wrong)], b"");
        let refused = super::send(fixture.http, &request).await;
        assert_eq!(refused.fields(), ["Last-Event-ID"], "{wrong}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let theirs = [("Sec-Fetch-Site", "cross-site")];
    for line in [
        format!("POST {JOBS}/{id}/retry"),
        format!("DELETE {JOBS}/{id}"),
        "POST /api/async/contents".to_owned(),
    ] {
        let request = super::request(&line, &theirs, b"");
        let refused = super::send(fixture.http, &request).await;
        refused.problem(403, "CROSS_SITE");
    }
    let job = fixture.ask(&format!("GET {JOBS}/{id}")).await.expect(200);
    assert_eq!(job["state"], "queued");
}

/// No problem above holds a path, a type of this program or a place in its source.
#[tokio::test]
async fn problems_tell_nothing_of_the_inside() {
    let fixture = Fixture::new().await;
    let mut told: Vec<Value> = Vec::new();
    for body in [
        "{",
        "[1]",
        "{\"content\":1}",
        "{\"content\":{\"contentId\":\"../../x\"}}",
    ] {
        told.push(fixture.post(VERIFY, &[JSON], body.as_bytes()).await.json());
    }
    for line in [
        "GET /x",
        "GET /api/async/contents/x",
        "GET /api/async/contents/x/data",
    ] {
        told.push(fixture.ask(line).await.json());
    }
    for problem in told {
        let text = problem.to_string();
        for inside in ["/tmp", "src/", ".rs", "assay_", "::", "panick", "redb"] {
            assert!(!text.contains(inside), "{inside}: {text}");
        }
    }
}

/// Somebody on the way may have looked at the other.
#[tokio::test]
async fn a_header_that_is_given_twice_is_named() {
    let fixture = Fixture::new().await;
    let body = json!({"content": {"data": "YWJj"}}).to_string();
    let twice = [JSON, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    let refused = fixture.post(VERIFY, &twice, body.as_bytes()).await;
    assert_eq!(refused.fields(), ["Idempotency-Key"]);
    let id = fixture.verify().await;
    let twice = [("Last-Event-ID", "0-1"), ("Last-Event-ID", "0-2")];
    let line = format!("GET {JOBS}/{id}/events");
    let refused = super::send(fixture.http, &super::request(&line, &twice, b"")).await;
    assert_eq!(refused.fields(), ["Last-Event-ID"]);
}

#[tokio::test]
async fn a_body_that_is_packed_is_not_taken_for_the_file() {
    let fixture = Fixture::new().await;
    let packed = ("Content-Encoding", "gzip");
    for (path, headers) in [
        ("/api/async/contents", &[packed][..]),
        (VERIFY, &[JSON, packed]),
    ] {
        let refused = fixture.post(path, headers, b"\x1f\x8b").await;
        let told = refused.problem(415, "UNSUPPORTED_MEDIA_TYPE");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("Content-Encoding"), "{detail}");
    }
    let chunked = "POST /api/async/contents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let refused = super::send(fixture.http, chunked.as_bytes()).await;
    refused.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let form = [("Content-Type", "multipart/form-data; boundary=b")];
    let body = b"--b\r\n\r\nabc\r\n--b--\r\n";
    let refused = fixture.post("/api/async/contents", &form, body).await;
    let told = refused.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("as it is"), "{detail}");
    assert!(fixture.blob_files().is_empty());
    let plain = [("Content-Encoding", "identity")];
    let stored = fixture.post("/api/async/contents", &plain, b"abc").await;
    stored.expect(201);
}

#[tokio::test]
async fn a_number_that_would_change_on_its_way_is_named() {
    let fixture = Fixture::new().await;
    let submit = async |id: &str| {
        let body = format!(r#"{{"content": {{"data": "YWJj", "id": {id}}}}}"#);
        fixture.post(VERIFY, &[JSON], body.as_bytes()).await
    };
    for kept in ["18446744073709551615", "-9223372036854775808", "0"] {
        let told = submit(kept).await.expect(202);
        let job = told["jobId"].as_str().unwrap();
        let job = fixture.ask(&format!("GET {JOBS}/{job}")).await.expect(200);
        assert_eq!(job["metadata"]["content.id"], kept);
    }
    for changed in ["18446744073709551616", "1e3", "7.0", "-0"] {
        let refused = submit(changed).await;
        assert_eq!(refused.fields(), ["content.id"], "{changed}");
    }
}

#[tokio::test]
async fn a_word_that_is_none_is_told_which_there_are() {
    let fixture = Fixture::new().await;
    for (query, word) in [
        ("state=asleep", "dead_lettered"),
        ("kind=virus", "ruv-profile"),
    ] {
        let refused = fixture.ask(&format!("GET {JOBS}?{query}")).await;
        let told = refused.problem(400, "INVALID_FIELD");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{detail}");
    }
}
