//! What carries the envelopes to the workers: the store's own streams, or RabbitMQ, or the streams while RabbitMQ is
//! away.

use std::sync::Arc;
use std::time::Duration;

use assay_core::id::WorkerId;
use assay_core::port::{DeadLetters, JobQueue, MarkerQueue, Markers, SentJobs};
use assay_queue::{Failover, Outside, RabbitConfig, RabbitConfigError, RabbitQueue};
use assay_store::{Carrier, RedisStore};

/// Where the records and the envelopes of an installation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Both in Redis.
    Redis,
    /// Records in Redis, envelopes in RabbitMQ.
    Full,
}

/// What the store is told of what carries its envelopes.
pub(crate) fn carrier(rabbit: Option<&RabbitConfig>) -> Carrier {
    match rabbit {
        None => Carrier::Streams,
        Some(rabbit) if rabbit.falls_back() => Carrier::BrokerOrStreams,
        Some(_) => Carrier::Broker,
    }
}

/// A way for envelopes. Clones are other handles to the same.
#[derive(Clone)]
pub(crate) enum Carriage {
    Streams(Arc<RedisStore>),
    Broker {
        queue: Arc<RabbitQueue>,
        store: Arc<RedisStore>,
        /// Whether the store's streams stand in for it.
        falls_back: bool,
    },
}

/// What keeps records and a queue elsewhere in step.
pub struct Reconciliation {
    /// Sends markers through the lanes.
    pub marker_queue: Arc<dyn MarkerQueue>,
    /// Knows which came out.
    pub markers: Arc<dyn Markers>,
    /// Knows what was published and not claimed.
    pub sent: Arc<dyn SentJobs>,
    /// What the queue moved out of the way.
    pub dead_letters: Arc<dyn DeadLetters>,
}

impl Carriage {
    /// Begins to connect to RabbitMQ if there is one to be used, and does not wait for it.
    pub(crate) fn start(
        rabbit: Option<&RabbitConfig>,
        store: &Arc<RedisStore>,
    ) -> Result<Self, RabbitConfigError> {
        let store = Arc::clone(store);
        let Some(config) = rabbit else {
            return Ok(Self::Streams(store));
        };
        let outside = Outside {
            clock: store.clock(),
            markers: Arc::<RedisStore>::clone(&store),
            sent: Some(Arc::<RedisStore>::clone(&store)),
        };
        let queue = RabbitQueue::start(config, outside)?;
        Ok(Self::Broker {
            queue: Arc::new(queue),
            store,
            falls_back: config.falls_back(),
        })
    }

    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Streams(_) => Mode::Redis,
            Self::Broker { .. } => Mode::Full,
        }
    }

    /// The queue, for a process that calls itself `consumer`.
    pub(crate) fn queue(&self, consumer: &WorkerId) -> Arc<dyn JobQueue> {
        match self {
            Self::Streams(store) => Arc::new(store.queue(consumer)),
            Self::Broker {
                queue,
                store,
                falls_back: true,
            } => Arc::new(Failover::new(
                Arc::<RabbitQueue>::clone(queue),
                Arc::new(store.queue(consumer)),
                store.clock(),
            )),
            Self::Broker { queue, .. } => Arc::<RabbitQueue>::clone(queue),
        }
    }

    /// The broker's end, where there is one.
    pub(crate) fn broker(&self) -> Option<Arc<dyn JobQueue>> {
        match self {
            Self::Streams(_) => None,
            Self::Broker { queue, .. } => Some(Arc::<RabbitQueue>::clone(queue)),
        }
    }

    pub(crate) fn reconciliation(&self) -> Option<Reconciliation> {
        match self {
            Self::Streams(_) => None,
            Self::Broker { queue, store, .. } => Some(Reconciliation {
                marker_queue: Arc::<RabbitQueue>::clone(queue),
                markers: Arc::<RedisStore>::clone(store),
                sent: Arc::<RedisStore>::clone(store),
                dead_letters: Arc::<RabbitQueue>::clone(queue),
            }),
        }
    }

    /// Waits until envelopes can be published, or until `patience` is over: a broker that is away must not keep a
    /// process from answering questions.
    pub(crate) async fn connected(&self, patience: Duration) {
        let Self::Broker { queue, .. } = self else {
            return;
        };
        if let Err(error) = queue.connected(patience).await {
            tracing::warn!(%error, "ready without the broker: {error}");
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            // Streams end with their store.
            Self::Streams(_) => {}
            Self::Broker { queue, .. } => queue.close().await,
        }
    }
}
