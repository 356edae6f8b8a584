//! Records as JSON: what calls answer, in the spelling of JSON. Pure. The program `assay` prints them so, too: one
//! home for the names.

use std::str::FromStr;

use assay_api::v1 as pb;
use prost_types::{Duration, Timestamp};
use serde_json::{Value, json};

/// The record of a job.
#[must_use]
pub fn job(job: &pb::Job) -> Value {
    json!({
        "jobId": job.id,
        "kind": job.kind,
        "lane": word(job.lane().as_str_name(), "LANE_"),
        "state": state(job.state()),
        "status": status(job.state()),
        "generation": job.generation,
        "attempt": job.attempt,
        "counters": job.counters.map(|counters| json!({
            "errors": counters.errors,
            "crashes": counters.crashes,
            "interruptions": counters.interruptions,
        })),
        "eventId": job.event_id,
        "createdAt": time(job.create_time),
        "updatedAt": time(job.update_time),
        "queuedAt": time(job.queue_time),
        "startedAt": time(job.start_time),
        "finishedAt": time(job.finish_time),
        "dueAt": time(job.due_time),
        "deadlineAt": time(job.deadline_time),
        "progress": job.progress.as_ref().map(progress),
        "failure": job.failure.as_ref().map(failure),
        "deadLetterReason": word(job.dead_letter_reason().as_str_name(), "DEAD_LETTER_REASON_"),
        "metadata": job.metadata,
        "result": job.result.as_ref().map(|result| json!({
            "contentId": given(&result.content_id),
            "sizeBytes": result.size_bytes,
        })),
        "parentId": given(&job.parent_id),
    })
}

/// A dead letter, as a list has it: its job, and what is known of it besides.
#[must_use]
pub fn listed_letter(letter: &pb::DeadLetter) -> Value {
    let mut told = letter.job.as_ref().map_or_else(|| json!({}), job);
    told["etag"] = letter.etag.as_str().into();
    told["editedAt"] = time(letter.edit_time);
    told["editor"] = given(&letter.editor).into();
    told["worker"] = given(&letter.worker).into();
    told
}

/// All that is known of a dead letter.
#[must_use]
pub fn letter(letter: &pb::DeadLetter) -> Value {
    let mut told = listed_letter(letter);
    told["traceId"] = given(&letter.trace_id).into();
    told["attempts"] = letter.attempts.iter().map(attempt).collect();
    told["payload"] = letter.payload.as_ref().map_or(Value::Null, payload);
    told
}

/// How an attempt ended.
fn attempt(attempt: &pb::DeadLetterAttempt) -> Value {
    json!({
        "attempt": attempt.attempt,
        "endedAt": time(attempt.end_time),
        "state": state(attempt.state()),
        "message": attempt.message,
    })
}

/// What a job works on, in the shape in which it is submitted.
fn payload(payload: &pb::dead_letter::Payload) -> Value {
    let pb::dead_letter::Payload::ContentVerification(payload) = payload;
    json!({
        "content": {
            "contentId": payload.content_id,
            "name": payload.file_name,
            "type": payload.declared_mime,
        },
        "options": payload.options,
    })
}

/// What happened to a job.
#[must_use]
pub fn event(event: &pb::JobEvent) -> Value {
    json!({
        "eventId": event.event_id,
        "jobId": event.job_id,
        "timestamp": time(event.time),
        "state": state(event.state()),
        "status": status(event.state()),
        "attempt": event.attempt,
        "progress": percent(event.percent),
        "step": given(&event.step),
        "etaMs": ms(event.eta),
        "message": event.message,
    })
}

/// How far an attempt is.
fn progress(progress: &pb::JobProgress) -> Value {
    json!({
        "percent": percent(progress.percent),
        "steps": progress.steps.iter().map(step).collect::<Vec<_>>(),
        "etaMs": ms(progress.eta),
        "message": progress.message,
        "startedAt": time(progress.start_time),
        "updatedAt": time(progress.update_time),
    })
}

/// A stage of an attempt.
pub(super) fn step(step: &pb::JobStep) -> Value {
    json!({
        "name": step.name,
        "weight": step.weight,
        "state": word(step.state().as_str_name(), "STEP_STATE_"),
        "startedAt": time(step.start_time),
        "finishedAt": time(step.finish_time),
        "message": step.message,
        "current": step.current,
        "total": step.total,
    })
}

/// Why an attempt failed.
#[must_use]
pub fn failure(failure: &pb::JobFailure) -> Value {
    json!({
        "class": word(failure.class().as_str_name(), "FAILURE_CLASS_"),
        "code": failure.code,
        "message": failure.message,
        "chain": failure.chain,
    })
}

/// A state, such as `running`.
pub(super) fn state(state: pb::JobState) -> Value {
    word(state.as_str_name(), "JOB_STATE_")
}

/// What the system before this one called it.
pub(super) fn status(state: pb::JobState) -> &'static str {
    match state {
        pb::JobState::Accepted | pb::JobState::Scheduled | pb::JobState::Queued => "started",
        pb::JobState::Running
        | pb::JobState::Retrying
        | pb::JobState::Waiting
        | pb::JobState::Cancelling => "in_progress",
        pb::JobState::Succeeded => "completed",
        pb::JobState::Failed
        | pb::JobState::Cancelled
        | pb::JobState::DeadLettered
        | pb::JobState::Unspecified => "failed",
    }
}

/// Which state a word names; what is unknown is left to the call to be refused.
pub(super) fn state_of(word: &str) -> i32 {
    let name = format!("JOB_STATE_{}", word.to_uppercase());
    pb::JobState::from_str_name(&name)
        .unwrap_or_default()
        .into()
}

/// A lane, from its word.
pub(super) fn lane(word: &str) -> Option<pb::Lane> {
    let lane = pb::Lane::from_str_name(&format!("LANE_{}", word.to_uppercase()))?;
    (lane != pb::Lane::Unspecified).then_some(lane)
}

/// Why something is a dead letter, from its word.
#[must_use]
pub fn dead_letter_reason(word: &str) -> Option<pb::DeadLetterReason> {
    let name = format!("DEAD_LETTER_REASON_{}", word.to_uppercase());
    let reason = pb::DeadLetterReason::from_str_name(&name)?;
    (reason != pb::DeadLetterReason::Unspecified).then_some(reason)
}

/// The word of an enumeration, such as `high` of `LANE_HIGH`; null where there is none.
#[must_use]
pub fn word(name: &str, prefix: &str) -> Value {
    match name.strip_prefix(prefix) {
        None | Some("UNSPECIFIED") => Value::Null,
        Some(word) => word.to_lowercase().into(),
    }
}

/// A point in time (RFC 3339), or null.
#[must_use]
pub fn time(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| time.to_string().into())
}

/// The longest text that is read as a time, in bytes.
const TIME_BYTES_MAX: usize = 40;

/// Reads a point in time (RFC 3339).
///
/// # Errors
/// What it must be.
pub fn read_time(text: &str) -> Result<Timestamp, &'static str> {
    let fits = text.len() <= TIME_BYTES_MAX && text.is_ascii();
    let read = fits.then(|| Timestamp::from_str(text).ok()).flatten();
    read.ok_or("must be a time such as 2026-01-31T12:00:00Z")
}

/// A length of time in milliseconds, or null.
#[must_use]
pub fn ms(time: Option<Duration>) -> Value {
    time.map_or(Value::Null, |time| {
        let ms = time.seconds.saturating_mul(1_000);
        ms.saturating_add(i64::from(time.nanos) / 1_000_000).into()
    })
}

/// A percentage with two digits behind the point.
pub(super) fn percent(percent: f32) -> f64 {
    (f64::from(percent) * 100.0).round() / 100.0
}

/// Adds why many things were not done to the end, if they were not.
pub(super) fn stopped(told: &mut Value, reason: &str) {
    if !reason.is_empty() {
        told["stopped"] = reason.into();
    }
}

/// A text, or null.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use assay_core::state::JobState;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_state_has_its_word_and_that_of_the_system_before() {
        let mut statuses = Vec::new();
        for known in JobState::ALL {
            let read = pb::JobState::try_from(state_of(known.as_str())).unwrap();
            assert_eq!(state(read), known.as_str());
            statuses.push(status(read));
        }
        let expected = [
            ["started"; 3].as_slice(),
            &["in_progress"; 4],
            &["completed"],
            &["failed"; 3],
        ];
        assert_eq!(statuses, expected.concat());
        assert_eq!(state_of("unspecified"), 0);
        assert_eq!(state_of("nonsense"), 0);
    }

    #[test]
    fn times_are_text_and_lengths_of_time_are_numbers() {
        let at = read_time("2026-01-31T12:00:00.5Z").unwrap();
        assert_eq!(time(Some(at)), "2026-01-31T12:00:00.500Z");
        assert_eq!(time(None), Value::Null);
        let length = Duration {
            seconds: 1,
            nanos: 500_000_000,
        };
        assert_eq!(ms(Some(length)), 1_500);
        assert_eq!(percent(12.34), 12.34);
    }

    #[test]
    fn an_absent_word_is_null() {
        assert_eq!(word("LANE_HIGH", "LANE_"), "high");
        assert_eq!(word("LANE_UNSPECIFIED", "LANE_"), Value::Null);
        assert_eq!(
            dead_letter_reason("crash_loop"),
            Some(pb::DeadLetterReason::CrashLoop)
        );
        assert_eq!(dead_letter_reason("unspecified"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reading_of_a_time_panic(text in ".{0,50}") {
            let read = read_time(&text);
            prop_assert!(read.is_err() || text.len() <= TIME_BYTES_MAX);
        }
    }
}
