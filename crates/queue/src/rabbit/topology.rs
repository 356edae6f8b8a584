//! What is declared on the broker, when it is first needed on a connection.
//!
//! A quorum queue costs tens of milliseconds to make, so nothing is made that nobody uses. What exists is only looked
//! at, which is quick.

use std::sync::atomic::{AtomicU32, Ordering};

use assay_core::kind::JobKind;
use assay_core::port::QueueError;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ErrorKind, ExchangeKind};
use tokio::sync::Mutex;

use super::delay::BUCKETS;
use super::link::Live;
use super::names::{KindNames, Names, Place};

/// The last net under an envelope that kills whatever takes it: the store counts crashes long before. Each time
/// that an envelope goes back counts, also in order.
pub(super) const DELIVERY_LIMIT: i32 = 1_000;
/// Dead letters are read again and again, and brokers from 4.0 on have a limit where none is set.
const DEAD_DELIVERY_LIMIT: i32 = 1_000_000_000;
/// What the broker answers to a declaration that differs from what exists.
const PRECONDITION_FAILED: u16 = 406;

/// What belongs together and is declared together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The lanes and dead letters of a kind.
    Kind(JobKind),
    /// One of [`BUCKETS`].
    Delay(usize),
}

impl Part {
    fn bit(self) -> u32 {
        let place = match self {
            Self::Kind(kind) => kind as usize,
            Self::Delay(bucket) => JobKind::ALL.len() + bucket,
        };
        1 << place
    }
}

/// What is known to exist, as far as one connection has seen.
#[derive(Default)]
pub(super) struct Declared {
    parts: AtomicU32,
    declaring: Mutex<()>,
}

impl Declared {
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.load(Ordering::Acquire) & part.bit() != 0
    }

    /// Somebody took it away.
    pub(super) fn forget(&self, part: Part) {
        self.parts.fetch_and(!part.bit(), Ordering::AcqRel);
    }

    fn learn(&self, part: Part) {
        self.parts.fetch_or(part.bit(), Ordering::AcqRel);
    }
}

/// How queues are declared.
pub(super) struct Topology {
    pub(super) names: Names,
    pub(super) lane_envelopes_max: u32,
}

impl Topology {
    /// Sees to it that `part` exists, unless this connection has done so before.
    pub(super) async fn ensure(&self, live: &Live, part: Part) -> Result<(), QueueError> {
        if live.declared.has(part) {
            return Ok(());
        }
        let _one_at_a_time = live.declared.declaring.lock().await;
        if live.declared.has(part) {
            return Ok(());
        }
        let mut declares = Declares {
            live,
            channel: live.channel().await?,
        };
        match part {
            Part::Kind(kind) => {
                self.declare_kind(&mut declares, self.names.of(kind))
                    .await?
            }
            Part::Delay(bucket) => self.declare_delay(&mut declares, bucket).await?,
        }
        live.declared.learn(part);
        Ok(())
    }

    async fn declare_kind(
        &self,
        declares: &mut Declares<'_>,
        names: &KindNames,
    ) -> Result<(), QueueError> {
        let Names { jobs, dead, .. } = &self.names;
        declares.exchange(jobs, ExchangeKind::Direct).await?;
        declares.exchange(dead, ExchangeKind::Direct).await?;
        let arguments =
            Arguments::quorum().with("x-delivery-limit", AMQPValue::LongInt(DEAD_DELIVERY_LIMIT));
        declares.queue(&names.dead, arguments.0).await?;
        declares.bind(&names.dead, dead, &names.dead_key).await?;
        for place in Place::all() {
            let lane = names.of(place);
            let arguments = Arguments::quorum()
                .dead_lettered_to(dead)
                .with("x-dead-letter-routing-key", text(&names.dead_key))
                .with("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT))
                .with(
                    "x-max-length",
                    AMQPValue::LongLongInt(self.lane_envelopes_max.into()),
                );
            declares.queue(&lane.queue, arguments.0).await?;
            declares.bind(&lane.queue, jobs, &lane.key).await?;
        }
        Ok(())
    }

    /// What waits keeps the key of its lane, and goes there by it when its time has come.
    async fn declare_delay(
        &self,
        declares: &mut Declares<'_>,
        bucket: usize,
    ) -> Result<(), QueueError> {
        let name = self.names.delay(bucket);
        declares
            .exchange(&self.names.jobs, ExchangeKind::Direct)
            .await?;
        declares.exchange(name, ExchangeKind::Fanout).await?;
        let stay_ms = BUCKETS[bucket].stay.as_millis();
        let arguments = Arguments::quorum().dead_lettered_to(&self.names.jobs).with(
            "x-message-ttl",
            AMQPValue::LongUInt(u32::try_from(stay_ms).unwrap_or(u32::MAX)),
        );
        declares.queue(name, arguments.0).await?;
        declares.bind(name, name, &ShortString::default()).await
    }
}

/// What a queue is declared with.
struct Arguments(FieldTable);

impl Arguments {
    fn quorum() -> Self {
        Self(FieldTable::default())
            .with("x-queue-type", AMQPValue::LongString("quorum".into()))
            .with("x-overflow", AMQPValue::LongString("reject-publish".into()))
    }

    /// What is to leave stays until the other queue has it.
    fn dead_lettered_to(self, exchange: &ShortString) -> Self {
        self.with("x-dead-letter-exchange", text(exchange)).with(
            "x-dead-letter-strategy",
            AMQPValue::LongString("at-least-once".into()),
        )
    }

    fn with(mut self, name: &'static str, value: AMQPValue) -> Self {
        self.0.insert(name.into(), value);
        self
    }
}

fn text(text: &ShortString) -> AMQPValue {
    AMQPValue::LongString(text.as_str().into())
}

/// A channel that declares; another when the broker ends it.
struct Declares<'l> {
    live: &'l Live,
    channel: Channel,
}

impl Declares<'_> {
    async fn exchange(&mut self, name: &ShortString, kind: ExchangeKind) -> Result<(), QueueError> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared =
            self.channel
                .exchange_declare(name.clone(), kind, options, FieldTable::default());
        self.live.answered("declare an exchange", declared).await
    }

    async fn queue(&mut self, name: &ShortString, arguments: FieldTable) -> Result<(), QueueError> {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self.channel.queue_declare(name.clone(), options, arguments);
        match self.live.asked("declare a queue", declared).await? {
            Ok(_) => Ok(()),
            Err(error) if is_precondition(&error) => self.look_at(name).await,
            Err(error) => Err(super::link::unavailable("declare a queue", &error)),
        }
    }

    /// A queue that exists keeps what it was declared with: a bound that was configured since does not hold there.
    async fn look_at(&mut self, name: &ShortString) -> Result<(), QueueError> {
        self.channel = self.live.channel().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let looked = self
            .channel
            .queue_declare(name.clone(), options, FieldTable::default());
        self.live.answered("look at a queue", looked).await?;
        let queue = name.as_str();
        tracing::warn!(
            queue,
            "queue {queue} was declared with other arguments (such as its bound) and keeps them"
        );
        Ok(())
    }

    async fn bind(
        &mut self,
        queue: &ShortString,
        exchange: &ShortString,
        key: &ShortString,
    ) -> Result<(), QueueError> {
        let bound = self.channel.queue_bind(
            queue.clone(),
            exchange.clone(),
            key.clone(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        self.live.answered("bind a queue", bound).await
    }
}

fn is_precondition(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said) if said.get_id() == PRECONDITION_FAILED)
}
