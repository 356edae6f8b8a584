use crate::claim::Verdict;
use crate::retry::{CRASHES_MAX, DeadLetterReason};

use super::*;
use crate::worker::{Presence, WORKER_DEAD_AFTER_MS, WORKER_LATE_AFTER_MS};

/// That a worker is silent does not prove it dead: it may be paused, or cut off.
#[test]
fn a_lapsed_lease_interrupts_however_often_it_happens() {
    let (mut job, mut envelope) = running();
    for lapse in 1..=CRASHES_MAX + 1 {
        let lapse_ms = job.holder.as_ref().unwrap().expires_at_ms;
        assert_eq!(
            reap(record(&job, &envelope), lapse_ms + REAP_GRACE_MS - 1),
            None
        );
        let lost = reap(record(&job, &envelope), lapse_ms + REAP_GRACE_MS).unwrap();
        let counters = lost.job.counters;
        assert_eq!([counters.interruptions, counters.crashes], [lapse, 0]);
        assert_eq!(counters.errors, 0);
        assert_eq!(lost.job.state, JobState::Queued);
        assert_eq!(lost.events[0].message, "worker one lost its lease");
        envelope = lost.envelope.unwrap();
        assert_eq!(envelope.generation, lost.job.generation);
        let step = claim(
            record(&lost.job, &envelope),
            &envelope,
            &worker("one"),
            LEASE,
            lapse_ms,
        );
        let ClaimStep::Run(claimed) = step else {
            panic!("{step:?}")
        };
        job = claimed.job;
    }
    let late = job.times.deadline_at_ms;
    let ended = reap(record(&job, &envelope), late).unwrap();
    assert_eq!(
        ended.job.dead_letter,
        Some(DeadLetterReason::DeadlineExceeded)
    );
}

#[test]
fn the_third_dead_worker_makes_a_crash_loop() {
    let (mut job, mut envelope) = running();
    for crash in 1..=CRASHES_MAX {
        let lapse_ms = job.holder.as_ref().unwrap().expires_at_ms;
        let lost = lose_worker(record(&job, &envelope), lapse_ms - 1).unwrap();
        assert_eq!(lost.job.counters.crashes, crash);
        if crash == CRASHES_MAX {
            assert_eq!(lost.job.dead_letter, Some(DeadLetterReason::CrashLoop));
            assert_eq!(lost.follow_ups.len(), 1);
            break;
        }
        assert_eq!(lost.job.state, JobState::Queued);
        envelope = lost.envelope.unwrap();
        assert_eq!(envelope.generation, lost.job.generation);
        let step = claim(
            record(&lost.job, &envelope),
            &envelope,
            &worker("two"),
            LEASE,
            lapse_ms,
        );
        let ClaimStep::Run(claimed) = step else {
            panic!("{step:?}")
        };
        assert!(claimed.job.token > job.token);
        job = claimed.job;
    }
}

/// Every cell of lease and worker: what becomes of the job, as (interruptions, crashes).
#[test]
fn a_lapse_counts_for_what_is_known_of_the_worker() {
    let (job, envelope) = running();
    let lapsed_ms = NOW + LEASE + REAP_GRACE_MS;
    let silent = |silent_ms| Presence::Beating { silent_ms };
    let table = [
        (Presence::Unknown, Some([1, 0])),
        (silent(0), Some([1, 0])),
        (silent(WORKER_LATE_AFTER_MS - 1), Some([1, 0])),
        (silent(WORKER_LATE_AFTER_MS), None),
        (silent(WORKER_DEAD_AFTER_MS - 1), None),
        (silent(WORKER_DEAD_AFTER_MS), Some([0, 1])),
    ];
    for (presence, expected) in table {
        let held = reap_from(record(&job, &envelope), presence, lapsed_ms - 1);
        assert_eq!(held, None, "a live lease is nobody else's: {presence:?}");
        let taken = reap_from(record(&job, &envelope), presence, lapsed_ms);
        let counted = taken.map(|taken| {
            assert_eq!(taken.job.state, JobState::Queued);
            [taken.job.counters.interruptions, taken.job.counters.crashes]
        });
        assert_eq!(counted, expected, "{presence:?}");
    }
}

#[test]
fn taking_over_is_an_interruption_and_keeps_the_bytes_of_the_generation() {
    let (mut job, envelope) = running();
    let late = NOW + LEASE;
    let step = claim(
        record(&job, &envelope),
        &envelope,
        &worker("two"),
        LEASE,
        late,
    );
    let ClaimStep::Run(taken) = step else {
        panic!("{step:?}")
    };
    let counters = taken.job.counters;
    assert_eq!([counters.interruptions, counters.crashes], [1, 0]);
    assert_eq!(taken.job.generation, 2);
    assert_eq!(taken.envelope.as_ref().unwrap().generation, 2);
    let sequences: Vec<_> = taken.events.iter().map(|event| event.id.sequence).collect();
    assert_eq!(sequences, [3, 4], "lost, then claimed");
    job.times.deadline_at_ms = late;
    let step = claim(
        record(&job, &envelope),
        &envelope,
        &worker("two"),
        LEASE,
        late,
    );
    let ClaimStep::Not(Verdict::Done, Some(ended)) = step else {
        panic!("{step:?}")
    };
    assert_eq!(
        ended.job.dead_letter,
        Some(DeadLetterReason::DeadlineExceeded)
    );
}

#[test]
fn a_deadline_ends_a_job_wherever_it_is() {
    let (queued, envelope) = queued();
    let late = queued.times.deadline_at_ms;
    assert_eq!(deadline(record(&queued, &envelope), late - 1), None);
    for job in [queued.clone(), running().0] {
        let ended = deadline(record(&job, &envelope), late).unwrap();
        assert_eq!(ended.job.state, JobState::DeadLettered);
        assert_eq!(
            ended.job.dead_letter,
            Some(DeadLetterReason::DeadlineExceeded)
        );
        assert_eq!(ended.follow_ups.len(), 1);
        assert_eq!(ended.job.holder, None);
    }
    let step = claim(
        record(&queued, &envelope),
        &envelope,
        &worker("one"),
        LEASE,
        late,
    );
    assert!(
        matches!(step, ClaimStep::Not(Verdict::Done, Some(_))),
        "{step:?}"
    );
}
