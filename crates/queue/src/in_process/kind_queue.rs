//! The envelopes of one kind, shared by those who put them in and those who take them out.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::kind::Lane;
use assay_core::port::{LaneDepth, QueueError};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::dead_letters::Aside;
use super::waiting::{Room, Waiting};

/// One kind's envelopes. The lock is held for a few pushes and pops, never across an await.
pub(super) struct KindQueue {
    waiting: Mutex<Waiting>,
    /// Told when an envelope came in that every taker may take, and when the queue closes.
    pub(super) urgent: Notify,
    /// Told when an envelope of the low lane came in. Whoever may not take one does not listen, so the
    /// news reaches a taker that may.
    pub(super) low: Notify,
    /// Where dead letters go.
    pub(super) aside: Arc<Aside>,
}

/// What a look at the queue found.
pub(super) enum Look {
    /// Envelopes, at least one.
    Taken(Vec<Arc<Envelope>>),
    /// Nothing that may be taken; perhaps something comes back then.
    Empty(Option<Instant>),
    /// The queue was closed.
    Closed,
}

impl KindQueue {
    pub(super) fn new(aside: Arc<Aside>) -> Self {
        Self {
            waiting: Mutex::default(),
            urgent: Notify::new(),
            low: Notify::new(),
            aside,
        }
    }

    pub(super) fn push(&self, envelope: Arc<Envelope>) -> Result<(), QueueError> {
        let lane = envelope.lane;
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(QueueError::Refused {
                why: "it is closed, because this process is shutting down".to_owned(),
            });
        }
        waiting.push(envelope);
        drop(waiting);
        self.tell(lane);
        Ok(())
    }

    /// Takes an envelope back that was in hand.
    pub(super) fn give_back(&self, envelope: Arc<Envelope>) {
        let lane = envelope.lane;
        self.waiting.lock().push_returned(envelope);
        self.tell(lane);
    }

    /// Takes an envelope back that was in hand, for later.
    pub(super) fn give_back_at(&self, envelope: Arc<Envelope>, at: Instant) {
        self.waiting.lock().push_delayed(envelope, at);
        // Every taker that waits sets its alarm again: the one that wakes first may be cancelled.
        self.urgent.notify_waiters();
    }

    /// Takes what `room` allows, if there is something.
    pub(super) fn look(&self, room: Room, now: Instant, now_ms: u64) -> Look {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Look::Closed;
        }
        waiting.let_in(now);
        let taken = waiting.take(room, now_ms);
        if taken.is_empty() {
            Look::Empty(waiting.comes_back_at())
        } else {
            Look::Taken(taken)
        }
    }

    pub(super) fn depth(&self, now: Instant) -> [LaneDepth; 3] {
        let mut waiting = self.waiting.lock();
        waiting.let_in(now);
        waiting.depth()
    }

    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.urgent.notify_waiters();
    }

    fn tell(&self, lane: Lane) {
        match lane {
            Lane::Low => self.low.notify_one(),
            Lane::Normal | Lane::High => self.urgent.notify_one(),
        }
    }
}
