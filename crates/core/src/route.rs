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

/// The version of what is declared on a broker, in every name there: queues can't change their arguments, so a
/// change declares the next version beside this one and lets this one drain.
pub const BROKER_VERSION: &str = "v1";
/// What the key of a lane's envelopes that go before the others ends with.
const RESUMED: &str = ".resumed";

/// Names on a message broker, which may be shared: all begin with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerNames {
    begin: String,
}

impl BrokerNames {
    /// The names of the installation that owns `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            begin: format!("{prefix}.{BROKER_VERSION}."),
        }
    }

    /// The exchange that takes envelopes to their lanes, by [`lane_key`].
    #[must_use]
    pub fn jobs(&self) -> String {
        self.named("jobs")
    }

    /// The queue of the envelopes of [`lane_key`].
    #[must_use]
    pub fn lane(&self, kind: JobKind, lane: Lane, resumed: bool) -> String {
        self.named(&lane_key(kind, lane, resumed))
    }

    /// The exchange and the queue of what waits for as long as `bucket` says; both have this name.
    #[must_use]
    pub fn delay(&self, bucket: &str) -> String {
        self.named(&format!("delay.{bucket}"))
    }

    /// The exchange that takes what nobody is to run out of the way, by kind.
    #[must_use]
    pub fn dead(&self) -> String {
        self.named("dead")
    }

    /// The queue of the envelopes of a kind that nobody is to run.
    #[must_use]
    pub fn dead_of(&self, kind: JobKind) -> String {
        self.named(&format!("dead.{}", kind.as_str()))
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.begin)
    }
}

/// What a broker's exchanges tell the envelopes of a lane apart by. Resumed ones have a queue of their own, which is
/// read first.
#[must_use]
pub fn lane_key(kind: JobKind, lane: Lane, resumed: bool) -> String {
    let queue = queue(kind, lane);
    if resumed {
        format!("{queue}{RESUMED}")
    } else {
        queue.to_owned()
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

    #[test]
    fn names_on_a_broker_are_told_apart_and_say_whose_they_are() {
        let names = BrokerNames::new("mine");
        let mut all = BTreeSet::from([names.jobs(), names.dead(), names.delay("1s")]);
        for kind in JobKind::ALL {
            all.insert(names.dead_of(kind));
            for (lane, resumed) in Lane::ALL
                .into_iter()
                .flat_map(|lane| [(lane, false), (lane, true)])
            {
                all.insert(names.lane(kind, lane, resumed));
            }
        }
        assert_eq!(
            all.len(),
            3 + JobKind::ALL.len() * (1 + 2 * Lane::ALL.len())
        );
        assert!(all.iter().all(|name| name.starts_with("mine.v1.")));
        let lane = names.lane(JobKind::Batch, Lane::Low, true);
        assert_eq!(lane, "mine.v1.batch-processing.low.resumed");
    }
}
