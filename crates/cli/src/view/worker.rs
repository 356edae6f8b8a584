//! A worker as a row and as JSON.

use assay_api::v1;
use assay_gateway::json;
use prost_types::Duration;
use serde_json::Value;

use super::table;
use crate::terminal::plain;

/// Workers as a table.
pub(crate) fn rows(workers: &[v1::Worker]) -> Vec<String> {
    let row = |worker: &v1::Worker| {
        [
            plain(&worker.id),
            if worker.alive { "alive" } else { "dead" }.to_owned(),
            plain(&worker.host),
            format!("{} of {}", worker.running, worker.concurrency),
            format!("{:.1} s ago", seconds(worker.silence.as_ref())),
            plain(&worker.kinds.join(", ")),
        ]
    };
    let rows: Vec<_> = workers.iter().map(row).collect();
    table::columns(
        ["WORKER", "STATE", "HOST", "RUNNING", "SEEN", "KINDS"],
        &rows,
    )
}

/// A worker as JSON, spelled like answers over HTTP.
pub(crate) fn json(worker: &v1::Worker) -> Value {
    serde_json::json!({
        "id": worker.id,
        "service": worker.service,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "startedAt": json::time(worker.start_time),
        "concurrency": worker.concurrency,
        "kinds": worker.kinds,
        "running": worker.running,
        "jobIds": worker.job_ids,
        "silenceMs": json::ms(worker.silence),
        "alive": worker.alive,
    })
}

fn seconds(duration: Option<&Duration>) -> f64 {
    let duration = duration.and_then(|duration| std::time::Duration::try_from(*duration).ok());
    duration.map_or(0.0, |duration| duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(alive: bool) -> v1::Worker {
        v1::Worker {
            id: "verification-worker-7-00ff".to_owned(),
            host: "a\u{1b}host".to_owned(),
            concurrency: 8,
            running: 2,
            kinds: vec!["content-verification".to_owned()],
            job_ids: vec!["j-1".to_owned()],
            silence: Some(Duration {
                seconds: 1,
                nanos: 250_000_000,
            }),
            alive,
            ..v1::Worker::default()
        }
    }

    #[test]
    fn a_table_says_who_lives_and_what_it_does() {
        let rows = rows(&[worker(true), worker(false)]);
        let seen = "a\\u{1b}host  2 of 8   1.2 s ago  content-verification";
        assert_eq!(
            rows[1],
            format!("verification-worker-7-00ff  alive  {seen}")
        );
        assert_eq!(
            rows[2],
            format!("verification-worker-7-00ff  dead   {seen}")
        );
    }

    #[test]
    fn json_has_what_the_table_has_no_room_for() {
        let json = json(&worker(true));
        assert_eq!(json["jobIds"][0], "j-1");
        assert_eq!(json["silenceMs"], 1_250);
        assert_eq!(json["alive"], true);
        assert!(json["startedAt"].is_null());
    }
}
