//! What the clock asks for.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use assay_core::id::{JobId, WorkerId};
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::{StoreError, Swept, WorkerRegistry as _};
use assay_core::state::JobState;
use assay_core::transition::{self, Record, Transition};
use assay_core::worker::Presence;
use futures::StreamExt as _;
use redis::Value;

use super::{Plan, RedisStore, closed};
use crate::expired::Expired;
use crate::metric_definitions::redis::Call;
use crate::redis::keys::GroupKeys;
use crate::redis::link::LinkError;
use crate::redis::record::{Found, bytes, number};
use crate::redis::script::{Room, Script};

/// Leases that nobody looked at for this long, in milliseconds, lapsed in a gap: Redis or all schedulers were
/// away, and the workers could not renew them.
const REAP_GAP_MS: u64 = 10_000;
/// How long such leases are extended from now, in milliseconds.
const GAP_LEASE_MS: u64 = 10_000;
/// Notes when leases were looked at. A plain command would be refused when there is no memory left.
static NOTE_BEAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, "redis.call('SET', KEYS[1], ARGV[1])"));
/// Steps of one sweep that are on their way at a time.
const STEPS_MAX: usize = 128;
/// Leases that are extended before the next are asked for.
const LEASES_PAGE: usize = 1_024;

impl RedisStore {
    pub(in crate::redis) async fn sweep_due(&self, limit: usize) -> Result<Swept, StoreError> {
        let now_ms = self.clock.now_ms();
        let mut swept = Swept::default();
        for group in self.keys.groups() {
            let ids = self.come(&group.due, now_ms, limit - swept.jobs).await?;
            #[cfg(feature = "failpoints")]
            if assay_failpoint::skips(assay_failpoint::Guard::PromoteCompares) {
                add(&mut swept, self.promote_blindly(&ids).await?);
                continue;
            }
            let queued = self.step_each(&group.due, &ids, transition::due).await?;
            add(&mut swept, queued);
        }
        Ok(swept)
    }

    pub(in crate::redis) async fn sweep_lapsed(&self, limit: usize) -> Result<Swept, StoreError> {
        let now_ms = self.clock.now_ms();
        let grace_end = now_ms.saturating_sub(transition::REAP_GRACE_MS);
        let mut swept = Swept::default();
        for group in self.keys.groups() {
            self.look_at_leases(group, now_ms).await?;
            let left = limit - swept.jobs;
            let lapsed = self.come(&group.leases, grace_end, left).await?;
            add(&mut swept, self.reap_from(group, &lapsed).await?);
            let left = limit - swept.jobs;
            let overdue = self.come(&group.deadlines, now_ms, left).await?;
            let ended = self.step_each(&group.deadlines, &overdue, transition::deadline);
            add(&mut swept, ended.await?);
        }
        Ok(swept)
    }

    /// Takes jobs from workers whose leases lapsed, for what the registry knows of the workers.
    async fn reap_from(&self, group: &GroupKeys, ids: &[JobId]) -> Result<Swept, StoreError> {
        if ids.is_empty() {
            return Ok(Swept::default());
        }
        let found = self.reader.find_all(ids).await;
        let found = found.map_err(LinkError::of_read)?;
        let holders: BTreeSet<WorkerId> = found
            .iter()
            .filter_map(|found| found.as_ref().ok()?.job()?.job.holder.as_ref())
            .map(|holder| holder.worker.clone())
            .collect();
        let holders: Vec<_> = holders.into_iter().collect();
        let presence = self.registry().presence(&holders).await;
        let presence = presence.map_err(|error| StoreError::Unavailable { why: error.why })?;
        let known: HashMap<_, _> = holders.into_iter().zip(presence).collect();
        let rule = |record: Record<'_>, now_ms: u64| {
            let holder = record.job.holder.as_ref();
            let presence = holder.and_then(|holder| known.get(&holder.worker));
            transition::reap_from(
                record,
                presence.copied().unwrap_or(Presence::Unknown),
                now_ms,
            )
        };
        self.step_each(&group.leases, ids, &rule).await
    }

    /// Has entries handed out again that nobody holds, and gives jobs an entry whose own was lost. Where the
    /// queue is elsewhere: answers the envelopes that nobody has published in time, and has those entries handed out
    /// again that are in its own streams all the same.
    pub(in crate::redis) async fn sweep_entries(&self, limit: usize) -> Result<Swept, StoreError> {
        if let Some(outbox) = self.outbox {
            let mut swept = self.sweep_outbox_of(outbox, limit).await?;
            if outbox.streams_too {
                swept.jobs += self.entries.run(None, limit - swept.jobs).await?;
            }
            return Ok(swept);
        }
        let committer = self.committer().ok_or_else(closed)?;
        self.entries.run(Some(&committer), limit).await.map(swept)
    }

    /// Takes what is under an id out of where it does not belong.
    pub(in crate::redis) async fn put_right(&self, id: JobId) -> Result<(), StoreError> {
        self.step_one(id, |_, _| None).await.map(drop)
    }

    /// Notes that leases are looked at. After a gap none is taken for lapsed: each gets the time to be renewed.
    async fn look_at_leases(&self, group: &GroupKeys, now_ms: u64) -> Result<(), StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(&group.beat);
        let link = self.link.labelled(Call::Sweep);
        let beaten = link.read(&get).await.map_err(LinkError::of_read)?;
        let beaten_at_ms = bytes(&beaten).and_then(number).unwrap_or(0);
        if now_ms.saturating_sub(beaten_at_ms) > REAP_GAP_MS {
            self.extend_leases(group, now_ms).await?;
        }
        let mut call = NOTE_BEAT.call([group.beat.as_str()].into_iter());
        call.arg(now_ms);
        let beat = link.run(&NOTE_BEAT, &call).await;
        beat.map(drop).map_err(LinkError::of_write)
    }

    async fn extend_leases(&self, group: &GroupKeys, now_ms: u64) -> Result<(), StoreError> {
        loop {
            let ids = self.come(&group.leases, now_ms, LEASES_PAGE).await?;
            let steps = ids.iter().copied();
            let steps =
                steps.map(|id| self.or_rest(&group.leases, id, self.extend_lease(id, now_ms)));
            run(steps).await?;
            if ids.len() < LEASES_PAGE {
                return Ok(());
            }
        }
    }

    async fn extend_lease(&self, id: JobId, now_ms: u64) -> Result<Swept, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = found.job() else {
                return Plan::write(scribe.clear(id, found), 0);
            };
            let mut job = Job::clone(&known.job);
            match &mut job.holder {
                Some(holder) if holder.expires_at_ms <= now_ms => {
                    holder.expires_at_ms = now_ms.saturating_add(GAP_LEASE_MS);
                    Plan::write(scribe.record_quietly(known, job), 1)
                }
                // Not where it belongs: left there, a page of such would be the next page again, for ever.
                _ => Plan::write(scribe.place(known), 0),
            }
        });
        stepped.await.map(|stepped| swept(stepped.answer))
    }

    pub(in crate::redis) async fn sweep_expired(&self, limit: usize) -> Result<Swept, StoreError> {
        let expired = Expired::default();
        let swept = self.forget_expired(limit, &expired).await;
        // Also of a sweep that broke off.
        expired.tell(self.config.retention());
        swept
    }

    async fn forget_expired(&self, limit: usize, expired: &Expired) -> Result<Swept, StoreError> {
        let now_ms = self.clock.now_ms();
        let mut swept = Swept::default();
        for group in self.keys.groups() {
            let ids = self.come(&group.expiry, now_ms, limit - swept.jobs).await?;
            let forget = |id| self.or_rest(&group.expiry, id, self.forget(id, now_ms, expired));
            add(&mut swept, run(ids.iter().copied().map(forget)).await?);
        }
        Ok(swept)
    }

    /// Forgets what is under an id if its time has come.
    async fn forget(&self, id: JobId, now_ms: u64, expired: &Expired) -> Result<Swept, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let known = match found {
                Found::Job(known) => known,
                // They expire by their own time: this is the one that was asked for.
                Found::Tombstone(_) | Found::Absent => {
                    return Plan::write(scribe.clear(id, found), Forgot::Nothing);
                }
            };
            match transition::expires_at_ms(&known.job, scribe.retention) {
                Some(expires_at_ms) if expires_at_ms <= now_ms => {
                    Plan::write(scribe.forget(known), Forgot::of(&known.job))
                }
                // Not where it belongs: put back by hand, or the retention was changed.
                _ => Plan::write(scribe.place(known), Forgot::Nothing),
            }
        });
        Ok(swept(match stepped.await?.answer {
            Forgot::Nothing => 0,
            Forgot::Job => 1,
            Forgot::DeadLetter(kind) => {
                expired.note(kind);
                1
            }
        }))
    }

    /// Takes a step on each of these jobs of `set`; answers how many it changed, and what must be published. What is not
    /// there any more, or not where it belongs, is put right, so that it does not keep others from their turn.
    async fn step_each(
        &self,
        set: &str,
        ids: &[JobId],
        rule: impl Fn(Record<'_>, u64) -> Option<Transition> + Copy + Send + Sync,
    ) -> Result<Swept, StoreError> {
        let steps = ids.iter().copied();
        let steps = steps.map(|id| self.or_rest(set, id, self.step_one(id, rule)));
        run(steps).await
    }

    async fn step_one(
        &self,
        id: JobId,
        rule: impl Fn(Record<'_>, u64) -> Option<Transition> + Copy + Send + Sync,
    ) -> Result<Swept, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = found.job() else {
                return Plan::write(scribe.clear(id, found), Swept::default());
            };
            match rule(known.record(), scribe.now_ms) {
                Some(transition) => {
                    let change = scribe.record(known, transition, None);
                    let publish = change.to_publish();
                    Plan::write(change, Swept { jobs: 1, publish })
                }
                None => Plan::write(scribe.place(known), Swept::default()),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    /// At most `limit` jobs of a set whose time has come, earliest first.
    async fn come(&self, key: &str, until_ms: u64, limit: usize) -> Result<Vec<JobId>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("ZRANGE");
        command.arg(key).arg("-inf").arg(until_ms).arg("BYSCORE");
        command.arg("LIMIT").arg(0).arg(limit);
        let link = self.link.labelled(Call::Sweep);
        let answer = link.read(&command).await.map_err(LinkError::of_read)?;
        Ok(ids(&answer))
    }
}

/// What is not there any more.
enum Forgot {
    Nothing,
    Job,
    DeadLetter(JobKind),
}

impl Forgot {
    fn of(job: &Job) -> Self {
        if job.state == JobState::DeadLettered {
            Self::DeadLetter(job.kind)
        } else {
            Self::Job
        }
    }
}

/// The jobs of an answer that lists them.
pub(in crate::redis) fn ids(answer: &Value) -> Vec<JobId> {
    let Value::Array(members) = answer else {
        return Vec::new();
    };
    let id = |member| Some(JobId::from_bytes(bytes(member)?.try_into().ok()?));
    members.iter().filter_map(id).collect()
}

/// Runs steps side by side; adds up what they answer.
pub(in crate::redis) async fn run(
    steps: impl Iterator<Item = impl Future<Output = Result<Swept, StoreError>> + Send> + Send,
) -> Result<Swept, StoreError> {
    let mut steps = futures::stream::iter(steps).buffer_unordered(STEPS_MAX);
    let mut sum = Swept::default();
    while let Some(swept) = steps.next().await {
        add(&mut sum, swept?);
    }
    Ok(sum)
}

pub(super) fn add(sum: &mut Swept, swept: Swept) {
    sum.jobs += swept.jobs;
    sum.publish.extend(swept.publish);
}

fn swept(jobs: usize) -> Swept {
    Swept {
        jobs,
        publish: Vec::new(),
    }
}
