//! A queue as a row and as JSON.

use assay_api::v1;
use assay_gateway::json;
use serde_json::Value;

use super::{state, table};
use crate::terminal::plain;

/// Queues as a table.
pub(crate) fn rows(queues: &[v1::Queue]) -> Vec<String> {
    let row = |queue: &v1::Queue| {
        let oldest = oldest_seconds(queue);
        [
            plain(&queue.kind),
            state::lane(queue.lane),
            if queue.paused { "paused" } else { "open" }.to_owned(),
            queue.depth.to_string(),
            oldest.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s")),
        ]
    };
    let rows: Vec<_> = queues.iter().map(row).collect();
    table::columns(["KIND", "LANE", "STATE", "WAITING", "OLDEST"], &rows)
}

/// A queue as JSON: a lane of the answer over HTTP.
pub(crate) fn json(queue: &v1::Queue) -> Value {
    serde_json::json!({
        "name": queue.name,
        "kind": queue.kind,
        "lane": json::word(queue.lane().as_str_name(), "LANE_"),
        "depth": queue.depth,
        "oldestAgeMs": json::ms(queue.oldest_age),
        "paused": queue.paused,
    })
}

fn oldest_seconds(queue: &v1::Queue) -> Option<f64> {
    let age = std::time::Duration::try_from(queue.oldest_age?).ok()?;
    Some(age.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use prost_types::Duration;

    use super::*;

    fn queue(paused: bool, oldest_age: Option<Duration>) -> v1::Queue {
        v1::Queue {
            name: "content-verification.low".to_owned(),
            kind: "content-verification".to_owned(),
            lane: v1::Lane::Low.into(),
            depth: 12,
            oldest_age,
            paused,
        }
    }

    #[test]
    fn a_table_says_what_waits_and_what_is_held_back() {
        let age = Duration {
            seconds: 3,
            nanos: 250_000_000,
        };
        let rows = rows(&[queue(true, Some(age)), queue(false, None)]);
        assert_eq!(
            rows,
            [
                "KIND                  LANE  STATE   WAITING  OLDEST",
                "content-verification  low   paused  12       3.2 s",
                "content-verification  low   open    12       -",
            ]
        );
    }

    #[test]
    fn json_has_the_names_of_the_api() {
        let json = json(&queue(true, None));
        assert_eq!(
            (&json["paused"], &json["depth"]),
            (&true.into(), &12.into())
        );
        assert_eq!(json["name"], "content-verification.low");
        assert_eq!(json["lane"], "low");
        assert!(json["oldestAgeMs"].is_null());
    }
}
