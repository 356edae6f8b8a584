//! Names of keys, channels and fields: the one place that spells them.
//!
//! A *group* is a set of keys with one tag, so that they live in one place of a cluster and one script may
//! touch them all. The shard byte of a job's id says in which group it is. With the prefix `assay`:
//!
//! | name | is |
//! |---|---|
//! | `assay:meta:groups` | string: how many groups there are |
//! | `assay:meta:carrier` | string: what carries the envelopes of all jobs |
//! | `assay:meta:users:<carrier>` | zset: processes that use it, by when they last said so |
//! | `assay:meta:paused` | set: the kinds of jobs that are not to be run |
//! | `assay:meta:markers` | hash: of each lane, when the latest marker was published that came out of it |
//! | `assay:{G}:j:<id>` | hash: the record of a job, see [`field`] |
//! | `assay:{G}:l:<tenant>:<kind>:<state>` | zset: jobs by the time of their submit |
//! | `assay:{G}:due`, `leases`, `deadlines`, `expiry` | zset: jobs by a time that matters |
//! | `assay:{G}:counts` | hash: how many jobs there are, see [`count`] and [`live`] |
//! | `assay:{G}:epoch`, `beat` | string: when the store began; when leases were last looked at |
//! | `assay:{G}:s:<queue>`, `s:<queue>:again` | stream: what waits in a lane; what had begun already |
//! | `assay:{G}:outbox` | zset: jobs to be published elsewhere, by when the sweep answers them |
//! | `assay:{G}:sent:<queue>` | zset: jobs that were published elsewhere and not claimed, by when |
//! | `assay:{G}:later:<kind>` | zset: deliveries that are to come again, by time |
//! | `assay:{G}:dead:<kind>` | stream: envelopes that are kept for people |
//! | `assay:{G}:workers`, `w:<worker>` | zset: workers by their last beat; string: what one said |
//! | `assay:{G}:events`, `stops`, `ready:<kind>` | channel: events, cancellations, "there is an entry" |

use assay_core::id::{JobId, Tenant};
use assay_core::kind::{JobKind, Lane};
use assay_core::route;
use assay_core::state::JobState;

/// Most groups of keys: the shard byte tells no more apart.
pub const GROUPS_MAX: u16 = 256;
/// Consumer group of every stream of a queue.
pub(crate) const CONSUMER_GROUP: &str = "workers";

/// Fields of a record. The events of the job are in it too, each under the number of its place.
pub(crate) mod field {
    /// Revision: another one with each change.
    pub(crate) const REVISION: &str = "v";
    /// The job as it was first written.
    pub(crate) const JOB: &str = "j";
    /// What changed since; absent before the first change.
    pub(crate) const CHANGED: &str = "r";
    /// The envelope in its first form, or that of its latest payload.
    pub(crate) const ENVELOPE: &str = "e";
    /// How long the job was given at its submit, in milliseconds.
    pub(crate) const DEADLINE_MS: &str = "d";
    /// What the latest attempt left behind.
    pub(crate) const CHECKPOINT: &str = "c";
    /// The inline result.
    pub(crate) const RESULT: &str = "o";
    /// Instead of a job: when an id that nobody knew was cancelled, or a dead letter was forgotten, in milliseconds
    /// since the epoch.
    pub(crate) const TOMBSTONE: &str = "t";
}

/// Fields of an entry of a stream.
pub(crate) mod entry {
    /// The sixteen bytes of the job's id.
    pub(crate) const JOB_ID: &str = "j";
    /// The generation that the entry carries.
    pub(crate) const GENERATION: &str = "g";
    /// A whole envelope, where no record holds it.
    pub(crate) const ENVELOPE: &str = "e";
}

/// The field that counts the tombstones of a group.
pub(crate) const COUNT_OF_TOMBSTONES: &str = "tombstones";

/// The field that counts the jobs of a kind in a state.
pub(crate) fn count(kind: JobKind, state: JobState) -> String {
    format!("{kind}:{state}")
}

/// The field that counts the jobs of a kind that have not ended.
pub(crate) fn live(kind: JobKind) -> String {
    format!("{kind}:live")
}

/// Every name under one prefix.
#[derive(Debug)]
pub(crate) struct Keys {
    prefix: String,
    groups: Vec<GroupKeys>,
}

impl Keys {
    /// Names that begin with `prefix`, in `groups` groups (1 to [`GROUPS_MAX`]).
    pub(crate) fn new(prefix: &str, groups: u16) -> Self {
        let groups = (0..groups.clamp(1, GROUPS_MAX)).map(|group| GroupKeys::new(prefix, group));
        Self {
            prefix: prefix.to_owned(),
            groups: groups.collect(),
        }
    }

    /// Says how many groups there are.
    pub(crate) fn meta_groups(&self) -> String {
        format!("{}:meta:groups", self.prefix)
    }

    /// Says what carries the envelopes.
    pub(crate) fn meta_carrier(&self) -> String {
        format!("{}:meta:carrier", self.prefix)
    }

    /// Says which processes use a carrier.
    pub(crate) fn meta_users(&self, carrier: &str) -> String {
        format!("{}:meta:users:{carrier}", self.prefix)
    }

    /// Says which kinds are paused.
    pub(crate) fn meta_paused(&self) -> String {
        format!("{}:meta:paused", self.prefix)
    }

    /// Says which markers came out of the lanes.
    pub(crate) fn meta_markers(&self) -> String {
        format!("{}:meta:markers", self.prefix)
    }

    /// All groups; a group's place is its number.
    pub(crate) fn groups(&self) -> &[GroupKeys] {
        &self.groups
    }

    /// The group that holds a job.
    pub(crate) fn of(&self, id: JobId) -> &GroupKeys {
        let place = usize::from(id.shard()) % self.groups.len();
        &self.groups[place]
    }
}

/// The names of one group.
#[derive(Debug)]
pub(crate) struct GroupKeys {
    /// Which group, from 0.
    pub(crate) number: usize,
    base: String,
    pub(crate) due: String,
    pub(crate) leases: String,
    pub(crate) deadlines: String,
    pub(crate) expiry: String,
    pub(crate) outbox: String,
    pub(crate) counts: String,
    pub(crate) epoch: String,
    pub(crate) beat: String,
    pub(crate) workers: String,
    pub(crate) events: String,
    pub(crate) stops: String,
}

impl GroupKeys {
    fn new(prefix: &str, group: u16) -> Self {
        let base = format!("{prefix}:{{{group}}}:");
        let name = |rest: &str| format!("{base}{rest}");
        Self {
            number: usize::from(group),
            due: name("due"),
            leases: name("leases"),
            deadlines: name("deadlines"),
            expiry: name("expiry"),
            outbox: name("outbox"),
            counts: name("counts"),
            epoch: name("epoch"),
            beat: name("beat"),
            workers: name("workers"),
            events: name("events"),
            stops: name("stops"),
            base,
        }
    }

    /// The record of a job.
    pub(crate) fn record(&self, id: JobId) -> String {
        let hex = u128::from_be_bytes(*id.as_bytes());
        format!("{}j:{hex:032x}", self.base)
    }

    /// The jobs of a tenant and kind that are in a state.
    pub(crate) fn list(&self, tenant: &Tenant, kind: JobKind, state: JobState) -> String {
        format!("{}l:{tenant}:{kind}:{state}", self.base)
    }

    /// What waits in a lane for the first time, or again without having begun.
    pub(crate) fn stream(&self, kind: JobKind, lane: Lane) -> String {
        format!("{}s:{}", self.base, route::queue(kind, lane))
    }

    /// What had begun and is to go on: read before its lane.
    pub(crate) fn stream_again(&self, kind: JobKind, lane: Lane) -> String {
        format!("{}s:{}:again", self.base, route::queue(kind, lane))
    }

    /// The jobs of a lane that were published elsewhere.
    pub(crate) fn sent(&self, kind: JobKind, lane: Lane) -> String {
        format!("{}sent:{}", self.base, route::queue(kind, lane))
    }

    /// Deliveries of a kind that are to come again, by time.
    pub(crate) fn later(&self, kind: JobKind) -> String {
        format!("{}later:{kind}", self.base)
    }

    /// Envelopes of a kind that are kept for people.
    pub(crate) fn dead(&self, kind: JobKind) -> String {
        format!("{}dead:{kind}", self.base)
    }

    /// The channel that tells that a stream of a kind got an entry.
    pub(crate) fn ready(&self, kind: JobKind) -> String {
        format!("{}ready:{kind}", self.base)
    }

    /// What a worker said with its last beat.
    pub(crate) fn worker(&self, worker: &str) -> String {
        format!("{}w:{worker}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_job_is_in_the_group_of_its_shard_byte() {
        let keys = Keys::new("assay", 4);
        for shard in [0, 3, 4, 255] {
            let mut bytes = [7; 16];
            bytes[15] = shard;
            let id = JobId::from_bytes(bytes);
            assert_eq!(keys.of(id).number, usize::from(shard % 4));
            assert_eq!(keys.of(id).number, keys.of(id.child("item", 9)).number);
        }
    }

    #[test]
    fn there_are_one_to_256_groups() {
        assert_eq!(Keys::new("assay", 0).groups().len(), 1);
        assert_eq!(Keys::new("assay", 256).groups().len(), 256);
        assert_eq!(Keys::new("assay", 257).groups().len(), 256);
    }

    #[test]
    fn a_key_says_prefix_group_and_job() {
        let keys = Keys::new("assay", 1);
        let id = JobId::from_bytes([0xab; 16]);
        let expected = format!("assay:{{0}}:j:{}", "ab".repeat(16));
        assert_eq!(keys.of(id).record(id), expected);
    }

    #[test]
    fn no_two_names_are_the_same() {
        let keys = Keys::new("assay", 1);
        let group = &keys.groups()[0];
        let mut names = vec![&group.due, &group.leases, &group.deadlines, &group.expiry];
        names.extend([&group.counts, &group.epoch, &group.beat, &group.workers]);
        names.extend([&group.events, &group.stops, &group.outbox]);
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        let plain = names.len();
        for kind in JobKind::ALL {
            names.extend([group.later(kind), group.dead(kind), group.ready(kind)]);
            for lane in Lane::ALL {
                names.extend([group.stream(kind, lane), group.stream_again(kind, lane)]);
                names.push(group.sent(kind, lane));
            }
        }
        assert_eq!(names.len(), plain + 3 * (3 + 9));
        let count = names.len();
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>().len(), count);
    }
}
