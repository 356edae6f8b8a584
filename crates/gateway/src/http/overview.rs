//! How the server is: health, queues and numbers in the shapes of the system before this one, with ours beside them.

use assay_api::v1 as pb;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::Counts;
use assay_core::route;
use assay_core::state::JobState;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer;
use super::ask::Ask;
use super::problem::Problem;
use super::{performance, view};
use crate::convert;
use crate::edge::Edge;
use crate::status::Refusal;

/// What is served, for programs.
pub(super) const DESCRIPTION: &str = include_str!("openapi.json");

/// What is said of a part that is not well. Its own words may name places.
const UNWELL: &str = "does not do what it should: the server's log says more";

/// The description of all this.
pub(super) fn description() -> Response {
    answer::json_bytes(StatusCode::OK, Bytes::from_static(DESCRIPTION.as_bytes()))
}

/// How the parts are; strangers are told only how the whole is. A part that is not configured makes nothing unhealthy.
pub(super) async fn health(ask: Ask) -> Result<Response, Problem> {
    let health = ask.edge.health_for(&ask.caller).await;
    let mut answered = json!({
        "timestamp": view::time(Some(convert::timestamp(ask.edge.clock.now_ms()))),
        "status": view::word(health.status().as_str_name(), "HEALTH_STATUS_"),
        "components": {},
    });
    if !ask.caller.is_stranger() {
        answered["components"] = components(&health, ask.edge.mode).into();
    }
    let status = if health.status() == pb::HealthStatus::Unhealthy {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    Ok(answer::json(status, &answered))
}

/// The parts, and what the system before this one called them.
fn components(health: &pb::GetHealthResponse, mode: pb::ServerMode) -> Map<String, Value> {
    let queue = health.components.iter().find(|part| part.name == "queue");
    let queue = queue.map_or(pb::HealthStatus::Unspecified, pb::ComponentHealth::status);
    let mut components: Map<String, Value> = health
        .components
        .iter()
        .map(|part| (part.name.clone(), component(part.status(), &part.message)))
        .collect();
    components.insert("jobQueues".to_owned(), component(queue, ""));
    let broker = match mode {
        pb::ServerMode::Full => component(queue, ""),
        pb::ServerMode::Embedded | pb::ServerMode::Redis | pb::ServerMode::Unspecified => {
            json!({"status": "skipped", "message": "no broker is configured"})
        }
    };
    components.insert("rabbitmq".to_owned(), broker);
    components
}

fn component(status: pb::HealthStatus, message: &str) -> Value {
    let message = if status == pb::HealthStatus::Unhealthy {
        UNWELL
    } else {
        message
    };
    json!({
        "status": view::word(status.as_str_name(), "HEALTH_STATUS_"),
        "message": message,
    })
}

/// The queues under the names that the system before this one had, and each lane.
pub(super) async fn queues(ask: Ask) -> Result<Response, Problem> {
    let counts = counts(&ask.edge).await?;
    let lanes = ask.edge.list_queues().await?.queues;
    let kinds = ask.edge.settings.kinds.iter();
    let mut queues: Vec<_> = kinds.map(|kind| of_kind(*kind, &lanes, &counts)).collect();
    queues.extend(high_priority(&lanes));
    Ok(answer::json(StatusCode::OK, &queues.into()))
}

async fn counts(edge: &Edge) -> Result<Counts, Refusal> {
    let counts = edge.store.counts().await;
    counts.map_err(|error| Refusal::of_read(&error))
}

/// The queue of a kind: its normal and its low lane. Jobs that do not wait are counted here, whatever their lane was.
fn of_kind(kind: JobKind, lanes: &[pb::Queue], counts: &Counts) -> Value {
    let lanes: Vec<_> = lanes
        .iter()
        .filter(|lane| lane.kind == kind.as_str() && lane.lane() != pb::Lane::High)
        .collect();
    let sum = |states: &[JobState]| -> u64 {
        let states = states.iter();
        states.map(|state| counts.get(kind, *state)).sum()
    };
    let others = [
        ("active", sum(&[JobState::Running, JobState::Cancelling])),
        ("completed", sum(&[JobState::Succeeded])),
        ("delayed", sum(&[JobState::Scheduled, JobState::Retrying])),
        ("failed", sum(&[JobState::Failed, JobState::DeadLettered])),
        ("waiting-children", sum(&[JobState::Waiting])),
    ];
    queue(route::queue(kind, Lane::Normal), &lanes, &others)
}

/// The sum of all high lanes.
fn high_priority(lanes: &[pb::Queue]) -> Option<Value> {
    let lanes: Vec<_> = lanes
        .iter()
        .filter(|lane| lane.lane() == pb::Lane::High)
        .collect();
    let (name, _) = lanes.first()?.name.split_once('.')?;
    Some(queue(name, &lanes, &[]))
}

fn queue(name: &str, lanes: &[&pb::Queue], others: &[(&str, u64)]) -> Value {
    let waits = |paused: bool| -> u64 {
        let lanes = lanes.iter().filter(|lane| lane.paused == paused);
        lanes.map(|lane| lane.depth).sum()
    };
    let mut counts = json!({
        "active": 0,
        "completed": 0,
        "delayed": 0,
        "failed": 0,
        "paused": waits(true),
        "prioritized": 0,
        "waiting": waits(false),
        "waiting-children": 0,
    });
    for (name, count) in others {
        counts[*name] = (*count).into();
    }
    json!({
        "name": name,
        "counts": counts,
        "isPaused": !lanes.is_empty() && lanes.iter().all(|lane| lane.paused),
        "lanes": lanes.iter().map(|one| lane(one)).collect::<Vec<_>>(),
    })
}

fn lane(lane: &pb::Queue) -> Value {
    json!({
        "name": lane.name,
        "kind": lane.kind,
        "lane": view::word(lane.lane().as_str_name(), "LANE_"),
        "depth": lane.depth,
        "oldestAgeMs": view::ms(lane.oldest_age),
        "paused": lane.paused,
    })
}

/// Numbers of all jobs that are on record. Those for Prometheus are on the admin port.
pub(super) async fn metrics(ask: Ask) -> Result<Response, Problem> {
    let edge = &ask.edge;
    let counts = counts(edge).await?;
    let lanes = edge.list_queues().await?.queues;
    let workers = edge.list_workers().await?.workers;
    let answered = json!({
        "timestamp": view::time(Some(convert::timestamp(edge.clock.now_ms()))),
        "jobs": jobs(&counts),
        "queues": {
            "totalMessages": total(&counts),
            "processedMessages": ended(&counts),
            "failedMessages": failed(&counts),
            "details": lanes.iter().map(lane).collect::<Vec<_>>(),
        },
        "workers": {
            "active": workers.iter().filter(|one| one.alive && one.running > 0).count(),
            "idle": workers.iter().filter(|one| one.alive && one.running == 0).count(),
            "crashed": workers.iter().filter(|one| !one.alive).count(),
        },
        "performance": performance::read(edge, &ask.caller.tenant).await?,
        "histograms": {},
        "counters": by_state(&counts),
        "circuitBreakers": [],
    });
    Ok(answer::json(StatusCode::OK, &answered))
}

fn jobs(counts: &Counts) -> Value {
    json!({
        "total": total(counts),
        "processed": ended(counts),
        "failed": failed(counts),
        "pending": JobKind::ALL.into_iter().map(|kind| counts.live(kind)).sum::<u64>(),
    })
}

fn sum(counts: &Counts, wanted: impl Fn(JobState) -> bool) -> u64 {
    let states = JobState::ALL.into_iter().filter(|state| wanted(*state));
    states
        .flat_map(|state| JobKind::ALL.map(|kind| counts.get(kind, state)))
        .sum()
}

fn total(counts: &Counts) -> u64 {
    sum(counts, |_| true)
}

fn ended(counts: &Counts) -> u64 {
    sum(counts, JobState::is_terminal)
}

fn failed(counts: &Counts) -> u64 {
    sum(counts, |state| {
        matches!(state, JobState::Failed | JobState::DeadLettered)
    })
}

/// By kind and state, such as `content-verification.running`.
fn by_state(counts: &Counts) -> Value {
    let mut counters = Map::new();
    for kind in JobKind::ALL {
        for state in JobState::ALL {
            counters.insert(format!("{kind}.{state}"), counts.get(kind, state).into());
        }
    }
    Value::Object(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(lane: Lane, depth: u64, paused: bool) -> pb::Queue {
        let kind = JobKind::ContentVerification;
        pb::Queue {
            name: route::queue(kind, lane).to_owned(),
            kind: kind.as_str().to_owned(),
            lane: convert::lane(lane).into(),
            depth,
            oldest_age: None,
            paused,
        }
    }

    fn lanes(paused: bool) -> Vec<pb::Queue> {
        let lanes = [(Lane::Low, 1), (Lane::Normal, 2), (Lane::High, 4)];
        lanes.map(|(lane, depth)| waits(lane, depth, paused)).into()
    }

    #[test]
    fn queues_have_their_former_names_and_counts() {
        let mut counts = Counts::default();
        let kind = JobKind::ContentVerification;
        for (place, state) in JobState::ALL.into_iter().enumerate() {
            *counts.get_mut(kind, state) = 10_u64.pow(u32::try_from(place).unwrap());
        }
        let own = of_kind(kind, &lanes(false), &counts);
        assert_eq!(own["name"], "content-verification");
        assert_eq!(own["isPaused"], false);
        let of = |state: JobState| counts.get(kind, state);
        let expected = json!({
            "active": of(JobState::Running) + of(JobState::Cancelling),
            "completed": of(JobState::Succeeded),
            "delayed": of(JobState::Scheduled) + of(JobState::Retrying),
            "failed": of(JobState::Failed) + of(JobState::DeadLettered),
            "paused": 0,
            "prioritized": 0,
            "waiting": 3,
            "waiting-children": of(JobState::Waiting),
        });
        assert_eq!(own["counts"], expected);
        let high = high_priority(&lanes(false)).unwrap();
        assert_eq!(high["name"], "high-priority-tasks");
        assert_eq!(high["counts"]["waiting"], 4);
    }

    #[test]
    fn what_waits_behind_a_pause_is_counted_as_paused() {
        let own = of_kind(
            JobKind::ContentVerification,
            &lanes(true),
            &Counts::default(),
        );
        assert_eq!(own["isPaused"], true);
        assert_eq!(own["counts"]["paused"], 3);
        assert_eq!(own["counts"]["waiting"], 0);
        assert_eq!(high_priority(&[]), None);
    }

    #[test]
    fn numbers_add_up() {
        let mut counts = Counts::default();
        *counts.get_mut(JobKind::Batch, JobState::Failed) = 1;
        *counts.get_mut(JobKind::Batch, JobState::DeadLettered) = 2;
        *counts.get_mut(JobKind::RuvProfile, JobState::Succeeded) = 4;
        *counts.get_mut(JobKind::ContentVerification, JobState::Queued) = 8;
        let expected = json!({"total": 15, "processed": 7, "failed": 3, "pending": 8});
        assert_eq!(jobs(&counts), expected);
        assert_eq!(by_state(&counts)["batch.dead_lettered"], 2);
    }

    #[test]
    fn a_part_that_is_not_well_does_not_say_where_it_is() {
        let told = component(pb::HealthStatus::Unhealthy, "connect to /secret: refused");
        assert_eq!(told, json!({"status": "unhealthy", "message": UNWELL}));
        let told = component(pb::HealthStatus::Healthy, "answers");
        assert_eq!(told["message"], "answers");
    }
}
