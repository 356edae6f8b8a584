//! Circuit breaker: stops calling a downstream that fails, and finds out gently when it is back.
//!
//! Pure: the caller passes the time (`now_ms`, milliseconds since the epoch) and the jitter (0..1), holds
//! the breaker behind its own lock, and counts the [`Transition`]s it is handed.
//!
//! - CLOSED: every call passes. Opens when, over at least `minimum_calls` in the window, the share of
//!   failures **or** of slow calls reaches its threshold.
//! - OPEN: no call passes until the open time is over. It doubles each time a probe fails, up to a cap,
//!   and is spread downwards by jitter, so the cap is never exceeded.
//! - `HALF_OPEN`: exactly `probes` calls pass. The first that fails (a slow one counts as failed: it is what
//!   a slow downstream looks like) reopens; when all have succeeded the breaker closes.
//!
//! Each change of state begins a new *period*. A [`Permit`] knows the period it was given in, and a result
//! that comes back in a later one is ignored: it says nothing about the present.
//!
//! Every permit ends in [`Breaker::record`] or [`Breaker::release`]. One that is lost all the same (its
//! future was dropped) cannot hold a probe's slot for ever: after `probe_timeout_ms` the slot is free
//! again, that permit's result is ignored, and the snapshot counts it as abandoned.

mod config;
mod report;
#[cfg(test)]
mod tests;
mod window;

pub use config::{
    BreakerConfig, ConfigError, DETECTOR_SLOW_PERCENT, DURATION_MS_MAX, PROBES_MAX,
    WINDOW_CALLS_MAX, WINDOW_SPAN_MS_MAX, WINDOW_SPAN_MS_MIN, WindowConfig,
};
pub use report::{Cause, Mode, Snapshot, State, Totals, Transition};
pub use window::Counts;

use crate::retry::{exponential_ms, share_ms};
use window::{Sample, Window};

/// One breaker, for one downstream.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    mode: Mode,
    phase: Phase,
    window: Window,
    /// Raised with every change of state; permits of other periods are void.
    period: u64,
    /// How often it opened since it last closed.
    opens_in_a_row: u32,
    since_ms: u64,
    totals: Totals,
}

#[derive(Debug)]
enum Phase {
    Closed,
    Open { open_ms: u64, until_ms: u64 },
    HalfOpen { slots: Vec<Slot>, successes: u32 },
}

/// A probe that is out.
#[derive(Debug)]
struct Slot {
    permit: u64,
    taken_ms: u64,
}

/// The right to make one call. Neither copied nor cloned: it is spent by `record` or `release`.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "give it back with record or release"]
pub struct Permit {
    period: u64,
    number: u64,
    taken_ms: u64,
}

/// The call may not be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wait {retry_after_ms} ms for the circuit breaker, which is {}", state.as_str())]
pub struct Refused {
    /// OPEN, or `HALF_OPEN` with all probes out.
    pub state: State,
    /// When to ask again, at least 1.
    pub retry_after_ms: u64,
}

/// The answer to [`Breaker::acquire`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Admission {
    /// A permit, or when to come back.
    pub permit: Result<Permit, Refused>,
    /// OPEN to `HALF_OPEN`, when this call came after the open time.
    pub transition: Option<Transition>,
}

/// What a call that held a permit came to. A result that says nothing about the downstream's health (a
/// refused argument, our own cancellation) is neither: release the permit instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// The downstream answered.
    Succeeded,
    /// It failed, was unreachable, or the call timed out.
    Failed,
}

impl Breaker {
    /// Makes a closed breaker.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn new(config: BreakerConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self::closed(config))
    }

    /// Makes a closed breaker for a broker, a store or a blob store: [`BreakerConfig::infrastructure`].
    #[must_use]
    pub fn infrastructure() -> Self {
        Self::closed(BreakerConfig::infrastructure())
    }

    fn closed(config: BreakerConfig) -> Self {
        Self {
            config,
            mode: Mode::Automatic,
            phase: Phase::Closed,
            window: Window::new(config.window),
            period: 0,
            opens_in_a_row: 0,
            since_ms: 0,
            totals: Totals::default(),
        }
    }

    /// Asks to make one call. After the open time the first to ask moves OPEN to `HALF_OPEN`.
    pub fn acquire(&mut self, now_ms: u64) -> Admission {
        let transition = self.end_open_time(now_ms);
        self.reclaim_slots(now_ms);
        let retry_after_ms = self.retry_after_ms(now_ms);
        if retry_after_ms > 0 {
            self.totals.refused += 1;
            let state = self.state();
            return Admission {
                permit: Err(Refused {
                    state,
                    retry_after_ms,
                }),
                transition,
            };
        }
        self.totals.permitted += 1;
        let permit = Permit {
            period: self.period,
            number: self.totals.permitted,
            taken_ms: now_ms,
        };
        if let Phase::HalfOpen { slots, .. } = &mut self.phase {
            slots.push(Slot {
                permit: permit.number,
                taken_ms: now_ms,
            });
        }
        Admission {
            permit: Ok(permit),
            transition,
        }
    }

    /// Reports what the call came to. It took from the permit's time to `now_ms`; `jitter` (0..1) spreads
    /// the open time if this opens the breaker.
    pub fn record(
        &mut self,
        permit: Permit,
        result: CallResult,
        now_ms: u64,
        jitter: f64,
    ) -> Option<Transition> {
        if !self.settle(&permit) {
            self.totals.late += 1;
            return None;
        }
        let elapsed_ms = now_ms.saturating_sub(permit.taken_ms);
        let sample = Sample {
            failed: result == CallResult::Failed,
            slow: self
                .config
                .slow_call_ms
                .is_some_and(|slow_call_ms| elapsed_ms >= slow_call_ms),
        };
        if let Phase::HalfOpen { successes, .. } = &mut self.phase {
            if sample.failed || sample.slow {
                return self.open(Cause::ProbeFailed, now_ms, jitter);
            }
            *successes += 1;
            if *successes < self.config.probes {
                return None;
            }
            self.opens_in_a_row = 0;
            return self.enter(Phase::Closed, Cause::ProbesSucceeded, now_ms);
        }
        self.window.record(sample, now_ms);
        let cause = self.over_threshold(now_ms)?;
        self.open(cause, now_ms, jitter)
    }

    /// Gives a permit back without a result. A probe's slot is free for another call.
    pub fn release(&mut self, permit: Permit) {
        if !self.settle(&permit) {
            self.totals.late += 1;
        }
    }

    /// Holds the breaker open until [`Breaker::automatic`].
    pub fn force_open(&mut self, now_ms: u64) -> Option<Transition> {
        self.mode = Mode::ForcedOpen;
        let phase = Phase::Open {
            open_ms: self.config.open_cap_ms,
            until_ms: u64::MAX,
        };
        self.enter(phase, Cause::Forced, now_ms)
    }

    /// Holds the breaker closed until [`Breaker::automatic`].
    pub fn force_close(&mut self, now_ms: u64) -> Option<Transition> {
        self.mode = Mode::ForcedClosed;
        self.opens_in_a_row = 0;
        self.enter(Phase::Closed, Cause::Forced, now_ms)
    }

    /// Lets the breaker decide again: forced open goes to `HALF_OPEN` (probe before trusting), forced closed
    /// stays closed with an empty window. Without force nothing happens.
    pub fn automatic(&mut self, now_ms: u64) -> Option<Transition> {
        let phase = match self.mode {
            Mode::Automatic => return None,
            Mode::ForcedOpen => half_open(),
            Mode::ForcedClosed => Phase::Closed,
        };
        self.mode = Mode::Automatic;
        self.enter(phase, Cause::Forced, now_ms)
    }

    /// The state as last decided. OPEN lasts until somebody acquires after the open time.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// How long a caller should wait before it asks, 0 if a call would pass now. With all probes out the
    /// end of `HALF_OPEN` is not known: the first open time is the guess. Forced open: the cap.
    pub fn retry_after_ms(&self, now_ms: u64) -> u64 {
        match &self.phase {
            Phase::Closed => 0,
            Phase::Open { open_ms, .. } if self.mode == Mode::ForcedOpen => *open_ms,
            // A clock set back must not lengthen the wait beyond the open time that was drawn.
            Phase::Open { open_ms, until_ms } => until_ms.saturating_sub(now_ms).min(*open_ms),
            Phase::HalfOpen { slots, successes } => {
                let alive = slots.iter().filter(|slot| !self.is_abandoned(slot, now_ms));
                let used = alive.count() + count(*successes);
                if used < count(self.config.probes) {
                    return 0;
                }
                self.config.open_ms
            }
        }
    }

    /// The breaker as of `now_ms`.
    pub fn snapshot(&self, now_ms: u64) -> Snapshot {
        let (probes_out, probes_succeeded) = match &self.phase {
            Phase::HalfOpen { slots, successes } => {
                (u32::try_from(slots.len()).unwrap_or(u32::MAX), *successes)
            }
            Phase::Closed | Phase::Open { .. } => (0, 0),
        };
        Snapshot {
            state: self.state(),
            mode: self.mode,
            since_ms: self.since_ms,
            retry_after_ms: self.retry_after_ms(now_ms),
            window: self.window.counts(now_ms),
            probes_out,
            probes_succeeded,
            opens_in_a_row: self.opens_in_a_row,
            totals: self.totals,
        }
    }

    fn end_open_time(&mut self, now_ms: u64) -> Option<Transition> {
        let Phase::Open { open_ms, until_ms } = &mut self.phase else {
            return None;
        };
        if self.mode == Mode::ForcedOpen {
            return None;
        }
        // See retry_after_ms: heals a clock that was set back.
        *until_ms = (*until_ms).min(now_ms.saturating_add(*open_ms));
        if now_ms < *until_ms {
            return None;
        }
        self.enter(half_open(), Cause::OpenTimeOver, now_ms)
    }

    fn reclaim_slots(&mut self, now_ms: u64) {
        let timeout_ms = self.config.probe_timeout_ms;
        let Phase::HalfOpen { slots, .. } = &mut self.phase else {
            return;
        };
        let before = slots.len();
        slots.retain_mut(|slot| {
            // A clock that was set back must not keep a lost slot for longer than the timeout.
            slot.taken_ms = slot.taken_ms.min(now_ms);
            now_ms - slot.taken_ms < timeout_ms
        });
        let abandoned = before - slots.len();
        self.totals.abandoned += u64::try_from(abandoned).unwrap_or(u64::MAX);
    }

    fn is_abandoned(&self, slot: &Slot, now_ms: u64) -> bool {
        now_ms.saturating_sub(slot.taken_ms) >= self.config.probe_timeout_ms
    }

    /// Takes the permit's slot back; false if the permit is of an older period or was given up.
    fn settle(&mut self, permit: &Permit) -> bool {
        if permit.period != self.period {
            return false;
        }
        let Phase::HalfOpen { slots, .. } = &mut self.phase else {
            return true;
        };
        let before = slots.len();
        slots.retain(|slot| slot.permit != permit.number);
        slots.len() < before
    }

    fn over_threshold(&self, now_ms: u64) -> Option<Cause> {
        let counts = self.window.counts(now_ms);
        if self.mode == Mode::ForcedClosed || counts.calls < u64::from(self.config.minimum_calls) {
            return None;
        }
        let reached = |part: u64, percent: u32| part * 100 >= counts.calls * u64::from(percent);
        if reached(counts.failures, self.config.failure_rate_percent) {
            return Some(Cause::FailureRate);
        }
        reached(counts.slow, self.config.slow_rate_percent).then_some(Cause::SlowRate)
    }

    fn open(&mut self, cause: Cause, now_ms: u64, jitter: f64) -> Option<Transition> {
        let longest_ms = exponential_ms(
            self.config.open_ms,
            self.config.open_cap_ms,
            self.opens_in_a_row,
        );
        let spread_ms = longest_ms * u64::from(self.config.open_spread_percent) / 100;
        let open_ms = (longest_ms - share_ms(spread_ms, jitter)).max(1);
        self.opens_in_a_row = self.opens_in_a_row.saturating_add(1);
        let until_ms = now_ms.saturating_add(open_ms);
        self.enter(Phase::Open { open_ms, until_ms }, cause, now_ms)
    }

    /// Begins a new period, even if the state stays the same (a force over the same state).
    fn enter(&mut self, phase: Phase, cause: Cause, at_ms: u64) -> Option<Transition> {
        let from = self.state();
        self.phase = phase;
        self.period += 1;
        self.window.clear();
        let to = self.state();
        if from == to {
            return None;
        }
        self.since_ms = at_ms;
        Some(Transition {
            from,
            to,
            at_ms,
            cause,
        })
    }
}

fn half_open() -> Phase {
    Phase::HalfOpen {
        slots: Vec::new(),
        successes: 0,
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
