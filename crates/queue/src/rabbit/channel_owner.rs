//! Owns one confirming channel.
//!
//! Only its owner publishes on a channel: the library gives a publish its number and sends it in two steps, and
//! publishers that share a channel could have each other's answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::confirms::{Answer, Confirms, Verdict};
use super::link::{Link, Live};
use super::look::Looker;
use super::message::{Marks, MessageId, properties};
use super::publisher::{Answered, Refusal};
use super::subscription::until;
use super::waiting::Waiting;
use crate::metric_definitions::{Published, published};

/// Most publishes of a channel whose fate is not known.
pub(super) const WINDOW: usize = 256;
/// How long to wait before a channel is opened again that could not be.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

/// A message, and who waits for it.
pub(super) struct Order {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) id: MessageId,
    pub(super) marks: Marks,
    pub(super) body: Bytes,
    pub(super) done: oneshot::Sender<Answered>,
}

/// Owns a channel, and the next when that is lost.
pub(super) struct ChannelOwner {
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) link: Link,
    pub(super) confirm_timeout: Duration,
}

/// An answer of the library.
type Given = (u64, lapin::Result<Confirmation>);

/// A channel while it lasts.
struct Serving {
    channel: Arc<Channel>,
    live: Arc<Live>,
    link: Link,
    on_their_way: FuturesUnordered<BoxFuture<'static, Given>>,
    looker: Looker,
    confirms: Confirms<MessageId>,
    waiting: Waiting<oneshot::Sender<Answered>>,
    /// Taken in, not sent.
    ordered: VecDeque<Order>,
    given: Vec<Given>,
}

impl ChannelOwner {
    /// Ends when nobody can order anything any more, and everything is answered.
    pub(super) async fn run(mut self) {
        while let Some(live) = self.connection().await {
            match open(&live).await {
                Ok(channel) => {
                    let serving = Serving::new(channel, live, &self);
                    if serving.run(&mut self.orders).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "could not open a channel to publish: {error}");
                    self.turn_away(REOPEN_PAUSE).await;
                }
            }
        }
    }

    /// Waits for a connection; turns away what is ordered meanwhile. `None` when nobody orders any more.
    async fn connection(&mut self) -> Option<Arc<Live>> {
        let mut states = self.link.watch();
        loop {
            if let Some(live) = states.borrow_and_update().live.clone()
                && live.is_up()
            {
                return Some(live);
            }
            tokio::select! {
                changed = states.changed() => changed.ok()?,
                order = self.orders.recv() => turn_away(order?),
                () = tokio::time::sleep(REOPEN_PAUSE) => {}
            }
        }
    }

    async fn turn_away(&mut self, pause: Duration) {
        let until = tokio::time::sleep(pause);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                order = self.orders.recv() => match order {
                    Some(order) => turn_away(order),
                    None => return,
                }
            }
        }
    }
}

async fn open(live: &Live) -> Result<Channel, assay_core::port::QueueError> {
    let channel = live.channel().await?;
    let confirmed = channel.confirm_select(ConfirmSelectOptions::default());
    live.answered("have publishes confirmed", confirmed).await?;
    Ok(channel)
}

fn turn_away(order: Order) {
    published(Published::Unavailable, 0.0);
    tell(order.done, Err(Refusal::Unsent));
}

impl Serving {
    fn new(channel: Channel, live: Arc<Live>, owner: &ChannelOwner) -> Self {
        Self {
            channel: Arc::new(channel),
            live,
            link: owner.link.clone(),
            on_their_way: FuturesUnordered::new(),
            looker: Looker::new(),
            confirms: Confirms::default(),
            waiting: Waiting::new(owner.confirm_timeout),
            ordered: VecDeque::new(),
            given: Vec::new(),
        }
    }

    /// Ends when the channel does (false), or when nobody can order anything any more (true).
    async fn run(mut self, orders: &mut mpsc::Receiver<Order>) -> bool {
        let mut is_over = false;
        let mut states = self.link.watch();
        loop {
            if is_over && self.on_their_way.is_empty() && self.ordered.is_empty() {
                drop(
                    self.live
                        .answered("close a channel", self.channel.close(200, "done".into()))
                        .await,
                );
                return true;
            }
            if !self.channel.status().connected() && self.on_their_way.is_empty() {
                self.ordered.drain(..).for_each(turn_away);
                return is_over;
            }
            self.waiting.note(self.link.is_blocked(), Instant::now());
            self.send_what_may_be_sent();
            let room = WINDOW.saturating_sub(self.confirms.len() + self.ordered.len());
            let mut came = Vec::new();
            let overdue_at = self.waiting.overdue_at();
            tokio::select! {
                biased;
                () = self.looker.look(&mut self.on_their_way, &mut self.given), if !self.on_their_way.is_empty() => self.conclude(),
                count = orders.recv_many(&mut came, room), if room > 0 && !is_over && self.ordered.is_empty() => {
                    is_over = count == 0;
                    self.ordered.extend(came);
                }
                () = until(overdue_at) => self.give_up(),
                changed = states.changed() => if changed.is_err() { is_over = true },
            }
        }
    }

    fn send_what_may_be_sent(&mut self) {
        if self.link.is_blocked() || !self.channel.status().connected() {
            self.ordered.drain(..).for_each(turn_away);
            return;
        }
        while let Some(order) = self.ordered.front() {
            if self.confirms.len() >= WINDOW || !self.confirms.admits(order.id) {
                return;
            }
            if let Some(order) = self.ordered.pop_front() {
                self.send(order);
            }
        }
    }

    /// Gives it to the library, which sends in the order in which it is asked.
    fn send(&mut self, order: Order) {
        let number = self.confirms.sent(order.id);
        self.waiting.sent(number, order.done, Instant::now());
        let channel = Arc::clone(&self.channel);
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = properties(order.id, order.marks);
        let Order {
            exchange,
            key,
            body,
            ..
        } = order;
        self.on_their_way.push(Box::pin(async move {
            let sent = channel
                .basic_publish(exchange, key, options, &body, properties)
                .await;
            match sent {
                Ok(confirm) => (number, confirm.await),
                Err(error) => (number, Err(error)),
            }
        }));
    }

    /// Takes down what was seen, after a look that found no more.
    fn conclude(&mut self) {
        for (number, given) in self.given.drain(..) {
            let (answer, came_back) = match given {
                Ok(Confirmation::Ack(came_back)) => (Answer::Ack, came_back),
                Ok(Confirmation::Nack(came_back)) => (Answer::Nack, came_back),
                Ok(Confirmation::NotRequested) | Err(_) => (Answer::Lost, None),
            };
            self.confirms
                .answered(number, answer, came_back.as_ref().and_then(id_of));
        }
        for (number, verdict) in self.confirms.conclude() {
            let Some((done, since)) = self.waiting.answered(number) else {
                continue;
            };
            let (answered, outcome) = match verdict {
                Verdict::Taken => (Ok(()), Published::Confirmed),
                Verdict::Nacked => (Err(Refusal::Nacked), Published::Nacked),
                Verdict::Returned => (Err(Refusal::Returned), Published::Returned),
                Verdict::Lost => (Err(Refusal::Unknown), Published::Unknown),
            };
            published(outcome, since.elapsed().as_secs_f64());
            tell(done, answered);
        }
    }

    /// Nobody waits any longer. A broker that takes nothing in may still answer; one that should have answered is
    /// left, with everything that waits to be sent.
    fn give_up(&mut self) {
        for done in self.waiting.give_up(Instant::now()) {
            published(Published::Unknown, 0.0);
            tell(done, Err(Refusal::Unknown));
        }
        if !self.link.is_blocked() {
            self.live.condemn();
        }
    }
}

/// Whoever ordered may be gone.
fn tell(done: oneshot::Sender<Answered>, answered: Answered) {
    if done.send(answered).is_err() {
        tracing::debug!("nobody waits for a publish any more");
    }
}

fn id_of(message: &BasicReturnMessage) -> Option<MessageId> {
    MessageId::read(&message.delivery.properties)
}

#[cfg(test)]
mod tests;
