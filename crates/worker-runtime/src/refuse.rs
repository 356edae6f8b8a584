//! Deliveries that are not to run: what each verdict means for the queue.

use std::time::Duration;

use assay_core::claim::Verdict;
use assay_core::port::{Claim, Delivery, QueueError};
use assay_core::retry::DeadLetterReason;

use crate::metric_definitions::Meters;

/// How long a delivery that needs a newer worker waits for one, in milliseconds.
pub(crate) const NEWER_VERSION_RETRY_MS: u64 = 30_000;

/// Why a delivery is not to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The store's verdict; any but [`Verdict::Run`].
    Verdict(Verdict),
    /// Its record is gone for good.
    Orphan,
    /// Only a newer worker can read it.
    NewerVersion,
}

/// What the queue is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Ack,
    Retry { after_ms: u64 },
    DeadLetter(DeadLetterReason),
}

impl Refusal {
    /// The words of every refusal, as metrics and logs use them.
    pub(crate) const REASONS: [&'static str; 9] = [
        "done",
        "stale",
        "busy",
        "early",
        "cancelled",
        "quarantined",
        "orphan",
        "newer_version",
        "not_run",
    ];

    /// What a claim that does not run is; `None` for one that does.
    pub(crate) fn of(claim: &Claim) -> Option<Self> {
        match claim {
            Claim::Run(_) => None,
            Claim::Not(verdict) => Some(Self::Verdict(*verdict)),
            Claim::Orphan => Some(Self::Orphan),
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Verdict(Verdict::Done) => "done",
            Self::Verdict(Verdict::Stale) => "stale",
            Self::Verdict(Verdict::Busy { .. }) => "busy",
            Self::Verdict(Verdict::Early { .. }) => "early",
            Self::Verdict(Verdict::Cancelled) => "cancelled",
            Self::Verdict(Verdict::Quarantined) => "quarantined",
            Self::Verdict(Verdict::Run) => "not_run",
            Self::Orphan => "orphan",
            Self::NewerVersion => "newer_version",
        }
    }

    fn answer(self) -> Answer {
        match self {
            Self::Verdict(
                Verdict::Done | Verdict::Stale | Verdict::Cancelled | Verdict::Quarantined,
            ) => Answer::Ack,
            Self::Verdict(Verdict::Busy { for_ms } | Verdict::Early { for_ms }) => {
                Answer::Retry { after_ms: for_ms }
            }
            // A store that says "run" but gives no lease is asked again.
            Self::Verdict(Verdict::Run) => Answer::Retry { after_ms: 0 },
            Self::Orphan => Answer::DeadLetter(DeadLetterReason::Orphan),
            Self::NewerVersion => Answer::Retry {
                after_ms: NEWER_VERSION_RETRY_MS,
            },
        }
    }
}

/// Settles a delivery that is not to run.
pub(crate) async fn refuse(delivery: Delivery, refusal: Refusal, meters: &Meters) {
    let (job_id, reason) = (delivery.envelope.job_id, refusal.reason());
    meters.refused(reason);
    if matches!(refusal, Refusal::Orphan | Refusal::NewerVersion) {
        tracing::warn!(job.id = %job_id, reason, "did not run a delivery of job {job_id}: {reason}");
    } else {
        tracing::debug!(job.id = %job_id, reason, "did not run a delivery of job {job_id}: {reason}");
    }
    let settled = match refusal.answer() {
        Answer::Ack => delivery.ack().await,
        Answer::Retry { after_ms } => delivery.retry(Duration::from_millis(after_ms)).await,
        Answer::DeadLetter(why) => delivery.dead_letter(why).await,
    };
    note(settled, job_id);
}

/// Acknowledges a delivery whose outcome is on record.
pub(crate) async fn acknowledge(delivery: Delivery) {
    let job_id = delivery.envelope.job_id;
    note(delivery.ack().await, job_id);
}

/// Has a delivery judged again, by the next claim.
pub(crate) async fn give_back(delivery: Delivery) {
    let job_id = delivery.envelope.job_id;
    note(delivery.retry(Duration::ZERO).await, job_id);
}

/// A delivery that could not be settled comes again, and its claim tells what became of it.
fn note(settled: Result<(), QueueError>, job_id: assay_core::id::JobId) {
    if let Err(error) = settled {
        tracing::warn!(job.id = %job_id, %error, "could not settle a delivery of job {job_id}, it will come again: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_answer() {
        let table = [
            (Refusal::Verdict(Verdict::Done), Answer::Ack),
            (Refusal::Verdict(Verdict::Stale), Answer::Ack),
            (Refusal::Verdict(Verdict::Cancelled), Answer::Ack),
            (Refusal::Verdict(Verdict::Quarantined), Answer::Ack),
            (
                Refusal::Verdict(Verdict::Busy { for_ms: 7 }),
                Answer::Retry { after_ms: 7 },
            ),
            (
                Refusal::Verdict(Verdict::Early { for_ms: 8 }),
                Answer::Retry { after_ms: 8 },
            ),
            (
                Refusal::Verdict(Verdict::Run),
                Answer::Retry { after_ms: 0 },
            ),
            (
                Refusal::Orphan,
                Answer::DeadLetter(DeadLetterReason::Orphan),
            ),
            (Refusal::NewerVersion, Answer::Retry { after_ms: 30_000 }),
        ];
        for (refusal, answer) in table {
            assert_eq!(refusal.answer(), answer, "{refusal:?}");
            assert!(Refusal::REASONS.contains(&refusal.reason()));
        }
    }
}
