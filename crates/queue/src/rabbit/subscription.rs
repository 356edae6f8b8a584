//! A worker's ear at the queue.

use std::sync::Arc;

use assay_core::port::{Delivery, QueueError, Subscription};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use super::desk::{Desk, Look};
use super::supervisor::stopped;

/// Takes between two awaits, so a take that is dropped while it waits took nothing.
pub(super) struct Ear {
    pub(super) desk: Arc<Desk>,
    pub(super) closed: watch::Receiver<bool>,
}

#[async_trait]
impl Subscription for Ear {
    async fn take(&mut self, slots: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        let begun = Instant::now();
        let mut asking = self.desk.ask();
        loop {
            if *self.closed.borrow() {
                return Ok(None);
            }
            let wait = match self.desk.look(slots.max(1), begun) {
                Look::Taken(deliveries) => {
                    asking.answered = true;
                    return Ok(Some(deliveries));
                }
                Look::Down(why) => return Err(QueueError::Unavailable { why }),
                Look::Empty(wait) => wait,
            };
            tokio::select! {
                () = self.desk.news.notified() => {}
                () = self.desk.low_slots.freed.notified() => {}
                () = stopped(&mut self.closed) => {}
                () = until(wait) => {}
            }
        }
    }

    fn bound_low(&mut self, max: usize) {
        self.desk.low_slots.bound(max);
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.desk.leave();
    }
}

/// Waits until then; for ever if there is no such time.
pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
