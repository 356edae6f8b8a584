//! Takes messages to the broker, and answers when it has them.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::QueueError;
use assay_core::retry::DeadLetterReason;
use bytes::Bytes;
use lapin::types::ShortString;
use tokio::sync::{RwLock, mpsc, oneshot};
use tokio::task::JoinSet;

use super::channel_owner::{ChannelOwner, Order, WINDOW};
use super::delay::{bucket_for, wait_until};
use super::link::Link;
use super::message::{Marks, MessageId};
use super::names::Place;
use super::topology::{Part, Topology};
use crate::metric_definitions::{Published, published};

/// How long an order may wait for its channel while that sorts out what it sent before.
const ORDER_PATIENCE: Duration = Duration::from_secs(10);

/// How long a queue that is gone stays gone. Who received from it is to hear that first: the broker takes a queue of
/// the same name for the one that it knew, and then nothing of it arrives.
const REDECLARE_PAUSE: Duration = Duration::from_secs(1);

/// What is to be published.
pub(super) struct Outgoing {
    pub(super) kind: JobKind,
    pub(super) to: Target,
    pub(super) id: MessageId,
    pub(super) marks: Marks,
    pub(super) body: Bytes,
}

/// Where to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Straight to a lane.
    Lane(Place),
    /// To a lane, after a stay.
    Later(Place, usize),
    /// Out of the way.
    Dead,
}

/// The way to the channels that publish.
pub(super) struct Publisher {
    link: Link,
    topology: Arc<Topology>,
    clock: Arc<dyn Clock>,
    owners: Vec<mpsc::Sender<Order>>,
    /// Read by whoever publishes, so that a close can wait for them.
    open: RwLock<()>,
}

/// What became of an order.
pub(super) type Answered = Result<(), Refusal>;

/// Why a message was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Nacked,
    Returned,
    Unknown,
    /// It was not sent.
    Unsent,
}

impl Publisher {
    /// The publisher, and its channels' owners, which run in `tasks`.
    pub(super) fn new(
        link: Link,
        topology: Arc<Topology>,
        clock: Arc<dyn Clock>,
        (channels, confirm_timeout): (usize, Duration),
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let owners = (0..channels.max(1)).map(|_| {
            let (orders, receiver) = mpsc::channel(WINDOW);
            let owner = ChannelOwner {
                orders: receiver,
                link: link.clone(),
                confirm_timeout,
            };
            tasks.spawn(owner.run());
            orders
        });
        Self {
            owners: owners.collect(),
            open: RwLock::default(),
            link,
            topology,
            clock,
        }
    }

    /// Whether a message would be taken, as far as is known.
    pub(super) fn accepts(&self) -> Result<(), QueueError> {
        self.link.now().map(drop)
    }

    /// Puts an envelope into its lane, or where it waits until it is due.
    pub(super) async fn envelope(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let place = Place {
            lane: envelope.lane,
            resumed: envelope.resumed,
        };
        let body = envelope.encode().into();
        let id = MessageId::of(envelope);
        self.at(envelope.kind, place, (id, body), envelope.due_at_ms)
            .await
    }

    /// Puts a message into a lane, or where it waits until then, in milliseconds since the epoch.
    pub(super) async fn at(
        &self,
        kind: JobKind,
        place: Place,
        (id, body): (MessageId, Bytes),
        not_before_ms: Option<u64>,
    ) -> Result<(), QueueError> {
        let now_ms = self.clock.now_ms();
        let not_before_ms = not_before_ms.filter(|at_ms| *at_ms > now_ms);
        let wait = not_before_ms.map_or(Duration::ZERO, |at_ms| wait_until(at_ms, now_ms));
        let to = match bucket_for(wait) {
            Some(bucket) => Target::Later(place, bucket),
            None => Target::Lane(place),
        };
        let marks = Marks {
            not_before_ms,
            reason: None,
        };
        self.publish(Outgoing {
            kind,
            to,
            id,
            marks,
            body,
        })
        .await
    }

    /// Moves a message out of the way.
    pub(super) async fn dead_letter(
        &self,
        kind: JobKind,
        (id, body): (MessageId, Bytes),
        why: DeadLetterReason,
    ) -> Result<(), QueueError> {
        let marks = Marks {
            not_before_ms: None,
            reason: Some(why),
        };
        let to = Target::Dead;
        self.publish(Outgoing {
            kind,
            to,
            id,
            marks,
            body,
        })
        .await
    }

    /// Puts a marker behind everything in a lane.
    pub(super) async fn marker(
        &self,
        kind: JobKind,
        lane: Lane,
        at_ms: u64,
    ) -> Result<(), QueueError> {
        let place = Place {
            lane,
            resumed: false,
        };
        let message = (MessageId::Marker(kind, lane, at_ms), Bytes::new());
        self.at(kind, place, message, None).await
    }

    /// Waits until what was ordered before is answered.
    pub(super) async fn flushed(&self) {
        drop(self.open.write().await);
    }

    /// Answers when the broker has it. What no queue takes is published once more after a look at the queues:
    /// somebody may have deleted one.
    async fn publish(&self, outgoing: Outgoing) -> Result<(), QueueError> {
        let _open = self.open.read().await;
        let refusal = match self.try_publish(&outgoing).await? {
            Err(Refusal::Returned) => {
                tokio::time::sleep(REDECLARE_PAUSE).await;
                self.try_publish(&outgoing).await?
            }
            answered => answered,
        };
        refusal.map_err(|refusal| match refusal {
            Refusal::Nacked => QueueError::Refused {
                why: "the broker took it not: the lane is full, or has too few replicas".into(),
            },
            Refusal::Returned => QueueError::Refused {
                why: "no queue of the broker takes it".into(),
            },
            Refusal::Unknown => QueueError::Unknown,
            Refusal::Unsent => QueueError::Unavailable {
                why: "the connection to the broker was lost".into(),
            },
        })
    }

    async fn try_publish(&self, outgoing: &Outgoing) -> Result<Answered, QueueError> {
        let (exchange, key, parts) = self.route(outgoing);
        let unsent = |error| {
            published(Published::Unavailable, 0.0);
            error
        };
        let live = self.link.now().map_err(unsent)?;
        for part in parts.iter().flatten() {
            self.topology.ensure(&live, *part).await.map_err(unsent)?;
        }
        let (done, answer) = oneshot::channel();
        let order = Order {
            exchange,
            key,
            id: outgoing.id,
            marks: outgoing.marks,
            body: outgoing.body.clone(),
            done,
        };
        let owner = self.owner_of(outgoing.id);
        let sent = owner.send_timeout(order, ORDER_PATIENCE).await;
        if sent.is_err() {
            return Ok(Err(Refusal::Unsent));
        }
        // An owner that ends tells everybody.
        let answered = answer.await.unwrap_or(Err(Refusal::Unknown));
        if answered == Err(Refusal::Returned) {
            parts
                .iter()
                .flatten()
                .for_each(|part| live.declared.forget(*part));
        }
        Ok(answered)
    }

    fn route(&self, outgoing: &Outgoing) -> (ShortString, ShortString, [Option<Part>; 2]) {
        let names = &self.topology.names;
        let of_kind = names.of(outgoing.kind);
        let kind = Some(Part::Kind(outgoing.kind));
        match outgoing.to {
            Target::Lane(place) => (
                names.jobs.clone(),
                of_kind.of(place).key.clone(),
                [kind, None],
            ),
            Target::Later(place, bucket) => {
                let exchange = names.delay(bucket).clone();
                let delay = Some(Part::Delay(bucket));
                (exchange, of_kind.of(place).key.clone(), [kind, delay])
            }
            Target::Dead => (names.dead.clone(), of_kind.dead_key.clone(), [kind, None]),
        }
    }

    /// One id always has the same owner, who never has two of it on their way.
    fn owner_of(&self, id: MessageId) -> &mpsc::Sender<Order> {
        let number = match id {
            MessageId::Envelope(job, _) => job.as_bytes().iter().fold(0_usize, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
            }),
            MessageId::Marker(kind, lane, _) => kind as usize * Lane::ALL.len() + lane as usize,
            MessageId::Unreadable(number) => usize::try_from(number).unwrap_or_default(),
        };
        &self.owners[number % self.owners.len()]
    }
}
