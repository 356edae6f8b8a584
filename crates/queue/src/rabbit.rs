//! A queue on RabbitMQ.
//!
//! What was published is on the disks of most of the broker's nodes before anybody is told so: quorum queues,
//! persistent messages, confirms. Each lane of a kind has two queues, one for what was resumed, which is read first.
//! What is to wait stays in queues of fixed delay (see `delay`), what nobody is to run goes out of the way.
//!
//! - `supervisor` keeps a connection for publishing and one for receiving, and `link` is how others reach it; `dial`
//!   makes one.
//! - `publisher` hands messages to the owners of confirming channels (`channel_owner`); `confirms` tells which of
//!   them the broker has, `waiting` who waits for which.
//! - `consumer` receives for a subscription, `buffers` says what is next, `ack_window` what may be acknowledged
//!   at once, and `ack_pace` when.
//!
//! The broker may deliver twice and out of order; what a delivery is worth is the claim's business.

mod ack_pace;
mod ack_window;
mod address;
mod backoff;
mod buffers;
mod channel_owner;
mod config;
mod confirms;
mod consumer;
mod consumers;
mod dead_letters;
mod delay;
mod depth;
mod desk;
mod dial;
mod errand;
mod in_hand;
mod link;
mod look;
mod message;
mod names;
mod publisher;
mod receive;
mod subscription;
mod supervisor;
mod topology;
mod visit;
mod waiting;

use std::sync::{Arc, Weak};
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{
    DeadLetterReader, DeadLetters, JobQueue, LaneDepth, MarkerQueue, Markers, QueueError, SentJobs,
    Subscription,
};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use address::AddressError;
pub use config::{DEFAULTS_TOML, PREFIX_BYTES_MAX, RabbitConfig, RabbitConfigError};
pub(crate) use link::Role;
pub use visit::{VERSION_MIN, VisitError, Visited, visit};

use consumer::Receiver;
use consumers::prefetch;
use dead_letters::Reader;
use depth::{Look, Oldest};
use desk::Desk;
use link::{Link, Live};
use names::{PLACES, Place};
use publisher::Publisher;
use subscription::Ear;
use supervisor::Supervisor;
use topology::{Part, Topology};

/// What traces call it, and metrics.
pub(crate) const SYSTEM: &str = "rabbitmq";
/// How long closing waits for what was asked before.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// How long whoever needs an answer now waits for a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// What a queue needs of others.
pub struct Outside {
    /// Tells the time. Those of all processes should agree to a second or so.
    pub clock: Arc<dyn Clock>,
    /// Is told of each marker that comes out.
    pub markers: Arc<dyn Markers>,
    /// Knows how old the oldest envelope of a lane is; where nobody does, the broker's queues are looked at.
    pub sent: Option<Arc<dyn SentJobs>>,
}

/// The envelopes of every kind, on RabbitMQ.
pub struct RabbitQueue {
    publisher: Arc<Publisher>,
    publishing: Link,
    receiving: Link,
    topology: Arc<Topology>,
    outside: Outside,
    oldest: Oldest,
    closed: watch::Sender<bool>,
    /// Those that subscribed, by kind.
    desks: Mutex<Vec<Weak<Desk>>>,
    receivers: Mutex<JoinSet<()>>,
    owners: Mutex<JoinSet<()>>,
    /// Ends the connections.
    stop: watch::Sender<bool>,
    supervisors: Mutex<JoinSet<()>>,
}

impl RabbitQueue {
    /// Begins to connect, and does not wait for it: a broker that is down is one that comes up later.
    ///
    /// # Errors
    /// [`RabbitConfigError`] for settings that no connection can work with.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: &RabbitConfig, outside: Outside) -> Result<Self, RabbitConfigError> {
        config.validate()?;
        let addresses = config.addresses()?;
        let roots = config.roots()?;
        let (publishing, receiving) = (Link::new(), Link::new());
        let stop = watch::Sender::new(false);
        let mut supervisors = JoinSet::new();
        for (role, link) in [(Role::Publish, &publishing), (Role::Consume, &receiving)] {
            let supervisor = Supervisor {
                role,
                link: link.clone(),
                addresses: addresses.clone(),
                roots: roots.clone(),
                config: config.clone(),
                stop: stop.subscribe(),
            };
            supervisors.spawn(supervisor.run());
        }
        let topology = Arc::new(Topology {
            names: names::Names::new(&config.prefix),
            lane_envelopes_max: config.lane_envelopes_max,
        });
        let mut owners = JoinSet::new();
        let publisher = Publisher::new(
            publishing.clone(),
            Arc::clone(&topology),
            Arc::clone(&outside.clock),
            (config.publish_channels, config.confirm_timeout()),
            &mut owners,
        );
        Ok(Self {
            publisher: Arc::new(publisher),
            publishing,
            receiving,
            topology,
            oldest: Oldest::new(outside.sent.clone()),
            outside,
            closed: watch::Sender::new(false),
            desks: Mutex::default(),
            receivers: Mutex::default(),
            owners: Mutex::new(owners),
            stop,
            supervisors: Mutex::new(supervisors),
        })
    }

    /// Waits until envelopes can be published.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when that takes longer than `patience`.
    pub async fn connected(&self, patience: Duration) -> Result<(), QueueError> {
        self.publishing.live(patience).await.map(drop)
    }

    /// Ends every subscription, also those that wait, and takes nothing in any more. Returns when what was settled
    /// and published before is known to the broker; deliveries in hand may still be settled while it waits for that.
    pub async fn close(&self) {
        self.closed.send_replace(true);
        let mut receivers = std::mem::take(&mut *self.receivers.lock());
        let closed = timeout(CLOSE_PATIENCE, async {
            while let Some(ended) = receivers.join_next().await {
                if ended.is_err() {
                    tracing::error!("a task that receives envelopes panicked");
                }
            }
            self.publisher.flushed().await;
        });
        if closed.await.is_err() {
            tracing::warn!("closed the queue while deliveries were in hand; they come again");
        }
        drop(receivers);
        self.stop.send_replace(true);
        let mut supervisors = std::mem::take(&mut *self.supervisors.lock());
        while supervisors.join_next().await.is_some() {}
        self.owners.lock().abort_all();
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn open(&self) -> Result<(), QueueError> {
        if self.is_closed() {
            return Err(QueueError::Refused {
                why: "it is closed, because this process is shutting down".into(),
            });
        }
        Ok(())
    }

    /// The connection that receives, with the queues of a kind.
    async fn looking_at(&self, kind: JobKind) -> Result<Arc<Live>, QueueError> {
        let live = self.receiving.live(CONNECT_PATIENCE).await?;
        self.topology.ensure(&live, Part::Kind(kind)).await?;
        Ok(live)
    }

    /// What waits in a lane in the buffers of this process.
    fn waiting_here(&self, kind: JobKind, lane: Lane) -> (u64, Option<u64>) {
        let desks = self.desks.lock();
        let of_kind = desks
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|desk| desk.kind == kind);
        of_kind
            .map(|desk| desk.waiting(lane))
            .fold((0, None), |(count, oldest), (more, other)| {
                (count + more, oldest.into_iter().chain(other).min())
            })
    }
}

impl Drop for RabbitQueue {
    fn drop(&mut self) {
        self.closed.send_replace(true);
        self.stop.send_replace(true);
        // They end by themselves, and first say good-bye.
        self.receivers.get_mut().detach_all();
        self.owners.get_mut().detach_all();
        self.supervisors.get_mut().detach_all();
    }
}

#[async_trait]
impl JobQueue for RabbitQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        self.open()?;
        self.publisher.envelope(envelope).await
    }

    fn accepts(&self) -> Result<(), QueueError> {
        self.publisher.accepts()
    }

    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        let concurrency = concurrency.max(1);
        // Everything that can be out, and what goes back at once.
        let out: usize = Place::all()
            .map(|place| usize::from(prefetch(place.lane, concurrency)))
            .sum();
        let (desk, orders) = Desk::new(
            (kind, concurrency),
            Arc::clone(&self.outside.clock),
            Arc::clone(&self.publisher),
            2 * out,
        );
        let ear = Ear {
            desk: Arc::clone(&desk),
            closed: self.closed.subscribe(),
        };
        if self.is_closed() {
            return Ok(Box::new(ear));
        }
        let receiver = Receiver {
            desk: Arc::clone(&desk),
            orders,
            link: self.receiving.clone(),
            topology: Arc::clone(&self.topology),
            markers: Arc::clone(&self.outside.markers),
            closed: self.closed.subscribe(),
            rounds: 0,
        };
        {
            let mut receivers = self.receivers.lock();
            while receivers.try_join_next().is_some() {}
            receivers.spawn(receiver.run());
            let mut desks = self.desks.lock();
            desks.retain(|desk| desk.strong_count() > 0);
            desks.push(Arc::downgrade(&desk));
        }
        let up = async {
            while !desk.is_up() {
                desk.came_up.notified().await;
            }
        };
        match timeout(CONNECT_PATIENCE, up).await {
            Ok(()) => Ok(Box::new(ear)),
            Err(_) => Err(QueueError::Unavailable {
                why: desk.why_down(),
            }),
        }
    }

    fn system(&self) -> &'static str {
        SYSTEM
    }

    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        let live = self.looking_at(kind).await?;
        let look = Look::new(&live, &self.topology).await?;
        let ready: [u32; PLACES] = look.ready(kind).await?;
        let mut depth = Lane::ALL.map(|lane| LaneDepth {
            lane,
            ready: 0,
            oldest_published_at_ms: None,
        });
        for of_lane in &mut depth {
            let lane = of_lane.lane;
            let places = Place::all().filter(|place| place.lane == lane);
            let on_the_broker: u64 = places.map(|place| u64::from(ready[place.number()])).sum();
            let (here, oldest_here) = self.waiting_here(kind, lane);
            of_lane.ready = on_the_broker + here;
            if of_lane.ready > 0 {
                let oldest = self.oldest.of(&look, (kind, lane), &ready).await?;
                of_lane.oldest_published_at_ms = oldest.into_iter().chain(oldest_here).min();
            }
        }
        Ok(depth)
    }
}

#[async_trait]
impl MarkerQueue for RabbitQueue {
    async fn publish_marker(
        &self,
        kind: JobKind,
        lane: Lane,
        published_at_ms: u64,
    ) -> Result<(), QueueError> {
        self.open()?;
        self.publisher.marker(kind, lane, published_at_ms).await
    }
}

#[async_trait]
impl DeadLetters for RabbitQueue {
    async fn read_dead_letters(
        &self,
        kind: JobKind,
    ) -> Result<Box<dyn DeadLetterReader>, QueueError> {
        let live = self.looking_at(kind).await?;
        let queue = self.topology.names.of(kind).dead.clone();
        Ok(Box::new(Reader::new(live, queue).await?))
    }
}
