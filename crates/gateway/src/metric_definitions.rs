//! Names of the gateway's metrics. No other file of this crate holds one.

use assay_core::kind::{JobKind, Lane};
use assay_service::prometheus::Instruments;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::status::Refusal;

const JOBS_SUBMITTED_TOTAL: &str = "assay_jobs_submitted_total";
const CONNECTIONS_REFUSED_TOTAL: &str = "assay_gateway_connections_refused_total";
const CALLS_REFUSED_TOTAL: &str = "assay_gateway_calls_refused_total";
const UPLOADS_TOTAL: &str = "assay_gateway_uploads_total";
const UPLOAD_BYTES_TOTAL: &str = "assay_gateway_upload_bytes_total";
const WATCHERS: &str = "assay_gateway_watchers";
const WATCHERS_MISSED_TOTAL: &str = "assay_gateway_watchers_missed_total";

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[],
};

/// What became of a submit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SubmitOutcome {
    Recorded,
    Existed,
}

impl SubmitOutcome {
    const ALL: [Self; 2] = [Self::Recorded, Self::Existed];

    fn label(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Existed => "existed",
        }
    }
}

fn describe() {
    describe_counter!(
        JOBS_SUBMITTED_TOTAL,
        "submits that were answered with a job, by outcome"
    );
    describe_counter!(
        CALLS_REFUSED_TOTAL,
        "calls and requests of streams that were refused, by reason"
    );
    describe_counter!(
        CONNECTIONS_REFUSED_TOTAL,
        "connections that were closed as they came, because there were too many"
    );
    describe_counter!(UPLOADS_TOTAL, "files that were stored");
    describe_counter!(
        UPLOAD_BYTES_TOTAL,
        Unit::Bytes,
        "bytes of the files that were stored"
    );
    describe_gauge!(WATCHERS, "streams that watch a job");
    describe_counter!(
        WATCHERS_MISSED_TOTAL,
        "times that a watcher was too slow and read the history again"
    );
    start_at_zero();
}

fn start_at_zero() {
    for kind in JobKind::ALL {
        for lane in Lane::ALL {
            for outcome in SubmitOutcome::ALL {
                submits(kind, lane, outcome).absolute(0);
            }
        }
    }
    for reason in Refusal::REASONS {
        refusals(reason).absolute(0);
    }
    counter!(CONNECTIONS_REFUSED_TOTAL).absolute(0);
    counter!(UPLOADS_TOTAL).absolute(0);
    counter!(UPLOAD_BYTES_TOTAL).absolute(0);
    counter!(WATCHERS_MISSED_TOTAL).absolute(0);
    gauge!(WATCHERS).set(0.0);
}

fn submits(kind: JobKind, lane: Lane, outcome: SubmitOutcome) -> metrics::Counter {
    counter!(
        JOBS_SUBMITTED_TOTAL,
        "kind" => kind.as_str(), "lane" => lane.as_str(), "outcome" => outcome.label()
    )
}

pub(crate) fn submitted(kind: JobKind, lane: Lane, outcome: SubmitOutcome) {
    submits(kind, lane, outcome).increment(1);
}

fn refusals(reason: &'static str) -> metrics::Counter {
    counter!(CALLS_REFUSED_TOTAL, "reason" => reason)
}

pub(crate) fn refused(reason: &'static str) {
    refusals(reason).increment(1);
}

pub(crate) fn connection_refused() {
    counter!(CONNECTIONS_REFUSED_TOTAL).increment(1);
}

pub(crate) fn uploaded(bytes: u64) {
    counter!(UPLOADS_TOTAL).increment(1);
    counter!(UPLOAD_BYTES_TOTAL).increment(bytes);
}

pub(crate) fn watcher_came() {
    gauge!(WATCHERS).increment(1.0);
}

pub(crate) fn watcher_left() {
    gauge!(WATCHERS).decrement(1.0);
}

pub(crate) fn watcher_missed() {
    counter!(WATCHERS_MISSED_TOTAL).increment(1);
}
