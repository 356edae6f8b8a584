//! Names of this crate's metrics. No other file of it holds one.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::retry::{FailureClass, InterruptionReason};
use assay_service::prometheus::{Buckets, Histograms, Instruments};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

const ATTEMPTS_TOTAL: &str = "assay_job_attempts_total";
const RETRIES_TOTAL: &str = "assay_job_retries_total";
const WAIT_SECONDS: &str = "assay_job_wait_seconds";
const RUN_SECONDS: &str = "assay_job_run_seconds";
const IN_FLIGHT: &str = "assay_job_in_flight";
const SLOTS_TOTAL: &str = "assay_worker_slots_total";
const SLOTS_USED: &str = "assay_worker_slots_used";
const LEASE_LOST_TOTAL: &str = "assay_lease_lost_total";
const STALE_COMPLETION_TOTAL: &str = "assay_stale_completion_rejected_total";
const REFUSED_TOTAL: &str = "assay_delivery_refused_total";
const GIVEN_BACK_TOTAL: &str = "assay_delivery_given_back_total";

/// From a worker that waits for work to a backlog of hours.
const SECONDS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0,
    1_800.0, 7_200.0,
];

/// Why a job runs again.
const RETRY_REASONS: [&str; 11] = [
    FailureClass::Transient.as_str(),
    FailureClass::TimedOut.as_str(),
    FailureClass::Panicked.as_str(),
    InterruptionReason::Drain.as_str(),
    InterruptionReason::BreakerOpen.as_str(),
    InterruptionReason::StoreOutage.as_str(),
    InterruptionReason::QueueOutage.as_str(),
    InterruptionReason::LeaseLost.as_str(),
    InterruptionReason::WorkerLost.as_str(),
    InterruptionReason::NewerVersion.as_str(),
    InterruptionReason::RunsAlone.as_str(),
];

/// The metrics of this crate.
pub const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[
        Buckets {
            of: Histograms::Named(WAIT_SECONDS),
            bounds: &SECONDS,
        },
        Buckets {
            of: Histograms::Named(RUN_SECONDS),
            bounds: &SECONDS,
        },
    ],
};

fn describe() {
    describe_counter!(ATTEMPTS_TOTAL, "attempts begun");
    describe_counter!(
        RETRIES_TOTAL,
        "attempts after which the job runs again, by reason"
    );
    describe_histogram!(WAIT_SECONDS, Unit::Seconds, "from due to the first start");
    describe_histogram!(
        RUN_SECONDS,
        Unit::Seconds,
        "run time of an attempt's handler"
    );
    describe_gauge!(IN_FLIGHT, "attempts whose lease this worker holds");
    describe_gauge!(SLOTS_TOTAL, "attempts that may run at once");
    describe_gauge!(
        SLOTS_USED,
        "slots in use, by attempts or by the claim before one"
    );
    describe_counter!(
        LEASE_LOST_TOTAL,
        "leases lost while their attempt ran, by reason"
    );
    describe_counter!(
        STALE_COMPLETION_TOTAL,
        "outcomes that were refused because the lease was not the latest"
    );
    describe_counter!(REFUSED_TOTAL, "deliveries that were not to run, by reason");
    describe_counter!(
        GIVEN_BACK_TOTAL,
        "deliveries that went back to the queue, by reason"
    );
}

/// Why a lease was lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeaseLoss {
    Expired,
    Fenced,
    Missing,
}

/// Why a delivery that might have run went back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GivenBack {
    /// It waited too long for a slot.
    Waited,
    /// The worker stops.
    Drain,
    /// The store did not answer.
    StoreOutage,
    /// The record vanished while it ran.
    Missing,
    /// Its kind is paused.
    Paused,
    /// Its lease is not the latest, and nothing shows who has the job.
    Fenced,
}

/// One worker's metrics. Made inside [`assay_service::prometheus::Metrics::record`], which starts every
/// series at zero; later calls look up no name.
pub(crate) struct Meters {
    lanes: [LaneMeters; 3],
    in_flight: Gauge,
    slots_total: Gauge,
    slots_used: Gauge,
    lease_lost: [Counter; 3],
    stale_completion: Counter,
    refused: BTreeMap<&'static str, Counter>,
    given_back: [Counter; 6],
}

struct LaneMeters {
    attempts: Counter,
    retries: BTreeMap<&'static str, Counter>,
    wait: Histogram,
    run: Histogram,
}

impl LaneMeters {
    fn new(kind: &'static str, lane: &'static str) -> Self {
        let retries = |reason| {
            let labels = [("kind", kind), ("lane", lane), ("reason", reason)];
            (reason, counter!(RETRIES_TOTAL, &labels))
        };
        Self {
            attempts: counter!(ATTEMPTS_TOTAL, "kind" => kind, "lane" => lane),
            retries: RETRY_REASONS.into_iter().map(retries).collect(),
            wait: histogram!(WAIT_SECONDS, "kind" => kind, "lane" => lane),
            run: histogram!(RUN_SECONDS, "kind" => kind, "lane" => lane),
        }
    }
}

impl Meters {
    /// The series of one worker; `refusals` are the reasons that [`Meters::refused`] will know.
    pub(crate) fn new(kind: JobKind, refusals: &[&'static str]) -> Self {
        let kind = kind.as_str();
        let refused = |reason: &&'static str| {
            (
                *reason,
                counter!(REFUSED_TOTAL, "kind" => kind, "reason" => *reason),
            )
        };
        let lease_lost =
            |reason: &'static str| counter!(LEASE_LOST_TOTAL, "kind" => kind, "reason" => reason);
        let given_back =
            |reason: &'static str| counter!(GIVEN_BACK_TOTAL, "kind" => kind, "reason" => reason);
        Self {
            lanes: Lane::ALL.map(|lane| LaneMeters::new(kind, lane.as_str())),
            in_flight: gauge!(IN_FLIGHT, "kind" => kind),
            slots_total: gauge!(SLOTS_TOTAL, "kind" => kind),
            slots_used: gauge!(SLOTS_USED, "kind" => kind),
            lease_lost: ["expired", "fenced", "missing"].map(lease_lost),
            stale_completion: counter!(STALE_COMPLETION_TOTAL, "kind" => kind),
            refused: refusals.iter().map(refused).collect(),
            given_back: [
                "waited",
                "drain",
                "store_outage",
                "missing",
                "paused",
                "fenced",
            ]
            .map(given_back),
        }
    }

    pub(crate) fn slots(&self, count: usize) {
        self.slots_total
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    pub(crate) fn slot_taken(&self) -> Up {
        Up::new(&self.slots_used)
    }

    /// A job was claimed; `waited` since it might have run, for its first attempt.
    pub(crate) fn attempt_begun(&self, lane: Lane, waited: Option<Duration>) -> Up {
        let meters = &self.lanes[lane as usize];
        meters.attempts.increment(1);
        if let Some(waited) = waited {
            meters.wait.record(waited.as_secs_f64());
        }
        Up::new(&self.in_flight)
    }

    pub(crate) fn ran(&self, lane: Lane, time: Duration) {
        self.lanes[lane as usize].run.record(time.as_secs_f64());
    }

    /// A job will run again.
    pub(crate) fn runs_again(&self, lane: Lane, reason: &str) {
        if let Some(counter) = self.lanes[lane as usize].retries.get(reason) {
            counter.increment(1);
        }
    }

    pub(crate) fn lease_lost(&self, loss: LeaseLoss) {
        self.lease_lost[loss as usize].increment(1);
    }

    pub(crate) fn stale_completion(&self) {
        self.stale_completion.increment(1);
    }

    pub(crate) fn refused(&self, reason: &str) {
        if let Some(counter) = self.refused.get(reason) {
            counter.increment(1);
        }
    }

    pub(crate) fn given_back(&self, why: GivenBack, deliveries: usize) {
        let deliveries = u64::try_from(deliveries).unwrap_or(u64::MAX);
        self.given_back[why as usize].increment(deliveries);
    }
}

/// One more in a gauge, until dropped.
pub(crate) struct Up(Gauge);

impl Up {
    fn new(gauge: &Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
