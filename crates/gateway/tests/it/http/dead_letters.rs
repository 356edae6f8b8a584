//! Dead letters: found, looked at, put back.

use assay_core::retry::DeadLetterReason;
use serde_json::{Value, json};

use super::JOBS;
use crate::fixture::Fixture;

const DEAD: &str = "/api/async/dead-letters";
const REDRIVE: &str = "/api/async/dead-letters/redrive";

/// Submits a job and lets it die.
async fn dead(fixture: &Fixture, reason: DeadLetterReason) -> String {
    let id = fixture.verify().await;
    fixture.work().await.die(reason).await;
    id
}

fn ids(page: &Value) -> Vec<&str> {
    let letters = page["deadLetters"].as_array().unwrap().iter();
    letters.map(|job| job["jobId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_dead_letter_is_listed_looked_at_and_put_back() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::CrashLoop).await;
    let lives = fixture.verify().await;
    let listed = fixture.ask(&format!("GET {DEAD}")).await.expect(200);
    assert_eq!(ids(&listed), [id.as_str()]);
    for (query, found) in [
        ("reason=crash_loop", 1),
        ("reason=orphan&reason=crash_loop", 1),
        ("reason=orphan", 0),
        ("kind=batch", 0),
        ("createdBefore=1970-01-01T00:00:00Z", 0),
    ] {
        let listed = fixture
            .ask(&format!("GET {DEAD}?{query}"))
            .await
            .expect(200);
        assert_eq!(ids(&listed).len(), found, "{query}");
    }
    let letter = fixture.ask(&format!("GET {DEAD}/{id}")).await.expect(200);
    assert_eq!(letter["deadLetterReason"], "crash_loop");
    assert_eq!(letter["failure"]["code"], "no_answer");

    let other = fixture.ask(&format!("GET {DEAD}/{lives}")).await;
    other.problem(404, "DEAD_LETTER_NOT_FOUND");
    let other = fixture.ask(&format!("POST {DEAD}/{lives}/redrive")).await;
    other.problem(404, "DEAD_LETTER_NOT_FOUND");
    let back = fixture.ask(&format!("POST {DEAD}/{id}/redrive")).await;
    assert_eq!(back.expect(202)["state"], "queued");
    let listed = fixture.ask(&format!("GET {DEAD}")).await.expect(200);
    assert!(ids(&listed).is_empty());
}

#[tokio::test]
async fn all_that_match_are_counted_first_and_put_back_then() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        dead(&fixture, DeadLetterReason::AttemptsExhausted).await;
    }
    let other = dead(&fixture, DeadLetterReason::DeadlineExceeded).await;
    let redrive = async |mut body: Value| {
        body["reason"] = "attempts_exhausted".into();
        fixture.post_json(REDRIVE, &body).await.expect(200)
    };
    let dry = redrive(json!({"dryRun": true})).await;
    let nothing =
        json!({"dryRun": true, "matched": 3, "redriven": 0, "refused": [], "more": false});
    assert_eq!(dry, nothing);
    let two = redrive(json!({"limit": 2, "perSecond": 1000})).await;
    assert_eq!((&two["redriven"], &two["more"]), (&json!(2), &json!(true)));
    let rest = redrive(json!({"kind": "content-verification"})).await;
    assert_eq!(
        (&rest["redriven"], &rest["more"]),
        (&json!(1), &json!(false))
    );
    let left = fixture.ask(&format!("GET {DEAD}")).await.expect(200);
    assert_eq!(ids(&left), [other.as_str()]);
    let queued = fixture.ask(&format!("GET {JOBS}?state=queued")).await;
    assert_eq!(queued.expect(200)["jobs"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn no_more_are_put_back_in_a_second_than_was_asked_for() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        dead(&fixture, DeadLetterReason::Orphan).await;
    }
    let began = tokio::time::Instant::now();
    let all = fixture.post_json(REDRIVE, &json!({"perSecond": 10})).await;
    assert_eq!(all.expect(200)["redriven"], 3);
    assert!(began.elapsed().as_millis() >= 200, "two pauses of 100 ms");
}

#[tokio::test]
async fn what_is_wrong_with_a_filter_is_named() {
    let fixture = Fixture::new().await;
    for (body, fields) in [
        (json!({"kind": "virus"}), vec!["kind"]),
        (
            json!({"limit": 1001, "perSecond": 0}),
            vec!["limit", "perSecond"],
        ),
        (
            json!({"reason": "bad", "dryrun": true}),
            vec!["reason", "dryrun"],
        ),
        (json!([]), vec!["body"]),
    ] {
        assert_eq!(fixture.post_json(REDRIVE, &body).await.fields(), fields);
    }
}

#[tokio::test]
async fn a_letter_is_edited_in_the_shape_that_it_is_shown_in() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::AttemptsExhausted).await;
    let path = format!("{DEAD}/{id}");
    let letter = fixture.ask(&format!("GET {path}")).await.expect(200);
    assert_eq!(letter["attempts"][0]["message"], "nobody answers");
    assert_eq!(
        (&letter["editedAt"], &letter["editor"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(letter["worker"], "worker");
    let mut body = letter["payload"].clone();
    body["content"]["name"] = "mended.jpg".into();
    body["options"]["without"] = "pixels".into();
    body["etag"] = letter["etag"].clone();
    let patch = format!("PATCH {path}");
    let edited = fixture.send_json(&patch, &body).await.expect(200);
    assert_eq!(edited["payload"]["content"], body["content"]);
    assert_eq!(edited["payload"]["options"], body["options"]);
    assert!(edited["editedAt"].is_string());
    let listed = fixture.ask(&format!("GET {DEAD}")).await.expect(200);
    assert_eq!(listed["deadLetters"][0]["etag"], edited["etag"]);

    body["content"]["name"] = "other.jpg".into();
    let late = fixture.send_json(&patch, &body).await;
    late.problem(409, "DEAD_LETTER_CHANGED");
    let wrong = json!({"content": {"contentId": "x", "name": "a/b"}, "etag": "y"});
    let wrong = fixture.send_json(&patch, &wrong).await;
    assert_eq!(
        wrong.fields(),
        ["etag", "content.name", "content.contentId"]
    );
    let wrong = json!({"contentId": "x", "highPriority": true});
    assert_eq!(
        fixture.send_json(&patch, &wrong).await.fields(),
        ["highPriority"]
    );
    let nobody = format!("PATCH {DEAD}/01890a5d-ac96-774b-bcce-b302099a8057");
    let inline = json!({"content": {"data": "YWJj"}});
    let absent = fixture.send_json(&nobody, &inline).await;
    absent.problem(404, "DEAD_LETTER_NOT_FOUND");
    let stored = fixture.send_json(&patch, &inline).await.expect(200);
    assert_eq!(stored["payload"]["content"]["name"], "");
}

#[tokio::test]
async fn letters_are_forgotten_one_by_one_or_all_that_match() {
    let fixture = Fixture::new().await;
    let first = dead(&fixture, DeadLetterReason::Orphan).await;
    let stale = fixture
        .ask(&format!("DELETE {DEAD}/{first}?etag=1-1"))
        .await;
    stale.problem(409, "DEAD_LETTER_CHANGED");
    let deleted = fixture
        .ask(&format!("DELETE {DEAD}/{first}"))
        .await
        .expect(200);
    assert_eq!(deleted, json!({"jobId": first, "deleted": true}));
    let again = fixture.ask(&format!("DELETE {DEAD}/{first}")).await;
    again.problem(404, "DEAD_LETTER_NOT_FOUND");

    for reason in [DeadLetterReason::Orphan, DeadLetterReason::CrashLoop] {
        dead(&fixture, reason).await;
    }
    let purge = format!("{DEAD}/purge");
    let all = fixture.post_json(&purge, &json!({})).await;
    assert_eq!(all.fields(), ["filter"]);
    let dry = json!({"reason": "orphan", "dryRun": true});
    let counted = fixture.post_json(&purge, &dry).await.expect(200);
    let expected = json!({"dryRun": true, "matched": 1, "purged": 0, "refused": [], "more": false});
    assert_eq!(counted, expected);
    let all = json!({"all": true, "kind": "content-verification"});
    let purged = fixture.post_json(&purge, &all).await.expect(200);
    assert_eq!(purged["purged"], 2);
    let left = fixture.ask(&format!("GET {DEAD}")).await.expect(200);
    assert!(ids(&left).is_empty());
}
