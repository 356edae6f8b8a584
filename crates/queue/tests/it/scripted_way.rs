//! A way for envelopes that does as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assay_core::clock::{Clock, SystemClock};
use assay_core::envelope::Envelope;
use assay_core::kind::JobKind;
use assay_core::port::{Delivery, JobQueue, LaneDepth, QueueError, Subscription};
use assay_queue::InProcessQueue;
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::rabbit_bench::NOW_MS;

/// The time of day as paused time has it.
pub(crate) struct PausedClock(Instant);

impl PausedClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for PausedClock {
    fn now_ms(&self) -> u64 {
        NOW_MS + u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// What a way does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    /// It can't be reached.
    Away,
    /// It can't be reached, and takes its time to find out.
    Hangs,
    /// It takes what is published, and does not say so.
    LosesAnswers,
    Refuses,
}

/// A way, and how often it was asked.
pub(crate) struct ScriptedWay {
    name: &'static str,
    queue: InProcessQueue,
    mood: watch::Sender<Mood>,
    publishes: AtomicU64,
}

impl ScriptedWay {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            queue: InProcessQueue::new(Arc::new(SystemClock)),
            mood: watch::Sender::new(Mood::Works),
            publishes: AtomicU64::new(0),
        })
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// How often it was asked to publish since this was asked.
    pub(crate) fn publishes(&self) -> u64 {
        self.publishes.swap(0, Ordering::SeqCst)
    }

    fn reach(&self) -> Result<(), QueueError> {
        match *self.mood.borrow() {
            Mood::Works | Mood::LosesAnswers | Mood::Refuses => Ok(()),
            Mood::Away | Mood::Hangs => Err(away(self.name)),
        }
    }
}

fn away(name: &str) -> QueueError {
    QueueError::Unavailable {
        why: format!("{name} is away"),
    }
}

#[async_trait]
impl JobQueue for ScriptedWay {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        self.publishes.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.borrow();
        match mood {
            Mood::Works => self.queue.publish(envelope).await,
            Mood::Away => Err(away(self.name)),
            Mood::Hangs => std::future::pending().await,
            Mood::LosesAnswers => {
                self.queue.publish(envelope).await?;
                Err(QueueError::Unknown)
            }
            Mood::Refuses => Err(QueueError::Refused {
                why: format!("{} is full", self.name),
            }),
        }
    }

    fn accepts(&self) -> Result<(), QueueError> {
        self.reach()
    }

    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        self.reach()?;
        Ok(Box::new(ScriptedEar {
            name: self.name,
            inner: self.queue.subscribe(kind, concurrency).await?,
            mood: self.mood.subscribe(),
        }))
    }

    fn system(&self) -> &'static str {
        self.name
    }

    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        self.reach()?;
        self.queue.depth(kind).await
    }
}

struct ScriptedEar {
    name: &'static str,
    inner: Box<dyn Subscription>,
    mood: watch::Receiver<Mood>,
}

#[async_trait]
impl Subscription for ScriptedEar {
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        let mut mood = self.mood.clone();
        tokio::select! {
            biased;
            _ = mood.wait_for(|mood| *mood == Mood::Away) => Err(away(self.name)),
            taken = self.inner.take(slots) => taken,
        }
    }

    fn bound_low(&mut self, max: usize) {
        self.inner.bound_low(max);
    }
}
