//! Shutdown is an order, not a flag.
//!
//! Not ready, stop intake, drain to a deadline, hand the rest back, flush, exit. [`Shutdown`] is a small
//! value that is passed down; whoever does work asks it at which stage the process is. It knows nothing
//! of signals, so a test begins a shutdown like anybody else.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::readiness::Readiness;
use crate::signals::Signal;

/// One process's way down. Cloning gives another handle to the same.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    begun: CancellationToken,
    intake_stopped: CancellationToken,
    hand_back: CancellationToken,
    drained: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reason: Option<Reason>,
    failure: Option<String>,
    drain_deadline: Option<Instant>,
}

/// Why a process stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A signal asked for it.
    Signal(Signal),
    /// Its program came to an end.
    Finished,
    /// A part asked for it, and says why.
    Asked(String),
    /// Something that it cannot do without failed.
    Failed(String),
}

/// How far a shutdown is. Later stages are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// None began.
    Running,
    /// Said to be not ready; new work may still come in.
    NotReady,
    /// No new work; work in hand runs on.
    IntakeStopped,
    /// The drain deadline passed: give back what is not done.
    HandBack,
    /// All work is over; telemetry leaves.
    Flush,
}

/// How long the stages may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// From not ready to the end of intake, in milliseconds.
    pub not_ready_ms: u64,
    /// For work in hand, in milliseconds.
    pub drain_ms: u64,
    /// For handing back, in milliseconds.
    pub hand_back_ms: u64,
}

/// How the work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Before the drain deadline.
    InTime,
    /// After it, by handing back.
    HandedBack,
    /// Not at all: what is left must be cut off.
    Unfinished,
}

impl Shutdown {
    /// A process that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the shutdown. The first reason stays; a later failure is still remembered.
    pub fn begin(&self, reason: Reason) {
        let mut state = self.inner.state.lock();
        if let Reason::Failed(failure) = &reason {
            state.failure.get_or_insert_with(|| failure.clone());
        }
        state.reason.get_or_insert(reason);
        drop(state);
        self.inner.begun.cancel();
    }

    /// How far the shutdown is.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let inner = &self.inner;
        let reached = [
            (&inner.drained, Stage::Flush),
            (&inner.hand_back, Stage::HandBack),
            (&inner.intake_stopped, Stage::IntakeStopped),
            (&inner.begun, Stage::NotReady),
        ];
        let stage = reached.into_iter().find(|(token, _)| token.is_cancelled());
        stage.map_or(Stage::Running, |(_, stage)| stage)
    }

    /// Why it began, if it did.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.inner.state.lock().reason.clone()
    }

    /// The first failure, before or during the shutdown.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.inner.state.lock().failure.clone()
    }

    /// Until when work in hand may run; known once intake stopped.
    #[must_use]
    pub fn drain_deadline(&self) -> Option<Instant> {
        self.inner.state.lock().drain_deadline
    }

    /// Waits until the shutdown is asked for.
    pub async fn begun(&self) {
        self.inner.begun.cancelled().await;
    }

    /// Waits until no new work may be taken.
    pub async fn intake_stopped(&self) {
        self.inner.intake_stopped.cancelled().await;
    }

    /// Cancelled when no new work may be taken. Take children of it; do not cancel it.
    #[must_use]
    pub fn intake_token(&self) -> CancellationToken {
        self.inner.intake_stopped.child_token()
    }

    /// Waits until work that is not done must be given back.
    pub async fn hand_back(&self) {
        self.inner.hand_back.cancelled().await;
    }

    /// Cancelled when work that is not done must be given back.
    #[must_use]
    pub fn hand_back_token(&self) -> CancellationToken {
        self.inner.hand_back.child_token()
    }

    /// Waits until all work is over; what only serves others' eyes (metrics, probes) ends now.
    pub async fn drained(&self) {
        self.inner.drained.cancelled().await;
    }

    /// Goes down the stages while `work` ends. Does not wait for [`Shutdown::begin`].
    pub async fn drain(
        &self,
        pace: Pace,
        readiness: &Readiness,
        work: impl Future<Output = ()>,
    ) -> Drained {
        tokio::pin!(work);
        readiness.not_ready();
        self.inner.begun.cancel();
        // Work that ends by itself need not wait for load balancers, but an idle intake must.
        let early = tokio::time::timeout(millis(pace.not_ready_ms), &mut work)
            .await
            .is_ok();
        self.stop_intake(pace);
        let drained = if early {
            Drained::InTime
        } else {
            self.drain_or_hand_back(pace, work).await
        };
        self.inner.drained.cancel();
        drained
    }

    fn stop_intake(&self, pace: Pace) {
        let deadline = Instant::now() + millis(pace.drain_ms);
        self.inner.state.lock().drain_deadline = Some(deadline);
        self.inner.intake_stopped.cancel();
    }

    async fn drain_or_hand_back(
        &self,
        pace: Pace,
        mut work: std::pin::Pin<&mut impl Future<Output = ()>>,
    ) -> Drained {
        if tokio::time::timeout(millis(pace.drain_ms), &mut work)
            .await
            .is_ok()
        {
            return Drained::InTime;
        }
        self.inner.hand_back.cancel();
        match tokio::time::timeout(millis(pace.hand_back_ms), &mut work).await {
            Ok(()) => Drained::HandedBack,
            Err(_) => Drained::Unfinished,
        }
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        not_ready_ms: 5_000,
        drain_ms: 25_000,
        hand_back_ms: 3_000,
    };

    /// Work that notes at which second each stage came.
    async fn observe(
        shutdown: Shutdown,
        readiness: Readiness,
        end_after_ms: u64,
    ) -> Vec<(Stage, u64)> {
        let start = Instant::now();
        let seconds = || start.elapsed().as_secs();
        let mut seen = Vec::new();
        shutdown.begun().await;
        assert!(!readiness.is_ready(), "not ready comes first");
        seen.push((shutdown.stage(), seconds()));
        shutdown.intake_stopped().await;
        seen.push((shutdown.stage(), seconds()));
        let end = tokio::time::sleep(millis(end_after_ms));
        tokio::select! {
            () = end => return seen,
            () = shutdown.hand_back() => seen.push((shutdown.stage(), seconds())),
        }
        seen
    }

    async fn drain_with(end_after_ms: u64) -> (Drained, Vec<(Stage, u64)>, Stage) {
        let (shutdown, readiness) = (Shutdown::new(), Readiness::new());
        let mut seen = Vec::new();
        let work =
            async { seen = observe(shutdown.clone(), readiness.clone(), end_after_ms).await };
        let drained = shutdown.drain(PACE, &readiness, work).await;
        (drained, seen, shutdown.stage())
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_ends_in_time_never_sees_the_hand_back() {
        let (drained, seen, stage) = drain_with(24_999).await;
        assert_eq!(drained, Drained::InTime);
        assert_eq!(seen, [(Stage::NotReady, 0), (Stage::IntakeStopped, 5)]);
        assert_eq!(stage, Stage::Flush);
    }

    #[tokio::test(start_paused = true)]
    async fn work_past_the_deadline_hands_back() {
        let (drained, seen, _) = drain_with(25_001).await;
        assert_eq!(drained, Drained::HandedBack);
        assert_eq!(seen.last(), Some(&(Stage::HandBack, 30)));
    }

    #[tokio::test(start_paused = true)]
    async fn stubborn_work_is_given_up_after_the_last_deadline() {
        let (shutdown, start) = (Shutdown::new(), Instant::now());
        let drained = shutdown
            .drain(PACE, &Readiness::new(), std::future::pending())
            .await;
        assert_eq!(drained, Drained::Unfinished);
        assert_eq!(start.elapsed(), millis(33_000));
        assert_eq!(shutdown.drain_deadline(), Some(start + millis(30_000)));
    }

    #[test]
    fn the_first_reason_stays_and_a_later_failure_is_kept() {
        let shutdown = Shutdown::new();
        assert_eq!(shutdown.stage(), Stage::Running);
        shutdown.begin(Reason::Signal(Signal::Terminate));
        shutdown.begin(Reason::Failed("broker".to_owned()));
        assert_eq!(shutdown.reason(), Some(Reason::Signal(Signal::Terminate)));
        assert_eq!(shutdown.failure().as_deref(), Some("broker"));
        assert_eq!(shutdown.stage(), Stage::NotReady);
    }
}
