//! A queue for one worker: delays in paused time, a journal, and failures when told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::JobKind;
use assay_core::port::{Delivery, JobQueue, LaneDepth, QueueError, Settle, Subscription};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::world::{Journal, PausedClock};

#[derive(Clone)]
pub(crate) struct ScriptedQueue(Arc<Inner>);

struct Inner {
    clock: Arc<PausedClock>,
    journal: Journal,
    waiting: Mutex<BTreeMap<(Instant, u64), Arc<Envelope>>>,
    next: Mutex<u64>,
    changed: Notify,
    pub(crate) publish_fails: AtomicBool,
    takes_fail: AtomicBool,
    dead: Mutex<Vec<DeadLetterReason>>,
    taken_max: Mutex<usize>,
    in_hand: Mutex<usize>,
}

impl ScriptedQueue {
    pub(crate) fn new(clock: Arc<PausedClock>, journal: Journal) -> Self {
        Self(Arc::new(Inner {
            clock,
            journal,
            waiting: Mutex::default(),
            next: Mutex::default(),
            changed: Notify::new(),
            publish_fails: AtomicBool::new(false),
            takes_fail: AtomicBool::new(false),
            dead: Mutex::default(),
            taken_max: Mutex::default(),
            in_hand: Mutex::default(),
        }))
    }

    pub(crate) fn put(&self, envelope: Arc<Envelope>, at: Instant) {
        let mut next = self.0.next.lock();
        *next += 1;
        self.0.waiting.lock().insert((at, *next), envelope);
        self.0.changed.notify_waiters();
        self.0.changed.notify_one();
    }

    pub(crate) fn fail_publishes(&self, fail: bool) {
        self.0.publish_fails.store(fail, Ordering::SeqCst);
    }

    /// Whether taking fails, as of a queue that can't be reached; wakes who waits.
    pub(crate) fn fail_takes(&self, fail: bool) {
        self.0.takes_fail.store(fail, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// How many envelopes wait, due or not.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.lock().len()
    }

    /// When the next envelope is due, from now.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let waiting = self.0.waiting.lock();
        let ((at, _), _) = waiting.first_key_value()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn dead(&self) -> Vec<DeadLetterReason> {
        self.0.dead.lock().clone()
    }

    pub(crate) fn in_hand(&self) -> usize {
        *self.0.in_hand.lock()
    }

    /// The most deliveries that were in hand at once.
    pub(crate) fn in_hand_max(&self) -> usize {
        *self.0.taken_max.lock()
    }

    fn take_ready(&self, slots: usize) -> Vec<Delivery> {
        let now = Instant::now();
        let mut waiting = self.0.waiting.lock();
        let ready: Vec<_> = waiting
            .range(..=(now, u64::MAX))
            .map(|(key, _)| *key)
            .take(slots)
            .collect();
        let mut taken = Vec::new();
        for key in ready {
            if let Some(envelope) = waiting.remove(&key) {
                taken.push(self.deliver(envelope));
            }
        }
        taken
    }

    fn deliver(&self, envelope: Arc<Envelope>) -> Delivery {
        let mut in_hand = self.0.in_hand.lock();
        *in_hand += 1;
        let mut taken_max = self.0.taken_max.lock();
        *taken_max = (*taken_max).max(*in_hand);
        let settle = InHand {
            queue: self.clone(),
            envelope: Some(Arc::clone(&envelope)),
        };
        Delivery::new(envelope, Box::new(settle))
    }
}

#[async_trait]
impl JobQueue for ScriptedQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        if self.0.publish_fails.load(Ordering::SeqCst) {
            return Err(QueueError::Unknown);
        }
        self.0.journal.note("publish");
        let due_at_ms = envelope.due_at_ms.unwrap_or(0);
        let after_ms = due_at_ms.saturating_sub(self.0.clock.now_ms());
        let at = Instant::now() + Duration::from_millis(after_ms);
        self.put(Arc::new(envelope.clone()), at);
        Ok(())
    }

    async fn subscribe(
        &self,
        _kind: JobKind,
        _concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        Ok(Box::new(self.clone()))
    }

    async fn depth(&self, _kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        let why = "not asked by workers".to_owned();
        Err(QueueError::Unavailable { why })
    }
}

#[async_trait]
impl Subscription for ScriptedQueue {
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        loop {
            let changed = self.0.changed.notified();
            if self.0.takes_fail.load(Ordering::SeqCst) {
                let why = "told so".to_owned();
                return Err(QueueError::Unavailable { why });
            }
            let ready = self.take_ready(slots);
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
            let due = self.next_due().unwrap_or(Duration::from_secs(3_600));
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(due) => {}
            }
        }
    }

    // Workers leave it to the queue.
    fn bound_low(&mut self, _max: usize) {}
}

struct InHand {
    queue: ScriptedQueue,
    envelope: Option<Arc<Envelope>>,
}

#[async_trait]
impl Settle for InHand {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.queue.0.journal.note("ack");
        self.envelope = None;
        Ok(())
    }

    async fn retry(mut self: Box<Self>, after: Duration) -> Result<(), QueueError> {
        self.queue.0.journal.note("retry");
        if let Some(envelope) = self.envelope.take() {
            self.queue.put(envelope, Instant::now() + after);
        }
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, why: DeadLetterReason) -> Result<(), QueueError> {
        self.queue.0.journal.note("dead letter");
        self.queue.0.dead.lock().push(why);
        self.envelope = None;
        Ok(())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        *self.queue.0.in_hand.lock() -= 1;
        if let Some(envelope) = self.envelope.take() {
            self.queue.0.journal.note("back");
            self.queue.put(envelope, Instant::now());
        }
    }
}
