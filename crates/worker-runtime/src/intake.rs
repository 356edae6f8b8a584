//! Takes deliveries, holds a bounded number of them, starts each when a slot is free.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use assay_core::port::{Delivery, QueueError, Subscription};
use assay_service::TaskGroup;
use assay_service::readiness::Dependency;
use assay_service::shutdown::Shutdown;
use tokio::time::{Instant, MissedTickBehavior};

use crate::execute::Executor;
use crate::handler::JobHandler;
use crate::jitter::Backoff;
use crate::metric_definitions::GivenBack;
use crate::pause::Pause;
use crate::slots::{Slot, Slots};

/// How often the buffer is looked through for deliveries that waited too long.
const AGE_CHECK: Duration = Duration::from_secs(1);

/// A queue that was down counts as up again when it did not fail for so long: it has nothing to give, or is paused.
/// Longer than an adapter waits for an answer before it fails.
const QUIET: Duration = Duration::from_secs(3);

/// The way in of one worker.
pub(crate) struct Intake<H> {
    pub(crate) executor: Arc<Executor<H>>,
    pub(crate) subscription: Box<dyn Subscription>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) tasks: TaskGroup,
    pub(crate) shutdown: Shutdown,
    pub(crate) pause: Pause,
    pub(crate) queue_up: Dependency,
    /// When a queue that is down counts as up again.
    pub(crate) up_at: Option<Instant>,
    pub(crate) backoff: Backoff,
    /// Taken, not yet started; oldest first, with when it was taken.
    pub(crate) buffer: VecDeque<(Delivery, Instant)>,
}

impl<H: JobHandler> Intake<H> {
    /// Ends when no new work may be taken, or when the queue was closed. What was not started by then
    /// goes back.
    pub(crate) async fn run(mut self) {
        let mut age_check = tokio::time::interval(AGE_CHECK);
        age_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_paused = self.pause.is_on();
            let room = if is_paused {
                self.give_back_all(GivenBack::Paused);
                0
            } else {
                self.start_what_fits();
                self.room()
            };
            let waits_for_slot = !is_paused && (room == 0 || !self.buffer.is_empty());
            tokio::select! {
                biased;
                () = self.shutdown.intake_stopped() => break,
                () = self.pause.changed() => {}
                slot = self.slots.free(), if waits_for_slot => self.start(slot),
                taken = self.subscription.take(room.max(1)), if room > 0 => {
                    if !self.hold(taken).await {
                        break;
                    }
                }
                () = sleep_until(self.up_at), if is_paused || room > 0 => self.queue_is_up(),
                _ = age_check.tick(), if !self.buffer.is_empty() => self.give_back_old(),
            }
        }
        self.give_back_all(GivenBack::Drain);
    }

    /// How many more deliveries may be in hand.
    fn room(&self) -> usize {
        let in_hand = self.buffer.len().saturating_add(self.slots.used());
        let prefetch_max = self.executor.runner.settings.prefetch_max();
        prefetch_max.saturating_sub(in_hand)
    }

    fn start_what_fits(&mut self) {
        while !self.buffer.is_empty() {
            let Some(slot) = self.slots.try_free() else {
                return;
            };
            self.start(slot);
        }
    }

    fn start(&mut self, slot: Slot) {
        if let Some((delivery, _)) = self.buffer.pop_front() {
            let executor = Arc::clone(&self.executor);
            // Boxed: an attempt's future is large, and every layer of a task would move it.
            let attempt = Box::pin(executor.execute(delivery, slot));
            drop(self.tasks.spawn_joined("attempt", attempt));
        }
    }

    /// Puts what was taken into the buffer; false when nothing will come any more.
    async fn hold(&mut self, taken: Result<Option<Vec<Delivery>>, QueueError>) -> bool {
        match taken {
            Ok(Some(deliveries)) => {
                self.backoff.reset();
                self.queue_is_up();
                let now = Instant::now();
                let held = deliveries.into_iter().map(|delivery| (delivery, now));
                self.buffer.extend(held);
                true
            }
            Ok(None) => {
                tracing::info!("the queue was closed");
                false
            }
            Err(error) => {
                self.queue_up.down(error.to_string());
                tracing::warn!(%error, "could not take deliveries: {error}");
                let again = self.backoff.next();
                self.up_at = Some(Instant::now() + again + QUIET);
                tokio::select! {
                    () = tokio::time::sleep(again) => true,
                    () = self.shutdown.intake_stopped() => false,
                }
            }
        }
    }

    fn queue_is_up(&mut self) {
        self.up_at = None;
        self.queue_up.up();
    }

    fn give_back_all(&mut self, why: GivenBack) {
        let waiting = self.buffer.len();
        self.executor.meters.given_back(why, waiting);
        // Dropped unsettled, they go back.
        self.buffer.clear();
    }

    fn give_back_old(&mut self) {
        let age_max = Duration::from_millis(self.executor.runner.settings.buffer_age_max_ms);
        let mut given_back = 0;
        while let Some((_, taken_at)) = self.buffer.front()
            && taken_at.elapsed() >= age_max
        {
            self.buffer.pop_front();
            given_back += 1;
        }
        self.executor
            .meters
            .given_back(GivenBack::Waited, given_back);
    }
}

/// Sleeps for ever where there is no time to wait for.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
