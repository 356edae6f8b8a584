//! Names of the metrics that only a store in Redis has.
//!
//! Who calls what: the link `called` for each round trip and `reconnected` after each loss; the
//! committer `conflicted` for each step that found another revision and is decided again; whoever looks
//! at the server's memory `memory`; the queue `redelivered` and `dropped`. A process over Redis shows
//! [`describe`] and [`BUCKETS`] of this file, which hold those of every store.

use assay_core::kind::JobKind;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const CALLS_TOTAL: &str = "assay_store_calls_total";
const CALL_SECONDS: &str = "assay_store_call_seconds";
const CONFLICTS_TOTAL: &str = "assay_store_conflicts_total";
const RECONNECTS_TOTAL: &str = "assay_store_reconnects_total";
const MEMORY_USED_BYTES: &str = "assay_store_memory_used_bytes";
const MEMORY_LIMIT_BYTES: &str = "assay_store_memory_limit_bytes";
const REDELIVERIES_TOTAL: &str = "assay_queue_redeliveries_total";
const DROPPED_TOTAL: &str = "assay_queue_entries_dropped_total";

/// Which call it was: the label set that all services share calls the cause of something `reason`.
const CALL: &str = "reason";

/// Buckets of all histograms that a store over Redis has, by name.
pub const BUCKETS: [(&str, &[f64]); 4] = {
    let [operations, commit, end_to_end] = super::BUCKETS;
    [operations, commit, end_to_end, CALL_BUCKETS]
};

const CALL_BUCKETS: (&str, &[f64]) = (
    CALL_SECONDS,
    &[
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
    ],
);

/// What a round trip was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A batch of guarded steps.
    Commit,
    /// Envelopes for a worker.
    Take,
    /// Deliveries acknowledged, given back, put off or kept for people; touched while they are in hand.
    Settle,
    /// One record, or what belongs to it.
    Read,
    /// A page of jobs.
    List,
    /// Numbers: of jobs by state, of entries that wait.
    Count,
    /// What is due, lapsed, expired or unsettled.
    Sweep,
    /// The registry of workers.
    Registry,
    /// The server's facts, health and memory.
    Facts,
}

impl Call {
    const ALL: [Self; 9] = [
        Self::Commit,
        Self::Take,
        Self::Settle,
        Self::Read,
        Self::List,
        Self::Count,
        Self::Sweep,
        Self::Registry,
        Self::Facts,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Take => "take",
            Self::Settle => "settle",
            Self::Read => "read",
            Self::List => "list",
            Self::Count => "count",
            Self::Sweep => "sweep",
            Self::Registry => "registry",
            Self::Facts => "facts",
        }
    }
}

/// How a round trip ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    /// The server did it.
    Done,
    /// The server answered that it did not: out of memory, loading, read only.
    Refused,
    /// It was not sent.
    Unavailable,
    /// It was sent, and no answer came.
    Unknown,
}

impl CallOutcome {
    const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Unavailable, Self::Unknown];

    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// Which connection was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// For commands.
    Commands,
    /// For events and wake-ups.
    Events,
}

impl Connection {
    const ALL: [Self; 2] = [Self::Commands, Self::Events];

    fn label(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Events => "events",
        }
    }
}

/// Why an entry is delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redelivery {
    /// Its delivery was dropped unsettled.
    GivenBack,
    /// Whoever took it said nothing for too long, and holds no lease.
    Idle,
    /// The stream had lost it.
    Lost,
}

impl Redelivery {
    const ALL: [Self; 3] = [Self::GivenBack, Self::Idle, Self::Lost];

    fn label(self) -> &'static str {
        match self {
            Self::GivenBack => "given_back",
            Self::Idle => "idle",
            Self::Lost => "lost",
        }
    }
}

/// Why an entry was taken out of its stream without a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// There is no record of its job.
    Gone,
    /// Its job has ended or has a later generation.
    Stale,
    /// It can't be read.
    Undecodable,
}

impl Dropped {
    const ALL: [Self; 3] = [Self::Gone, Self::Stale, Self::Undecodable];

    fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Undecodable => "undecodable",
        }
    }
}

/// Describes the metrics of this file and of every store, and starts every series at zero.
pub fn describe() {
    super::describe();
    describe_counter!(
        CALLS_TOTAL,
        "round trips to the server, by what for and how they ended"
    );
    describe_histogram!(
        CALL_SECONDS,
        Unit::Seconds,
        "time of a round trip to the server, by what for"
    );
    describe_counter!(
        CONFLICTS_TOTAL,
        "steps that found a later revision of their record and were decided again"
    );
    describe_counter!(
        RECONNECTS_TOTAL,
        "connections to the server made anew after a loss, by which"
    );
    describe_gauge!(
        MEMORY_USED_BYTES,
        Unit::Bytes,
        "memory that the server uses"
    );
    describe_gauge!(
        MEMORY_LIMIT_BYTES,
        Unit::Bytes,
        "memory that the server may use, 0 without a limit"
    );
    describe_counter!(
        REDELIVERIES_TOTAL,
        "envelopes that are delivered again, by why"
    );
    describe_counter!(
        DROPPED_TOTAL,
        "entries taken out of the queue without a delivery, by why"
    );
    start_at_zero();
}

fn start_at_zero() {
    for call in Call::ALL {
        for outcome in CallOutcome::ALL {
            calls(call, outcome).absolute(0);
        }
        drop(call_time(call));
    }
    counter!(CONFLICTS_TOTAL).absolute(0);
    for connection in Connection::ALL {
        reconnects(connection).absolute(0);
    }
    memory(0, 0);
    for kind in JobKind::ALL {
        for why in Redelivery::ALL {
            redeliveries(kind, why).absolute(0);
        }
        for why in Dropped::ALL {
            drops(kind, why).absolute(0);
        }
    }
}

fn calls(call: Call, outcome: CallOutcome) -> metrics::Counter {
    counter!(CALLS_TOTAL, CALL => call.label(), "outcome" => outcome.label())
}

fn call_time(call: Call) -> metrics::Histogram {
    histogram!(CALL_SECONDS, CALL => call.label())
}

/// Counts one round trip, and what it cost if it was answered.
pub(crate) fn called(call: Call, outcome: CallOutcome, seconds: f64) {
    calls(call, outcome).increment(1);
    if matches!(outcome, CallOutcome::Done | CallOutcome::Refused) {
        call_time(call).record(seconds);
    }
}

/// Counts steps that are decided again because their record had changed.
pub(crate) fn conflicted(steps: usize) {
    counter!(CONFLICTS_TOTAL).increment(steps as u64);
}

fn reconnects(connection: Connection) -> metrics::Counter {
    counter!(RECONNECTS_TOTAL, "reason" => connection.label())
}

/// Counts a connection that is there again.
pub(crate) fn reconnected(connection: Connection) {
    reconnects(connection).increment(1);
}

/// Shows the server's memory; a limit of 0 is none.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; memories are far below 2^53 bytes"
)]
pub(crate) fn memory(used_bytes: u64, limit_bytes: u64) {
    gauge!(MEMORY_USED_BYTES).set(used_bytes as f64);
    gauge!(MEMORY_LIMIT_BYTES).set(limit_bytes as f64);
}

fn redeliveries(kind: JobKind, why: Redelivery) -> metrics::Counter {
    counter!(REDELIVERIES_TOTAL, "kind" => kind.as_str(), "reason" => why.label())
}

/// Counts an envelope that will be delivered again.
pub(crate) fn redelivered(kind: JobKind, why: Redelivery) {
    redeliveries(kind, why).increment(1);
}

fn drops(kind: JobKind, why: Dropped) -> metrics::Counter {
    counter!(DROPPED_TOTAL, "kind" => kind.as_str(), "reason" => why.label())
}

/// Counts an entry that nobody gets.
pub(crate) fn dropped(kind: JobKind, why: Dropped) {
    drops(kind, why).increment(1);
}
