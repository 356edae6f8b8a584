//! What a worker's ear, the deliveries in its hands, and the task that speaks with the broker share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::Delivery;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::buffers::{Buffers, Held, Next, Receipt, Room};
use super::in_hand::InHand;
use super::publisher::Publisher;
use crate::low_slots::LowSlots;

/// How long a worker waits for a broker that is lost before it is told so.
const DOWN_PATIENCE: Duration = Duration::from_secs(2);
/// How long what nobody asks for stays with a worker that has free hands.
const IDLE_PATIENCE: Duration = Duration::from_millis(50);
/// How long what nobody asks for stays with a worker whose hands are full. Then it goes to whoever asks.
pub(super) const BUFFER_AGE_MAX: Duration = Duration::from_secs(5);

/// What is to become of a delivery.
pub(super) enum Order {
    Ack(Receipt),
    GiveBack(Receipt),
    GiveBackAt(Receipt, Instant),
    HoldUntil(Instant, Held),
}

/// One subscription's.
pub(super) struct Desk {
    pub(super) kind: JobKind,
    pub(super) concurrency: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) low_slots: Arc<LowSlots>,
    state: Mutex<State>,
    /// Told when there may be something to take, and when nothing will be.
    pub(super) news: Notify,
    /// Told when somebody asks, or stops asking.
    pub(super) asked: Notify,
    /// Told when there is a channel.
    pub(super) came_up: Notify,
    orders: mpsc::Sender<Order>,
    /// The channel that is in use; 0 when none is.
    epoch: AtomicU64,
    in_hand: AtomicUsize,
}

struct State {
    buffers: Buffers,
    /// Since when there is no channel, and why.
    down: Option<(Instant, String)>,
    /// Somebody waits for deliveries.
    asks: bool,
    /// When somebody last did.
    asked_at: Instant,
    /// Nobody will ask again.
    gone: bool,
    /// The broker sends nothing until somebody asks.
    dozes: bool,
}

/// What a look for deliveries found.
pub(super) enum Look {
    Taken(Vec<Delivery>),
    /// Nothing; look again when there are news, and then at the latest.
    Empty(Option<Instant>),
    /// The broker is lost for too long.
    Down(String),
}

impl Desk {
    pub(super) fn new(
        (kind, concurrency): (JobKind, usize),
        clock: Arc<dyn Clock>,
        publisher: Arc<Publisher>,
        orders_max: usize,
    ) -> (Arc<Self>, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(orders_max);
        let now = Instant::now();
        let desk = Self {
            kind,
            concurrency,
            clock,
            publisher,
            low_slots: Arc::new(LowSlots::of(concurrency)),
            state: Mutex::new(State {
                buffers: Buffers::default(),
                down: Some((now, "not connected yet".into())),
                asks: false,
                asked_at: now,
                gone: false,
                dozes: false,
            }),
            news: Notify::new(),
            asked: Notify::new(),
            came_up: Notify::new(),
            orders,
            epoch: AtomicU64::new(0),
            in_hand: AtomicUsize::new(0),
        };
        (Arc::new(desk), receiver)
    }

    /// Takes what there is, at most `slots`, for somebody who waits since `begun`.
    pub(super) fn look(self: &Arc<Self>, slots: usize, begun: Instant) -> Look {
        let (now, now_ms) = (Instant::now(), self.clock.now_ms());
        let mut low = self.low_slots.free();
        let mut state = self.state.lock();
        if let Some((since, why)) = &state.down {
            let until = begun.max(*since) + DOWN_PATIENCE;
            if until <= now {
                return Look::Down(why.clone());
            }
            return Look::Empty(Some(until));
        }
        let (mut taken, mut wait) = (Vec::new(), state.buffers.comes_at());
        while taken.len() < slots {
            match state.buffers.next(Room { low }, now, now_ms) {
                Next::Take(held) => {
                    low -= usize::from(held.at.place.lane == Lane::Low);
                    taken.push(held);
                }
                Next::WaitUntil(until) => {
                    wait = Some(wait.map_or(until, |at| at.min(until)));
                    break;
                }
                Next::Nothing => break,
            }
        }
        drop(state);
        if taken.is_empty() {
            return Look::Empty(wait);
        }
        Look::Taken(taken.into_iter().map(|held| self.deliver(held)).collect())
    }

    fn deliver(self: &Arc<Self>, held: Held) -> Delivery {
        let envelope = Arc::clone(&held.envelope);
        let low_slot = (held.at.place.lane == Lane::Low).then(|| self.low_slots.take());
        Delivery::new(
            envelope,
            Box::new(InHand::new(Arc::clone(self), held, low_slot)),
        )
    }

    /// Somebody waits for deliveries until the answer is dropped.
    pub(super) fn ask(self: &Arc<Self>) -> Asking {
        let mut state = self.state.lock();
        state.asks = true;
        if state.dozes {
            self.asked.notify_one();
        }
        drop(state);
        Asking {
            desk: Arc::clone(self),
            answered: false,
        }
    }

    /// Nobody will ask again.
    pub(super) fn leave(&self) {
        self.state.lock().gone = true;
        self.asked.notify_one();
    }

    pub(super) fn is_left(&self) -> bool {
        self.state.lock().gone
    }

    /// When what is buffered should go back unless somebody asks.
    pub(super) fn idle_at(&self) -> Option<Instant> {
        let state = self.state.lock();
        (!state.asks && !state.dozes).then(|| state.asked_at + self.patience())
    }

    /// Whether nobody has asked for so long that what is buffered should go back. The next who asks is heard.
    pub(super) fn dozes_off(&self) -> bool {
        let mut state = self.state.lock();
        let idle = !state.asks && state.asked_at + self.patience() <= Instant::now();
        state.dozes |= idle;
        idle
    }

    /// Whether somebody asks again.
    pub(super) fn wakes_up(&self) -> bool {
        let mut state = self.state.lock();
        state.dozes &= !state.asks;
        !state.dozes
    }

    fn patience(&self) -> Duration {
        if self.in_hand() < self.concurrency {
            IDLE_PATIENCE
        } else {
            BUFFER_AGE_MAX
        }
    }

    /// Has a delivery settled. There is room for every delivery that can be out; one that is not settled for want
    /// of it comes again when the channel ends.
    pub(super) fn order(&self, order: Order) {
        if let Order::Ack(at) | Order::GiveBack(at) = order {
            // Now and not when the broker is told: the next who looks is to wait for what it sends then.
            self.state.lock().buffers.settled(at, Instant::now());
        }
        if self.orders.try_send(order).is_err() {
            tracing::debug!("left a delivery to come again");
        }
    }

    pub(super) fn took(&self) {
        self.in_hand.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn let_go(&self) {
        if self.in_hand.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Who waits for the last to be settled is told by the order, if there still is somebody.
            self.asked.notify_one();
        }
    }

    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::Acquire)
    }

    /// Whether a delivery can still be settled.
    pub(super) fn is_current(&self, at: Receipt) -> bool {
        at.epoch == self.epoch.load(Ordering::Acquire)
    }

    /// There is a channel that brings deliveries.
    pub(super) fn up(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
        let mut state = self.state.lock();
        state.down = None;
        state.asked_at = Instant::now();
        drop(state);
        self.news.notify_one();
        self.came_up.notify_one();
    }

    /// The channel is lost, with everything that it brought.
    pub(super) fn down(&self, why: &str) {
        self.epoch.store(0, Ordering::Release);
        let mut state = self.state.lock();
        state.buffers.clear();
        state.dozes = false;
        let since = state
            .down
            .take()
            .map_or_else(Instant::now, |(since, _)| since);
        state.down = Some((since, why.to_owned()));
        drop(state);
        self.news.notify_one();
    }

    /// There is no channel yet, for another reason than before.
    pub(super) fn waits_for(&self, why: &str) {
        if let Some((_, known)) = &mut self.state.lock().down {
            why.clone_into(known);
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.state.lock().down.is_none()
    }

    pub(super) fn why_down(&self) -> String {
        let state = self.state.lock();
        state
            .down
            .as_ref()
            .map(|(_, why)| why.clone())
            .unwrap_or_default()
    }

    /// Works on the buffers, and tells who waits.
    pub(super) fn with_buffers<T>(&self, change: impl FnOnce(&mut Buffers) -> T) -> T {
        let answer = change(&mut self.state.lock().buffers);
        self.news.notify_one();
        answer
    }

    /// How many wait in a lane here, and when the oldest was published.
    pub(super) fn waiting(&self, lane: Lane) -> (u64, Option<u64>) {
        self.state.lock().buffers.waiting(lane)
    }
}

/// Somebody who waits for deliveries.
pub(super) struct Asking {
    desk: Arc<Desk>,
    pub(super) answered: bool,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = self.desk.state.lock();
        state.asks = false;
        state.asked_at = Instant::now();
        drop(state);
        if !self.answered {
            self.desk.asked.notify_one();
        }
    }
}
