//! Names of the scheduler's metrics. No other file of this crate holds one.

use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::state::JobState;
use assay_service::prometheus::{Buckets, Histograms, Instruments};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::activity::ActivityName;
use crate::reconcile_dead_letters::Kept;

const ACTIVATIONS_TOTAL: &str = "assay_scheduler_activations_total";
const FAILURES_TOTAL: &str = "assay_scheduler_failures_total";
const ACTIVATION_SECONDS: &str = "assay_scheduler_activation_seconds";
const CHANGED_TOTAL: &str = "assay_scheduler_jobs_total";
const QUEUE_DEPTH: &str = "assay_job_queue_depth";
const DEAD_LETTERS_KEPT: &str = "assay_job_queue_dead_letters";
const JOBS: &str = "assay_jobs";
const QUEUE_OLDEST_AGE_SECONDS: &str = "assay_job_queue_oldest_age_seconds";

/// Which activity it was: the label set that all services share calls the cause of something `reason`.
const ACTIVITY: &str = "reason";
/// Where jobs stand: why they have not ended, or how they did.
const STATE: &str = "reason";

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[ACTIVATION_BUCKETS],
};

/// From a look at a store that has nothing due to an activation that is given up.
const ACTIVATION_BUCKETS: Buckets = Buckets {
    of: Histograms::Named(ACTIVATION_SECONDS),
    bounds: &[
        0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0,
    ],
};

fn describe() {
    describe_counter!(
        ACTIVATIONS_TOTAL,
        "activations of the scheduler, by activity"
    );
    describe_counter!(FAILURES_TOTAL, "activations that failed, by activity");
    describe_histogram!(
        ACTIVATION_SECONDS,
        Unit::Seconds,
        "how long activations took, by activity"
    );
    describe_counter!(
        CHANGED_TOTAL,
        "jobs that activations changed, contents they deleted or markers they sent, by activity"
    );
    describe_gauge!(QUEUE_DEPTH, "envelopes that wait, undelivered");
    describe_gauge!(JOBS, "jobs on record, by state");
    describe_gauge!(
        QUEUE_OLDEST_AGE_SECONDS,
        Unit::Seconds,
        "age of the oldest envelope that waits, 0 when none does"
    );
    describe_gauge!(
        DEAD_LETTERS_KEPT,
        "envelopes that a queue beside the store keeps for people, by reason"
    );
    for name in ActivityName::ALL {
        for total in [ACTIVATIONS_TOTAL, FAILURES_TOTAL, CHANGED_TOTAL] {
            counter!(total, ACTIVITY => name.as_str()).absolute(0);
        }
        drop(activation(name));
    }
    for kind in JobKind::ALL {
        for state in JobState::ALL {
            jobs(kind, state, 0);
        }
        for lane in Lane::ALL {
            depth(kind, lane, 0, 0);
        }
        for why in Kept::ALL {
            dead_letters_kept(kind, why, 0);
        }
    }
}

fn activation(name: ActivityName) -> metrics::Histogram {
    histogram!(ACTIVATION_SECONDS, ACTIVITY => name.as_str())
}

pub(crate) fn activated(name: ActivityName, took: Duration) {
    counter!(ACTIVATIONS_TOTAL, ACTIVITY => name.as_str()).increment(1);
    activation(name).record(took.as_secs_f64());
}

pub(crate) fn failed(name: ActivityName) {
    counter!(FAILURES_TOTAL, ACTIVITY => name.as_str()).increment(1);
}

pub(crate) fn changed(name: ActivityName, count: usize) {
    counter!(CHANGED_TOTAL, ACTIVITY => name.as_str()).increment(count as u64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; there are far fewer jobs than 2^53"
)]
pub(crate) fn jobs(kind: JobKind, state: JobState, count: u64) {
    gauge!(JOBS, "kind" => kind.as_str(), STATE => state.as_str()).set(count as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; depths and ages are far below 2^53"
)]
pub(crate) fn depth(kind: JobKind, lane: Lane, ready: u64, age_ms: u64) {
    let labels = [("kind", kind.as_str()), ("lane", lane.as_str())];
    gauge!(QUEUE_DEPTH, &labels).set(ready as f64);
    gauge!(QUEUE_OLDEST_AGE_SECONDS, &labels).set(age_ms as f64 / 1000.0);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; there are far fewer letters than 2^53"
)]
pub(crate) fn dead_letters_kept(kind: JobKind, why: Kept, count: usize) {
    let labels = [("kind", kind.as_str()), ("reason", why.as_str())];
    gauge!(DEAD_LETTERS_KEPT, &labels).set(count as f64);
}
