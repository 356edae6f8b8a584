//! How much waits.
//!
//! The broker tells how much is ready in a queue, and not how old it is: that is known to whoever records what was
//! published. Where nobody does, the head is taken out and put back, which is not done often, because it counts as a
//! delivery.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::port::{QueueError, SentJobs};
use lapin::options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Queue};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::link::Live;
use super::message::{self, Received};
use super::names::{PLACES, Place};
use super::topology::{Part, Topology};

/// How long what was seen of a head counts while the queue is not empty.
const HEAD_AGE_MAX: Duration = Duration::from_secs(30);
/// How long a head may take to be back.
const BACK_PATIENCE: Duration = Duration::from_millis(500);
const BACK_LOOK_PERIOD: Duration = Duration::from_millis(5);

/// Who knows how old the oldest of a lane is.
pub(super) enum Oldest {
    Recorded(Arc<dyn SentJobs>),
    /// What was seen of the heads of each kind's queues, and when.
    Seen(Box<Mutex<Heads>>),
}

type Heads = [[Option<Head>; PLACES]; JobKind::ALL.len()];

#[derive(Clone, Copy)]
pub(super) struct Head {
    published_at_ms: u64,
    seen_at: Instant,
}

impl Oldest {
    pub(super) fn new(sent: Option<Arc<dyn SentJobs>>) -> Self {
        sent.map_or_else(|| Self::Seen(Box::default()), Self::Recorded)
    }

    /// When the oldest of a lane was published, of which so many are ready.
    pub(super) async fn of(
        &self,
        look: &Look<'_>,
        (kind, lane): (JobKind, Lane),
        ready: &[u32; PLACES],
    ) -> Result<Option<u64>, QueueError> {
        let heads = match self {
            Self::Recorded(sent) => {
                let oldest = sent.oldest_ms(kind, lane).await;
                return oldest.map_err(|error| QueueError::Unavailable {
                    why: error.to_string(),
                });
            }
            Self::Seen(heads) => heads,
        };
        let mut oldest: Option<u64> = None;
        for place in Place::all().filter(|place| place.lane == lane) {
            let number = place.number();
            if ready[number] == 0 {
                heads.lock()[kind as usize][number] = None;
                continue;
            }
            let known = heads.lock()[kind as usize][number];
            let head = match known.filter(|head| head.seen_at.elapsed() < HEAD_AGE_MAX) {
                Some(head) => Some(head),
                None => look.head(kind, place, ready[number]).await?,
            };
            heads.lock()[kind as usize][number] = head;
            let published = head.map(|head| head.published_at_ms);
            oldest = oldest.into_iter().chain(published).min();
        }
        Ok(oldest)
    }
}

/// Looks at queues over a channel of its own, which ends with it.
pub(super) struct Look<'l> {
    live: &'l Live,
    topology: &'l Topology,
    channel: Channel,
}

impl<'l> Look<'l> {
    pub(super) async fn new(live: &'l Live, topology: &'l Topology) -> Result<Self, QueueError> {
        Ok(Self {
            live,
            topology,
            channel: live.channel().await?,
        })
    }

    /// How many are ready in each of a kind's queues.
    pub(super) async fn ready(&self, kind: JobKind) -> Result<[u32; PLACES], QueueError> {
        let names = self.topology.names.of(kind);
        let asked = Place::all().map(|place| self.count(&names.of(place).queue));
        let counted = futures::future::try_join_all(asked).await;
        let counted = counted.inspect_err(|_| self.live.declared.forget(Part::Kind(kind)))?;
        let mut ready = [0; PLACES];
        for (place, count) in Place::all().zip(counted) {
            ready[place.number()] = count;
        }
        Ok(ready)
    }

    /// Whether each of a kind's queues is there and has somebody who receives from it.
    pub(super) async fn is_heard(&self, kind: JobKind) -> bool {
        let names = self.topology.names.of(kind);
        let asked = Place::all().map(|place| self.queue(&names.of(place).queue));
        match futures::future::try_join_all(asked).await {
            Ok(queues) => queues.iter().all(|queue| queue.consumer_count() > 0),
            Err(_) => false,
        }
    }

    async fn count(&self, queue: &ShortString) -> Result<u32, QueueError> {
        Ok(self.queue(queue).await?.message_count())
    }

    async fn queue(&self, queue: &ShortString) -> Result<Queue, QueueError> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let looked = self
            .channel
            .queue_declare(queue.clone(), options, FieldTable::default());
        self.live.answered("look at a queue", looked).await
    }

    /// Takes a head out, looks at it, puts it back, and waits until it is there again.
    async fn head(
        &self,
        kind: JobKind,
        place: Place,
        ready: u32,
    ) -> Result<Option<Head>, QueueError> {
        let queue = &self.topology.names.of(kind).of(place).queue;
        let got = self
            .channel
            .basic_get(queue.clone(), BasicGetOptions::default());
        let Some(got) = self.live.answered("look at a head", got).await? else {
            return Ok(None);
        };
        let options = BasicNackOptions {
            requeue: true,
            multiple: false,
        };
        let put_back = self.channel.basic_nack(got.delivery.delivery_tag, options);
        self.live.answered("put a head back", put_back).await?;
        let since = Instant::now();
        while self.count(queue).await? < ready && since.elapsed() < BACK_PATIENCE {
            tokio::time::sleep(BACK_LOOK_PERIOD).await;
        }
        let published_at_ms = match message::read(&got.delivery.properties, &got.delivery.data) {
            Received::Envelope(envelope) => Some(envelope.published_at_ms),
            Received::Marker { published_at_ms } => Some(published_at_ms),
            Received::Newer | Received::Garbage => None,
        };
        Ok(published_at_ms.map(|published_at_ms| Head {
            published_at_ms,
            seen_at: Instant::now(),
        }))
    }
}
