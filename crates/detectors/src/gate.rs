//! The breaker before a detector, and the bolt for when nothing but another configuration helps.

use std::sync::Arc;

use assay_core::breaker::BreakerConfig;
use assay_core::breaker::{Breaker, CallResult, ConfigError, Permit, Snapshot, State, Transition};
use assay_core::clock::Clock;
use parking_lot::Mutex;

use crate::metric_definitions::Meter;

/// Lets calls by while the detector works.
pub(crate) struct Gate {
    /// The detector.
    name: Arc<str>,
    guarded: Mutex<Guarded>,
    clock: Arc<dyn Clock>,
    chance: fn() -> f64,
    meter: Arc<Meter>,
}

struct Guarded {
    breaker: Breaker,
    /// Why the bolt is before it: then it is open until somebody mends that.
    bolt: Option<String>,
}

/// Why a call was not let by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Barred {
    /// The detector was ill too often.
    Open { retry_after_ms: u64 },
    /// It cannot be asked as things are set up.
    Bolted(String),
}

/// A call that was let by. One that is dropped says nothing of the detector.
pub(crate) struct Passage<'a> {
    gate: &'a Gate,
    permit: Option<Permit>,
    /// Whether it is one of the few that find out if the detector is well again.
    pub(crate) probes: bool,
}

impl Gate {
    pub(crate) fn new(
        name: Arc<str>,
        config: BreakerConfig,
        clock: Arc<dyn Clock>,
        chance: fn() -> f64,
        meter: Arc<Meter>,
    ) -> Result<Self, ConfigError> {
        let breaker = Breaker::new(config)?;
        let bolt = None;
        Ok(Self {
            name,
            guarded: Mutex::new(Guarded { breaker, bolt }),
            clock,
            chance,
            meter,
        })
    }

    /// Lets a call by, or not now.
    pub(crate) fn enter(&self) -> Result<Passage<'_>, Barred> {
        let mut guarded = self.guarded.lock();
        if let Some(why) = &guarded.bolt {
            return Err(Barred::Bolted(why.clone()));
        }
        let admission = guarded.breaker.acquire(self.clock.now_ms());
        let probes = guarded.breaker.state() == State::HalfOpen;
        drop(guarded);
        self.tell(admission.transition);
        let permit = admission.permit.map_err(|refused| Barred::Open {
            retry_after_ms: refused.retry_after_ms,
        })?;
        Ok(Passage {
            gate: self,
            permit: Some(permit),
            probes,
        })
    }

    /// How long a call would have to wait, in milliseconds; 0 if it would be let by.
    pub(crate) fn retry_after_ms(&self) -> u64 {
        let now_ms = self.clock.now_ms();
        self.guarded.lock().breaker.retry_after_ms(now_ms)
    }

    /// Bolts it until [`Gate::automatic`]: no time heals a configuration.
    pub(crate) fn bolt(&self, why: &str) {
        let now_ms = self.clock.now_ms();
        let mut guarded = self.guarded.lock();
        let is_new = guarded.bolt.replace(why.to_owned()).is_none();
        let transition = guarded.breaker.force_open(now_ms);
        drop(guarded);
        self.tell(transition);
        if is_new {
            let detector = &*self.name;
            tracing::error!(
                detector,
                why,
                "detector {detector} is not asked until its configuration, or ours, is mended: {why}"
            );
        }
    }

    /// The breaker as people see it, and why it is bolted if it is.
    pub(crate) fn snapshot(&self) -> (Snapshot, Option<String>) {
        let now_ms = self.clock.now_ms();
        let guarded = self.guarded.lock();
        (guarded.breaker.snapshot(now_ms), guarded.bolt.clone())
    }

    /// Holds it open until [`Gate::automatic`].
    pub(crate) fn force_open(&self) {
        let now_ms = self.clock.now_ms();
        let transition = self.guarded.lock().breaker.force_open(now_ms);
        self.tell(transition);
    }

    /// Lets it decide again: the next calls probe. The bolt is taken away.
    pub(crate) fn automatic(&self) {
        let now_ms = self.clock.now_ms();
        let mut guarded = self.guarded.lock();
        guarded.bolt = None;
        let transition = guarded.breaker.automatic(now_ms);
        drop(guarded);
        self.tell(transition);
    }

    fn tell(&self, transition: Option<Transition>) {
        let Some(Transition { to, cause, .. }) = transition else {
            return;
        };
        let detector = &*self.name;
        self.meter.breaker_changed(to);
        match to {
            State::Open => {
                tracing::warn!(
                    detector,
                    ?cause,
                    "detector {detector} is not asked for a while"
                );
            }
            State::HalfOpen => tracing::debug!(detector, "detector {detector} is tried again"),
            State::Closed => tracing::info!(detector, "detector {detector} is asked again"),
        }
    }
}

impl Passage<'_> {
    /// The call has ended so.
    pub(crate) fn ended(mut self, result: CallResult) {
        if let Some(permit) = self.permit.take() {
            let gate = self.gate;
            let now_ms = gate.clock.now_ms();
            let mut guarded = gate.guarded.lock();
            let jitter = (gate.chance)();
            let transition = guarded.breaker.record(permit, result, now_ms, jitter);
            drop(guarded);
            gate.tell(transition);
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.gate.guarded.lock().breaker.release(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_core::clock::ManualClock;

    use super::*;
    use crate::metric_definitions::Meters;

    fn gate(clock: &Arc<ManualClock>) -> Gate {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        let meter = Meters::default().meter("acme");
        Gate::new(
            "acme".into(),
            BreakerConfig::detector(20_000),
            clock,
            || 0.0,
            meter,
        )
        .unwrap()
    }

    fn fail(gate: &Gate, times: usize) {
        for _ in 0..times {
            gate.enter().ok().unwrap().ended(CallResult::Failed);
        }
    }

    #[test]
    fn ten_failures_open_it_and_three_probes_close_it() {
        let clock = Arc::new(ManualClock::at(1_000));
        let gate = gate(&clock);
        fail(&gate, 9);
        assert!(!gate.enter().ok().unwrap().probes);
        fail(&gate, 1);
        assert_eq!(
            gate.enter().err(),
            Some(Barred::Open {
                retry_after_ms: 30_000
            })
        );
        clock.advance(30_000);
        let probes: Vec<_> = (0..3).map(|_| gate.enter().ok().unwrap()).collect();
        assert!(probes.iter().all(|passage| passage.probes));
        assert!(gate.enter().is_err());
        for passage in probes {
            passage.ended(CallResult::Succeeded);
        }
        assert_eq!(gate.snapshot().0.state, State::Closed);
    }

    #[test]
    fn a_passage_that_is_dropped_says_nothing() {
        let gate = gate(&Arc::new(ManualClock::at(1_000)));
        for _ in 0..100 {
            drop(gate.enter());
        }
        assert_eq!(gate.snapshot().0.window.calls, 0);
    }

    #[test]
    fn no_time_takes_the_bolt_away() {
        let clock = Arc::new(ManualClock::at(1_000));
        let gate = gate(&clock);
        gate.bolt("a token is missing");
        clock.advance(86_400_000);
        let bolted = Barred::Bolted("a token is missing".to_owned());
        assert_eq!(gate.enter().err(), Some(bolted));
        assert!(gate.retry_after_ms() > 0);
        gate.automatic();
        assert!(gate.enter().ok().unwrap().probes);
    }
}
