//! How the server is.

use serde_json::json;

use super::JOBS;
use crate::fixture::Fixture;
use crate::worker::inline;

#[tokio::test]
async fn health_is_not_bad_because_something_is_not_configured() {
    let fixture = Fixture::new().await;
    let health = fixture.ask("GET /api/async/health").await.expect(200);
    assert_eq!(health["status"], "healthy");
    assert!(health["timestamp"].is_string());
    let components = &health["components"];
    for part in ["gateway", "store", "queue", "content", "jobQueues"] {
        assert_eq!(components[part]["status"], "healthy", "{part}");
    }
    assert_eq!(components["rabbitmq"]["status"], "skipped");
}

#[tokio::test]
async fn queues_and_numbers_say_what_there_is() {
    let fixture = Fixture::new().await;
    fixture.verify().await;
    let ended = fixture.verify().await;
    let line = format!("DELETE {JOBS}/{ended}");
    fixture.ask(&line).await.expect(200);
    let queues = fixture.ask("GET /api/async/queues").await.expect(200);
    assert_eq!(queues[0]["name"], "content-verification");
    assert_eq!(queues[0]["isPaused"], false);
    assert_eq!(queues[1]["name"], "high-priority-tasks");
    assert!(queues[0]["counts"]["waiting"].as_u64().unwrap() >= 1);

    let metrics = fixture.ask("GET /api/async/metrics").await.expect(200);
    let jobs = json!({"total": 2, "processed": 1, "failed": 0, "pending": 1});
    assert_eq!(metrics["jobs"], jobs);
    assert_eq!(metrics["queues"]["totalMessages"], 2);
    assert_eq!(
        metrics["workers"],
        json!({"active": 0, "idle": 0, "crashed": 0})
    );
    assert_eq!(metrics["circuitBreakers"], json!([]));
    assert_eq!(metrics["counters"]["content-verification.cancelled"], 1);
    assert_eq!(metrics["performance"]["processingTimeSamples"], 0);

    fixture.work().await.succeed(inline("{}")).await;
    let metrics = fixture.ask("GET /api/async/metrics").await.expect(200);
    let performance = &metrics["performance"];
    assert_eq!(performance["processingTimeSamples"], 1);
    assert_eq!(
        performance["avgProcessingTime"],
        performance["totalProcessingTime"]
    );
    assert!(performance["avgProcessingTime"].is_u64(), "{performance}");
}
