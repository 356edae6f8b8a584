//! The queue in Redis streams.
//!
//! A kind has streams per lane and group of keys (see `streams`). The store's own steps add an entry for each
//! job that may run; the envelope is in the record. A take is one script, which reads the lanes as
//! `assay_core::lanes` says (see `plan`), and one read of the records of what it took.
//!
//! Redis remembers who holds an entry until it is settled. Who holds one touches it every few seconds
//! (`holdings`); what nobody touches goes to others, and jobs whose entry is gone get another (`sweep`).
//!
//! Nothing here is exact, and need not be: an entry that is delivered twice costs a look-up, because its
//! claim says so.

mod entry;
mod holdings;
mod in_hand;
mod judge;
mod low_slots;
mod news;
mod plan;
mod scripts;
mod settler;
mod source;
mod streams;
mod subscription;
mod survey;
mod sweep;
mod take;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::id::WorkerId;
use assay_core::kind::JobKind;
use assay_core::port::{JobQueue, LaneDepth, QueueError, Subscription};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub(super) use survey::oldest_waiting_ms;
pub(super) use sweep::Sweep;

use super::RedisStore;
use super::clock::StoreClock;
use super::keys::{Keys, entry as field};
use super::link::{Link, LinkError};
use super::reader::Reader;
use super::record::Found;
use crate::metric_definitions::redis::Call;
use entry::{Content, Entry};
use holdings::Holdings;
use in_hand::Desk;
use judge::LookUp;
use low_slots::LowSlots;
use news::News;
use scripts::PUBLISH;
use settler::{Message, ORDERS_MAX, Settler};
use source::Source;
use streams::{KindStreams, StreamNo};

/// How long closing waits for what was asked before.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What the queue needs of the store.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) link: Link,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: StoreClock,
    pub(super) reader: Reader,
}

/// What a queue and its subscriptions share.
struct Parts {
    access: Access,
    consumer: String,
    desk: Desk,
}

/// The envelopes of every kind, in Redis.
pub struct RedisQueue {
    parts: Arc<Parts>,
    kinds: [Kind; JobKind::ALL.len()],
    closed: watch::Sender<bool>,
    takers: Mutex<JoinSet<()>>,
    /// Ends by itself when nothing is in hand any more.
    settler: JoinSet<()>,
}

/// One kind: its streams in each group, and what is heard of them.
struct Kind {
    streams: Vec<Arc<KindStreams>>,
    news: News,
}

impl RedisStore {
    /// The queue of this store's jobs, for a process that calls itself `consumer`.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn queue(&self, consumer: &WorkerId) -> RedisQueue {
        RedisQueue::new(self.access(), consumer)
    }

    pub(super) fn access(&self) -> Access {
        Access {
            link: self.link.clone(),
            keys: Arc::clone(&self.keys),
            clock: self.clock.clone(),
            reader: self.reader.clone(),
        }
    }
}

impl Access {
    /// The way to Redis, for calls of one sort.
    fn link(&self, call: Call) -> Link {
        self.link.labelled(call)
    }

    /// The time that scripts are given; 0 when they read it themselves.
    fn given_ms(&self) -> u64 {
        match &self.clock {
            StoreClock::Given(clock) => clock.now_ms(),
            StoreClock::Server(_) => 0,
        }
    }

    /// One kind's streams in each group.
    fn streams(&self, kind: JobKind) -> Vec<Arc<KindStreams>> {
        let groups = self.keys.groups().iter();
        groups
            .map(|group| Arc::new(KindStreams::new(group, kind)))
            .collect()
    }

    /// What is under the ids of the jobs that entries carry, in the same order. The store remembers it.
    async fn read(&self, entries: &[Entry]) -> Result<Vec<LookUp>, LinkError> {
        let id_of = |entry: &Entry| match entry.content {
            Content::Job { id, .. } => Some(id),
            Content::Envelope(_) | Content::Garbage => None,
        };
        let ids: Vec<_> = entries.iter().filter_map(id_of).collect();
        let mut found = self.reader.find_all(&ids).await?.into_iter();
        let look_up = |entry| match id_of(entry) {
            Some(_) => found.next().unwrap_or(Ok(Found::Absent)),
            None => Ok(Found::Absent),
        };
        Ok(entries.iter().map(look_up).collect())
    }
}

impl RedisQueue {
    fn new(access: Access, consumer: &WorkerId) -> Self {
        let (messages, receiver) = mpsc::channel(ORDERS_MAX);
        let holdings = Arc::<Holdings>::default();
        let consumer = consumer.to_string();
        let settles = Settler {
            access: access.clone(),
            consumer: consumer.clone(),
            holdings: Arc::clone(&holdings),
            messages: receiver,
        };
        let mut settler = JoinSet::new();
        settler.spawn(settles.run());
        let kinds = JobKind::ALL.map(|kind| Kind {
            streams: access.streams(kind),
            news: News::default(),
        });
        Self {
            parts: Arc::new(Parts {
                access,
                consumer,
                desk: Desk { holdings, messages },
            }),
            kinds,
            closed: watch::Sender::new(false),
            takers: Mutex::default(),
            settler,
        }
    }

    /// Ends every subscription, also those that wait, and takes nothing in any more. Returns when what was
    /// settled before is known to Redis; deliveries in hand may still be settled.
    pub async fn close(&self) {
        self.closed.send_replace(true);
        let mut takers = std::mem::take(&mut *self.takers.lock());
        let closed = tokio::time::timeout(CLOSE_PATIENCE, async {
            while let Some(ended) = takers.join_next().await {
                if ended.is_err() {
                    tracing::error!("a task that takes deliveries panicked");
                }
            }
            let (done, flushed) = oneshot::channel();
            let messages = &self.parts.desk.messages;
            if messages.send(Message::Flush(done)).await.is_ok() {
                // A settler that is gone has nothing left to settle.
                drop(flushed.await);
            }
        });
        if closed.await.is_err() {
            tracing::warn!("closed the queue before Redis answered all that was asked");
        }
    }

    fn of(&self, kind: JobKind) -> &Kind {
        &self.kinds[kind as usize]
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }
}

impl Drop for RedisQueue {
    fn drop(&mut self) {
        self.closed.send_replace(true);
        // They end by themselves, and first give back what they hold.
        self.takers.get_mut().detach_all();
        self.settler.detach_all();
    }
}

#[async_trait]
impl JobQueue for RedisQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        if self.is_closed() {
            return Err(QueueError::Refused {
                why: "it is closed, because this process is shutting down".into(),
            });
        }
        let access = &self.parts.access;
        let group = access.keys.of(envelope.job_id).number;
        let streams = &self.of(envelope.kind).streams[group];
        let stream = streams.name(StreamNo::of(envelope));
        let mut call = PUBLISH.call(std::iter::once(stream));
        call.arg(field::ENVELOPE)
            .arg(envelope.encode())
            .arg(&streams.ready);
        match access.link(Call::Commit).run(&PUBLISH, &call).await {
            Ok(_) => Ok(()),
            Err(LinkError::Lost(_)) => Err(QueueError::Unknown),
            Err(error) => Err(QueueError::Refused {
                why: error.to_string(),
            }),
        }
    }

    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        let of_kind = self.of(kind);
        let heard = of_kind
            .news
            .listen(&self.parts.access.link, &of_kind.streams)
            .await
            .map_err(unavailable)?;
        let low_slots = Arc::new(LowSlots::of(concurrency));
        let sources = of_kind.streams.iter();
        let sources = sources.map(|streams| Source::new(&self.parts, streams, &low_slots));
        let (ear, taker) =
            subscription::pair(sources.collect(), low_slots, heard, self.closed.subscribe());
        self.takers.lock().spawn(taker.run());
        Ok(Box::new(ear))
    }

    fn system(&self) -> &'static str {
        "redis"
    }

    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        let streams = &self.of(kind).streams;
        let depth = survey::depth(&self.parts.access, streams).await;
        depth.map_err(unavailable)
    }
}

fn unavailable(error: LinkError) -> QueueError {
    QueueError::Unavailable {
        why: error.to_string(),
    }
}
