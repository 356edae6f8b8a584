//! One ear at the store for all watchers of this gateway.

use std::collections::HashMap;
use std::sync::Arc;

use assay_core::event::JobEvent;
use assay_core::id::JobId;
use assay_core::port::{EventItem, Interest, JobStore, StoreError};
use assay_service::Shutdown;
use parking_lot::Mutex;

use super::mailbox::{Heard, Mailbox};
use crate::metric_definitions;
use crate::status::Refusal;

/// Hands events to those who watch their job.
#[derive(Debug)]
pub(crate) struct Hub {
    watchers_max: usize,
    watchers: Mutex<Watchers>,
}

#[derive(Debug, Default)]
struct Watchers {
    by_job: HashMap<JobId, Vec<Arc<Mailbox>>>,
    count: usize,
}

/// Why the hub no longer hears events.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Deaf {
    /// The store took no listener.
    #[error("listen to the events of the store")]
    Subscribe(#[source] StoreError),
    /// The stream of events ended.
    #[error("listen to the events of the store: it closed the stream")]
    Closed,
}

impl Hub {
    /// A hub for at most `watchers_max` watchers.
    pub(crate) fn new(watchers_max: usize) -> Self {
        Self {
            watchers_max,
            watchers: Mutex::default(),
        }
    }

    /// Takes a place among the watchers of a job; events from now on are heard there.
    pub(crate) fn sit(self: &Arc<Self>, id: JobId) -> Result<Seat, Refusal> {
        let mut watchers = self.watchers.lock();
        if watchers.count >= self.watchers_max {
            let limit = self.watchers_max;
            return Err(Refusal::WatchersFull { limit });
        }
        let mailbox = Arc::new(Mailbox::default());
        watchers.count += 1;
        let here = watchers.by_job.entry(id).or_default();
        here.push(Arc::clone(&mailbox));
        metric_definitions::watcher_came();
        Ok(Seat {
            hub: Arc::clone(self),
            id,
            mailbox,
        })
    }

    /// Listens to the store until no new work is taken.
    pub(crate) async fn run(
        &self,
        store: Arc<dyn JobStore>,
        shutdown: Shutdown,
    ) -> Result<(), Deaf> {
        let events = store.events(Interest::All).await;
        let mut events = events.map_err(Deaf::Subscribe)?;
        // Whoever came before the subscription has missed what happened since.
        self.miss();
        loop {
            let item = tokio::select! {
                item = events.next() => item,
                () = shutdown.intake_stopped() => return Ok(()),
            };
            match item {
                Some(EventItem::Event(event)) => self.hear(&event),
                Some(EventItem::Missed) => self.miss(),
                None => return Err(Deaf::Closed),
            }
        }
    }

    fn hear(&self, event: &Arc<JobEvent>) {
        let watchers = self.watchers.lock();
        for mailbox in watchers.by_job.get(&event.job_id).into_iter().flatten() {
            mailbox.put(Arc::clone(event));
        }
    }

    fn miss(&self) {
        for mailbox in self.watchers.lock().by_job.values().flatten() {
            mailbox.miss();
        }
    }
}

/// A watcher's place; dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Seat {
    hub: Arc<Hub>,
    id: JobId,
    mailbox: Arc<Mailbox>,
}

impl Seat {
    /// Waits for the next thing that is heard of the job.
    pub(crate) async fn next(&self) -> Heard {
        self.mailbox.next().await
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watchers = self.hub.watchers.lock();
        watchers.count -= 1;
        if let Some(here) = watchers.by_job.get_mut(&self.id) {
            here.retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
            if here.is_empty() {
                watchers.by_job.remove(&self.id);
            }
        }
        metric_definitions::watcher_left();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use assay_core::event::EventId;
    use assay_core::id::Tenant;
    use assay_core::state::JobState;

    use super::*;

    pub(in crate::watch) fn event(job: u8, sequence: u64) -> Arc<JobEvent> {
        Arc::new(JobEvent {
            tenant: Tenant::default(),
            job_id: JobId::from_bytes([job; 16]),
            id: EventId { token: 0, sequence },
            at_ms: 0,
            state: JobState::Running,
            attempt: 1,
            percent: 0.0,
            step: None,
            eta_ms: None,
            message: String::new(),
        })
    }

    #[tokio::test]
    async fn watchers_hear_their_job_and_no_other() {
        let hub = Arc::new(Hub::new(3));
        let sit = |job| hub.sit(JobId::from_bytes([job; 16])).unwrap();
        let (one, same, other) = (sit(1), sit(1), sit(2));
        hub.hear(&event(1, 7));
        hub.hear(&event(2, 8));
        assert_eq!(one.next().await, Heard::Event(event(1, 7)));
        assert_eq!(same.next().await, Heard::Event(event(1, 7)));
        assert_eq!(other.next().await, Heard::Event(event(2, 8)));
        hub.miss();
        assert_eq!(other.next().await, Heard::Missed);
    }

    #[test]
    fn the_bound_holds_and_a_seat_that_is_left_is_free() {
        let hub = Arc::new(Hub::new(2));
        let id = JobId::from_bytes([1; 16]);
        let (one, _other) = (hub.sit(id).unwrap(), hub.sit(id).unwrap());
        assert_eq!(hub.sit(id).unwrap_err(), Refusal::WatchersFull { limit: 2 });
        drop(one);
        assert!(hub.sit(id).is_ok());
        assert_eq!(hub.watchers.lock().count, 1);
    }

    #[test]
    fn nothing_is_kept_of_jobs_that_nobody_watches() {
        let hub = Arc::new(Hub::new(2));
        drop(hub.sit(JobId::from_bytes([1; 16])).unwrap());
        assert!(hub.watchers.lock().by_job.is_empty());
    }
}
