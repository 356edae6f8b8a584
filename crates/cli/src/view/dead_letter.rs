//! A dead letter as a row and as lines for people. As JSON it is what the gateway answers over HTTP.

use assay_api::v1;
use assay_api::v1::dead_letter;
use assay_gateway::json;

use super::payload::Payload;
use super::{job, state, table};
use crate::terminal::{Terminal, plain};

/// How much of a failure a row tells, in characters.
const FAILURE_CHARS_MAX: usize = 60;

/// Dead letters as a table.
pub(crate) fn rows(letters: &[v1::DeadLetter]) -> Vec<String> {
    let row = |letter: &v1::DeadLetter| {
        let job = letter.job.clone().unwrap_or_default();
        let failure = job
            .failure
            .as_ref()
            .map(|failure| shorten(&failure.message));
        [
            plain(&job.id),
            state::dead_letter(job.dead_letter_reason).unwrap_or_else(|| "unknown".to_owned()),
            plain(&job.kind),
            job.attempt.to_string(),
            job.create_time
                .map_or_else(String::new, |time| time.to_string()),
            failure.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    let head = ["JOB", "REASON", "KIND", "ATTEMPT", "SUBMITTED", "FAILURE"];
    table::columns(head, &rows)
}

/// A dead letter as lines for people: its job, then what only a dead letter has.
pub(crate) fn lines(letter: &v1::DeadLetter, terminal: Terminal) -> Vec<String> {
    let job = letter.job.clone().unwrap_or_default();
    let mut lines = job::lines(&job, terminal);
    let mut add = |name: &str, text: String| lines.push(format!("{name:<10} {text}"));
    for cause in job.failure.iter().flat_map(|failure| &failure.chain) {
        add("caused by", plain(cause));
    }
    for attempt in &letter.attempts {
        add("tried", attempt_line(attempt));
    }
    if !letter.worker.is_empty() {
        add("worker", plain(&letter.worker));
    }
    if let Some(time) = letter.edit_time {
        let editor = match letter.editor.as_str() {
            "" => String::new(),
            editor => format!(" by {}", plain(editor)),
        };
        add("edited", format!("{time}{editor}"));
    }
    if !letter.trace_id.is_empty() {
        add("trace", plain(&letter.trace_id));
    }
    let payload = &json::letter(letter)["payload"];
    let payload = if payload.is_null() {
        "this server cannot read it".to_owned()
    } else {
        plain(&payload.to_string())
    };
    add("payload", payload);
    lines
}

/// What it works on, if the server could read it.
pub(crate) fn payload(letter: &v1::DeadLetter) -> Option<Payload> {
    match letter.payload.clone()? {
        dead_letter::Payload::ContentVerification(payload) => Some(payload.into()),
    }
}

fn attempt_line(attempt: &v1::DeadLetterAttempt) -> String {
    let end = attempt
        .end_time
        .map_or_else(String::new, |time| format!(", {time}"));
    let message = match attempt.message.as_str() {
        "" => String::new(),
        message => format!(": {}", plain(message)),
    };
    let state = state::state(attempt.state);
    format!("attempt {}{end}, then {state}{message}", attempt.attempt)
}

/// The beginning of a long text.
fn shorten(text: &str) -> String {
    let text = plain(text);
    if text.chars().count() <= FAILURE_CHARS_MAX {
        return text;
    }
    let begin: String = text.chars().take(FAILURE_CHARS_MAX - 1).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn letter() -> v1::DeadLetter {
        let job = v1::Job {
            id: "j-1".to_owned(),
            kind: "content-verification".to_owned(),
            state: v1::JobState::DeadLettered.into(),
            attempt: 5,
            create_time: at(1_700_000_000),
            dead_letter_reason: v1::DeadLetterReason::AttemptsExhausted.into(),
            failure: Some(v1::JobFailure {
                message: "it hung\u{1b}".to_owned(),
                code: "timeout".to_owned(),
                chain: vec!["no answer".to_owned()],
                ..v1::JobFailure::default()
            }),
            ..v1::Job::default()
        };
        let payload = v1::ContentVerification {
            content_id: "sha256:00".to_owned(),
            ..v1::ContentVerification::default()
        };
        v1::DeadLetter {
            job: Some(job),
            attempts: vec![v1::DeadLetterAttempt {
                attempt: 5,
                end_time: at(1_700_000_060),
                state: v1::JobState::DeadLettered.into(),
                message: "it hung".to_owned(),
            }],
            trace_id: "0af7".to_owned(),
            etag: "e-1".to_owned(),
            edit_time: at(1_700_000_100),
            editor: "ops".to_owned(),
            worker: "verification-7".to_owned(),
            payload: Some(dead_letter::Payload::ContentVerification(payload)),
        }
    }

    #[test]
    fn a_row_tells_why_and_how_it_failed() {
        let rows = rows(&[letter()]);
        assert_eq!(
            rows,
            [
                "JOB  REASON              KIND                  ATTEMPT  SUBMITTED             FAILURE",
                "j-1  attempts_exhausted  content-verification  5        2023-11-14T22:13:20Z  it hung\\u{1b}",
            ]
        );
    }

    #[test]
    fn lines_tell_all_that_is_known() {
        let plain = Terminal {
            colours: false,
            bars: false,
        };
        let told = lines(&letter(), plain);
        let wanted = [
            "given up   attempts_exhausted",
            "caused by  no answer",
            "tried      attempt 5, 2023-11-14T22:14:20Z, then dead_lettered: it hung",
            "worker     verification-7",
            "edited     2023-11-14T22:15:00Z by ops",
            "trace      0af7",
        ];
        for line in wanted {
            assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
        }
        let payload = told.last().unwrap();
        assert!(payload.contains("\"contentId\":\"sha256:00\""), "{payload}");
        let unread = v1::DeadLetter {
            payload: None,
            ..letter()
        };
        let told = lines(&unread, plain);
        assert_eq!(
            told.last().unwrap(),
            "payload    this server cannot read it"
        );
    }

    #[test]
    fn a_long_failure_is_cut_at_its_bound() {
        let long = |chars| shorten(&"n".repeat(chars));
        assert_eq!(long(FAILURE_CHARS_MAX), "n".repeat(FAILURE_CHARS_MAX));
        assert_eq!(
            long(FAILURE_CHARS_MAX + 1).chars().count(),
            FAILURE_CHARS_MAX
        );
    }
}
