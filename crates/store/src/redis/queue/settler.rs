//! Settles what deliveries ask for: one task, which sends together what was asked meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use assay_core::port::QueueError;
use assay_core::retry::DeadLetterReason;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::Access;
use super::holdings::{Holdings, Place};
use super::scripts::{ACKNOWLEDGE, SETTLE};
use crate::metric_definitions::redis::Call;
use crate::redis::keys::CONSUMER_GROUP;
use crate::redis::link::LinkError;

/// Most settlements that wait to be sent.
pub(super) const ORDERS_MAX: usize = 8_192;
/// Most settlements that are sent together.
const BATCH_MAX: usize = 512;
/// What is held is touched this often; what nobody touches for [`super::sweep::IDLE_MS`] is taken away.
const TOUCH_PERIOD: Duration = Duration::from_secs(3);

/// What is to become of an entry in hand.
#[derive(Debug)]
pub(super) enum Fate {
    /// Forgotten.
    Acknowledged,
    /// Given back: it goes before the others of its lane.
    Back,
    /// The same, after so many milliseconds.
    Later { after_ms: u64 },
    /// Kept for people, with the envelope where the entry does not hold it.
    Dead {
        why: DeadLetterReason,
        envelope: Option<Vec<u8>>,
    },
    /// Its holder has it still, whatever it was silent for; nothing if it was touched within so many
    /// milliseconds.
    Held { by: String, idle_ms: u128 },
}

/// One settlement.
pub(super) struct Order {
    pub(super) place: Place,
    pub(super) fate: Fate,
    /// Told when it is done; who does not wait for it sends none.
    pub(super) done: Option<oneshot::Sender<Result<(), QueueError>>>,
}

/// What the settler is told.
pub(super) enum Message {
    Settle(Order),
    /// Answer when everything before is done.
    Flush(oneshot::Sender<()>),
}

/// The task that settles.
pub(super) struct Settler {
    pub(super) access: Access,
    pub(super) consumer: String,
    pub(super) holdings: Arc<Holdings>,
    pub(super) messages: mpsc::Receiver<Message>,
}

impl Settler {
    /// Ends when nobody holds anything any more and nobody may take.
    pub(super) async fn run(mut self) {
        let mut touch = tokio::time::interval(TOUCH_PERIOD / 3);
        touch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                received = self.messages.recv_many(&mut batch, BATCH_MAX) => {
                    if received == 0 {
                        return;
                    }
                    self.settle(batch.drain(..)).await;
                }
                _ = touch.tick() => self.touch().await,
            }
        }
    }

    async fn settle(&self, messages: impl Iterator<Item = Message>) {
        let (mut acknowledged, mut others, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            match message {
                Message::Settle(order) if matches!(order.fate, Fate::Acknowledged) => {
                    acknowledged.push(order);
                }
                Message::Settle(order) => others.push(order),
                Message::Flush(done) => flushes.push(done),
            }
        }
        if !acknowledged.is_empty() {
            let answer = self.acknowledge(&acknowledged).await;
            conclude(acknowledged, &answer);
        }
        for orders in by_streams(others) {
            let answer = settle(&self.access, &orders).await;
            conclude(orders, &answer);
        }
        for done in flushes {
            if done.send(()).is_err() {
                tracing::debug!("nobody waits any more until all is settled");
            }
        }
    }

    /// The usual end of a delivery.
    async fn acknowledge(&self, orders: &[Order]) -> Result<(), LinkError> {
        let streams = by_stream(orders.iter().map(|order| &order.place));
        let mut call = ACKNOWLEDGE.call(streams.keys().copied());
        call.arg(CONSUMER_GROUP);
        for ids in streams.values() {
            call.arg(ids.len()).arg(ids);
        }
        let link = self.access.link(Call::Settle);
        link.run(&ACKNOWLEDGE, &call).await.map(drop)
    }

    pub(super) async fn touch(&self) {
        let held = self.holdings.touch(TOUCH_PERIOD, Instant::now());
        if held.is_empty() {
            return;
        }
        let mut commands = redis::pipe();
        for (name, ids) in by_stream(held.iter()) {
            let command = commands.cmd("XCLAIM").arg(name).arg(CONSUMER_GROUP);
            command.arg(&self.consumer).arg(0).arg(&ids).arg("JUSTID");
        }
        if let Err(error) = self.access.link(Call::Settle).ask_all(&commands).await {
            // What is not touched for too long is delivered again; its claim then finds it busy.
            tracing::debug!(%error, "could not say that {} deliveries are still in hand: {error}", held.len());
        }
    }
}

/// Settles entries of one kind and group.
pub(super) async fn settle(access: &Access, orders: &[Order]) -> Result<(), LinkError> {
    let Some(first) = orders.first() else {
        return Ok(());
    };
    let streams = &first.place.streams;
    let keys = [streams.later.as_str(), &streams.dead];
    let keys: Vec<_> = keys.into_iter().chain(streams.names()).collect();
    let mut call = SETTLE.call(keys.into_iter());
    call.arg(CONSUMER_GROUP)
        .arg(access.given_ms())
        .arg(&streams.ready);
    for order in orders {
        write(&mut call, &order.place, &order.fate);
    }
    let link = access.link(Call::Settle);
    link.run(&SETTLE, &call).await.map(drop)
}

fn write(call: &mut redis::Cmd, place: &Place, fate: &Fate) {
    let (what, first, second): (_, String, &[u8]) = match fate {
        Fate::Acknowledged => ("ack", String::new(), &[]),
        Fate::Back => ("back", String::new(), &[]),
        Fate::Later { after_ms } => ("later", after_ms.to_string(), &[]),
        Fate::Dead { why, envelope } => {
            let envelope = envelope.as_deref().unwrap_or_default();
            ("dead", why.as_str().to_owned(), envelope)
        }
        Fate::Held { by, idle_ms } => return hold(call, place, by, *idle_ms),
    };
    words(call, what, place).arg(first).arg(second);
}

fn hold(call: &mut redis::Cmd, place: &Place, by: &str, idle_ms: u128) {
    words(call, "hold", place).arg(by).arg(idle_ms.to_string());
}

fn words<'a>(call: &'a mut redis::Cmd, what: &str, place: &Place) -> &'a mut redis::Cmd {
    call.arg(what)
        .arg(place.stream.number())
        .arg(place.id.to_string())
}

/// Answers those who wait, and counts what will come again.
fn conclude(orders: Vec<Order>, answer: &Result<(), LinkError>) {
    if let Err(error) = answer {
        let count = orders.len();
        tracing::warn!(%error, "could not settle {count} deliveries, they will come again: {error}");
    }
    for order in orders {
        if let Some(done) = order.done {
            let answer = answer.clone().map_err(|error| QueueError::Unavailable {
                why: error.to_string(),
            });
            // Whoever asked may have given up.
            drop(done.send(answer));
        }
    }
}

/// Names of streams with the ids of entries in them.
fn by_stream<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeMap<&'a str, Vec<String>> {
    let mut streams = BTreeMap::<_, Vec<_>>::new();
    for place in places {
        let ids = streams.entry(place.streams.name(place.stream)).or_default();
        ids.push(place.id.to_string());
    }
    streams
}

/// Settlements of the same kind and group together.
fn by_streams(orders: Vec<Order>) -> impl Iterator<Item = Vec<Order>> {
    let mut streams = BTreeMap::<_, Vec<_>>::new();
    for order in orders {
        let of = &order.place.streams;
        let orders = streams.entry((of.group, of.kind)).or_default();
        orders.push(order);
    }
    streams.into_values()
}
