//! A job as a row, as lines, and as JSON.

use assay_api::v1;
use prost_types::{Duration, Timestamp};
use serde_json::{Map, Value, json};

use super::{state, table};
use crate::terminal::{Terminal, plain};

/// Jobs as a table.
pub(crate) fn rows(jobs: &[v1::Job]) -> Vec<String> {
    let row = |job: &v1::Job| {
        [
            plain(&job.id),
            state::state(job.state),
            percent(job.progress.as_ref()),
            plain(&job.kind),
            job.attempt.to_string(),
            time(job.create_time.as_ref()),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    table::columns(
        ["JOB", "STATE", "DONE", "KIND", "ATTEMPT", "SUBMITTED"],
        &rows,
    )
}

/// A job as lines for people: what is known, in the order of its life.
pub(crate) fn lines(job: &v1::Job, terminal: Terminal) -> Vec<String> {
    let state = terminal.paint(state::tone(job.state), &state::state(job.state));
    let mut lines = vec![
        format!("job        {}", plain(&job.id)),
        format!("state      {state}"),
    ];
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("{name:<10} {text}"));
        }
    };
    add(
        "kind",
        format!("{}, {} lane", plain(&job.kind), state::lane(job.lane)),
    );
    add("attempt", attempts(job));
    add("done", percent(job.progress.as_ref()));
    add("submitted", time(job.create_time.as_ref()));
    add("due", time(job.due_time.as_ref()));
    add("started", time(job.start_time.as_ref()));
    add("finished", time(job.finish_time.as_ref()));
    for (key, value) in &job.metadata {
        add("label", format!("{}={}", plain(key), plain(value)));
    }
    if let Some(reason) = state::dead_letter(job.dead_letter_reason) {
        add("given up", reason);
    }
    if let Some(failure) = &job.failure {
        add("failure", failure_line(failure));
    }
    for step in job.progress.iter().flat_map(|progress| &progress.steps) {
        add("step", step_line(step));
    }
    lines
}

/// Why a job failed, in one line.
pub(crate) fn failure_line(failure: &v1::JobFailure) -> String {
    let (class, code) = (state::failure(failure.class), plain(&failure.code));
    format!("{} ({class}, {code})", plain(&failure.message))
}

fn step_line(step: &v1::JobStep) -> String {
    let items = match step.total {
        0 => String::new(),
        total => format!(", {} of {total}", step.current),
    };
    let message = match step.message.as_str() {
        "" => String::new(),
        message => format!(": {}", plain(message)),
    };
    format!(
        "{} {}{items}{message}",
        plain(&step.name),
        state::step(step.state)
    )
}

fn attempts(job: &v1::Job) -> String {
    let counters = job.counters.unwrap_or_default();
    let mut text = job.attempt.to_string();
    for (count, word) in [
        (counters.errors, "failed"),
        (counters.crashes, "crashed"),
        (counters.interruptions, "interrupted"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    text
}

fn percent(progress: Option<&v1::JobProgress>) -> String {
    progress.map_or_else(String::new, |progress| format!("{:.0} %", progress.percent))
}

/// A time for people and programs: RFC 3339 in UTC; empty when there is none.
fn time(time: Option<&Timestamp>) -> String {
    time.map_or_else(String::new, ToString::to_string)
}

/// A job as JSON: the names of the API, words for its numbers, no members for what is absent.
pub(crate) fn json(job: &v1::Job) -> Value {
    let mut map = Map::new();
    let counters = job.counters.unwrap_or_default();
    put(&mut map, "id", job.id.as_str());
    put(&mut map, "kind", job.kind.as_str());
    put(&mut map, "lane", state::lane(job.lane));
    put(&mut map, "state", state::state(job.state));
    put(&mut map, "generation", job.generation);
    put(&mut map, "attempt", job.attempt);
    put(
        &mut map,
        "counters",
        json!({
            "errors": counters.errors, "crashes": counters.crashes, "interruptions": counters.interruptions,
        }),
    );
    put(&mut map, "event_id", job.event_id.as_str());
    put_times(&mut map, job);
    put_some(
        &mut map,
        "progress",
        job.progress.as_ref().map(progress_json),
    );
    put_some(&mut map, "failure", job.failure.as_ref().map(failure_json));
    put_some(
        &mut map,
        "dead_letter_reason",
        state::dead_letter(job.dead_letter_reason),
    );
    put(&mut map, "metadata", json!(job.metadata));
    let result = |result: &v1::JobResultSummary| json!({ "content_id": result.content_id, "size_bytes": result.size_bytes });
    put_some(&mut map, "result", job.result.as_ref().map(result));
    put_some(
        &mut map,
        "parent_id",
        Some(&job.parent_id).filter(|id| !id.is_empty()).cloned(),
    );
    Value::Object(map)
}

fn put_times(map: &mut Map<String, Value>, job: &v1::Job) {
    let times = [
        ("create_time", &job.create_time),
        ("update_time", &job.update_time),
        ("queue_time", &job.queue_time),
        ("start_time", &job.start_time),
        ("finish_time", &job.finish_time),
        ("due_time", &job.due_time),
        ("deadline_time", &job.deadline_time),
    ];
    for (name, time) in times {
        put_some(map, name, time.as_ref().map(ToString::to_string));
    }
}

/// A failure as JSON.
pub(crate) fn failure_json(failure: &v1::JobFailure) -> Value {
    json!({
        "class": state::failure(failure.class),
        "code": failure.code,
        "message": failure.message,
        "chain": failure.chain,
    })
}

/// An event as JSON.
pub(crate) fn event_json(event: &v1::JobEvent) -> Value {
    let mut map = Map::new();
    put(&mut map, "event_id", event.event_id.as_str());
    put(&mut map, "job_id", event.job_id.as_str());
    put_some(
        &mut map,
        "time",
        event.time.as_ref().map(ToString::to_string),
    );
    put(&mut map, "state", state::state(event.state));
    put(&mut map, "attempt", event.attempt);
    put(&mut map, "percent", f64::from(event.percent));
    put(&mut map, "step", event.step.as_str());
    put_some(&mut map, "eta_seconds", event.eta.as_ref().map(seconds));
    put(&mut map, "message", event.message.as_str());
    Value::Object(map)
}

fn progress_json(progress: &v1::JobProgress) -> Value {
    let step = |step: &v1::JobStep| {
        json!({
            "name": step.name, "weight": step.weight, "state": state::step(step.state),
            "message": step.message, "current": step.current, "total": step.total,
        })
    };
    let mut map = Map::new();
    put(&mut map, "percent", f64::from(progress.percent));
    put(&mut map, "message", progress.message.as_str());
    put_some(&mut map, "eta_seconds", progress.eta.as_ref().map(seconds));
    put(
        &mut map,
        "steps",
        progress.steps.iter().map(step).collect::<Vec<_>>(),
    );
    Value::Object(map)
}

fn seconds(duration: &Duration) -> f64 {
    std::time::Duration::try_from(*duration).map_or(0.0, |duration| duration.as_secs_f64())
}

fn put(map: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    map.insert(name.to_owned(), value.into());
}

fn put_some(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(map, name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> v1::Job {
        v1::Job {
            id: "j-1".to_owned(),
            kind: "content-verification".to_owned(),
            lane: v1::Lane::High.into(),
            state: v1::JobState::Failed.into(),
            attempt: 2,
            counters: Some(v1::JobCounters {
                errors: 1,
                ..v1::JobCounters::default()
            }),
            create_time: Some(Timestamp {
                seconds: 1_700_000_000,
                nanos: 0,
            }),
            failure: Some(v1::JobFailure {
                class: v1::FailureClass::Permanent.into(),
                code: "corrupt_media".to_owned(),
                message: "the file ends\u{1b}early".to_owned(),
                chain: Vec::new(),
            }),
            ..v1::Job::default()
        }
    }

    #[test]
    fn json_has_words_for_numbers_and_nothing_for_what_is_absent() {
        let json = json(&job());
        assert_eq!(
            (json["state"].as_str(), json["lane"].as_str()),
            (Some("failed"), Some("high"))
        );
        assert_eq!(json["create_time"], "2023-11-14T22:13:20Z");
        assert_eq!(json["failure"]["class"], "permanent");
        assert!(json.get("finish_time").is_none() && json.get("progress").is_none());
    }

    #[test]
    fn lines_show_what_is_known_and_keep_to_themselves() {
        let lines = lines(
            &job(),
            Terminal {
                colours: false,
                bars: false,
            },
        )
        .join("\n");
        assert!(lines.contains("attempt    2, 1 failed"), "{lines}");
        assert!(
            lines.contains("the file ends\\u{1b}early (permanent, corrupt_media)"),
            "{lines}"
        );
        assert!(!lines.contains("finished"), "{lines}");
    }

    #[test]
    fn a_table_has_a_head_and_a_row_for_each() {
        let rows = rows(&[job(), job()]);
        assert_eq!(rows.len(), 3);
        assert!(rows[1].starts_with("j-1  failed"), "{rows:?}");
    }
}
