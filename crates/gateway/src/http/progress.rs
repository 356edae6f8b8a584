//! How far a job is, in the shape of the system before this one, with what it did not tell beside it. Pure.

use assay_api::v1 as pb;
use assay_core::kind::JobKind;
use serde_json::{Value, json};

use super::view;

/// Progress was counted in steps of one percent.
const STEPS_TOTAL: u32 = 100;

/// The progress of a job; `history` is what is retained of its events.
pub(super) fn record(job: &pb::Job, history: &[pb::JobEvent]) -> Value {
    let percent = percent(job);
    let mut record = json!({
        "operationId": job.id,
        "description": description(&job.kind),
        "status": view::status(job.state()),
        "progress": percent,
        "totalSteps": STEPS_TOTAL,
        "currentStep": percent.floor(),
        "startTime": view::time(job.create_time),
        "lastUpdate": view::time(job.update_time),
        "steps": steps(job),
        "jobId": job.id,
        "state": view::state(job.state()),
        "attempt": job.attempt,
        "eventId": job.event_id,
        "etaMs": job.progress.as_ref().map(|progress| view::ms(progress.eta)),
        "message": job.progress.as_ref().map(|progress| progress.message.as_str()),
        "history": history.iter().map(view::event).collect::<Vec<_>>(),
    });
    if job.finish_time.is_some() {
        record["endTime"] = view::time(job.finish_time);
    }
    if let Some(failure) = &job.failure {
        record["errorMessage"] = failure.message.as_str().into();
        record["errorDetails"] = view::failure(failure);
    }
    record
}

fn percent(job: &pb::Job) -> f64 {
    if job.state() == pb::JobState::Succeeded {
        return f64::from(STEPS_TOTAL);
    }
    let progress = job.progress.as_ref();
    progress.map_or(0.0, |progress| view::percent(progress.percent))
}

fn description(kind: &str) -> &'static str {
    match kind.parse() {
        Ok(JobKind::ContentVerification) => "Content verification",
        Ok(JobKind::Batch) => "Batch content verification",
        Ok(JobKind::RuvProfile) => "RUV profile processing",
        Err(_) => "",
    }
}

/// The named stages. Each has what one of the former steps had: a time, how far the whole is with it, and a text.
fn steps(job: &pb::Job) -> Vec<Value> {
    let steps = job
        .progress
        .as_ref()
        .map_or(&[][..], |progress| &progress.steps);
    let total: u64 = steps.iter().map(|step| u64::from(step.weight)).sum();
    let mut done = 0;
    let record = |step: &pb::JobStep| {
        done += u64::from(step.weight);
        let text = [&step.message, &step.name]
            .into_iter()
            .find(|text| !text.is_empty());
        let mut record = view::step(step);
        record["timestamp"] = view::time(step.finish_time.or(step.start_time));
        record["progress"] = (done * u64::from(STEPS_TOTAL) / total.max(1)).into();
        record["description"] = text.map_or("", String::as_str).into();
        record["metadata"] = json!({});
        record
    };
    steps.iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, weight: u32) -> pb::JobStep {
        pb::JobStep {
            name: name.to_owned(),
            weight,
            ..pb::JobStep::default()
        }
    }

    #[test]
    fn a_running_job_shows_how_far_it_is() {
        let job = pb::Job {
            id: "a".to_owned(),
            kind: "content-verification".to_owned(),
            state: pb::JobState::Running.into(),
            progress: Some(pb::JobProgress {
                percent: 42.57,
                steps: vec![step("sniff", 1), step("pixels", 3)],
                ..pb::JobProgress::default()
            }),
            ..pb::Job::default()
        };
        let record = record(&job, &[]);
        assert_eq!(record["description"], "Content verification");
        assert_eq!(record["status"], "in_progress");
        assert_eq!(record["progress"], 42.57);
        assert_eq!(record["currentStep"], 42.0);
        assert_eq!(record["totalSteps"], 100);
        assert_eq!(record["steps"][0]["progress"], 25);
        assert_eq!(record["steps"][1]["description"], "pixels");
        assert_eq!(record.get("endTime"), None);
        assert_eq!(record.get("errorMessage"), None);
    }

    #[test]
    fn an_end_is_told_with_its_reason() {
        let mut job = pb::Job {
            state: pb::JobState::Succeeded.into(),
            finish_time: Some(prost_types::Timestamp::default()),
            ..pb::Job::default()
        };
        assert_eq!(record(&job, &[])["progress"], 100.0);
        assert_eq!(record(&job, &[])["endTime"], "1970-01-01T00:00:00Z");
        job.state = pb::JobState::DeadLettered.into();
        job.failure = Some(pb::JobFailure {
            message: "it is corrupt".to_owned(),
            ..pb::JobFailure::default()
        });
        let failed = record(&job, &[]);
        assert_eq!(failed["status"], "failed");
        assert_eq!(failed["errorMessage"], "it is corrupt");
    }

    #[test]
    fn steps_without_weight_divide_by_nothing() {
        let job = pb::Job {
            progress: Some(pb::JobProgress {
                steps: vec![step("a", 0)],
                ..pb::JobProgress::default()
            }),
            ..pb::Job::default()
        };
        assert_eq!(record(&job, &[])["steps"][0]["progress"], 0);
    }
}
