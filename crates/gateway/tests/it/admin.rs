//! The operator's side.

use assay_api::v1 as pb;
use assay_core::breaker::State;
use assay_core::id::{JobId, WorkerId};
use assay_core::kind::JobKind;
use assay_core::port::WorkerRegistry;
use assay_core::worker::{Beat, BreakerSeen};
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
    let store = &health.components[1].message;
    assert!(store.contains("power cut"), "what is promised: {store}");
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
async fn workers_are_listed_with_what_they_said() {
    let fixture = Fixture::new().await;
    let list = || async {
        let mut admin = fixture.admin();
        let listed = admin.list_workers(pb::ListWorkersRequest {}).await;
        listed.unwrap().into_inner().workers
    };
    assert_eq!(list().await, []);
    let job_id = JobId::from_bytes([7; 16]);
    let beat = Beat {
        worker: WorkerId::new("probe-1").unwrap(),
        service: "probe".to_owned(),
        host: "a host".to_owned(),
        pid: 4_711,
        version: "1.2.3".to_owned(),
        started_at_ms: 1_700_000_000_000,
        concurrency: 8,
        kinds: vec![JobKind::ContentVerification],
        running: 1,
        jobs: vec![job_id],
        breakers: vec![BreakerSeen {
            downstream: "detector.acme".to_owned(),
            state: State::Open,
            since_ms: 1_700_000_001_000,
            calls: 10,
            failures: 5,
            opens_in_a_row: 2,
            retry_at_ms: 1_700_000_031_000,
            held: None,
        }],
    };
    fixture.registry.beat(&beat).await.unwrap();
    let workers = list().await;
    let [worker] = workers.as_slice() else {
        panic!("{workers:?}")
    };
    assert_eq!((worker.id.as_str(), worker.pid), ("probe-1", 4_711));
    assert_eq!(
        (worker.service.as_str(), worker.version.as_str()),
        ("probe", "1.2.3")
    );
    assert_eq!((worker.host.as_str(), worker.alive), ("a host", true));
    assert_eq!(
        worker.start_time.map(|time| time.seconds),
        Some(1_700_000_000)
    );
    assert_eq!((worker.concurrency, worker.running), (8, 1));
    assert_eq!(worker.kinds, ["content-verification"]);
    assert_eq!(worker.job_ids, [job_id.to_string()]);
    assert!(worker.silence.is_some());
    let [breaker] = worker.breakers.as_slice() else {
        panic!("{worker:?}")
    };
    assert_eq!(
        (breaker.downstream.as_str(), breaker.state.as_str()),
        ("detector.acme", "open")
    );
    let seconds = |time: &Option<prost_types::Timestamp>| time.map(|time| time.seconds);
    assert_eq!(
        (seconds(&breaker.since_time), seconds(&breaker.retry_time)),
        (Some(1_700_000_001), Some(1_700_000_031))
    );
    assert_eq!(
        (breaker.failures, breaker.calls, breaker.opens_in_a_row),
        (5, 10, 2)
    );
    assert_eq!(breaker.held, "");
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
