//! Which jobs need their envelope in a queue that is not the store.

use crate::job::Job;
use crate::state::JobState;

/// Whether the job is to be claimed by an envelope of its present generation, now or when it is due. One that a
/// worker holds is not, nor one that has ended or waits for its children.
#[must_use]
pub fn needs_envelope(job: &Job) -> bool {
    match job.state {
        JobState::Accepted | JobState::Scheduled | JobState::Queued | JobState::Retrying => true,
        JobState::Waiting => job.times.due_at_ms.is_some(),
        JobState::Running
        | JobState::Cancelling
        | JobState::Succeeded
        | JobState::Failed
        | JobState::Cancelled
        | JobState::DeadLettered => false,
    }
}

/// Whether the envelope of `generation` is the one that the job needs.
#[must_use]
pub fn needs(job: &Job, generation: u64) -> bool {
    job.generation == generation && needs_envelope(job)
}

/// Whether the job may be forgotten because the envelope of `generation` was refused: nothing has happened to
/// it since its submit.
#[must_use]
pub fn withdrawable(job: &Job, generation: u64) -> bool {
    let fresh = matches!(job.state, JobState::Accepted | JobState::Scheduled);
    fresh && job.generation == generation && job.attempt == 0
}
