//! What is measured in which mode, beside whom, and what is wanted.

use super::contender::Contender;

/// What jobs and their records go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Both in Redis.
    Redis,
    /// Jobs over RabbitMQ, records in Redis.
    Full,
}

/// How much faster than another ours is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Than whom.
    pub than: Contender,
    /// So many times, at least.
    pub min: f64,
    /// So many times, at best.
    pub aim: Option<f64>,
}

impl Bound {
    const fn new(than: Contender, min: f64, aim: Option<f64>) -> Self {
        Self { than, min, aim }
    }
}

const REDIS_BOUNDS: [Bound; 2] = [
    Bound::new(Contender::BullmqNode, 1.5, Some(2.5)),
    Bound::new(Contender::BullmqRust, 1.5, Some(2.5)),
];
const FULL_BOUNDS: [Bound; 2] = [
    Bound::new(Contender::Bare, 0.5, Some(0.8)),
    Bound::new(Contender::Celery, 5.0, None),
];

/// What was the same for all in redis mode, and what was not.
const REDIS_NOTES: [&str; 9] = [
    "same for all: a fresh private Redis each run, AOF everysec, no rewrite during a run, noeviction, loopback; producer",
    "and worker in processes of their own; the end of a run is the moment when Redis holds the last result.",
    "payloads are of equal size; bulk adds of equal size; equally many jobs without an answer at a time.",
    "everyone keeps finished jobs: peers with their default (removeOnComplete unset), as ours keeps records.",
    "peers have no retries configured and their defaults otherwise: lock renewal and the stalled check stay on, events",
    "are trimmed at their usual 10,000. NODE_ENV is production. One worker process each.",
    "ours has all its features on: gateway, validation, content check, leases with fencing tokens, history of events.",
    "ours sends jobs over gRPC: single is SubmitJob, bulk is SubmitJobs; services are gateway and scheduler.",
    "the ceiling is XADD, XREADGROUP, SET and XACK in pipelines: it has no leases, no progress, no states, no events.",
];

/// What was the same for all in full mode, and what was not.
const FULL_NOTES: [&str; 15] = [
    "same for all: a fresh private RabbitMQ of one node each run, a quorum queue, persistent messages, every publish",
    "confirmed; a fresh private Redis each run, AOF everysec, no rewrite during a run, noeviction; loopback; producer and",
    "worker in processes of their own (Celery's prefork has children, which count as its worker).",
    "payloads are of equal size; ours and the bare loops have equally many publishes without a confirm at a time (over four",
    "channels of one connection, mandatory) and equal prefetch: two for each job that runs at once.",
    "the end of a run is the moment when Redis holds the last result; of the bare loop, which has none, the moment when",
    "the broker has the last acknowledgement.",
    "the bare loop and the ceiling: bulk sends the same batches as everybody and acknowledges with one frame what came",
    "together; single sends and acknowledges one by one, without waiting in between. They do nothing else at all.",
    "the ceiling is the bare loop with a SET per job before the publish, and one before the acknowledgement.",
    "Celery: task_acks_late, confirm_publish, results and progress in Redis as it does it. Each thread of its producer",
    "waits for the confirm of each publish: 16 of them for single, 2 for bulk. Its producer has no result backend, or it",
    "would subscribe to each job. No gossip, mingle, events, remote control. Prefetch: about 128 whatever the pool, of",
    "which several are tried: its processes and threads are too heavy for 50 to 200 of them.",
    "ours has all its features on: gateway, validation, content check, leases with fencing tokens, history of events.",
];

impl Mode {
    /// Who is measured, in the order of the tables.
    #[must_use]
    pub fn contenders(self) -> &'static [Contender] {
        use Contender::{Assay, Bare, BullmqNode, BullmqRust, Ceiling, Celery};
        match self {
            Self::Redis => &[Assay, BullmqNode, BullmqRust, Ceiling],
            Self::Full => &[Assay, Bare, Celery, Ceiling],
        }
    }

    /// Whose jobs' delays are measured.
    pub fn timed(self) -> impl Iterator<Item = Contender> {
        let all = self.contenders().iter().copied();
        all.filter(|contender| *contender != Contender::Ceiling)
    }

    /// What is wanted.
    #[must_use]
    pub fn bounds(self) -> [Bound; 2] {
        match self {
            Self::Redis => REDIS_BOUNDS,
            Self::Full => FULL_BOUNDS,
        }
    }

    /// What is wanted of the delay until jobs start.
    #[must_use]
    pub fn wanted_delay(self) -> &'static str {
        match self {
            Self::Redis => "wanted: p99 not above BullMQ's",
            Self::Full => "wanted: p99 not above Celery's",
        }
    }

    /// What was the same for all, and what was not.
    #[must_use]
    pub fn notes(self) -> &'static [&'static str] {
        match self {
            Self::Redis => &REDIS_NOTES,
            Self::Full => &FULL_NOTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_to_be_beaten_is_measured() {
        for mode in [Mode::Redis, Mode::Full] {
            let contenders = mode.contenders();
            assert!(contenders.contains(&Contender::Assay));
            for bound in mode.bounds() {
                assert!(contenders.contains(&bound.than), "{bound:?}");
            }
            assert_eq!(mode.timed().count(), contenders.len() - 1);
        }
    }
}
