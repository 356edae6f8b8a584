//! Names of this crate's metrics. No other file of it holds one.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_forensics::Label;
use assay_service::prometheus::{Buckets, Histograms, Instruments, Metrics};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::analyst::{AbortReason, StageOutcome, StageReport};
use crate::{failure, stages};

const VERDICTS_TOTAL: &str = "assay_verification_verdicts_total";
const REFUSALS_TOTAL: &str = "assay_verification_refusals_total";
const STAGES_TOTAL: &str = "assay_verification_stages_total";
const STAGE_SECONDS: &str = "assay_verification_stage_seconds";
const CHILDREN: &str = "assay_verification_children";

/// Which stage it was: the label set that all services share calls the cause of something `reason`.
const STAGE: &str = "reason";
/// The outcome of a stage that ended by itself; the other outcomes are the reasons of aborts.
const STAGE_OK: &str = "ok";

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[STAGE_BUCKETS],
};

/// From a header that is read at once to a child that is stopped after its whole wall time.
const STAGE_BUCKETS: Buckets = Buckets {
    of: Histograms::Named(STAGE_SECONDS),
    bounds: &[
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
        120.0,
    ],
};

const LABELS: [Label; 5] = [
    Label::Authentic,
    Label::Synthetic,
    Label::Manipulated,
    Label::AlteredAfterSigning,
    Label::Inconclusive,
];

fn describe() {
    describe_counter!(
        VERDICTS_TOTAL,
        "files that were given a verdict, by its label"
    );
    describe_counter!(
        REFUSALS_TOTAL,
        "files that were not analysed, by the reason"
    );
    describe_counter!(
        STAGES_TOTAL,
        "stages that ended, by stage and how they ended"
    );
    describe_histogram!(
        STAGE_SECONDS,
        Unit::Seconds,
        "wall time of a stage, by stage"
    );
    describe_gauge!(CHILDREN, "analyst processes that run");
    let meters = Meters::new();
    let counters = meters
        .verdicts
        .values()
        .chain(meters.refusals.values())
        .chain(meters.stages.values());
    counters.for_each(|counter| counter.absolute(0));
    meters.children.set(0.0);
}

/// Counts what happens. Clones of its [`Arc`] count in one place.
#[derive(Debug)]
pub struct Meters {
    verdicts: BTreeMap<&'static str, Counter>,
    refusals: BTreeMap<&'static str, Counter>,
    /// By stage and outcome.
    stages: BTreeMap<(&'static str, &'static str), Counter>,
    stage_seconds: BTreeMap<&'static str, Histogram>,
    children: Gauge,
}

impl Meters {
    /// Meters whose counts `metrics` shows.
    #[must_use]
    pub fn of(metrics: &Metrics) -> Arc<Self> {
        metrics.record(|| Arc::new(Self::new()))
    }

    fn new() -> Self {
        let outcomes = || {
            AbortReason::ALL
                .map(AbortReason::as_str)
                .into_iter()
                .chain([STAGE_OK])
        };
        let names = || stages::ALL.map(|stage| stage.name).into_iter();
        let both = names().flat_map(|stage| outcomes().map(move |outcome| (stage, outcome)));
        Self {
            verdicts: LABELS
                .map(label_word)
                .map(|word| (word, counter!(VERDICTS_TOTAL, "outcome" => word)))
                .into(),
            refusals: failure::CODES
                .map(|code| (code, counter!(REFUSALS_TOTAL, "reason" => code)))
                .into(),
            stages: both
                .map(|(stage, outcome)| {
                    let counter = counter!(STAGES_TOTAL, STAGE => stage, "outcome" => outcome);
                    ((stage, outcome), counter)
                })
                .collect(),
            stage_seconds: names()
                .map(|stage| (stage, histogram!(STAGE_SECONDS, STAGE => stage)))
                .collect(),
            children: gauge!(CHILDREN),
        }
    }

    pub(crate) fn judged(&self, label: Label) {
        count(&self.verdicts, label_word(label));
    }

    /// Counts a failure that is the file's or the request's own; others are the worker runtime's to count.
    pub(crate) fn failed(&self, code: &'static str) {
        count(&self.refusals, code);
    }

    pub(crate) fn stage_ended(&self, report: &StageReport) {
        let outcome = match &report.outcome {
            StageOutcome::Ok(_) => STAGE_OK,
            StageOutcome::Aborted(abort) => abort.reason.as_str(),
        };
        // Only our own stages have series: any other name could be anything.
        let Some(stage) = stages::ALL.iter().find(|stage| stage.name == report.stage) else {
            return;
        };
        count(&self.stages, (stage.name, outcome));
        if let Some(seconds) = self.stage_seconds.get(stage.name) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds of a stage are far below 2^52"
            )]
            seconds.record(report.cost_ms as f64 / 1_000.0);
        }
    }

    /// Counts a child as running until the answer is dropped.
    pub(crate) fn child(&self) -> ChildCounted<'_> {
        self.children.increment(1.0);
        ChildCounted {
            children: &self.children,
        }
    }
}

/// A running child, as long as it is held.
#[derive(Debug)]
pub(crate) struct ChildCounted<'a> {
    children: &'a Gauge,
}

impl Drop for ChildCounted<'_> {
    fn drop(&mut self) {
        self.children.decrement(1.0);
    }
}

fn count<K: Ord>(counters: &BTreeMap<K, Counter>, key: K) {
    if let Some(counter) = counters.get(&key) {
        counter.increment(1);
    }
}

const fn label_word(label: Label) -> &'static str {
    match label {
        Label::Authentic => "authentic",
        Label::Synthetic => "synthetic",
        Label::Manipulated => "manipulated",
        Label::AlteredAfterSigning => "altered_after_signing",
        Label::Inconclusive => "inconclusive",
    }
}

#[cfg(test)]
mod tests {
    use assay_service::Readiness;

    use super::*;

    #[test]
    fn labels_are_those_of_results() {
        for label in LABELS {
            assert_eq!(serde_json::json!(label), label_word(label));
        }
    }

    #[test]
    fn every_series_begins_at_zero_and_counts() {
        let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
        let meters = Meters::of(&metrics);
        let shown = || metrics.render(&Readiness::new());
        let aborted = r#"assay_verification_stages_total{service="test",reason="metadata",outcome="timeout"}"#;
        assert!(shown().contains(&format!("{aborted} 0")), "{}", shown());
        meters.judged(Label::Synthetic);
        meters.failed("empty_input");
        let child = meters.child();
        assert!(shown().contains(
            r#"assay_verification_verdicts_total{service="test",outcome="synthetic"} 1"#
        ));
        assert!(shown().contains(
            r#"assay_verification_refusals_total{service="test",reason="empty_input"} 1"#
        ));
        assert!(shown().contains(r#"assay_verification_children{service="test"} 1"#));
        drop(child);
        assert!(shown().contains(r#"assay_verification_children{service="test"} 0"#));
    }
}
