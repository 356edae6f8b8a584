//! Names of queues: the one place that spells them.

use crate::kind::{JobKind, Lane};

/// The queue of a kind and lane, as people, brokers and metrics name it.
#[must_use]
pub fn queue(kind: JobKind, lane: Lane) -> &'static str {
    match (kind, lane) {
        (JobKind::ContentVerification, Lane::Low) => "content-verification.low",
        (JobKind::ContentVerification, Lane::Normal) => "content-verification",
        (JobKind::ContentVerification, Lane::High) => "high-priority-tasks.content-verification",
        (JobKind::Batch, Lane::Low) => "batch-processing.low",
        (JobKind::Batch, Lane::Normal) => "batch-processing",
        (JobKind::Batch, Lane::High) => "high-priority-tasks.batch-processing",
        (JobKind::RuvProfile, Lane::Low) => "ruv-profile-processing.low",
        (JobKind::RuvProfile, Lane::Normal) => "ruv-profile-processing",
        (JobKind::RuvProfile, Lane::High) => "high-priority-tasks.ruv-profile-processing",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_lanes_share_a_queue() {
        let names: BTreeSet<_> = JobKind::ALL
            .into_iter()
            .flat_map(|kind| Lane::ALL.map(|lane| queue(kind, lane)))
            .collect();
        assert_eq!(names.len(), JobKind::ALL.len() * Lane::ALL.len());
    }
}
