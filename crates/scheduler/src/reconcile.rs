//! Publishes again what has got lost in a queue.

use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{DeadLetters, MarkerQueue, Markers, SentJobs, StoreError};
use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};

/// What was sent so much before a marker came out before it, or is lost, in milliseconds. It is longer than a
/// worker keeps an envelope in hand that it has no room for.
pub const MARKER_MARGIN_MS: u64 = 20_000;

/// What it takes to find envelopes that a queue beside the store has lost or moved out of the way.
#[derive(Clone)]
pub struct Reconciling {
    /// Which markers came out.
    pub markers: Arc<dyn Markers>,
    /// Where markers go in.
    pub marker_queue: Arc<dyn MarkerQueue>,
    /// Which jobs were published and not claimed.
    pub sent: Arc<dyn SentJobs>,
    /// What the queue moved out of the way.
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// Has jobs published again that were sent well before a marker that came out, and were not claimed. Their
/// envelopes were lost, and if not: the claim lets one of two run.
pub struct Reconcile {
    markers: Arc<dyn Markers>,
    sent: Arc<dyn SentJobs>,
    clock: Arc<dyn Clock>,
    limit: usize,
}

impl Reconcile {
    /// Sends at most `limit` jobs of a lane again at a time. The times of markers and jobs are those of `clock`.
    #[must_use]
    pub fn new(
        markers: Arc<dyn Markers>,
        sent: Arc<dyn SentJobs>,
        clock: Arc<dyn Clock>,
        limit: usize,
    ) -> Self {
        Self {
            markers,
            sent,
            clock,
            limit,
        }
    }

    /// Answers how many jobs of a lane are sent again.
    async fn send_again(&self, kind: JobKind, lane: Lane) -> Result<usize, Error> {
        let latest_ms = self.markers.latest(kind, lane).await;
        let Some(latest_ms) = latest_ms.map_err(store("read the latest marker"))? else {
            return Ok(0);
        };
        if latest_ms > self.clock.now_ms() {
            // The clock was set back since: everything looks as if it had been sent before that marker.
            return Ok(0);
        }
        let before_ms = latest_ms.saturating_sub(MARKER_MARGIN_MS);
        let again = self.sent.send_again(kind, lane, before_ms, self.limit);
        let again = again.await.map_err(store("send lost jobs again"))?;
        if again > 0 {
            tracing::warn!(
                job.kind = kind.as_str(),
                job.lane = lane.as_str(),
                again,
                "a marker overtook {again} {kind} jobs of lane {lane}: they are sent again"
            );
        }
        Ok(again)
    }
}

#[async_trait]
impl Activity for Reconcile {
    fn name(&self) -> ActivityName {
        ActivityName::Reconcile
    }

    async fn activate(&self) -> Result<Report, Error> {
        let mut report = Report::default();
        for kind in JobKind::ALL {
            for lane in Lane::ALL {
                let again = self.send_again(kind, lane).await?;
                report.changed += again;
                report.more |= again >= self.limit;
            }
        }
        Ok(report)
    }
}

/// What a failure of the store at `step` is.
pub(crate) fn store(step: &'static str) -> impl FnOnce(StoreError) -> Error {
    move |source| Error::Store { step, source }
}
