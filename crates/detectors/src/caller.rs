//! How a detector is called: a place among few, the breaker, the deadline, and one repetition out of a budget.

use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::CallResult;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::backend::Backend;
use crate::budget::RetryBudget;
use crate::bulkhead::{Bulkhead, Place};
use crate::call::CallError;
use crate::gate::{Barred, Gate, Passage};
use crate::metric_definitions::Meter;

/// How long a detector may take to say that it is well, in milliseconds.
const HEALTH_MS_MAX: u64 = 2_000;
/// The upper edge of the pause before a call is repeated, in milliseconds.
const PAUSE_MS_MAX: u64 = 200;

/// Calls one detector.
pub(crate) struct Caller {
    gate: Gate,
    bulkhead: Bulkhead,
    budget: Mutex<RetryBudget>,
    chance: fn() -> f64,
    meter: Arc<Meter>,
}

/// What a call may use.
#[derive(Debug)]
pub(crate) struct Turn {
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Its place, to be held for as long as anything is done for it.
    pub(crate) place: Place,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missed {
    /// The time was over before it could be asked.
    #[error("there was no time left to ask it")]
    Late,
    /// It is not asked at present.
    #[error("{}", barred(.0))]
    Barred(Barred),
    /// It was asked in vain.
    #[error("{0}")]
    Failed(CallError),
}

fn barred(barred: &Barred) -> String {
    match barred {
        Barred::Open { retry_after_ms } => {
            format!("it was ill too often, and is tried again in {retry_after_ms} ms")
        }
        Barred::Bolted(why) => why.clone(),
    }
}

impl Caller {
    pub(crate) fn new(gate: Gate, places: usize, chance: fn() -> f64, meter: Arc<Meter>) -> Self {
        Self {
            gate,
            bulkhead: Bulkhead::new(places),
            budget: Mutex::new(RetryBudget::new()),
            chance,
            meter,
        }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether calls that nobody waits for any more hold all its places.
    #[cfg(test)]
    pub(crate) fn is_stuck(&self) -> bool {
        self.bulkhead.is_stuck()
    }

    /// Makes a call that ends at `until`, and takes at most `limit`. `make` is told what it may use.
    pub(crate) async fn call<'a, T>(
        &self,
        backend: &dyn Backend,
        until: Instant,
        limit: Duration,
        make: impl Fn(Turn) -> BoxFuture<'a, Result<T, CallError>> + Send + Sync,
    ) -> Result<T, Missed> {
        let until = until.min(Instant::now() + limit);
        let first = match self.once(backend, until, &make).await {
            Err(Missed::Failed(error)) if error.may_pass() => error,
            ended => return ended,
        };
        if !self.budget.lock().pay() {
            return Err(Missed::Failed(first));
        }
        let pause = Duration::from_millis(PAUSE_MS_MAX).mul_f64((self.chance)().clamp(0.0, 1.0));
        if Instant::now() + pause >= until {
            return Err(Missed::Failed(first));
        }
        sleep(pause).await;
        self.meter.repeated();
        match self.once(backend, until, &make).await {
            // What it said tells more than that it could not be asked again.
            Err(Missed::Late | Missed::Barred(_)) => Err(Missed::Failed(first)),
            ended => ended,
        }
    }

    async fn once<'a, T>(
        &self,
        backend: &dyn Backend,
        until: Instant,
        make: impl Fn(Turn) -> BoxFuture<'a, Result<T, CallError>> + Send + Sync,
    ) -> Result<T, Missed> {
        if self.bulkhead.is_stuck() {
            return Err(self.refuse_stuck());
        }
        // First the place: waiting for one says nothing of how quick the detector is.
        let seat = timeout_at(until, self.bulkhead.enter()).await;
        let seat = seat.map_err(|_| Missed::Late)?;
        let begun = Instant::now();
        let limit = until.saturating_duration_since(begun);
        if limit.is_zero() {
            return Err(Missed::Late);
        }
        let passage = self.gate.enter().map_err(Missed::Barred)?;
        let _in_flight = self.meter.call();
        self.budget.lock().earn();
        let made = async {
            if passage.probes {
                let limit = limit.min(Duration::from_millis(HEALTH_MS_MAX));
                let healthy = timeout(limit, backend.healthy(limit)).await;
                healthy.unwrap_or(Err(CallError::TimedOut))?;
            }
            let limit = until.saturating_duration_since(Instant::now());
            let place = seat.place();
            make(Turn { limit, place }).await
        };
        let ended = timeout(limit, made).await;
        let ended = ended.unwrap_or(Err(CallError::TimedOut));
        self.meter.call_ended(ended.as_ref().err(), begun.elapsed());
        self.report(passage, ended.as_ref().err());
        ended.map_err(Missed::Failed)
    }

    /// Nobody has to wait to learn that it is ill: none of what it was asked in time has ended.
    fn refuse_stuck(&self) -> Missed {
        let passage = match self.gate.enter() {
            Ok(passage) => passage,
            Err(barred) => return Missed::Barred(barred),
        };
        let why = "all its places are taken by calls that do not end".to_owned();
        let error = CallError::Failed { why, again: false };
        self.meter.call_ended(Some(&error), Duration::ZERO);
        self.report(passage, Some(&error));
        Missed::Failed(error)
    }

    fn report(&self, passage: Passage<'_>, error: Option<&CallError>) {
        match error {
            None => passage.ended(CallResult::Succeeded),
            Some(error) if error.counts() => passage.ended(CallResult::Failed),
            Some(CallError::Misconfigured(why)) => self.gate.bolt(why),
            // It says nothing of the detector's health: the passage is dropped.
            Some(_) => {}
        }
    }
}
