use super::*;
use crate::transition::{needs, needs_envelope, withdrawable};

fn in_state(state: JobState, due_at_ms: Option<u64>) -> Job {
    let (mut job, _) = queued();
    job.state = state;
    job.times.due_at_ms = due_at_ms;
    job
}

#[test]
fn what_nobody_runs_and_has_not_ended_needs_an_envelope() {
    let waits = [
        JobState::Accepted,
        JobState::Scheduled,
        JobState::Queued,
        JobState::Retrying,
        JobState::Waiting,
    ];
    for state in JobState::ALL {
        let job = in_state(state, Some(NOW));
        assert_eq!(needs_envelope(&job), waits.contains(&state), "{state}");
        assert_eq!(needs(&job, 1), waits.contains(&state), "{state}");
        assert!(!needs(&job, 0) && !needs(&job, 2), "{state}");
    }
    assert!(
        !needs_envelope(&in_state(JobState::Waiting, None)),
        "it waits for its children"
    );
}

#[test]
fn only_what_nothing_has_happened_to_is_withdrawn() {
    for state in JobState::ALL {
        let mut job = in_state(state, None);
        let fresh = matches!(state, JobState::Accepted | JobState::Scheduled);
        assert_eq!(withdrawable(&job, 1), fresh, "{state}");
        assert!(!withdrawable(&job, 2), "{state}");
        job.attempt = 1;
        assert!(!withdrawable(&job, 1), "{state}");
    }
}
