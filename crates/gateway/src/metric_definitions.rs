//! Names of the gateway's metrics. No other file of this crate holds one.

use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_service::prometheus::{Buckets, Histograms, Instruments};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tonic::Code;

use crate::access::Scope;
use crate::http::{Cut, FRONT_REASONS, Route};
use crate::method::{CODES, Method, code_name};
use crate::status::Refusal;

const SUBMITTED_TOTAL: &str = "assay_job_submitted_total";
const DEDUP_HITS_TOTAL: &str = "assay_dedup_hits_total";
const HANDLED_TOTAL: &str = "assay_grpc_server_handled_total";
const HANDLING_SECONDS: &str = "assay_grpc_server_handling_seconds";
const HTTP_HANDLED_TOTAL: &str = "assay_http_server_handled_total";
const CONNECTIONS_REFUSED_TOTAL: &str = "assay_gateway_connections_refused_total";
const CONNECTIONS_CUT_TOTAL: &str = "assay_gateway_connections_cut_total";
const RATE_LIMITED_TOTAL: &str = "assay_gateway_rate_limited_total";
const CALLS_REFUSED_TOTAL: &str = "assay_gateway_calls_refused_total";
const UPLOADS_TOTAL: &str = "assay_gateway_uploads_total";
const UPLOAD_BYTES_TOTAL: &str = "assay_gateway_upload_bytes_total";
const WATCHERS: &str = "assay_gateway_watchers";
const TOKENS: &str = "assay_gateway_tokens";
const TOKENS_FILE_FAULTY: &str = "assay_gateway_tokens_file_faulty";
const WATCHERS_MISSED_TOTAL: &str = "assay_gateway_watchers_missed_total";
const WATCHERS_CUT_TOTAL: &str = "assay_gateway_watchers_cut_total";

/// Which method it was: the label set that all services share calls the cause of something `reason`.
const METHOD: &str = "reason";

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[HANDLING_BUCKETS],
};

/// From a look at a record in memory to a watch that lasts; how long a watch lasts nobody asks.
const HANDLING_BUCKETS: Buckets = Buckets {
    of: Histograms::Named(HANDLING_SECONDS),
    bounds: &[
        0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ],
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

/// What became of a request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpOutcome {
    Answered,
    Refused,
    Failed,
    Left,
}

impl HttpOutcome {
    const ALL: [Self; 4] = [Self::Answered, Self::Refused, Self::Failed, Self::Left];

    fn label(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

fn describe() {
    describe_counter!(
        SUBMITTED_TOTAL,
        "submits that were answered with a job, by outcome"
    );
    describe_counter!(
        DEDUP_HITS_TOTAL,
        "submits that repeat an earlier one and were answered with its job"
    );
    describe_counter!(
        HANDLED_TOTAL,
        "calls that reached their method and ended, by method and code"
    );
    describe_histogram!(
        HANDLING_SECONDS,
        Unit::Seconds,
        "from the begin of a call to its end, by method"
    );
    describe_counter!(
        HTTP_HANDLED_TOTAL,
        "requests over HTTP that were answered or given up by their callers, by route and outcome"
    );
    describe_counter!(
        CALLS_REFUSED_TOTAL,
        "calls and requests of streams that were refused, by reason"
    );
    describe_counter!(
        CONNECTIONS_REFUSED_TOTAL,
        "connections that were closed as they came, because there were too many"
    );
    describe_counter!(
        CONNECTIONS_CUT_TOTAL,
        "connections over HTTP that were closed because nothing went on, by what was waited for"
    );
    describe_counter!(
        RATE_LIMITED_TOTAL,
        "calls and requests of streams that came too early for their caller's limit, by scope"
    );
    describe_counter!(UPLOADS_TOTAL, "files that were stored");
    describe_counter!(
        UPLOAD_BYTES_TOTAL,
        Unit::Bytes,
        "bytes of the files that were stored"
    );
    describe_gauge!(
        TOKENS,
        "tokens that let somebody in; 0 if none are configured"
    );
    describe_gauge!(
        TOKENS_FILE_FAULTY,
        "1 while the file of tokens can't be used as it is, and an earlier state of it is in force"
    );
    describe_gauge!(WATCHERS, "streams that watch a job");
    describe_counter!(
        WATCHERS_MISSED_TOTAL,
        "times that a watcher was too slow and read the history again"
    );
    describe_counter!(
        WATCHERS_CUT_TOTAL,
        "watchers that lost their place because they took nothing for too long"
    );
    start_at_zero();
}

fn start_at_zero() {
    for kind in JobKind::ALL {
        dedup_hits(kind).absolute(0);
        for lane in Lane::ALL {
            for outcome in SubmitOutcome::ALL {
                submits(kind, lane, outcome).absolute(0);
            }
        }
    }
    for reason in Refusal::REASONS.into_iter().chain(FRONT_REASONS) {
        refusals(reason).absolute(0);
    }
    for scope in Scope::ALL {
        limited(scope).absolute(0);
    }
    for cut in Cut::ALL {
        cuts(cut).absolute(0);
    }
    for method in Method::ALL {
        for code in CODES {
            calls(method, code).absolute(0);
        }
        drop(handling(method));
    }
    for route in Route::ALL {
        for outcome in HttpOutcome::ALL {
            requests(route, outcome).absolute(0);
        }
    }
    counter!(CONNECTIONS_REFUSED_TOTAL).absolute(0);
    counter!(UPLOADS_TOTAL).absolute(0);
    counter!(UPLOAD_BYTES_TOTAL).absolute(0);
    counter!(WATCHERS_MISSED_TOTAL).absolute(0);
    counter!(WATCHERS_CUT_TOTAL).absolute(0);
    gauge!(WATCHERS).set(0.0);
    tokens(0);
    tokens_file_faulty(false);
}

fn submits(kind: JobKind, lane: Lane, outcome: SubmitOutcome) -> metrics::Counter {
    counter!(
        SUBMITTED_TOTAL,
        "kind" => kind.as_str(), "lane" => lane.as_str(), "outcome" => outcome.label()
    )
}

fn dedup_hits(kind: JobKind) -> metrics::Counter {
    counter!(DEDUP_HITS_TOTAL, "kind" => kind.as_str())
}

pub(crate) fn submitted(kind: JobKind, lane: Lane, outcome: SubmitOutcome) {
    submits(kind, lane, outcome).increment(1);
    if matches!(outcome, SubmitOutcome::Existed) {
        dedup_hits(kind).increment(1);
    }
}

fn calls(method: Method, code: Code) -> metrics::Counter {
    counter!(HANDLED_TOTAL, METHOD => method.name(), "outcome" => code_name(code))
}

fn handling(method: Method) -> metrics::Histogram {
    histogram!(HANDLING_SECONDS, METHOD => method.name())
}

pub(crate) fn handled(method: Method, code: Code, took: Duration) {
    calls(method, code).increment(1);
    handling(method).record(took.as_secs_f64());
}

fn requests(route: Route, outcome: HttpOutcome) -> metrics::Counter {
    counter!(HTTP_HANDLED_TOTAL, METHOD => route.name(), "outcome" => outcome.label())
}

pub(crate) fn http_handled(route: Route, outcome: HttpOutcome) {
    requests(route, outcome).increment(1);
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

fn cuts(cut: Cut) -> metrics::Counter {
    counter!(CONNECTIONS_CUT_TOTAL, "reason" => cut.label())
}

pub(crate) fn connection_cut(cut: Cut) {
    cuts(cut).increment(1);
}

fn limited(scope: Scope) -> metrics::Counter {
    counter!(RATE_LIMITED_TOTAL, "reason" => scope.word())
}

pub(crate) fn rate_limited(scope: Scope) {
    limited(scope).increment(1);
}

pub(crate) fn uploaded(bytes: u64) {
    counter!(UPLOADS_TOTAL).increment(1);
    counter!(UPLOAD_BYTES_TOTAL).increment(bytes);
}

pub(crate) fn tokens(count: usize) {
    // A bound keeps it small.
    gauge!(TOKENS).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
}

pub(crate) fn tokens_file_faulty(is_faulty: bool) {
    gauge!(TOKENS_FILE_FAULTY).set(if is_faulty { 1.0 } else { 0.0 });
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

pub(crate) fn watcher_cut() {
    counter!(WATCHERS_CUT_TOTAL).increment(1);
}
