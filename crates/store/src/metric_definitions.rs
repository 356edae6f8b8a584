//! Names of the store's metrics. No other file of this crate holds one.
//!
//! Two sorts: what became of jobs and what commits cost, the same for every adapter and kept here; and what
//! only a server brings along, in [`redis`]. An adapter calls, when the outcome of a batch is known:
//!
//! - `committed` once per batch;
//! - `Ending::of` for each step while it is decided, and `Ending::count` once the step is recorded;
//! - `dead_letter_expired` once such a record is gone.

use assay_core::job::Job;
use assay_core::kind::{JobKind, Lane};
use assay_core::state::JobState;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

pub mod redis;

const COMMITS_TOTAL: &str = "assay_store_commits_total";
const BATCH_OPERATIONS: &str = "assay_store_batch_operations";
const COMMIT_SECONDS: &str = "assay_store_commit_seconds";
const COMPLETED_TOTAL: &str = "assay_job_completed_total";
const END_TO_END_SECONDS: &str = "assay_job_end_to_end_seconds";
const DEAD_LETTERS_EXPIRED_TOTAL: &str = "assay_dead_letters_expired_total";

/// The outcome of an attempt that ended and left its job to run again, through no fault of the job.
const INTERRUPTED: &str = "interrupted";

/// Buckets of the histograms, by name: ascending upper bounds in the histogram's unit.
pub const BUCKETS: [(&str, &[f64]); 3] = [
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
    // From a job that does nothing on an idle server to one that waited out its retries.
    (
        END_TO_END_SECONDS,
        &[
            0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
        ],
    ),
];

/// How a commit ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CommitOutcome {
    /// It holds, as the store's durability says.
    Done,
    /// It does not, or nobody knows.
    Failed,
}

impl CommitOutcome {
    const ALL: [Self; 2] = [Self::Done, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Describes the metrics that every store has and starts every series at zero.
pub fn describe() {
    describe_counter!(COMMITS_TOTAL, "group commits, by outcome");
    describe_histogram!(BATCH_OPERATIONS, "operations that one commit holds");
    describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "time until one commit holds");
    describe_counter!(
        COMPLETED_TOTAL,
        "jobs that ended, by outcome; and attempts that were interrupted, so that their job runs again"
    );
    describe_histogram!(
        END_TO_END_SECONDS,
        Unit::Seconds,
        "from the submit, or the time that it asked for, to the end"
    );
    describe_counter!(
        DEAD_LETTERS_EXPIRED_TOTAL,
        "dead letters that were forgotten because their retention was over"
    );
    for outcome in CommitOutcome::ALL {
        counter!(COMMITS_TOTAL, "outcome" => outcome.label()).absolute(0);
    }
    drop((histogram!(BATCH_OPERATIONS), histogram!(COMMIT_SECONDS)));
    for kind in JobKind::ALL {
        dead_letters_expired(kind).absolute(0);
        for lane in Lane::ALL {
            let ends = JobState::ALL
                .into_iter()
                .filter(|state| state.is_terminal());
            for outcome in ends.map(JobState::as_str).chain([INTERRUPTED]) {
                completed(kind, lane, outcome).absolute(0);
            }
            drop(end_to_end(kind, lane));
        }
    }
}

fn completed(kind: JobKind, lane: Lane, outcome: &'static str) -> metrics::Counter {
    counter!(
        COMPLETED_TOTAL,
        "kind" => kind.as_str(), "lane" => lane.as_str(), "outcome" => outcome
    )
}

fn end_to_end(kind: JobKind, lane: Lane) -> metrics::Histogram {
    histogram!(END_TO_END_SECONDS, "kind" => kind.as_str(), "lane" => lane.as_str())
}

fn dead_letters_expired(kind: JobKind) -> metrics::Counter {
    counter!(DEAD_LETTERS_EXPIRED_TOTAL, "kind" => kind.as_str())
}

/// Counts a dead letter whose record is gone because its time was over.
pub(crate) fn dead_letter_expired(kind: JobKind) {
    dead_letters_expired(kind).increment(1);
}

/// Counts one commit of so many operations.
pub(crate) fn committed(outcome: CommitOutcome, operations: usize, seconds: f64) {
    counter!(COMMITS_TOTAL, "outcome" => outcome.label()).increment(1);
    histogram!(BATCH_OPERATIONS).record(operations as f64);
    histogram!(COMMIT_SECONDS).record(seconds);
}

/// The end of a job, or of an attempt that was interrupted, as a step brings it about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ending {
    kind: JobKind,
    lane: Lane,
    outcome: &'static str,
    took_ms: Option<u64>,
}

impl Ending {
    /// What ends with the step from `before` to `after`, if anything does.
    pub(crate) fn of(before: &Job, after: &Job) -> Option<Self> {
        let (was, is) = (&before.counters, &after.counters);
        let (outcome, took_ms) = if after.state.is_terminal() && !before.state.is_terminal() {
            let times = &after.times;
            let begun_at_ms = times.created_at_ms.max(times.due_at_ms.unwrap_or(0));
            let ended_at_ms = times.finished_at_ms.unwrap_or(times.updated_at_ms);
            (
                after.state.as_str(),
                Some(ended_at_ms.saturating_sub(begun_at_ms)),
            )
        } else if is.interruptions > was.interruptions || is.crashes > was.crashes {
            (INTERRUPTED, None)
        } else {
            return None;
        };
        Some(Self {
            kind: after.kind,
            lane: after.lane,
            outcome,
            took_ms,
        })
    }

    /// Counts it: the step is recorded.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a job's life are far below 2^52"
    )]
    pub(crate) fn count(self) {
        let Self {
            kind,
            lane,
            outcome,
            took_ms,
        } = self;
        completed(kind, lane, outcome).increment(1);
        if let Some(took_ms) = took_ms {
            end_to_end(kind, lane).record(took_ms as f64 / 1_000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_core::envelope::Envelope;
    use assay_core::id::{JobId, WorkerId};
    use assay_core::job::JobSpec;
    use assay_core::transition::{self, Admission, Cancelled, ClaimStep, Record};

    use super::*;

    const SUBMITTED_MS: u64 = 1_000;

    fn queued() -> (Job, Envelope) {
        let spec = JobSpec::new(JobKind::Batch, Vec::new(), SUBMITTED_MS);
        let id = JobId::random(SUBMITTED_MS, [1; 10]);
        let made = transition::submit(id, &spec, Admission::Queue, SUBMITTED_MS);
        (made.job, made.envelope.unwrap())
    }

    #[test]
    fn a_job_that_ends_without_a_worker_is_counted_too() {
        let (job, envelope) = queued();
        let record = Record {
            job: &job,
            envelope: &envelope,
        };
        let Cancelled::Now(step) = transition::cancel(record, SUBMITTED_MS + 500) else {
            panic!("a queued job is cancelled at once")
        };
        let ending = Ending::of(&job, &step.job).unwrap();
        assert_eq!((ending.kind, ending.lane), (JobKind::Batch, Lane::Normal));
        assert_eq!((ending.outcome, ending.took_ms), ("cancelled", Some(500)));
        assert_eq!(
            Ending::of(&step.job, &step.job),
            None,
            "it has ended before"
        );
    }

    #[test]
    fn a_lost_worker_interrupts_and_a_claim_ends_nothing() {
        let (job, envelope) = queued();
        let record = Record {
            job: &job,
            envelope: &envelope,
        };
        let worker = WorkerId::new("worker").unwrap();
        let claimed = transition::claim(record, &envelope, &worker, 10, SUBMITTED_MS);
        let ClaimStep::Run(claimed) = claimed else {
            panic!("a queued job is claimed")
        };
        assert_eq!(Ending::of(&job, &claimed.job), None);
        let record = Record {
            job: &claimed.job,
            envelope: &envelope,
        };
        let lost = transition::lose_worker(record, SUBMITTED_MS + 1).unwrap();
        let ending = Ending::of(&claimed.job, &lost.job).unwrap();
        assert_eq!((ending.outcome, ending.took_ms), (INTERRUPTED, None));
    }
}
