//! What becomes of an entry that was taken, or that somebody holds and does not touch. Pure.

use std::sync::Arc;

use assay_core::envelope::{DecodeError, Envelope};
use assay_core::job::Job;
use assay_core::state::JobState;

use super::entry::Content;

/// What is known of the job that an entry carries.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// The record, with the envelope of its latest generation.
    Record {
        job: Arc<Job>,
        envelope: Arc<Envelope>,
    },
    /// There is no record, or none is needed.
    Nothing,
    /// There is one that later code wrote.
    Newer,
    /// There is one that nobody can read.
    Unreadable,
}

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

/// Judges an entry that was taken.
pub(super) fn judge(content: &Content, known: &Known) -> Verdict {
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
    match known {
        Known::Nothing => Verdict::Gone,
        Known::Newer => Verdict::Newer,
        Known::Unreadable => Verdict::Unreadable("its record can't be read"),
        Known::Record { job, .. } if generation < job.generation => Verdict::Stale,
        Known::Record { job, envelope } if generation == job.generation => {
            Verdict::Deliver(Arc::clone(envelope))
        }
        // The record lost a decision that the entry still tells of; its claim makes it good.
        Known::Record { envelope, .. } => Verdict::Deliver(Arc::new(Envelope {
            generation,
            ..Envelope::clone(envelope)
        })),
    }
}

/// What becomes of an entry that its holder does not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// Whoever held it is gone: others get it.
    HandOut,
    /// Its job runs under a live lease: looked at again later.
    Leave,
    /// Its job has ended or has a later generation.
    Stale,
    /// There is no record of its job.
    Gone,
    /// Nobody can read it.
    Unreadable,
}

/// Judges an entry that its holder does not touch.
pub(super) fn judge_idle(content: &Content, known: &Known, now_ms: u64) -> Idle {
    match judge(content, known) {
        Verdict::Gone => Idle::Gone,
        Verdict::Stale => Idle::Stale,
        Verdict::Unreadable(_) => Idle::Unreadable,
        // Whoever takes it puts it off until there is a worker that can read it.
        Verdict::Newer => Idle::HandOut,
        Verdict::Deliver(_) => match known {
            Known::Record { job, .. } if job.state.is_terminal() => Idle::Stale,
            Known::Record { job, .. } if has_live_lease(job, now_ms) => Idle::Leave,
            _ => Idle::HandOut,
        },
    }
}

fn has_live_lease(job: &Job, now_ms: u64) -> bool {
    job.holder
        .as_ref()
        .is_some_and(|holder| holder.expires_at_ms > now_ms)
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
    use assay_core::transition;

    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn content(generation: u64) -> Content {
        let id = JobId::from_bytes([7; 16]);
        Content::Job { id, generation }
    }

    fn known(change: impl FnOnce(&mut Job)) -> Known {
        let id = JobId::from_bytes([7; 16]);
        let spec = JobSpec::new(JobKind::Batch, b"payload".to_vec(), NOW_MS);
        let mut envelope = Envelope::new(id, &spec, NOW_MS);
        envelope.generation = 3;
        let mut job = transition::rebuild(&envelope, NOW_MS).job;
        job.generation = 3;
        change(&mut job);
        Known::Record {
            job: Arc::new(job),
            envelope: Arc::new(envelope),
        }
    }

    fn held_until(expires_at_ms: u64) -> Known {
        known(|job| {
            job.state = JobState::Running;
            let worker = WorkerId::new("w").unwrap();
            job.holder = Some(Holder {
                worker,
                expires_at_ms,
            });
        })
    }

    fn newer() -> Vec<u8> {
        // Field 1, the version, and nothing that is known of it.
        vec![0x08, u8::try_from(ENVELOPE_VERSION + 1).unwrap()]
    }

    #[test]
    fn what_is_delivered_carries_the_generation_of_its_entry() {
        for generation in [3, 4] {
            let verdict = judge(&content(generation), &known(|_| {}));
            let Verdict::Deliver(envelope) = verdict else {
                panic!("{verdict:?}");
            };
            assert_eq!(envelope.generation, generation);
            assert_eq!(envelope.payload, b"payload");
        }
    }

    #[test]
    fn what_is_not_delivered_has_its_reason() {
        let cases = [
            (content(2), known(|_| {}), Verdict::Stale),
            (content(3), Known::Nothing, Verdict::Gone),
            (content(3), Known::Newer, Verdict::Newer),
            (Content::Envelope(newer()), Known::Nothing, Verdict::Newer),
        ];
        for (content, known, verdict) in cases {
            assert_eq!(judge(&content, &known), verdict);
        }
        let unreadable = [
            (content(3), Known::Unreadable),
            (Content::Garbage, Known::Nothing),
            (Content::Envelope(b"garbage".to_vec()), Known::Nothing),
        ];
        for (content, known) in unreadable {
            let verdict = judge(&content, &known);
            assert!(matches!(verdict, Verdict::Unreadable(_)), "{verdict:?}");
        }
    }

    #[test]
    fn an_idle_entry_is_left_alone_while_a_lease_is_live() {
        let ended = known(|job| job.state = JobState::Cancelled);
        let cases = [
            (content(3), known(|_| {}), Idle::HandOut),
            (content(3), held_until(NOW_MS + 1), Idle::Leave),
            (content(3), held_until(NOW_MS), Idle::HandOut),
            (content(2), held_until(NOW_MS + 1), Idle::Stale),
            (content(3), ended, Idle::Stale),
            (content(3), Known::Nothing, Idle::Gone),
            (content(3), Known::Newer, Idle::HandOut),
            (Content::Garbage, Known::Nothing, Idle::Unreadable),
        ];
        for (content, known, idle) in cases {
            assert_eq!(judge_idle(&content, &known, NOW_MS), idle, "{content:?}");
        }
    }

    #[test]
    fn a_job_is_lost_when_all_that_waits_came_later() {
        let queued = |change: fn(&mut Job)| match known(change) {
            Known::Record { job, .. } => job,
            other => panic!("{other:?}"),
        };
        let job = queued(|job| {
            job.state = JobState::Queued;
            job.times.queued_at_ms = Some(1_000);
        });
        assert!(!is_lost(&job, 1_500, 500));
        assert!(is_lost(&job, 1_501, 500));
        let running = queued(|job| {
            job.state = JobState::Running;
            job.times.queued_at_ms = Some(1_000);
        });
        assert!(!is_lost(&running, 9_000, 500));
    }
}
