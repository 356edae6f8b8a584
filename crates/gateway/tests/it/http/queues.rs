//! Queues, held back and emptied.

use serde_json::{Value, json};

use super::JOBS;
use crate::fixture::Fixture;

const QUEUE: &str = "/api/async/queues/content-verification";

async fn is_paused(fixture: &Fixture) -> Value {
    let queues = fixture.ask("GET /api/async/queues").await.expect(200);
    queues[0]["isPaused"].clone()
}

#[tokio::test]
async fn a_queue_is_paused_until_it_is_resumed() {
    let fixture = Fixture::new().await;
    for (verb, paused) in [
        ("pause", true),
        ("pause", true),
        ("resume", false),
        ("resume", false),
    ] {
        let answered = fixture
            .ask(&format!("POST {QUEUE}/{verb}"))
            .await
            .expect(200);
        assert_eq!(
            answered,
            json!({"kind": "content-verification", "isPaused": paused})
        );
        assert_eq!(is_paused(&fixture).await, paused);
    }
    for verb in ["pause", "resume"] {
        let unknown = fixture
            .ask(&format!("POST /api/async/queues/x/{verb}"))
            .await;
        assert_eq!(unknown.fields(), ["kind"]);
        let other = fixture
            .ask(&format!("POST /api/async/queues/batch/{verb}"))
            .await;
        other.problem(409, "KIND_NOT_SERVED");
    }
}

#[tokio::test]
async fn a_queue_is_emptied() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let purge = format!("{QUEUE}/purge");
    let counted = fixture
        .post_json(&purge, &json!({"dryRun": true}))
        .await
        .expect(200);
    assert_eq!(
        (&counted["matched"], &counted["cancelled"]),
        (&json!(1), &json!(0))
    );
    let high = fixture
        .post_json(&purge, &json!({"lane": "high"}))
        .await
        .expect(200);
    assert_eq!(high["matched"], 0);
    let purged = fixture.post_json(&purge, &json!({})).await.expect(200);
    assert_eq!(
        (&purged["cancelled"], &purged["more"]),
        (&json!(1), &json!(false))
    );
    assert!(purged["createdBefore"].is_string() && purged["stopped"].is_null());
    let job = fixture.ask(&format!("GET {JOBS}/{id}")).await.expect(200);
    assert_eq!(job["state"], "cancelled");
    let wrong = fixture
        .post_json(&purge, &json!({"lane": "fast", "all": 1}))
        .await;
    assert_eq!(wrong.fields(), ["lane", "all"]);
}
