//! Records and events as clients see them.

use assay_api::v1 as pb;
use assay_core::event::JobEvent;
use assay_core::job::{Job, ResultRef};
use assay_core::kind::Lane;
use assay_core::progress::{Progress, StepProgress, StepState};
use assay_core::retry::{Counters, DeadLetterReason, Failure, FailureClass};
use assay_core::state::JobState;

use super::{duration, timestamp};

/// The record of a job, without what concerns workers alone.
pub(crate) fn job(job: Job) -> pb::Job {
    let times = job.times;
    let dead_letter = job
        .dead_letter
        .map_or(pb::DeadLetterReason::Unspecified, dead_letter);
    pb::Job {
        id: job.id.to_string(),
        kind: job.kind.as_str().to_owned(),
        lane: lane(job.lane).into(),
        state: state(job.state).into(),
        generation: job.generation,
        attempt: job.attempt,
        counters: Some(counters(job.counters)),
        event_id: job.event_id.to_string(),
        create_time: Some(timestamp(times.created_at_ms)),
        update_time: Some(timestamp(times.updated_at_ms)),
        queue_time: times.queued_at_ms.map(timestamp),
        start_time: times.started_at_ms.map(timestamp),
        finish_time: times.finished_at_ms.map(timestamp),
        due_time: times.due_at_ms.map(timestamp),
        deadline_time: Some(timestamp(times.deadline_at_ms)),
        progress: job.progress.map(|reported| progress(*reported)),
        failure: job.failure.map(|latest| failure(*latest)),
        dead_letter_reason: dead_letter.into(),
        metadata: job.metadata,
        result: job.result.map(result),
        parent_id: job.parent.map_or_else(String::new, |id| id.to_string()),
    }
}

/// What happened to a job.
pub(crate) fn event(event: &JobEvent) -> pb::JobEvent {
    pb::JobEvent {
        event_id: event.id.to_string(),
        job_id: event.job_id.to_string(),
        time: Some(timestamp(event.at_ms)),
        state: state(event.state).into(),
        attempt: event.attempt,
        percent: event.percent,
        step: event.step.clone().unwrap_or_default(),
        eta: event.eta_ms.map(duration),
        message: event.message.clone(),
    }
}

pub(crate) fn lane(lane: Lane) -> pb::Lane {
    match lane {
        Lane::Low => pb::Lane::Low,
        Lane::Normal => pb::Lane::Normal,
        Lane::High => pb::Lane::High,
    }
}

pub(super) fn state(state: JobState) -> pb::JobState {
    match state {
        JobState::Accepted => pb::JobState::Accepted,
        JobState::Scheduled => pb::JobState::Scheduled,
        JobState::Queued => pb::JobState::Queued,
        JobState::Running => pb::JobState::Running,
        JobState::Retrying => pb::JobState::Retrying,
        JobState::Waiting => pb::JobState::Waiting,
        JobState::Cancelling => pb::JobState::Cancelling,
        JobState::Succeeded => pb::JobState::Succeeded,
        JobState::Failed => pb::JobState::Failed,
        JobState::Cancelled => pb::JobState::Cancelled,
        JobState::DeadLettered => pb::JobState::DeadLettered,
    }
}

fn counters(counters: Counters) -> pb::JobCounters {
    pb::JobCounters {
        errors: counters.errors,
        crashes: counters.crashes,
        interruptions: counters.interruptions,
    }
}

fn progress(progress: Progress) -> pb::JobProgress {
    pb::JobProgress {
        percent: progress.percent(),
        steps: progress.steps.into_iter().map(step).collect(),
        eta: progress.eta_ms.map(duration),
        message: progress.message,
        start_time: progress.started_at_ms.map(timestamp),
        update_time: Some(timestamp(progress.updated_at_ms)),
    }
}

fn step(step: StepProgress) -> pb::JobStep {
    let state = match step.state {
        StepState::Pending => pb::StepState::Pending,
        StepState::Running => pb::StepState::Running,
        StepState::Done => pb::StepState::Done,
        StepState::Skipped => pb::StepState::Skipped,
        StepState::Failed => pb::StepState::Failed,
    };
    pb::JobStep {
        name: step.name,
        weight: step.weight,
        state: state.into(),
        start_time: step.started_at_ms.map(timestamp),
        finish_time: step.finished_at_ms.map(timestamp),
        message: step.message,
        current: step.current,
        total: step.total,
    }
}

fn failure(failure: Failure) -> pb::JobFailure {
    let class = match failure.class {
        FailureClass::Transient => pb::FailureClass::Transient,
        FailureClass::Permanent => pb::FailureClass::Permanent,
        FailureClass::TimedOut => pb::FailureClass::TimedOut,
        FailureClass::Panicked => pb::FailureClass::Panicked,
        FailureClass::Crashed => pb::FailureClass::Crashed,
    };
    pb::JobFailure {
        class: class.into(),
        code: failure.code,
        message: failure.message,
        chain: failure.chain,
    }
}

fn dead_letter(reason: DeadLetterReason) -> pb::DeadLetterReason {
    match reason {
        DeadLetterReason::AttemptsExhausted => pb::DeadLetterReason::AttemptsExhausted,
        DeadLetterReason::CrashLoop => pb::DeadLetterReason::CrashLoop,
        DeadLetterReason::DeadlineExceeded => pb::DeadLetterReason::DeadlineExceeded,
        DeadLetterReason::Undecodable => pb::DeadLetterReason::Undecodable,
        DeadLetterReason::Orphan => pb::DeadLetterReason::Orphan,
    }
}

fn result(result: ResultRef) -> pb::JobResultSummary {
    let (content_id, size_bytes) = match result {
        ResultRef::Inline { bytes } => (String::new(), bytes),
        ResultRef::Blob { content_id, bytes } => (content_id, bytes),
    };
    pb::JobResultSummary {
        content_id,
        size_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_lanes_keep_their_names() {
        for one in JobState::ALL {
            let name = format!("JOB_STATE_{}", one.as_str().to_uppercase());
            assert_eq!(state(one).as_str_name(), name);
        }
        for one in Lane::ALL {
            let name = format!("LANE_{}", one.as_str().to_uppercase());
            assert_eq!(lane(one).as_str_name(), name);
        }
    }
}
