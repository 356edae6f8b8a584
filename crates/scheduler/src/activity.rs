//! Something that the scheduler does over and over.

use std::fmt;
use std::time::Duration;

use assay_core::port::{QueueError, StoreError, Swept};
use async_trait::async_trait;

/// One thing that must happen again and again.
///
/// Contract: takes no input, changes a bounded number of things, may be repeated at any time, also beside
/// itself in another process, and may be dropped at any await.
#[async_trait]
pub trait Activity: Send + Sync {
    /// Which one it is: in logs, metrics and task names.
    fn name(&self) -> ActivityName;

    /// Does it once.
    ///
    /// # Errors
    /// What could not be done; the next activation tries again.
    async fn activate(&self) -> Result<Report, Error>;
}

/// The closed list of activities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityName {
    /// See [`crate::PromoteDue`].
    PromoteDue,
    /// See [`crate::Reap`].
    Reap,
    /// See [`crate::SweepOutbox`].
    SweepOutbox,
    /// See [`crate::Expire`].
    Expire,
    /// See [`crate::CollectBlobs`].
    CollectBlobs,
    /// See [`crate::MeasureDepth`].
    MeasureDepth,
    /// See [`crate::SendMarkers`].
    SendMarkers,
    /// See [`crate::Reconcile`].
    Reconcile,
    /// See [`crate::ReconcileDeadLetters`].
    ReconcileDeadLetters,
}

impl ActivityName {
    /// Every activity.
    pub const ALL: [Self; 9] = [
        Self::PromoteDue,
        Self::Reap,
        Self::SweepOutbox,
        Self::Expire,
        Self::CollectBlobs,
        Self::MeasureDepth,
        Self::SendMarkers,
        Self::Reconcile,
        Self::ReconcileDeadLetters,
    ];

    /// The word in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PromoteDue => "promote_due",
            Self::Reap => "reap",
            Self::SweepOutbox => "sweep_outbox",
            Self::Expire => "expire",
            Self::CollectBlobs => "collect_blobs",
            Self::MeasureDepth => "measure_depth",
            Self::SendMarkers => "send_markers",
            Self::Reconcile => "reconcile",
            Self::ReconcileDeadLetters => "reconcile_dead_letters",
        }
    }
}

impl fmt::Display for ActivityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one activation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many things it changed: jobs, contents, lanes that got a marker.
    pub changed: usize,
    /// It stopped at its limit: there may be more.
    pub more: bool,
}

impl Report {
    /// What a sweep did that may change `limit` jobs.
    #[must_use]
    pub fn of(swept: &Swept, limit: usize) -> Self {
        Self {
            changed: swept.jobs,
            more: swept.jobs >= limit,
        }
    }
}

/// Why an activation did not do all it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error("{step}")]
    Store {
        /// What was asked of it.
        step: &'static str,
        /// What it answered.
        source: StoreError,
    },
    /// Some envelopes were not published; the store still has them.
    #[error("publish {failed} of {of} envelopes")]
    Publish {
        /// How many were not.
        failed: usize,
        /// How many there were.
        of: usize,
        /// What the queue answered to the first of them.
        source: QueueError,
    },
    /// The queue could not be measured.
    #[error("measure the queues")]
    Measure {
        /// What it answered.
        source: QueueError,
    },
    /// The queue failed.
    #[error("{step}")]
    Queue {
        /// What was asked of it.
        step: &'static str,
        /// What it answered.
        source: QueueError,
    },
    /// The blob store failed.
    #[error("{step}")]
    Blobs {
        /// What was asked of it.
        step: &'static str,
        /// What it answered.
        source: assay_blob::Error,
    },
    /// It took too long and was dropped.
    #[error("end within {} seconds: given up until the next activation", after.as_secs())]
    TimedOut {
        /// How long it had.
        after: Duration,
    },
    /// It panicked: a mistake in this program.
    #[error("end without a panic")]
    Panicked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_at_its_limit_may_have_left_some() {
        let report = |jobs| {
            let publish = Vec::new();
            Report::of(&Swept { jobs, publish }, 10)
        };
        assert!(!report(9).more);
        assert!(report(10).more);
        assert_eq!(report(10).changed, 10);
    }
}
