//! Envelopes that were moved out of the way.
//!
//! The records of dead jobs are in the store; what lands here are envelopes, for a look while the
//! process lives. So the latest are kept and all are counted.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::retry::DeadLetterReason;
use parking_lot::Mutex;

/// Most dead letters that are kept in memory; older ones make room, and the log says so.
pub const DEAD_LETTERS_KEPT_MAX: usize = 1_000;

/// An envelope that was moved out of the way.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// What nobody is to run.
    pub envelope: Arc<Envelope>,
    /// Why.
    pub why: DeadLetterReason,
}

/// What was moved out of the way since the start.
#[derive(Clone, Debug, Default)]
pub struct DeadLetters {
    /// How many in all.
    pub total: u64,
    /// The latest [`DEAD_LETTERS_KEPT_MAX`], oldest first.
    pub kept: VecDeque<DeadLetter>,
}

/// Where dead letters of every kind go.
#[derive(Default)]
pub(super) struct Aside(Mutex<DeadLetters>);

impl Aside {
    pub(super) fn keep(&self, envelope: Arc<Envelope>, why: DeadLetterReason) {
        let mut letters = self.0.lock();
        letters.total += 1;
        letters.kept.push_back(DeadLetter { envelope, why });
        if letters.kept.len() > DEAD_LETTERS_KEPT_MAX
            && let Some(oldest) = letters.kept.pop_front()
        {
            drop(letters);
            let job = oldest.envelope.job_id;
            tracing::warn!(job.id = %job, "forgot the envelope of dead job {job}: {DEAD_LETTERS_KEPT_MAX} later ones are kept");
        }
    }

    pub(super) fn report(&self) -> DeadLetters {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use assay_core::id::JobId;
    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;

    use super::*;

    #[test]
    fn the_latest_are_kept_and_all_are_counted() {
        let aside = Aside::default();
        let keep = |at_ms| {
            let spec = JobSpec::new(JobKind::Batch, Vec::new(), at_ms);
            let envelope = Envelope::new(JobId::from_bytes([0; 16]), &spec, at_ms);
            aside.keep(Arc::new(envelope), DeadLetterReason::Orphan);
        };
        (0..DEAD_LETTERS_KEPT_MAX as u64).for_each(keep);
        assert_eq!(aside.report().kept.len(), DEAD_LETTERS_KEPT_MAX);
        assert_eq!(aside.report().kept[0].envelope.published_at_ms, 0);
        keep(DEAD_LETTERS_KEPT_MAX as u64);
        let report = aside.report();
        assert_eq!(report.kept.len(), DEAD_LETTERS_KEPT_MAX);
        assert_eq!(report.total, DEAD_LETTERS_KEPT_MAX as u64 + 1);
        assert_eq!(report.kept[0].envelope.published_at_ms, 1);
    }
}
