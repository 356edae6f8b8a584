//! Names of this crate's metrics. No other file of it holds one.
//!
//! `dependency` is a detector by its name in the configuration: there are as many series as there are detectors, and all
//! begin at zero when the panel is opened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::State;
use assay_service::prometheus::{Buckets, Histograms, Instruments, Metrics};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::call::CallError;
use crate::opinion::Status;

const CALLS_TOTAL: &str = "assay_detector_calls_total";
const CALL_SECONDS: &str = "assay_detector_call_seconds";
const CALLS_IN_FLIGHT: &str = "assay_detector_calls_in_flight";
const RETRIES_TOTAL: &str = "assay_detector_retries_total";
const OPINIONS_TOTAL: &str = "assay_detector_opinions_total";
const BREAKER_STATE: &str = "assay_detector_breaker_state";
const BREAKER_TRANSITIONS_TOTAL: &str = "assay_detector_breaker_transitions_total";

/// The outcome of a call that was answered; the others are the words of [`CallError`].
const CALL_OK: &str = "ok";
const STATES: [State; 3] = [State::Closed, State::HalfOpen, State::Open];

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[CALL_BUCKETS],
};

/// From a small model nearby to a video that is looked at for minutes.
const CALL_BUCKETS: Buckets = Buckets {
    of: Histograms::Named(CALL_SECONDS),
    bounds: &[
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 120.0,
    ],
};

fn describe() {
    describe_counter!(
        CALLS_TOTAL,
        "calls to a detector that ended, by how they ended"
    );
    describe_histogram!(
        CALL_SECONDS,
        Unit::Seconds,
        "how long a call to a detector took"
    );
    describe_gauge!(CALLS_IN_FLIGHT, "calls to a detector that have not ended");
    describe_counter!(RETRIES_TOTAL, "calls to a detector that were repeated");
    describe_counter!(
        OPINIONS_TOTAL,
        "files that a detector was to be asked about, by what came of it"
    );
    describe_gauge!(
        BREAKER_STATE,
        "state of the breaker before a detector: 0 closed, 1 half open, 2 open"
    );
    describe_counter!(
        BREAKER_TRANSITIONS_TOTAL,
        "changes of the state of the breaker before a detector, by what it was changed to"
    );
}

/// Makes the meters of detectors.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    metrics: Option<Metrics>,
}

impl Meters {
    /// Meters whose counts `metrics` shows.
    #[must_use]
    pub fn of(metrics: &Metrics) -> Self {
        Self {
            metrics: Some(metrics.clone()),
        }
    }

    /// Begins the series of a detector, at zero. A panel does so for each of its own.
    pub fn begin(&self, name: &str) {
        drop(self.meter(name));
    }

    /// Meters of one detector, whose series begin now.
    pub(crate) fn meter(&self, name: &str) -> Arc<Meter> {
        let meter = match &self.metrics {
            Some(metrics) => metrics.record(|| Meter::new(name)),
            None => Meter::new(name),
        };
        Arc::new(meter)
    }
}

/// Counts what happens to one detector.
#[derive(Debug)]
pub(crate) struct Meter {
    calls: BTreeMap<&'static str, Counter>,
    seconds: Histogram,
    in_flight: Gauge,
    retries: Counter,
    opinions: BTreeMap<&'static str, Counter>,
    state: Gauge,
    transitions: BTreeMap<&'static str, Counter>,
}

impl Meter {
    fn new(name: &str) -> Self {
        let by_outcome = |metric: &'static str, outcome: &'static str| counter!(metric, "dependency" => name.to_owned(), "outcome" => outcome);
        let outcomes = CallError::WORDS.into_iter().chain([CALL_OK]);
        let meter = Self {
            calls: outcomes
                .map(|outcome| (outcome, by_outcome(CALLS_TOTAL, outcome)))
                .collect(),
            seconds: histogram!(CALL_SECONDS, "dependency" => name.to_owned()),
            in_flight: gauge!(CALLS_IN_FLIGHT, "dependency" => name.to_owned()),
            retries: counter!(RETRIES_TOTAL, "dependency" => name.to_owned()),
            opinions: Status::ALL
                .map(Status::as_str)
                .map(|status| (status, by_outcome(OPINIONS_TOTAL, status)))
                .into(),
            state: gauge!(BREAKER_STATE, "dependency" => name.to_owned()),
            transitions: STATES
                .map(State::as_str)
                .map(|state| (state, by_outcome(BREAKER_TRANSITIONS_TOTAL, state)))
                .into(),
        };
        let labelled = meter.calls.values().chain(meter.opinions.values());
        let counters = labelled.chain(meter.transitions.values());
        counters
            .chain([&meter.retries])
            .for_each(|counter| counter.absolute(0));
        meter.in_flight.set(0.0);
        meter.show(State::Closed);
        meter
    }

    /// Counts a call as in flight until the answer is dropped.
    pub(crate) fn call(&self) -> InFlight<'_> {
        self.in_flight.increment(1.0);
        InFlight {
            gauge: &self.in_flight,
        }
    }

    pub(crate) fn call_ended(&self, error: Option<&CallError>, time: Duration) {
        count(&self.calls, error.map_or(CALL_OK, CallError::word));
        self.seconds.record(time.as_secs_f64());
    }

    pub(crate) fn repeated(&self) {
        self.retries.increment(1);
    }

    pub(crate) fn opinion(&self, status: Status) {
        count(&self.opinions, status.as_str());
    }

    pub(crate) fn breaker_changed(&self, to: State) {
        self.show(to);
        count(&self.transitions, to.as_str());
    }

    fn show(&self, state: State) {
        self.state.set(match state {
            State::Closed => 0.0,
            State::HalfOpen => 1.0,
            State::Open => 2.0,
        });
    }
}

/// A call in flight, as long as it is held.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    gauge: &'a Gauge,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
    }
}

fn count(counters: &BTreeMap<&'static str, Counter>, key: &'static str) {
    if let Some(counter) = counters.get(key) {
        counter.increment(1);
    }
}

#[cfg(test)]
mod tests {
    use assay_service::Readiness;

    use super::*;

    #[test]
    fn every_series_begins_at_zero_and_counts() {
        let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
        let meter = Meters::of(&metrics).meter("acme");
        let shown = |line: &str| metrics.render(&Readiness::new()).contains(line);
        let calls =
            r#"assay_detector_calls_total{service="test",dependency="acme",outcome="timeout"}"#;
        let state = r#"assay_detector_breaker_state{service="test",dependency="acme"}"#;
        assert!(shown(&format!("{calls} 0")) && shown(&format!("{state} 0")));
        meter.call_ended(Some(&CallError::TimedOut), Duration::from_secs(1));
        meter.breaker_changed(State::Open);
        assert!(shown(&format!("{calls} 1")) && shown(&format!("{state} 2")));
        let in_flight = r#"assay_detector_calls_in_flight{service="test",dependency="acme"}"#;
        let call = meter.call();
        assert!(shown(&format!("{in_flight} 1")));
        drop(call);
        assert!(shown(&format!("{in_flight} 0")));
    }
}
