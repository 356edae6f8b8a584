use crate::claim::{Missing, Verdict, judge, judge_missing, next_token};
use crate::retry::DeadLetterReason;
use crate::state::JobState as S;

use super::*;

/// Without a live lease and due: the answers to a generation before, of, and after the record's.
const TABLE: [(S, [Verdict; 3]); 11] = {
    use Verdict::{Cancelled, Done, Run, Stale};
    [
        (S::Accepted, [Stale, Run, Run]),
        (S::Scheduled, [Stale, Run, Run]),
        (S::Queued, [Stale, Run, Run]),
        (S::Running, [Stale, Run, Run]),
        (S::Retrying, [Stale, Run, Run]),
        // Without a due time it is a parent: a new generation wakes it.
        (S::Waiting, [Stale, Stale, Run]),
        (S::Cancelling, [Cancelled, Cancelled, Cancelled]),
        (S::Succeeded, [Done, Done, Done]),
        (S::Failed, [Done, Done, Run]),
        (S::Cancelled, [Cancelled, Cancelled, Cancelled]),
        (S::DeadLettered, [Done, Done, Run]),
    ]
};

#[derive(Clone, Copy, Debug)]
enum Lease {
    None,
    Lapsed,
    Live,
}

impl Lease {
    fn give_to(self, job: &mut Job) {
        match self {
            Self::None => job.holder = None,
            Self::Lapsed => *job = held(job.state, NOW),
            Self::Live => *job = held(job.state, NOW + 1),
        }
    }
}

fn expected(state: S, generation: u64, lease: Lease, due_at_ms: Option<u64>) -> Verdict {
    if matches!(lease, Lease::Live) && !state.is_terminal() {
        return Verdict::Busy { for_ms: 1 };
    }
    let (_, row) = TABLE.into_iter().find(|(of, _)| *of == state).unwrap();
    let verdict = row[usize::try_from(generation - 1).unwrap()];
    // A parked job has a due time, and then its own generation runs it.
    let parked = state == S::Waiting && due_at_ms.is_some() && generation == 2;
    let verdict = if parked { Verdict::Run } else { verdict };
    match due_at_ms {
        Some(due_at_ms) if due_at_ms > NOW && verdict == Verdict::Run && !state.is_terminal() => {
            Verdict::Early { for_ms: 5 }
        }
        _ => verdict,
    }
}

#[test]
fn every_cell_of_the_claim_table_holds() {
    let mut cells = 0;
    for state in S::ALL {
        for generation in 1..=3 {
            for lease in [Lease::None, Lease::Lapsed, Lease::Live] {
                for due_at_ms in [None, Some(NOW), Some(NOW + 5)] {
                    let mut job = held(state, NOW);
                    lease.give_to(&mut job);
                    job.generation = 2;
                    job.times.due_at_ms = due_at_ms;
                    assert_eq!(
                        judge(&job, generation, NOW),
                        expected(state, generation, lease, due_at_ms),
                        "{state}, generation {generation} of 2, lease {lease:?}, due {due_at_ms:?}"
                    );
                    cells += 1;
                }
            }
        }
    }
    assert_eq!(cells, 11 * 3 * 3 * 3);
}

#[test]
fn a_crash_loop_is_told_apart_from_other_dead_letters() {
    let mut job = held(S::DeadLettered, NOW);
    job.generation = 2;
    job.dead_letter = Some(DeadLetterReason::CrashLoop);
    assert_eq!(judge(&job, 2, NOW), Verdict::Quarantined);
    assert_eq!(judge(&job, 3, NOW), Verdict::Run, "it was redriven");
    job.dead_letter = Some(DeadLetterReason::AttemptsExhausted);
    assert_eq!(judge(&job, 2, NOW), Verdict::Done);
}

#[test]
fn a_missing_record_is_rebuilt_only_if_it_cannot_have_expired() {
    let (_, mut envelope) = queued();
    envelope.published_at_ms = 1_000;
    let judge =
        |tombstone, epoch_ms, now_ms| judge_missing(&envelope, tombstone, epoch_ms, 500, now_ms);
    assert_eq!(judge(false, 0, 1_499), Missing::Rebuild, "young");
    assert_eq!(judge(false, 0, 1_500), Missing::Orphan, "may have expired");
    assert_eq!(judge(false, 1_000, 9_000), Missing::Orphan);
    assert_eq!(
        judge(false, 1_001, 9_000),
        Missing::Rebuild,
        "older than the store"
    );
    assert_eq!(judge(true, 1_001, 1_000), Missing::Cancelled);
}

#[test]
fn tokens_rise_by_the_clock_and_without_it() {
    assert_eq!(next_token(0, NOW), NOW);
    assert_eq!(next_token(NOW, NOW), NOW + 1);
    assert_eq!(next_token(NOW + 9, NOW), NOW + 10, "the clock went back");
    assert_eq!(next_token(u64::MAX, NOW), u64::MAX);
}

/// A lease that is not the latest: either somebody came after it, or the store has forgotten it.
#[test]
fn a_fenced_delivery_is_superseded_by_what_came_after_it() {
    let (mut job, _) = running();
    let (generation, token) = (job.generation, job.token);
    let superseded = |job: &Job| crate::claim::is_superseded(job, generation, token);
    // Rolled back to before the claim, and to an attempt before it.
    job.state = JobState::Queued;
    for before in [0, token - 1] {
        job.token = before;
        assert!(!superseded(&job));
    }
    job.state = JobState::Running;
    assert!(!superseded(&job));
    job.token = token + 1;
    assert!(superseded(&job), "somebody else runs it");
    job.token = token;
    for state in JobState::ALL {
        job.state = state;
        assert_eq!(superseded(&job), state.is_terminal(), "{state}");
        job.generation = generation + 1;
        assert!(superseded(&job), "{state}: it goes on by another");
        job.generation = generation - 1;
        assert!(!superseded(&job), "{state}: a decision was forgotten");
        job.generation = generation;
    }
}
