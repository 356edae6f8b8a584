//! One attempt in this worker's hands: its lease, and who wants it stopped.

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::job::Job;
use assay_core::port::Lease;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why an attempt is to stop. A greater one overrules a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// The worker shuts down.
    Drain,
    /// Somebody cancelled the job.
    Cancel,
    /// The lease ran out without a renewal.
    LeaseLost,
    /// The record is gone.
    Missing,
    /// Somebody else has the job, or it has ended.
    Fenced,
}

impl Stop {
    /// Whether the handler gets no time to end by itself: another worker may run the job already.
    fn at_once(self) -> bool {
        self >= Self::LeaseLost
    }
}

/// What its task, the lease keeper and the handler's context share of an attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) lease: Lease,
    pub(crate) envelope: Arc<Envelope>,
    /// The record as the claim left it.
    pub(crate) job: Job,
    stopping: CancellationToken,
    cut: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stop: Option<Stop>,
    settling: bool,
    timing: Timing,
}

/// When a lease must be renewed, and when it ends, both by this worker's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) renew_at: Instant,
    pub(crate) expires_at: Instant,
}

impl Attempt {
    pub(crate) fn new(envelope: Arc<Envelope>, job: Job, lease: Lease, timing: Timing) -> Self {
        Self {
            lease,
            envelope,
            job,
            stopping: CancellationToken::new(),
            cut: Notify::new(),
            state: Mutex::new(State {
                stop: None,
                settling: false,
                timing,
            }),
        }
    }

    /// Wants it stopped. Nothing happens once its outcome is being settled: that decides then.
    /// True if this is news.
    pub(crate) fn stop(&self, stop: Stop) -> bool {
        let mut state = self.state.lock();
        if state.settling || state.stop >= Some(stop) {
            return false;
        }
        state.stop = Some(stop);
        drop(state);
        self.stopping.cancel();
        if stop.at_once() {
            self.cut.notify_one();
        }
        true
    }

    /// Who wants it stopped, if anybody.
    pub(crate) fn stopped_by(&self) -> Option<Stop> {
        self.state.lock().stop
    }

    /// What the handler may wait for: somebody wants it stopped.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Waits until the handler must not go on: at once, or `grace` after it was asked to stop.
    pub(crate) async fn cut_off(&self, grace: Duration) {
        self.stopping.cancelled().await;
        tokio::select! {
            () = self.cut.notified() => {}
            () = tokio::time::sleep(grace) => {}
        }
    }

    /// From here on its settlement decides, not who wants it stopped. Answers who did.
    pub(crate) fn begin_settling(&self) -> Option<Stop> {
        let mut state = self.state.lock();
        state.settling = true;
        state.stop
    }

    pub(crate) fn timing(&self) -> Timing {
        self.state.lock().timing
    }

    pub(crate) fn renewed(&self, timing: Timing) {
        self.state.lock().timing = timing;
    }
}
