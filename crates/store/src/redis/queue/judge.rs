//! What becomes of an entry that was taken, or that somebody holds and does not touch. Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use assay_core::envelope::{DecodeError, Envelope};
use assay_core::job::Job;
use assay_core::state::JobState;

use super::entry::Content;
use crate::redis::record::{Found, Unreadable};

/// What is under the id of the job that an entry carries.
pub(super) type LookUp = Result<Found, Unreadable>;

/// What becomes of an entry that was taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// A worker gets it.
    Deliver(Arc<Envelope>),
    /// Nobody needs it: its record is gone.
    Gone,
    /// Nobody needs it: its job has a later generation.
    Stale,
    /// Only later code can read it.
    Newer,
    /// Nobody can read it.
    Unreadable(&'static str),
}

/// Judges an entry that was taken. An entry that holds its envelope needs no look-up.
pub(super) fn judge(content: &Content, found: &LookUp) -> Verdict {
    let generation = match content {
        Content::Garbage => return Verdict::Unreadable("its fields are unknown"),
        Content::Envelope(bytes) => {
            return match Envelope::decode(bytes) {
                Ok(envelope) => Verdict::Deliver(Arc::new(envelope)),
                Err(DecodeError::NewerVersion { .. }) => Verdict::Newer,
                Err(DecodeError::Malformed { why }) => Verdict::Unreadable(why),
            };
        }
        Content::Job { generation, .. } => *generation,
    };
    let known = match found {
        Ok(Found::Job(known)) => known,
        Ok(Found::Absent | Found::Tombstone(_)) => return Verdict::Gone,
        Err(Unreadable::Newer) => return Verdict::Newer,
        Err(Unreadable::Malformed(why)) => return Verdict::Unreadable(why),
    };
    match generation.cmp(&known.job.generation) {
        Ordering::Less => Verdict::Stale,
        Ordering::Equal => Verdict::Deliver(Arc::clone(&known.envelope)),
        // The record lost a decision that the entry still tells of; its claim makes it good.
        Ordering::Greater => Verdict::Deliver(Arc::new(Envelope {
            generation,
            ..Envelope::clone(&known.envelope)
        })),
    }
}

/// What becomes of an entry that its holder does not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// Whoever held it is gone: others get it.
    HandOut,
    /// Its job is in a worker's hands: looked at again later. If that worker's lease lapsed, the reaper takes
    /// the job from it, and knows whether it died.
    Leave,
    /// Its job has ended or has a later generation.
    Stale,
    /// There is no record of its job.
    Gone,
    /// Nobody can read it.
    Unreadable,
}

/// Judges an entry that its holder does not touch.
pub(super) fn judge_idle(content: &Content, found: &LookUp) -> Idle {
    match judge(content, found) {
        Verdict::Gone => Idle::Gone,
        Verdict::Stale => Idle::Stale,
        Verdict::Unreadable(_) => Idle::Unreadable,
        // Whoever takes it puts it off until there is a worker that can read it.
        Verdict::Newer => Idle::HandOut,
        Verdict::Deliver(_) => {
            let job = found.as_ref().ok().and_then(Found::job);
            match job.map(|known| known.job.as_ref()) {
                Some(job) if job.state.is_terminal() => Idle::Stale,
                Some(job) if job.holder.is_some() => Idle::Leave,
                _ => Idle::HandOut,
            }
        }
    }
}

/// Whether the streams have lost the entry of a job: it has waited since before everything that waits now
/// was added, `slack_ms` longer than any two clocks differ.
pub(super) fn is_lost(job: &Job, oldest_waiting_ms: u64, slack_ms: u64) -> bool {
    let queued_at_ms = job.times.queued_at_ms.unwrap_or(job.times.updated_at_ms);
    job.state == JobState::Queued && queued_at_ms.saturating_add(slack_ms) < oldest_waiting_ms
}

#[cfg(test)]
mod tests {
    use assay_core::envelope::ENVELOPE_VERSION;
    use assay_core::id::{JobId, WorkerId};
    use assay_core::job::{Holder, JobSpec};
    use assay_core::kind::JobKind;
    use assay_core::transition::{Admission, submit};

    use super::*;
    use crate::redis::record::{Kept, Known};

    const NOW_MS: u64 = 1_700_000_000_000;

    fn content(generation: u64) -> Content {
        let id = JobId::from_bytes([7; 16]);
        Content::Job { id, generation }
    }

    /// The record of a queued job of generation 3.
    fn job(change: impl FnOnce(&mut Job)) -> LookUp {
        let id = JobId::from_bytes([7; 16]);
        let spec = JobSpec::new(JobKind::Batch, b"payload".to_vec(), NOW_MS);
        let mut made = submit(id, &spec, Admission::Queue, NOW_MS);
        made.job.generation = 3;
        change(&mut made.job);
        let mut envelope = made.envelope.unwrap();
        envelope.generation = 3;
        Ok(Found::Job(Known {
            revision: 1,
            job: Arc::new(made.job),
            envelope: Arc::new(envelope),
            deadline_ms: 1,
            checkpoint: Kept::No,
        }))
    }

    fn held_until(expires_at_ms: u64) -> LookUp {
        job(|job| {
            job.state = JobState::Running;
            let worker = WorkerId::new("w").unwrap();
            job.holder = Some(Holder {
                worker,
                expires_at_ms,
            });
        })
    }

    fn newer() -> Content {
        // Field 1, the version, and nothing that is known of it.
        Content::Envelope(vec![0x08, u8::try_from(ENVELOPE_VERSION + 1).unwrap()])
    }

    #[test]
    fn what_is_delivered_carries_the_generation_of_its_entry() {
        for generation in [3, 4] {
            let verdict = judge(&content(generation), &job(|_| {}));
            let Verdict::Deliver(envelope) = verdict else {
                panic!("{verdict:?}");
            };
            assert_eq!(envelope.generation, generation);
            assert_eq!(envelope.payload, b"payload");
        }
    }

    #[test]
    fn what_is_not_delivered_has_its_reason() {
        let malformed = || Err(Unreadable::Malformed("it is no hash"));
        let cases = [
            (content(2), job(|_| {}), Verdict::Stale),
            (content(3), Ok(Found::Absent), Verdict::Gone),
            (content(3), Ok(Found::Tombstone(1)), Verdict::Gone),
            (content(3), Err(Unreadable::Newer), Verdict::Newer),
            (
                content(3),
                malformed(),
                Verdict::Unreadable("it is no hash"),
            ),
            (newer(), Ok(Found::Absent), Verdict::Newer),
        ];
        for (content, found, verdict) in cases {
            assert_eq!(judge(&content, &found), verdict);
        }
        for content in [Content::Garbage, Content::Envelope(b"garbage".to_vec())] {
            let verdict = judge(&content, &Ok(Found::Absent));
            assert!(matches!(verdict, Verdict::Unreadable(_)), "{verdict:?}");
        }
    }

    #[test]
    fn an_idle_entry_is_left_alone_while_a_worker_has_its_job() {
        let ended = job(|job| job.state = JobState::Cancelled);
        let cases = [
            (content(3), job(|_| {}), Idle::HandOut),
            (content(3), held_until(NOW_MS + 1), Idle::Leave),
            (content(3), held_until(NOW_MS), Idle::Leave),
            (content(2), held_until(NOW_MS + 1), Idle::Stale),
            (content(3), ended, Idle::Stale),
            (content(3), Ok(Found::Absent), Idle::Gone),
            (content(3), Err(Unreadable::Newer), Idle::HandOut),
            (Content::Garbage, Ok(Found::Absent), Idle::Unreadable),
        ];
        for (content, found, idle) in cases {
            assert_eq!(judge_idle(&content, &found), idle, "{content:?}");
        }
    }

    #[test]
    fn a_job_is_lost_when_all_that_waits_came_later() {
        let waiting_since = |state| {
            let found = job(|job| {
                job.state = state;
                job.times.queued_at_ms = Some(1_000);
            });
            Arc::clone(&found.unwrap().job().unwrap().job)
        };
        let queued = waiting_since(JobState::Queued);
        assert!(!is_lost(&queued, 1_500, 500));
        assert!(is_lost(&queued, 1_501, 500));
        assert!(!is_lost(&waiting_since(JobState::Running), 9_000, 500));
    }
}
