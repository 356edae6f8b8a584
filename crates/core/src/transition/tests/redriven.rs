use crate::job::{JOB_LIFE_MS_MAX, Times};
use crate::retry::Decision;

use super::*;

#[test]
fn a_redrive_starts_over_and_keeps_the_history() {
    let ended = settled(Decision::Fail(failure()));
    let (_, envelope) = queued();
    let again = redrive(record(&ended.job, &envelope), 1_000, 0, NOW + 50).unwrap();
    let job = &again.job;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((job.generation, job.attempt), (2, 0));
    assert_eq!(job.counters, Default::default());
    assert_eq!((&job.failure, job.token), (&None, ended.job.token));
    assert_eq!(job.event_id.sequence, ended.job.event_id.sequence + 1);
    assert_eq!(
        job.times,
        Times {
            started_at_ms: None,
            finished_at_ms: None,
            queued_at_ms: Some(NOW + 50),
            updated_at_ms: NOW + 50,
            deadline_at_ms: NOW + 1_050,
            ..ended.job.times
        }
    );
    assert_eq!(again.envelope.as_ref().unwrap().deadline_at_ms, NOW + 1_050);
    for state in JobState::ALL {
        let mut job = ended.job.clone();
        job.state = state;
        let may = matches!(state, JobState::Failed | JobState::DeadLettered);
        assert_eq!(
            redrive(record(&job, &envelope), 1, 0, NOW).is_some(),
            may,
            "{state}"
        );
    }
}

/// Its content is collected some time after the submit, however often it is put back.
#[test]
fn a_redriven_job_ends_while_its_content_is_kept() {
    let ended = settled(Decision::Fail(failure()));
    let (_, envelope) = queued();
    let until_ms = NOW + JOB_LIFE_MS_MAX + 7;
    let at = |now_ms| redrive(record(&ended.job, &envelope), 1_000, 7, now_ms);
    for (now_ms, deadline_at_ms) in [
        (until_ms - 1_001, until_ms - 1),
        (until_ms - 1_000, until_ms),
        (until_ms - 999, until_ms),
        (until_ms - 1, until_ms),
    ] {
        assert_eq!(at(now_ms).unwrap().job.times.deadline_at_ms, deadline_at_ms);
    }
    assert_eq!(at(until_ms), None);
}

#[test]
fn a_redriven_job_that_ends_again_sends_new_follow_ups() {
    let ended = settled(Decision::Fail(failure()));
    let (_, envelope) = queued();
    let again = redrive(record(&ended.job, &envelope), 1_000, 0, NOW).unwrap();
    let Cancelled::Now(second) = cancel(record(&again.job, &envelope), NOW) else {
        panic!("not cancelled")
    };
    assert_ne!(ended.follow_ups[0].0, second.follow_ups[0].0);
}
