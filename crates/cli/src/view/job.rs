//! A job as a row and as lines for people. As JSON it is what the gateway answers over HTTP.

use assay_api::v1;
use prost_types::Timestamp;

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
