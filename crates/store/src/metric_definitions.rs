//! Names of the store's metrics. No other file of this crate holds one.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const COMMITS_TOTAL: &str = "assay_store_commits_total";
const BATCH_OPERATIONS: &str = "assay_store_batch_operations";
const COMMIT_SECONDS: &str = "assay_store_commit_seconds";

/// Buckets of the histograms, by name: ascending upper bounds in the histogram's unit.
pub const BUCKETS: [(&str, &[f64]); 2] = [
    (
        BATCH_OPERATIONS,
        &[1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0],
    ),
    (
        COMMIT_SECONDS,
        &[
            0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
        ],
    ),
];

/// How a commit ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CommitOutcome {
    Synced,
    Failed,
}

impl CommitOutcome {
    const ALL: [Self; 2] = [Self::Synced, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Failed => "failed",
        }
    }
}

/// Describes the metrics and starts every series at zero.
pub fn describe() {
    describe_counter!(COMMITS_TOTAL, "commits to the store's file, by outcome");
    describe_histogram!(BATCH_OPERATIONS, "operations that one commit holds");
    describe_histogram!(
        COMMIT_SECONDS,
        Unit::Seconds,
        "time to write and sync one commit"
    );
    for outcome in CommitOutcome::ALL {
        counter!(COMMITS_TOTAL, "outcome" => outcome.label()).absolute(0);
    }
}

pub(crate) fn committed(outcome: CommitOutcome, operations: usize, seconds: f64) {
    counter!(COMMITS_TOTAL, "outcome" => outcome.label()).increment(1);
    histogram!(BATCH_OPERATIONS).record(operations as f64);
    histogram!(COMMIT_SECONDS).record(seconds);
}
