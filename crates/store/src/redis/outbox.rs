//! Jobs whose envelope goes through a queue elsewhere.
//!
//! A step that makes an envelope puts its job into the *outbox* and answers the envelope. Whoever publishes it
//! says so ([`promote`](assay_core::port::JobStore::promote)), and the job goes on into the *sent* jobs of its
//! lane, until a worker claims it. What stays in the outbox for longer than a publish may take is answered
//! again by the sweep; what stays sent although a marker has passed its lane is put back into the outbox.

mod walk;

use std::sync::LazyLock;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::Job;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{SentJobs, StoreError, Swept};
use assay_core::transition::needs_envelope;
use async_trait::async_trait;
use redis::{Pipeline, Value};

use super::RedisStore;
use super::clock::CLOCK_SKEW_MS_MAX;
use super::keys::GroupKeys;
use super::link::LinkError;
use super::queue::oldest_waiting_ms;
use super::record::{Found, bytes, number};
use super::script::{Room, Script};
use super::steps::ids;
use super::write::Part;
use crate::StoreConfig;
use crate::metric_definitions::redis::Call;

pub(super) use walk::Walk;

/// Takes jobs whose time has come, and sets when it comes again.
static TAKE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("outbox/take.lua")));
/// Puts sent jobs back into the outbox.
static SEND_AGAIN: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("outbox/send_again.lua")));
/// Jobs that one script call moves: Redis does nothing else meanwhile.
const PAGE: usize = 1_000;

/// What carries the envelopes of a store's jobs to the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Its own streams, which every step writes to: [`RedisQueue`](super::RedisQueue).
    Streams,
    /// A queue elsewhere: what must be published is in the answers of the store.
    Broker,
    /// The same, with the store's own streams for when that queue is away: whoever publishes says what goes there.
    BrokerOrStreams,
}

/// How envelopes wait to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// How long whoever is answered an envelope has to publish it, in milliseconds.
    pub(crate) visible_ms: u64,
    /// How many jobs of a group may be in it when another one is submitted.
    pub(crate) jobs_max: u64,
    /// Whether envelopes may be in the store's own streams, too.
    pub(crate) streams_too: bool,
}

impl Outbox {
    /// The outbox of a store whose envelopes `carrier` carries; none if they are in its own streams.
    pub(crate) fn of(carrier: Carrier, config: &StoreConfig) -> Option<Self> {
        match carrier {
            Carrier::Streams => None,
            Carrier::Broker | Carrier::BrokerOrStreams => Some(Self {
                visible_ms: config.outbox_visible_ms,
                jobs_max: config.outbox_max.div_ceil(config.redis_groups.into()),
                streams_too: carrier == Carrier::BrokerOrStreams,
            }),
        }
    }

    /// Puts a job in.
    pub(super) fn enter(self, part: &mut Part, group: &GroupKeys, now_ms: u64) {
        part.put(&group.outbox, now_ms.saturating_add(self.visible_ms));
    }

    /// Moves a job as a step on it asks; `raised` if the step made an envelope.
    pub(super) fn follow(
        self,
        part: &mut Part,
        group: &GroupKeys,
        (old, new): (&Job, &Job),
        raised: bool,
        now_ms: u64,
    ) {
        let (waited, waits) = (needs_envelope(old), needs_envelope(new));
        if waits && raised {
            self.enter(part, group, now_ms);
        } else if waited && !waits {
            part.take(&group.outbox);
        }
        if waited && (raised || !waits) {
            part.take(&group.sent(new.kind, new.lane));
        }
    }
}

/// Notes that the envelope of a job was published. One that waits elsewhere for its time is behind that first.
pub(super) fn sent(part: &mut Part, group: &GroupKeys, job: &Job, now_ms: u64) {
    part.take(&group.outbox);
    let at_ms = job.times.due_at_ms.map_or(now_ms, |due| due.max(now_ms));
    part.put(&group.sent(job.kind, job.lane), at_ms);
}

/// Takes a job out that needs no envelope.
pub(super) fn leave(part: &mut Part, group: &GroupKeys, job: &Job) {
    part.take(&group.outbox);
    part.take(&group.sent(job.kind, job.lane));
}

/// Takes an id out of which nothing else is known.
pub(super) fn clear(part: &mut Part, group: &GroupKeys) {
    part.take(&group.outbox);
    for kind in JobKind::ALL {
        for lane in Lane::ALL {
            part.take(&group.sent(kind, lane));
        }
    }
}

impl RedisStore {
    /// Before when (and before `before_ms`) nothing was sent that still waits in the store's own streams: what passed
    /// the queue elsewhere says nothing of those.
    async fn sent_elsewhere_ms(
        &self,
        group: &GroupKeys,
        (kind, lane): (JobKind, Lane),
        before_ms: u64,
    ) -> Result<u64, StoreError> {
        if !self.outbox.is_some_and(|outbox| outbox.streams_too) {
            return Ok(before_ms);
        }
        let oldest_ms = oldest_waiting_ms(&self.access(), group, (kind, lane)).await;
        let oldest_ms = oldest_ms.map_err(LinkError::of_read)?;
        // It was added before it was noted as sent, but perhaps by another clock.
        let bound_ms = oldest_ms.map(|oldest| oldest.saturating_sub(CLOCK_SKEW_MS_MAX));
        Ok(bound_ms.map_or(before_ms, |bound| before_ms.min(bound)))
    }

    /// Answers the envelopes of jobs that have been in the outbox for too long.
    pub(super) async fn sweep_outbox_of(
        &self,
        outbox: Outbox,
        limit: usize,
    ) -> Result<Swept, StoreError> {
        self.put_lacking_in().await?;
        let mut publish = Vec::new();
        for group in self.keys.groups() {
            loop {
                let page = PAGE.min(limit - publish.len());
                let taken = self.take_from_outbox(outbox, group, page).await?;
                publish.extend(self.envelopes(&taken).await?);
                if taken.len() < page || publish.len() >= limit {
                    break;
                }
            }
        }
        Ok(Swept {
            jobs: publish.len(),
            publish,
        })
    }

    async fn take_from_outbox(
        &self,
        outbox: Outbox,
        group: &GroupKeys,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now_ms = self.clock.now_ms();
        let mut call = TAKE.call([group.outbox.as_str()].into_iter());
        call.arg(now_ms)
            .arg(now_ms.saturating_add(outbox.visible_ms))
            .arg(limit);
        let taken = self.link.labelled(Call::Sweep).run(&TAKE, &call).await;
        Ok(ids(&taken.map_err(LinkError::of_write)?))
    }

    /// The envelopes of those of `ids` that need one; the others are taken out of the outbox.
    async fn envelopes(&self, ids: &[JobId]) -> Result<Vec<Envelope>, StoreError> {
        let found = self.reader.find_all(ids).await;
        let found = found.map_err(LinkError::of_read)?;
        let mut envelopes = Vec::with_capacity(ids.len());
        for (id, found) in ids.iter().zip(found) {
            match found {
                Ok(Found::Job(known)) if needs_envelope(&known.job) => {
                    envelopes.push(Envelope::clone(&known.envelope));
                }
                Ok(_) => self.put_right(*id).await?,
                // A newer version wrote it, which will publish it.
                Err(unreadable) => {
                    tracing::warn!(job.id = %id, "cannot publish job {id}: {unreadable}");
                }
            }
        }
        Ok(envelopes)
    }
}

#[async_trait]
impl SentJobs for RedisStore {
    async fn send_again(
        &self,
        kind: JobKind,
        lane: Lane,
        before_ms: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let link = self.link.labelled(Call::Sweep);
        let mut moved = 0;
        for group in self.keys.groups() {
            let before_ms = self
                .sent_elsewhere_ms(group, (kind, lane), before_ms)
                .await?;
            while moved < limit {
                let page = PAGE.min(limit - moved);
                let sent = group.sent(kind, lane);
                let keys = [sent.as_str(), group.outbox.as_str()];
                let mut call = SEND_AGAIN.call(keys.into_iter());
                call.arg(before_ms).arg(self.clock.now_ms()).arg(page);
                let answer = link.run(&SEND_AGAIN, &call).await;
                let Value::Int(count) = answer.map_err(LinkError::of_write)? else {
                    break;
                };
                let count = usize::try_from(count).unwrap_or(0);
                moved += count;
                if count < page {
                    break;
                }
            }
        }
        Ok(moved)
    }

    async fn oldest_ms(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError> {
        let mut commands = Pipeline::new();
        for group in self.keys.groups() {
            let range = commands.cmd("ZRANGE").arg(group.sent(kind, lane));
            range.arg(0).arg(0).arg("WITHSCORES");
        }
        let link = self.link.labelled(Call::Count);
        let answers = link.read_all(&commands).await.map_err(LinkError::of_read)?;
        let score = |answer: &Value| {
            let Value::Array(pair) = answer else {
                return None;
            };
            number(bytes(pair.get(1)?)?)
        };
        Ok(answers.iter().filter_map(score).min())
    }
}
