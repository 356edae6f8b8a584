//! One ear at the store for all watchers of this gateway.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use assay_core::event::JobEvent;
use assay_core::id::JobId;
use assay_core::port::{EventItem, Interest, JobStore, StoreError};
use assay_service::Shutdown;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::mailbox::{Heard, Mailbox};
use crate::metric_definitions;
use crate::status::Refusal;

/// How often those who take nothing are looked for, while they have the time that they may take.
const LOOKS: u32 = 4;

/// Hands events to those who watch their job.
#[derive(Debug)]
pub(crate) struct Hub {
    watchers_max: usize,
    idle_max: Duration,
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
    /// A hub for at most `watchers_max` watchers. One that takes nothing for `idle_max` loses its place.
    pub(crate) fn new(watchers_max: usize, idle_max: Duration) -> Self {
        Self {
            watchers_max,
            idle_max,
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
        let look_period = (self.idle_max / LOOKS).max(Duration::from_millis(1));
        let mut looks = tokio::time::interval(look_period);
        loop {
            let item = tokio::select! {
                item = events.next() => item,
                now = looks.tick() => {
                    self.cut_the_stuck(now);
                    continue;
                }
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
        let Some(here) = watchers.by_job.get(&event.job_id) else {
            return;
        };
        let now = Instant::now();
        for mailbox in here {
            mailbox.put(Arc::clone(event), now);
        }
    }

    fn miss(&self) {
        let now = Instant::now();
        for mailbox in self.watchers.lock().by_job.values().flatten() {
            mailbox.miss(now);
        }
    }

    /// Gives the places of those who take nothing to others.
    fn cut_the_stuck(&self, now: Instant) {
        let idle_max = self.idle_max;
        let mut watchers = self.watchers.lock();
        let Watchers { by_job, count } = &mut *watchers;
        by_job.retain(|id, here| {
            here.retain(|mailbox| {
                let is_stuck = mailbox.is_stuck(idle_max, now);
                if is_stuck {
                    *count -= 1;
                    cut(*id, mailbox);
                }
                !is_stuck
            });
            !here.is_empty()
        });
    }
}

fn cut(id: JobId, mailbox: &Mailbox) {
    mailbox.cut();
    metric_definitions::watcher_left();
    metric_definitions::watcher_cut();
    tracing::info!(job.id = %id, "a watcher of job {id} took nothing for too long and lost its place");
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

    /// The watcher asks for what is next.
    pub(crate) fn asked(&self) {
        self.mailbox.asked();
    }

    /// The watcher was handed something, and has not asked for more yet.
    pub(crate) fn handed(&self) {
        self.mailbox.handed(Instant::now());
    }

    /// How long a watcher may take nothing, in milliseconds.
    pub(crate) fn idle_ms_max(&self) -> u64 {
        u64::try_from(self.hub.idle_max.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watchers = self.hub.watchers.lock();
        let Some(here) = watchers.by_job.get_mut(&self.id) else {
            return;
        };
        let place = here
            .iter()
            .position(|mailbox| Arc::ptr_eq(mailbox, &self.mailbox));
        // Otherwise it was taken away before.
        let Some(place) = place else {
            return;
        };
        here.swap_remove(place);
        if here.is_empty() {
            watchers.by_job.remove(&self.id);
        }
        watchers.count -= 1;
        metric_definitions::watcher_left();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use assay_core::event::EventId;
    use assay_core::id::Tenant;
    use assay_core::state::JobState;

    use super::*;

    const IDLE_MAX: Duration = Duration::from_secs(30);

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
        let hub = Arc::new(Hub::new(3, IDLE_MAX));
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
        let hub = Arc::new(Hub::new(2, IDLE_MAX));
        let id = JobId::from_bytes([1; 16]);
        let (one, _other) = (hub.sit(id).unwrap(), hub.sit(id).unwrap());
        assert_eq!(hub.sit(id).unwrap_err(), Refusal::WatchersFull { limit: 2 });
        drop(one);
        assert!(hub.sit(id).is_ok());
        assert_eq!(hub.watchers.lock().count, 1);
    }

    #[test]
    fn nothing_is_kept_of_jobs_that_nobody_watches() {
        let hub = Arc::new(Hub::new(2, IDLE_MAX));
        drop(hub.sit(JobId::from_bytes([1; 16])).unwrap());
        assert!(hub.watchers.lock().by_job.is_empty());
    }

    #[tokio::test]
    async fn who_takes_nothing_loses_its_place_to_others() {
        let hub = Arc::new(Hub::new(2, IDLE_MAX));
        let id = JobId::from_bytes([1; 16]);
        let (stuck, waits) = (hub.sit(id).unwrap(), hub.sit(id).unwrap());
        stuck.handed();
        let mut next = Box::pin(waits.next());
        assert!(futures::poll!(next.as_mut()).is_pending());
        let now = Instant::now();
        hub.cut_the_stuck(now + IDLE_MAX - Duration::from_secs(1));
        assert_eq!(hub.watchers.lock().count, 2);
        hub.cut_the_stuck(now + IDLE_MAX + Duration::from_secs(1));
        assert_eq!(hub.watchers.lock().count, 1);
        assert_eq!(stuck.next().await, Heard::Cut);
        let _other = hub.sit(id).unwrap();
        drop(stuck);
        assert_eq!(
            hub.watchers.lock().count,
            2,
            "its place was not its own any more"
        );
        hub.hear(&event(1, 7));
        assert_eq!(next.await, Heard::Event(event(1, 7)));
    }
}
