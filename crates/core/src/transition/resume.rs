//! Which jobs need not wait for their turn again.

use crate::job::Job;
use crate::retry::Decision;
use crate::state::JobState;

/// Whether a job that has begun, and goes on as `decision` says, is resumed ([`Job::resumed`]): its worker
/// drains, lost its lease or died, or had another suspect in hand.
///
/// A failed job is not: it had its turn. Nor is a parked one: all that wait for the same downstream are due
/// together, and as long as it is away they would come before everybody else time and again.
pub(super) const fn resumes(decision: &Decision) -> bool {
    matches!(decision, Decision::RunAgain { .. })
}

/// Whether a job that is due now is resumed: a delay does not take its place from it.
pub(super) fn resumes_when_due(job: &Job) -> bool {
    job.state == JobState::Waiting && job.resumed
}
