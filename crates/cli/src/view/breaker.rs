//! A circuit breaker as a row and as JSON.

use assay_api::v1;
use assay_gateway::json;
use prost_types::Timestamp;
use serde_json::Value;

use super::table;
use crate::terminal::plain;

/// A breaker of a worker.
pub(crate) struct Of<'a> {
    worker: &'a v1::Worker,
    breaker: &'a v1::Breaker,
}

/// The breakers of all workers that live: those of the dead stand before nothing.
pub(crate) fn of(workers: &[v1::Worker]) -> Vec<Of<'_>> {
    let alive = workers.iter().filter(|worker| worker.alive);
    let all = alive.flat_map(|worker| {
        let breakers = worker.breakers.iter();
        breakers.map(move |breaker| Of { worker, breaker })
    });
    all.collect()
}

/// Breakers as a table.
pub(crate) fn rows(breakers: &[Of<'_>]) -> Vec<String> {
    let row = |Of { worker, breaker }: &Of<'_>| {
        [
            plain(&worker.id),
            plain(&breaker.downstream),
            plain(&breaker.state).replace('_', " "),
            time(breaker.since_time.as_ref()),
            format!("{} of {}", breaker.failures, breaker.calls),
            retry(breaker),
        ]
    };
    let rows: Vec<_> = breakers.iter().map(row).collect();
    let head = [
        "WORKER",
        "DOWNSTREAM",
        "STATE",
        "SINCE",
        "FAILURES",
        "RETRY",
    ];
    table::columns(head, &rows)
}

/// A breaker as JSON, spelled like answers over HTTP.
pub(crate) fn json(of: &Of<'_>) -> Value {
    let breaker = of.breaker;
    serde_json::json!({
        "worker": of.worker.id,
        "downstream": breaker.downstream,
        "state": breaker.state,
        "since": json::time(breaker.since_time),
        "calls": breaker.calls,
        "failures": breaker.failures,
        "opensInARow": breaker.opens_in_a_row,
        "retryAt": json::time(breaker.retry_time),
        "held": Some(&breaker.held).filter(|held| !held.is_empty()),
    })
}

/// When it is asked again, or what must be mended first.
fn retry(breaker: &v1::Breaker) -> String {
    match breaker.held.as_str() {
        "" => time(breaker.retry_time.as_ref()),
        held => format!("when this is mended: {}", plain(held)),
    }
}

fn time(time: Option<&Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(alive: bool, breakers: Vec<v1::Breaker>) -> v1::Worker {
        v1::Worker {
            id: "verification-worker-7-00ff".to_owned(),
            alive,
            breakers,
            ..v1::Worker::default()
        }
    }

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn open() -> v1::Breaker {
        v1::Breaker {
            downstream: "detector.acme".to_owned(),
            state: "open".to_owned(),
            since_time: at(1_700_000_000),
            opens_in_a_row: 2,
            retry_time: at(1_700_000_030),
            ..v1::Breaker::default()
        }
    }

    #[test]
    fn a_table_says_who_is_left_alone_and_until_when() {
        let closed = v1::Breaker {
            downstream: "detector.\u{1b}b".to_owned(),
            state: "closed".to_owned(),
            calls: 9,
            failures: 1,
            ..v1::Breaker::default()
        };
        let held = v1::Breaker {
            held: "it wants a token".to_owned(),
            ..open()
        };
        let workers = [
            worker(true, vec![open(), closed, held]),
            worker(false, vec![open()]),
        ];
        let rows = rows(&of(&workers));
        let id = "verification-worker-7-00ff";
        assert_eq!(
            rows[1..],
            [
                format!(
                    "{id}  detector.acme     open    2023-11-14T22:13:20Z  0 of 0    2023-11-14T22:13:50Z"
                ),
                format!("{id}  detector.\\u{{1b}}b  closed  -                     1 of 9    -"),
                format!(
                    "{id}  detector.acme     open    2023-11-14T22:13:20Z  0 of 0    when this is mended: it wants a \
                     token"
                ),
            ]
        );
    }

    #[test]
    fn json_has_what_the_table_has_no_room_for() {
        let workers = [worker(true, vec![open()])];
        let json = json(&of(&workers)[0]);
        assert_eq!(json["worker"], "verification-worker-7-00ff");
        assert_eq!(json["opensInARow"], 2);
        assert_eq!(json["retryAt"], "2023-11-14T22:13:50Z");
        assert!(json["held"].is_null());
    }
}
