//! Receives for a subscription, and tells the broker what became of what it sent.
//!
//! One channel, and a consumer on it for each place of the kind, the most urgent first. When the channel is lost,
//! what it brought comes again on the next one, or to somebody else.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use assay_core::port::{Markers, QueueError};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::ack_pace::AckPace;
use super::ack_window::{Ack, AckWindow};
use super::backoff;
use super::buffers::Receipt;
use super::consumers::{Consumers, prefetch};
use super::desk::{Desk, Order};
use super::errand::{Done, Errand};
use super::link::{Link, Live};
use super::names::Place;
use super::receive::{Fate, receive};
use super::subscription::until;
use super::supervisor::stopped;
use super::topology::{Part, Topology};
use crate::metric_definitions::{GivenBack, given_back};

/// How long to wait for a connection before saying that there is none.
const CONNECT_PATIENCE: Duration = Duration::from_millis(500);
/// What people are told while the broker, once connected, says nothing more.
const UNANSWERED: &str = "connected, and the broker does not answer about the queues of this kind; one of them may be \
     without a leader (rabbitmq-queues quorum_status)";
/// Most orders and deliveries that are worked on in one go.
const BATCH_MAX: usize = 256;
/// How often the broker is asked whether it still sends.
const CHECK_PERIOD: Duration = Duration::from_secs(4);
/// How often an idle subscription looks whether it is asked for anything.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Who receives for a subscription.
pub(super) struct Receiver {
    pub(super) desk: Arc<Desk>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) link: Link,
    pub(super) topology: Arc<Topology>,
    pub(super) markers: Arc<dyn Markers>,
    pub(super) closed: watch::Receiver<bool>,
    /// How often the broker was asked to send.
    pub(super) rounds: u64,
}

/// Why a channel is of no more use.
enum End {
    /// Nobody needs it.
    Over,
    /// Nobody needs it until somebody asks.
    Dozed,
    Lost(String),
}

/// A channel while it lasts.
struct Listening<'r> {
    receiver: &'r mut Receiver,
    live: Arc<Live>,
    channel: Channel,
    epoch: u64,
    consumers: Consumers,
    window: AckWindow,
    pace: AckPace,
    errands: FuturesUnordered<Errand>,
    /// To go back then.
    later: BinaryHeap<Reverse<(Instant, u64)>>,
    receipts: std::collections::HashMap<u64, Receipt>,
    /// Nobody will take anything any more.
    ends: bool,
    check_at: Instant,
    /// The broker said that nobody receives from some queue.
    is_unheard: bool,
}

impl Receiver {
    /// Ends when the queue is closed or nobody listens, and everything in hand is settled.
    pub(super) async fn run(mut self) {
        let (mut epoch, mut tries) = (0, 0);
        while !self.is_over() {
            epoch += 1;
            let begun = Instant::now();
            match self.listen(epoch).await {
                Ok(End::Over) => return,
                Ok(End::Dozed) => {
                    self.doze().await;
                    continue;
                }
                Ok(End::Lost(why)) => {
                    tracing::warn!(kind = self.desk.kind.as_str(), "lost a subscription: {why}");
                    self.desk.down(&why);
                }
                Err(error) => self.desk.down(&cause(error)),
            }
            tries = if begun.elapsed() > LOOK_PERIOD {
                0
            } else {
                tries + 1
            };
            let pause = backoff::wait(tries, rand::random());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut self.closed) => {}
                () = self.desk.asked.notified(), if self.desk.is_left() => {}
            }
        }
    }

    /// Waits until somebody asks, or nobody ever will.
    async fn doze(&mut self) {
        while !self.is_over() && !self.desk.wakes_up() {
            tokio::select! {
                () = self.desk.asked.notified() => {}
                () = stopped(&mut self.closed) => {}
            }
        }
    }

    fn is_over(&self) -> bool {
        self.desk.is_left() || *self.closed.borrow()
    }

    async fn listen(&mut self, epoch: u64) -> Result<End, QueueError> {
        let live = self.link.live(CONNECT_PATIENCE).await?;
        self.desk.waits_for(UNANSWERED);
        // Somebody may have deleted a queue: that ends a subscription, too.
        live.declared.forget(Part::Kind(self.desk.kind));
        self.topology
            .ensure(&live, Part::Kind(self.desk.kind))
            .await?;
        let channel = live.channel().await?;
        let pace = AckPace::new(self.desk.concurrency);
        let mut listening = Listening {
            receiver: self,
            live,
            channel,
            epoch,
            consumers: Consumers::default(),
            window: AckWindow::default(),
            pace,
            errands: FuturesUnordered::new(),
            later: BinaryHeap::new(),
            receipts: std::collections::HashMap::new(),
            ends: false,
            check_at: Instant::now() + CHECK_PERIOD,
            is_unheard: false,
        };
        listening.consume().await?;
        listening.receiver.desk.up(epoch);
        Ok(listening.run().await)
    }
}

impl Listening<'_> {
    fn desk(&self) -> &Arc<Desk> {
        &self.receiver.desk
    }

    /// Has the broker send.
    async fn consume(&mut self) -> Result<(), QueueError> {
        self.receiver.rounds += 1;
        let concurrency = self.desk().concurrency;
        let names = self.receiver.topology.names.of(self.desk().kind);
        let opened = Consumers::open(&self.live, &self.channel, names, concurrency);
        self.consumers = opened.await?;
        let round = self.receiver.rounds;
        self.desk().with_buffers(|buffers| {
            buffers.opened(|lane| prefetch(lane, concurrency), round, Instant::now());
        });
        Ok(())
    }

    async fn run(mut self) -> End {
        let mut closed = self.receiver.closed.clone();
        let desk = Arc::clone(self.desk());
        let (mut orders, mut came) = (Vec::new(), Vec::new());
        loop {
            if desk.in_hand() == 0 && self.ends {
                return self.leave(End::Over).await;
            }
            // A broker mixes up a channel that received from a queue, and from another of that name after it.
            if desk.in_hand() == 0 && self.is_idle() {
                return self.leave(End::Dozed).await;
            }
            let goes_back_at = self.later.peek().map(|Reverse((at, _))| *at);
            let idle_at = desk
                .idle_at()
                .unwrap_or_else(|| Instant::now() + LOOK_PERIOD);
            let idle_at = idle_at.min(Instant::now() + LOOK_PERIOD);
            tokio::select! {
                biased;
                count = self.receiver.orders.recv_many(&mut orders, BATCH_MAX) => {
                    if count == 0 {
                        return End::Over;
                    }
                    self.settle(&mut orders);
                }
                open = self.consumers.next(&mut came, BATCH_MAX), if !self.consumers.is_empty() => {
                    self.take_in(&mut came);
                    if let Err(why) = open {
                        return End::Lost(why);
                    }
                }
                Some(done) = self.errands.next(), if !self.errands.is_empty() => self.after(done),
                () = until(goes_back_at) => self.give_back_late(),
                () = until(self.pace.due_at()) => {}
                () = stopped(&mut closed), if !self.ends => self.ends = true,
                () = desk.asked.notified() => self.ends |= desk.is_left(),
                () = tokio::time::sleep_until(self.check_at), if !self.consumers.is_empty() => self.check(),
                () = tokio::time::sleep_until(idle_at), if !self.consumers.is_empty() => {}
            }
            if self.is_unheard {
                return End::Lost(
                    "the broker sends no more from some queue: it may have been deleted".into(),
                );
            }
            if let Err(error) = self.doze_or_wake().await {
                return End::Lost(cause(error));
            }
            self.tell_in_time();
            if !self.channel.status().connected() {
                return End::Lost("the channel was closed".into());
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.consumers.is_empty() && self.errands.is_empty() && self.later.is_empty()
    }

    /// Has the broker send only while there is somebody who takes.
    async fn doze_or_wake(&mut self) -> Result<(), QueueError> {
        if self.consumers.is_empty() {
            if !self.ends && self.desk().wakes_up() {
                self.consume().await?;
            }
        } else if self.ends || self.desk().dozes_off() {
            self.cancel().await?;
        }
        Ok(())
    }

    /// Has the broker send no more, and gives back what nobody took.
    async fn cancel(&mut self) -> Result<(), QueueError> {
        let on_their_way = self.consumers.cancel(&self.live, &self.channel).await?;
        let held = self.desk().with_buffers(|buffers| buffers.clear());
        let mut tags: Vec<_> = held.iter().map(|held| held.at.tag).collect();
        for tag in on_their_way {
            self.window.seen(tag);
            tags.push(tag);
        }
        given_back(GivenBack::Unasked, tags.len());
        tags.into_iter().for_each(|tag| self.give_back(tag));
        Ok(())
    }

    fn take_in(&mut self, came: &mut Vec<(Place, Delivery)>) {
        let desk = Arc::clone(self.desk());
        let now_ms = desk.clock.now_ms();
        let mut fates = Vec::with_capacity(came.len());
        for (place, delivery) in came.drain(..) {
            let at = Receipt {
                place,
                tag: delivery.delivery_tag,
                epoch: self.epoch,
                round: self.receiver.rounds,
            };
            self.window.seen(at.tag);
            fates.push((at, receive(at, delivery, now_ms)));
        }
        let errands = &self.errands;
        let mut done = Vec::new();
        desk.with_buffers(|buffers| {
            for (at, fate) in fates {
                buffers.received(at.place);
                match fate {
                    Fate::Hold(held) => buffers.hold(held),
                    Fate::HoldFor(wait, held) => buffers.hold_until(Instant::now() + wait, held),
                    Fate::Marker { published_at_ms } => {
                        done.push(at);
                        errands.push(super::errand::pass(
                            &self.receiver.markers,
                            desk.kind,
                            at.place.lane,
                            published_at_ms,
                        ));
                    }
                    Fate::PutOff(message, not_before_ms) => {
                        errands.push(super::errand::put_off(&desk, at, message, not_before_ms));
                    }
                    Fate::Bury(message) => errands.push(super::errand::bury(&desk, at, message)),
                }
            }
        });
        done.into_iter().for_each(|at| self.ack(at));
    }

    fn settle(&mut self, orders: &mut Vec<Order>) {
        for order in orders.drain(..) {
            match order {
                Order::Ack(at) if self.is_ours(at) => self.window.acked(at.tag),
                Order::GiveBack(at) if self.is_ours(at) => self.give_back(at.tag),
                Order::GiveBackAt(at, when) if self.is_ours(at) => self.give_back_at(at, when),
                Order::HoldUntil(when, held) if self.is_ours(held.at) => {
                    if self.consumers.is_empty() {
                        self.give_back_at(held.at, when);
                    } else {
                        self.desk()
                            .with_buffers(|buffers| buffers.hold_until(when, held));
                    }
                }
                // Its channel is gone.
                Order::Ack(_)
                | Order::GiveBack(_)
                | Order::GiveBackAt(..)
                | Order::HoldUntil(..) => {}
            }
        }
    }

    fn is_ours(&self, at: Receipt) -> bool {
        at.epoch == self.epoch
    }

    fn after(&mut self, done: Done) {
        match done {
            Done::Published(at) => self.ack(at),
            Done::NotPublished(at, when) => self.give_back_at(at, when),
            Done::Noted => {}
            Done::Checked { is_heard, round } => {
                let is_current = round == self.receiver.rounds && !self.consumers.is_empty();
                self.is_unheard = !is_heard && is_current;
            }
        }
    }

    fn check(&mut self) {
        self.check_at = Instant::now() + CHECK_PERIOD;
        let (topology, kind) = (&self.receiver.topology, self.desk().kind);
        let check = super::errand::check(&self.live, topology, kind, self.receiver.rounds);
        self.errands.push(check);
    }

    fn ack(&mut self, at: Receipt) {
        self.window.acked(at.tag);
        self.settled(at);
    }

    fn settled(&self, at: Receipt) {
        self.desk()
            .with_buffers(|buffers| buffers.settled(at, Instant::now()));
    }

    fn give_back_at(&mut self, at: Receipt, when: Instant) {
        self.receipts.insert(at.tag, at);
        self.later.push(Reverse((when, at.tag)));
    }

    fn give_back_late(&mut self) {
        while let Some(Reverse((at, tag))) = self.later.peek().copied()
            && at <= Instant::now()
        {
            self.later.pop();
            self.give_back(tag);
            if let Some(at) = self.receipts.remove(&tag) {
                self.settled(at);
            }
        }
    }

    fn give_back(&mut self, tag: u64) {
        self.window.given_back(tag);
        let options = BasicNackOptions {
            requeue: true,
            multiple: false,
        };
        // The first poll has it sent; nothing that matters comes after.
        drop(self.channel.basic_nack(tag, options).now_or_never());
    }

    /// Tells the broker what was acknowledged, unless more may be told with it soon.
    fn tell_in_time(&mut self) {
        let (waiting, in_hand) = (self.window.untold(), self.desk().in_hand());
        let is_due = self.pace.is_due(waiting, in_hand, Instant::now());
        // Who receives no more is not kept waiting.
        if is_due || self.consumers.is_empty() {
            self.tell();
        }
    }

    /// Tells the broker what was acknowledged.
    fn tell(&mut self) {
        for frame in self.window.frames() {
            let (tag, multiple) = match frame {
                Ack::One(tag) => (tag, false),
                Ack::UpTo(tag) => (tag, true),
            };
            drop(
                self.channel
                    .basic_ack(tag, BasicAckOptions { multiple })
                    .now_or_never(),
            );
        }
    }

    /// Everything in hand is settled: says so, and closes the channel, which gives back the rest.
    async fn leave(mut self, end: End) -> End {
        let mut orders = Vec::new();
        while let Ok(order) = self.receiver.orders.try_recv() {
            orders.push(order);
        }
        self.settle(&mut orders);
        self.tell();
        let closed = self.channel.close(200, "done".into());
        drop(self.live.answered("close a channel", closed).await);
        end
    }
}

/// Why it is down, in words that can stand behind those of [`QueueError::Unavailable`].
fn cause(error: QueueError) -> String {
    match error {
        QueueError::Unavailable { why } => why,
        other @ (QueueError::Refused { .. } | QueueError::Unknown) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let why = "connect to mq:5672/: refused".to_owned();
        let away = QueueError::Unavailable { why: why.clone() };
        let told = QueueError::Unavailable { why: cause(away) };
        assert_eq!(told.to_string(), format!("reach the queue: {why}"));
        assert_eq!(cause(QueueError::Unknown), QueueError::Unknown.to_string());
    }
}
