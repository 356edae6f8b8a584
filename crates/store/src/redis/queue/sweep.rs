//! Puts right what went wrong with entries: whoever held them is gone, or the streams lost them.

use std::sync::Arc;
use std::time::Duration;

use assay_core::id::JobId;
use assay_core::kind::JobKind;
use assay_core::port::StoreError;
use assay_core::retry::DeadLetterReason;
use redis::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Access;
use super::entry::Entry;
use super::holdings::Place;
use super::judge::{Idle, LookUp, judge_idle};
use super::scripts::{IDLE, LEAVE, NOTE_LEASES};
use super::settler::{Fate, Order, settle};
use super::streams::KindStreams;
use super::walk::{LOST_AFTER_MS, Walk};
use crate::metric_definitions::redis::{Call, Dropped, Redelivery, dropped, redelivered};
use crate::redis::committer::Committer;
use crate::redis::keys::CONSUMER_GROUP;
use crate::redis::link::LinkError;
use crate::redis::record::bytes;

/// When an entry counts as held by nobody: it was not touched for so long.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(10);

/// When a consumer that holds nothing counts as gone for good: it was not heard of for so long.
const GONE_AFTER: Duration = Duration::from_secs(600);
/// How often consumers are looked at.
const LEAVE_PERIOD: Duration = Duration::from_secs(60);

/// Leases that are put back together.
const LEASES_PAGE: usize = 1_000;

/// Looks after the entries of every kind.
pub(in crate::redis) struct Sweep {
    access: Access,
    idle_after: Duration,
    /// One at a time: two would only do the same.
    kinds: Mutex<Vec<Kind>>,
}

/// One kind's streams in one group.
struct Kind {
    streams: Arc<KindStreams>,
    walk: Walk,
    /// When consumers are looked at again.
    leave_at: Instant,
}

/// An entry that its holder does not touch.
struct Untouched {
    entry: Entry,
    holder: String,
}

impl Sweep {
    pub(in crate::redis) fn new(access: Access) -> Self {
        Self::patient(access, IDLE_AFTER, LOST_AFTER_MS)
    }

    /// A sweep that waits for so long until it takes an entry for untouched, or for lost.
    pub(super) fn patient(access: Access, idle_after: Duration, lost_after_ms: u64) -> Self {
        let streams = JobKind::ALL
            .into_iter()
            .flat_map(|kind| access.streams(kind));
        let kinds = streams.map(|streams| Kind {
            streams,
            walk: Walk::new(lost_after_ms),
            leave_at: Instant::now(),
        });
        Self {
            kinds: Mutex::new(kinds.collect()),
            access,
            idle_after,
        }
    }

    /// Hands out again what nobody holds, and gives jobs an entry that lost theirs: `limit` at most. Answers
    /// how many. Without a committer only some of the jobs have entries, and it is not known which are lost.
    ///
    /// # Errors
    /// When Redis can't be reached. What was done before is done.
    pub(in crate::redis) async fn run(
        &self,
        committer: Option<&Committer>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let mut handed_out = 0;
        for kind in self.kinds.lock().await.iter_mut() {
            let left = limit - handed_out;
            let untouched = self.hand_out_untouched(&kind.streams, left).await;
            handed_out += untouched.map_err(LinkError::of_write)?;
            if let Some(committer) = committer {
                let left = limit - handed_out;
                let streams = &kind.streams;
                handed_out += kind
                    .walk
                    .go_on(&self.access, committer, streams, left)
                    .await?;
            }
            self.forget_consumers(kind)
                .await
                .map_err(LinkError::of_write)?;
        }
        Ok(handed_out)
    }

    async fn forget_consumers(&self, kind: &mut Kind) -> Result<(), LinkError> {
        let now = Instant::now();
        if now < kind.leave_at {
            return Ok(());
        }
        let mut call = LEAVE.call(kind.streams.names());
        call.arg(CONSUMER_GROUP)
            .arg(GONE_AFTER.as_millis().to_string());
        self.access.link(Call::Sweep).run(&LEAVE, &call).await?;
        kind.leave_at = now + LEAVE_PERIOD;
        Ok(())
    }

    async fn hand_out_untouched(
        &self,
        streams: &Arc<KindStreams>,
        limit: usize,
    ) -> Result<usize, LinkError> {
        if limit == 0 {
            return Ok(0);
        }
        let untouched = self.find_untouched(streams, limit).await?;
        let (entries, holders): (Vec<_>, Vec<_>) = untouched
            .into_iter()
            .map(|untouched| (untouched.entry, untouched.holder))
            .unzip();
        let found = self.access.read(&entries).await?;
        let mut handed_out = 0;
        let mut orders = Vec::with_capacity(entries.len());
        let mut leases = Vec::new();
        for ((entry, holder), found) in entries.into_iter().zip(holders).zip(found) {
            let idle = judge_idle(&entry.content, &found);
            count(streams.kind, idle);
            handed_out += usize::from(idle == Idle::HandOut);
            if idle == Idle::Leave {
                leases.extend(lease(&found));
            }
            orders.push(Order {
                fate: self.fate(idle, holder),
                place: Place {
                    streams: Arc::clone(streams),
                    stream: entry.stream,
                    id: entry.id,
                },
                done: None,
            });
        }
        settle(&self.access, &orders).await?;
        self.note_leases(streams, &leases).await?;
        Ok(handed_out)
    }

    /// The reaper finds leases in their set alone, so one that was deleted there is put back.
    async fn note_leases(
        &self,
        streams: &KindStreams,
        leases: &[(u64, JobId)],
    ) -> Result<(), LinkError> {
        let Some(group) = self.access.keys.groups().get(streams.group) else {
            return Ok(());
        };
        for page in leases.chunks(LEASES_PAGE) {
            let mut call = NOTE_LEASES.call([group.leases.as_str()].into_iter());
            for (expires_at_ms, id) in page {
                call.arg(expires_at_ms).arg(id.as_bytes());
            }
            self.access
                .link(Call::Sweep)
                .run(&NOTE_LEASES, &call)
                .await?;
        }
        Ok(())
    }

    async fn find_untouched(
        &self,
        streams: &KindStreams,
        limit: usize,
    ) -> Result<Vec<Untouched>, LinkError> {
        let mut call = IDLE.call(streams.names());
        call.arg(CONSUMER_GROUP)
            .arg(self.idle_after.as_millis().to_string())
            .arg(limit);
        let answer = self.access.link(Call::Sweep).run(&IDLE, &call).await?;
        let Value::Array(found) = answer else {
            return Err(LinkError::Lost("an answer that no script gives".into()));
        };
        Ok(found.iter().filter_map(Untouched::read).collect())
    }

    fn fate(&self, idle: Idle, holder: String) -> Fate {
        match idle {
            Idle::HandOut => Fate::Back,
            Idle::Leave => Fate::Held {
                by: holder,
                idle_ms: self.idle_after.as_millis(),
            },
            Idle::Stale | Idle::Gone => Fate::Acknowledged,
            Idle::Unreadable => Fate::Dead {
                why: DeadLetterReason::Undecodable,
                envelope: None,
            },
        }
    }
}

impl Untouched {
    /// Reads `{ stream, entry id, fields, holder }`.
    fn read(value: &Value) -> Option<Self> {
        let Value::Array(parts) = value else {
            return None;
        };
        let holder = std::str::from_utf8(bytes(parts.get(3)?)?).ok()?;
        Some(Self {
            entry: Entry::read(value)?,
            holder: holder.to_owned(),
        })
    }
}

/// The lease of a job that somebody holds.
fn lease(found: &LookUp) -> Option<(u64, JobId)> {
    let job = &found.as_ref().ok()?.job()?.job;
    Some((job.holder.as_ref()?.expires_at_ms, job.id))
}

fn count(kind: JobKind, idle: Idle) {
    match idle {
        Idle::HandOut => redelivered(kind, Redelivery::Idle),
        Idle::Leave => {}
        Idle::Stale => dropped(kind, Dropped::Stale),
        Idle::Gone => dropped(kind, Dropped::Gone),
        Idle::Unreadable => dropped(kind, Dropped::Undecodable),
    }
}
