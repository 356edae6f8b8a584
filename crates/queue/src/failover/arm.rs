//! One way's end of a subscription.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::JobKind;
use assay_core::port::{Delivery, JobQueue, QueueError, Subscription};
use futures::future::BoxFuture;
use tokio::time::Instant;

/// Between a failure and the next try.
const REST: Duration = Duration::from_millis(500);
/// A way counts as down for so long after a failure. Longer than from one failure of a way that stays down to the
/// next: an adapter may wait for a while before it fails.
const DOWN_FOR: Duration = Duration::from_secs(3);

/// Subscribes, and again when that failed; takes.
pub(super) struct Arm {
    queue: Arc<dyn JobQueue>,
    kind: JobKind,
    concurrency: usize,
    state: State,
    /// When it failed last, and how.
    failed: Option<(Instant, QueueError)>,
    rests_until: Option<Instant>,
}

enum State {
    Subscribing(Subscribing),
    Up(Box<dyn Subscription>),
    /// Nothing will come any more.
    Closed,
}

type Subscribing = BoxFuture<'static, Result<Box<dyn Subscription>, QueueError>>;

/// A way is asked again after this.
#[derive(Debug)]
pub(super) struct Failed;

impl Arm {
    pub(super) fn new(queue: Arc<dyn JobQueue>, kind: JobKind, concurrency: usize) -> Self {
        Self {
            state: State::Subscribing(subscribe(&queue, kind, concurrency)),
            queue,
            kind,
            concurrency,
            failed: None,
            rests_until: None,
        }
    }

    /// Waits until there are deliveries, at most `slots`, and with at most `low_max` of the low lane in hand. `None`
    /// when the way is closed. Takes nothing when it is dropped.
    pub(super) async fn take(
        &mut self,
        slots: usize,
        low_max: usize,
    ) -> Result<Option<Vec<Delivery>>, Failed> {
        self.subscribed().await?;
        let State::Up(subscription) = &mut self.state else {
            return std::future::pending().await;
        };
        subscription.bound_low(low_max);
        match subscription.take(slots).await {
            Ok(Some(deliveries)) => {
                self.failed = None;
                Ok(Some(deliveries))
            }
            Ok(None) => {
                self.state = State::Closed;
                Ok(None)
            }
            Err(error) => Err(self.fails(error)),
        }
    }

    /// Waits until it has subscribed.
    pub(super) async fn subscribed(&mut self) -> Result<(), Failed> {
        if let Some(at) = self.rests_until {
            tokio::time::sleep_until(at).await;
            self.rests_until = None;
        }
        let State::Subscribing(subscribing) = &mut self.state else {
            return Ok(());
        };
        match subscribing.await {
            Ok(subscription) => {
                self.state = State::Up(subscription);
                Ok(())
            }
            Err(error) => {
                let again = subscribe(&self.queue, self.kind, self.concurrency);
                self.state = State::Subscribing(again);
                Err(self.fails(error))
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// How it failed, if nothing has come since.
    pub(super) fn failure(&self) -> Option<&QueueError> {
        self.failed.as_ref().map(|(_, error)| error)
    }

    /// Whether nothing comes from it now, as far as is known.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        let failed = self.failed.as_ref();
        failed.is_some_and(|(at, _)| now < *at + DOWN_FOR)
    }

    fn fails(&mut self, error: QueueError) -> Failed {
        let now = Instant::now();
        tracing::debug!(%error, job.kind = %self.kind, "one of two ways brings nothing: {error}");
        self.failed = Some((now, error));
        self.rests_until = Some(now + REST);
        Failed
    }
}

fn subscribe(queue: &Arc<dyn JobQueue>, kind: JobKind, concurrency: usize) -> Subscribing {
    let queue = Arc::clone(queue);
    Box::pin(async move { queue.subscribe(kind, concurrency).await })
}
