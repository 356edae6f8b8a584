//! Sends markers through the lanes, which prove what has passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{MarkerQueue, Markers, SentJobs};
use async_trait::async_trait;
use parking_lot::Mutex;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::reconcile::{MARKER_MARGIN_MS, store};

/// Between two markers of one lane, in milliseconds.
const MARKER_PERIOD_MS: u64 = 10_000;
/// A marker that did not come out for so long counts as lost, in milliseconds; each one after it waits twice as
/// long, because nobody may be there to take it out.
const MARKER_LOST_MS: u64 = 60_000;
/// The longest such wait, in milliseconds.
const MARKER_LOST_MS_MAX: u64 = 600_000;

/// Sends a marker through each lane in which a job has been for long enough to be proven lost, one at a time.
pub struct SendMarkers {
    markers: Arc<dyn Markers>,
    queue: Arc<dyn MarkerQueue>,
    sent: Arc<dyn SentJobs>,
    clock: Arc<dyn Clock>,
    on_their_way: Mutex<BTreeMap<(JobKind, Lane), OnItsWay>>,
}

/// The last marker of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OnItsWay {
    published_at_ms: u64,
    /// When it counts as lost.
    lost_after_ms: u64,
}

impl SendMarkers {
    /// Sends through `queue` what `markers` hears of, for the jobs in `sent`.
    #[must_use]
    pub fn new(
        markers: Arc<dyn Markers>,
        queue: Arc<dyn MarkerQueue>,
        sent: Arc<dyn SentJobs>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            markers,
            queue,
            sent,
            clock,
            on_their_way: Mutex::default(),
        }
    }

    /// Sends a marker through a lane if it needs one; whether it did.
    async fn send(&self, kind: JobKind, lane: Lane) -> Result<bool, Error> {
        let oldest_ms = self.sent.oldest_ms(kind, lane).await;
        let oldest_ms = oldest_ms.map_err(store("look for the oldest sent job"))?;
        let now_ms = self.clock.now_ms();
        if !is_suspect(oldest_ms, now_ms) {
            return Ok(false);
        }
        let latest_ms = self.markers.latest(kind, lane).await;
        let latest_ms = latest_ms.map_err(store("read the latest marker"))?;
        let last = self.on_their_way.lock().get(&(kind, lane)).copied();
        let Some(next) = next(last, latest_ms, now_ms) else {
            return Ok(false);
        };
        let published = self.queue.publish_marker(kind, lane, now_ms).await;
        published.map_err(|source| Error::Queue {
            step: "send a marker",
            source,
        })?;
        self.on_their_way.lock().insert((kind, lane), next);
        Ok(true)
    }
}

#[async_trait]
impl Activity for SendMarkers {
    fn name(&self) -> ActivityName {
        ActivityName::SendMarkers
    }

    async fn activate(&self) -> Result<Report, Error> {
        let mut changed = 0;
        let mut failed = None;
        for kind in JobKind::ALL {
            for lane in Lane::ALL {
                match self.send(kind, lane).await {
                    Ok(sent) => changed += usize::from(sent),
                    // One that is full, say: the others are not.
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        let report = Report {
            changed,
            more: false,
        };
        failed.map_or(Ok(report), Err)
    }
}

/// Whether a marker that is sent now could prove a job lost that was sent at `oldest_ms`. A lane whose jobs are
/// claimed sooner than that needs none.
fn is_suspect(oldest_ms: Option<u64>, now_ms: u64) -> bool {
    oldest_ms.is_some_and(|oldest_ms| oldest_ms.saturating_add(MARKER_MARGIN_MS) < now_ms)
}

/// The marker that is to be sent now, if any: the one before must have come out, or be lost. `latest_ms` is that
/// of whichever scheduler.
fn next(last: Option<OnItsWay>, latest_ms: Option<u64>, now_ms: u64) -> Option<OnItsWay> {
    let is_old = |at_ms: u64| at_ms.saturating_add(MARKER_PERIOD_MS) <= now_ms;
    let marker = |lost_after_ms| OnItsWay {
        published_at_ms: now_ms,
        lost_after_ms,
    };
    if !latest_ms.is_none_or(is_old) {
        return None;
    }
    match last {
        Some(last) if latest_ms.is_none_or(|latest_ms| latest_ms < last.published_at_ms) => {
            let lost_at_ms = last.published_at_ms.saturating_add(last.lost_after_ms);
            let longer_ms = last.lost_after_ms.saturating_mul(2);
            (lost_at_ms <= now_ms).then(|| marker(longer_ms.min(MARKER_LOST_MS_MAX)))
        }
        Some(_) | None => Some(marker(MARKER_LOST_MS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn only_what_waits_for_long_is_suspect() {
        for (oldest_ms, suspect) in [
            (None, false),
            (Some(NOW), false),
            (Some(NOW + 9), false),
            (Some(NOW - MARKER_MARGIN_MS), false),
            (Some(NOW - MARKER_MARGIN_MS - 1), true),
        ] {
            assert_eq!(is_suspect(oldest_ms, NOW), suspect, "{oldest_ms:?}");
        }
    }

    #[test]
    fn the_next_marker_waits_for_the_one_before_and_for_the_period() {
        let first = next(None, None, NOW).unwrap();
        assert_eq!((first.published_at_ms, first.lost_after_ms), (NOW, 60_000));
        let after = |latest_ms, ms| next(Some(first), latest_ms, NOW + ms);
        // On its way, then out.
        assert_eq!(after(None, MARKER_PERIOD_MS), None);
        assert_eq!(after(Some(NOW - 1), MARKER_PERIOD_MS), None);
        assert_eq!(after(Some(NOW), MARKER_PERIOD_MS - 1), None);
        let second = after(Some(NOW), MARKER_PERIOD_MS).unwrap();
        assert_eq!(second.lost_after_ms, MARKER_LOST_MS);
        // Another scheduler's, just now.
        assert_eq!(after(Some(NOW + 7), MARKER_PERIOD_MS), None);
        assert_eq!(next(None, Some(NOW - 1), NOW), None);
    }

    #[test]
    fn a_lost_marker_is_replaced_and_the_next_one_later() {
        let mut last = next(None, None, NOW).unwrap();
        let mut waits = Vec::new();
        for _ in 0..6 {
            let lost_at_ms = last.published_at_ms + last.lost_after_ms;
            assert_eq!(next(Some(last), None, lost_at_ms - 1), None);
            waits.push(last.lost_after_ms / 1_000);
            last = next(Some(last), None, lost_at_ms).unwrap();
        }
        assert_eq!(waits, [60, 120, 240, 480, 600, 600]);
    }
}
