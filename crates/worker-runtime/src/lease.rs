//! The leases in this worker's hands: one loop renews them all, one hears of cancellations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assay_core::id::JobId;
use assay_core::port::{EventItem, Interest, Renewal};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::attempt::{Attempt, Stop, Timing};
use crate::config::Settings;
use crate::in_hand::{InHand, Place};
use crate::jitter::Backoff;
use crate::metric_definitions::{LeaseLoss, Meters};
use crate::ports::Ports;

/// Renewals under way at once.
const RENEWALS_AT_ONCE_MAX: usize = 64;
/// Leases that are due within this part of the renewal time are renewed together, and a renewal that
/// failed is tried again after as much.
const TOGETHER_DIVISOR: u32 = 8;

/// Looks after the attempts in hand.
pub(crate) struct Leases {
    ports: Ports,
    lease: Duration,
    lease_ms: u64,
    renew: Duration,
    meters: Arc<Meters>,
    held: Mutex<InHand>,
    handing_back: AtomicBool,
    renew_now: Notify,
}

impl Leases {
    pub(crate) fn new(ports: &Ports, settings: &Settings, meters: &Arc<Meters>) -> Arc<Self> {
        Arc::new(Self {
            ports: ports.clone(),
            lease: Duration::from_millis(settings.lease_ms),
            lease_ms: settings.lease_ms,
            renew: Duration::from_millis(settings.renew_ms),
            meters: Arc::clone(meters),
            held: Mutex::default(),
            handing_back: AtomicBool::new(false),
            renew_now: Notify::new(),
        })
    }

    /// When a lease that was asked for at `asked_at` must be renewed, and when it ends at the earliest.
    pub(crate) fn timing(&self, asked_at: Instant) -> Timing {
        Timing {
            renew_at: asked_at + self.renew,
            expires_at: asked_at + self.lease,
        }
    }

    /// Looks after the lease of an attempt, claimed at `asked_at`, until the answer is dropped.
    pub(crate) fn hold(self: &Arc<Self>, attempt: &Arc<Attempt>, asked_at: Instant) -> Held {
        let place = (attempt.lease.job_id, attempt.lease.token);
        if !self.held.lock().add(place, attempt, asked_at) {
            self.renew_now.notify_one();
        }
        // Looked at after the insert, set before the list is read: none slips through.
        if self.handing_back.load(Ordering::SeqCst) {
            attempt.stop(Stop::Drain);
        }
        Held {
            leases: Arc::clone(self),
            place,
        }
    }

    /// Stops everything that runs or begins from now on: the worker must give it back.
    pub(crate) fn hand_back(&self) {
        self.handing_back.store(true, Ordering::SeqCst);
        for attempt in self.all() {
            attempt.stop(Stop::Drain);
        }
    }

    /// Renews leases when they are due and ends attempts whose lease ran out, for ever.
    pub(crate) async fn keep(&self) {
        loop {
            let all_now = tokio::select! {
                () = tokio::time::sleep_until(self.next_wake()) => false,
                () = self.renew_now.notified() => true,
            };
            self.end_lapsed();
            self.renew(all_now).await;
        }
    }

    /// Tells attempts at once when their job is cancelled, for ever. What is missed on the way is in the
    /// answer to the next renewal.
    pub(crate) async fn listen(&self) {
        let mut backoff = Backoff::new(&self.ports.jitter);
        loop {
            match self.ports.store.events(Interest::Cancellations).await {
                Ok(mut events) => {
                    backoff.reset();
                    self.hears_from_now_on();
                    while let Some(item) = events.next().await {
                        self.hear(&item);
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot hear of cancellations yet: {error}"),
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    fn hear(&self, item: &EventItem) {
        match item {
            EventItem::Event(event) => self.held.lock().cancel(event.job_id, event.id.token),
            EventItem::Missed => self.hears_from_now_on(),
        }
    }

    /// What was missed before is in the answers to renewals.
    fn hears_from_now_on(&self) {
        self.held.lock().hears_since(Instant::now());
        self.renew_now.notify_one();
    }

    /// The jobs in this worker's hands, each once.
    pub(crate) fn running(&self) -> Vec<JobId> {
        self.held.lock().jobs()
    }

    fn all(&self) -> Vec<Arc<Attempt>> {
        self.held.lock().all()
    }

    fn together(&self) -> Duration {
        self.renew / TOGETHER_DIVISOR
    }

    /// The earliest time at which a lease wants something. One that comes meanwhile is due later.
    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let attempts = self.all();
        let timings = attempts.iter().map(|attempt| attempt.timing());
        let wants = timings.map(|timing| timing.renew_at.min(timing.expires_at));
        let earliest = wants.min().unwrap_or(now + self.renew);
        earliest.clamp(now + self.together(), now + self.renew)
    }

    fn end_lapsed(&self) {
        let now = Instant::now();
        for attempt in self.all() {
            if attempt.timing().expires_at <= now && attempt.stop(Stop::LeaseLost) {
                self.meters.lease_lost(LeaseLoss::Expired);
                let job_id = attempt.lease.job_id;
                tracing::warn!(job.id = %job_id, token = attempt.lease.token, "could not renew the lease of job {job_id} in time");
            }
        }
    }

    async fn renew(&self, all_now: bool) {
        let now = Instant::now();
        let (mut due, mut limit) = (Vec::new(), now + self.renew);
        for attempt in self.all() {
            let timing = attempt.timing();
            if timing.expires_at > now {
                limit = limit.min(timing.expires_at);
            }
            if all_now || timing.renew_at <= now + self.together() {
                due.push(attempt);
            }
        }
        let renewals = futures::stream::iter(due)
            .for_each_concurrent(RENEWALS_AT_ONCE_MAX, |attempt| self.renew_one(attempt));
        // A store that hangs must not keep the next lapse from being seen.
        if tokio::time::timeout_at(limit, renewals).await.is_err() {
            tracing::warn!("the store does not answer renewals");
        }
    }

    async fn renew_one(&self, attempt: Arc<Attempt>) {
        let asked_at = Instant::now();
        let (job_id, token) = (attempt.lease.job_id, attempt.lease.token);
        match self.ports.store.renew(&attempt.lease, self.lease_ms).await {
            Ok(Renewal::Held) => attempt.renewed(self.timing(asked_at)),
            Ok(Renewal::Cancelling) => {
                attempt.renewed(self.timing(asked_at));
                attempt.stop(Stop::Cancel);
            }
            Ok(Renewal::Fenced) => self.lost(&attempt, Stop::Fenced, LeaseLoss::Fenced),
            Ok(Renewal::Missing) => self.lost(&attempt, Stop::Missing, LeaseLoss::Missing),
            Err(error) => {
                let renew_at = Instant::now() + self.together();
                attempt.renewed(Timing {
                    renew_at,
                    ..attempt.timing()
                });
                tracing::debug!(job.id = %job_id, token, %error, "could not renew the lease of job {job_id}: {error}");
            }
        }
    }

    fn lost(&self, attempt: &Attempt, stop: Stop, loss: LeaseLoss) {
        if attempt.stop(stop) {
            self.meters.lease_lost(loss);
            let job_id = attempt.lease.job_id;
            tracing::warn!(job.id = %job_id, token = attempt.lease.token, ?loss, "lost the lease of job {job_id}");
        }
    }
}

/// Keeps an attempt's lease renewed while it lives.
pub(crate) struct Held {
    leases: Arc<Leases>,
    place: Place,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leases.held.lock().remove(self.place);
    }
}
