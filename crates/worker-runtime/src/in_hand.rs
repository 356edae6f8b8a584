//! The attempts in this worker's hands, and the cancellations that were faster than their attempts. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use assay_core::id::JobId;
use tokio::time::Instant;

use crate::attempt::{Attempt, Stop};

/// Cancellations that are remembered for attempts whose claim is not answered yet. An older one is in the
/// answer to the first renewal.
pub(crate) const EARLY_CANCELS_MAX: usize = 256;

/// Which attempt: a job may be in hand twice for a moment, when its lease lapsed and this same worker took
/// it over.
pub(crate) type Place = (JobId, u64);

/// The attempts, by job and token.
#[derive(Debug, Default)]
pub(crate) struct InHand {
    attempts: BTreeMap<Place, Arc<Attempt>>,
    early: VecDeque<Place>,
    // Since when every cancellation is heard; none before the first subscription.
    hears_since: Option<Instant>,
}

impl InHand {
    /// Adds an attempt whose claim was asked for at `asked_at`, and stops it if it was cancelled before
    /// it came. False if that may be so and is not known here.
    pub(crate) fn add(&mut self, place: Place, attempt: &Arc<Attempt>, asked_at: Instant) -> bool {
        self.attempts.insert(place, Arc::clone(attempt));
        if let Some(index) = self.early.iter().position(|early| *early == place) {
            self.early.remove(index);
            attempt.stop(Stop::Cancel);
            return true;
        }
        // Before the first subscription nothing is heard at all; once it is there, all are asked about.
        self.hears_since.is_none_or(|since| since < asked_at)
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.attempts.remove(&place);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Attempt>> {
        self.attempts.values().cloned().collect()
    }

    /// The jobs, each once: a job that is in hand twice is one job.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        let mut jobs: Vec<JobId> = self.attempts.keys().map(|(job_id, _)| *job_id).collect();
        jobs.dedup();
        jobs
    }

    /// Stops the attempts at a job. If the one that was meant is not here, it may be about to come.
    pub(crate) fn cancel(&mut self, job_id: JobId, token: u64) {
        for (_, attempt) in self.attempts.range((job_id, 0)..=(job_id, u64::MAX)) {
            attempt.stop(Stop::Cancel);
        }
        if self.attempts.contains_key(&(job_id, token)) {
            return;
        }
        if self.early.len() >= EARLY_CANCELS_MAX {
            self.early.pop_front();
        }
        self.early.push_back((job_id, token));
    }

    /// Notes that cancellations before `now` may have been missed, and none is from now on.
    pub(crate) fn hears_since(&mut self, now: Instant) {
        self.hears_since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use assay_core::envelope::Envelope;
    use assay_core::id::{Tenant, WorkerId};
    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;
    use assay_core::port::Lease;
    use assay_core::transition::{self, Admission};

    use super::*;
    use crate::attempt::Timing;

    const TOKEN: u64 = 7;

    fn id(number: usize) -> JobId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        JobId::from_bytes(bytes)
    }

    fn attempt(number: usize, now: Instant) -> Arc<Attempt> {
        let spec = JobSpec::new(JobKind::ContentVerification, Vec::new(), 1);
        let lease = Lease {
            job_id: id(number),
            tenant: Tenant::default(),
            token: TOKEN,
            worker: WorkerId::new("worker").unwrap(),
        };
        let timing = Timing {
            renew_at: now,
            expires_at: now,
        };
        let job = transition::submit(id(number), &spec, Admission::Queue, 1).job;
        let envelope = Arc::new(Envelope::new(id(number), &spec, 1));
        Arc::new(Attempt::new(envelope, job, lease, timing))
    }

    #[test]
    fn a_cancel_finds_its_attempt_whichever_comes_first() {
        let (now, mut in_hand) = (Instant::now(), InHand::default());
        in_hand.hears_since(now - Duration::from_secs(1));
        let (before, after, other) = (attempt(1, now), attempt(2, now), attempt(3, now));
        assert!(in_hand.add((id(1), TOKEN), &before, now));
        in_hand.cancel(id(1), TOKEN);
        assert_eq!(before.stopped_by(), Some(Stop::Cancel));

        in_hand.cancel(id(2), TOKEN);
        assert!(in_hand.add((id(2), TOKEN), &after, now));
        assert_eq!(after.stopped_by(), Some(Stop::Cancel));

        // Of an earlier attempt at the job.
        in_hand.cancel(id(3), TOKEN - 1);
        assert!(in_hand.add((id(3), TOKEN), &other, now));
        assert_eq!(other.stopped_by(), None);

        in_hand.add((id(3), TOKEN + 1), &other, now);
        assert_eq!(in_hand.jobs(), [id(1), id(2), id(3)], "each once");
    }

    #[test]
    fn as_many_cancels_as_the_bound_are_remembered() {
        let now = Instant::now();
        for (beyond, expected) in [(0, Some(Stop::Cancel)), (1, None)] {
            let mut in_hand = InHand::default();
            for number in 0..EARLY_CANCELS_MAX + beyond {
                in_hand.cancel(id(number), TOKEN);
            }
            let first = attempt(0, now);
            in_hand.add((id(0), TOKEN), &first, now);
            assert_eq!(first.stopped_by(), expected);
        }
    }

    #[test]
    fn a_claim_that_was_asked_for_before_all_was_heard_is_doubtful() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut in_hand = InHand::default();
        let one = attempt(1, now);
        assert!(
            in_hand.add((id(1), TOKEN), &one, now),
            "nothing is heard yet"
        );
        in_hand.hears_since(now);
        assert!(!in_hand.add((id(1), TOKEN), &one, now));
        assert!(in_hand.add((id(1), TOKEN), &one, now + second));
    }
}
