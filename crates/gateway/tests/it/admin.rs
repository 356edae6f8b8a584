//! The operator's side.

use assay_api::v1 as pb;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::Fixture;

#[tokio::test]
async fn all_parts_of_a_good_server_are_healthy() {
    let fixture = Fixture::new().await;
    let health = fixture
        .admin()
        .get_health(pb::GetHealthRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(health.status(), pb::HealthStatus::Healthy, "{health:?}");
    let names: Vec<_> = health
        .components
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["gateway", "store", "queue", "content"]);
}

#[tokio::test]
async fn queues_show_what_waits() {
    let fixture = Fixture::new().await;
    fixture.submit().await;
    let queues = fixture.admin().list_queues(pb::ListQueuesRequest {}).await;
    let queues = queues.unwrap().into_inner().queues;
    let seen: Vec<_> = queues
        .iter()
        .map(|queue| (queue.name.as_str(), queue.depth))
        .collect();
    let expected = [
        ("content-verification.low", 0),
        ("content-verification", 1),
        ("high-priority-tasks.content-verification", 0),
    ];
    assert_eq!(seen, expected);
    assert!(queues[1].oldest_age.is_some() && queues[0].oldest_age.is_none());
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let fixture = Fixture::new().await;
    let info = fixture
        .admin()
        .get_server_info(pb::GetServerInfoRequest {})
        .await;
    let info = info.unwrap().into_inner();
    assert_eq!(info.mode(), pb::ServerMode::Embedded);
    assert_eq!(info.kinds, ["content-verification"]);
    assert!(info.durability.contains("power cut"));
    assert!(info.start_time.is_some());
}

#[tokio::test]
async fn probes_hear_that_it_serves() {
    let fixture = Fixture::new().await;
    for service in [
        "",
        "assay.v1.JobService",
        "assay.v1.ContentService",
        "assay.v1.AdminService",
    ] {
        let service = service.to_owned();
        let check = HealthCheckRequest { service };
        let checked = HealthClient::new(fixture.channel.clone())
            .check(check)
            .await;
        assert_eq!(
            checked.unwrap().into_inner().status(),
            ServingStatus::Serving
        );
    }
}
