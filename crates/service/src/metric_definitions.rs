//! Names of the metrics that every process has. No other file of this crate holds one.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::prometheus::Instruments;

const BUILD_INFO: &str = "assay_build_info";
const UPTIME_SECONDS: &str = "assay_process_uptime_seconds";
const MEMORY_BYTES: &str = "assay_process_resident_memory_bytes";
const OPEN_FDS: &str = "assay_process_open_fds";
const READY: &str = "assay_process_ready";
const DEPENDENCY_UP: &str = "assay_dependency_up";
const TASK_FAILURES_TOTAL: &str = "assay_task_failures_total";

/// The metrics of this crate.
pub(crate) const INSTRUMENTS: Instruments = Instruments {
    describe,
    buckets: &[],
};

/// How a task failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    Error,
    Panic,
}

impl Failure {
    const ALL: [Self; 2] = [Self::Error, Self::Panic];

    fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
        }
    }
}

fn describe() {
    describe_gauge!(BUILD_INFO, "always 1; the version is a label");
    describe_gauge!(
        UPTIME_SECONDS,
        Unit::Seconds,
        "time since the process started"
    );
    describe_gauge!(MEMORY_BYTES, Unit::Bytes, "resident memory");
    describe_gauge!(OPEN_FDS, "open file descriptors");
    describe_gauge!(READY, "1 when the process should get work");
    describe_gauge!(DEPENDENCY_UP, "1 when the dependency can be used");
    describe_counter!(
        TASK_FAILURES_TOTAL,
        "supervised tasks that failed, by reason"
    );
    for failure in Failure::ALL {
        counter!(TASK_FAILURES_TOTAL, "reason" => failure.label()).absolute(0);
    }
}

pub(crate) fn task_failed(failure: Failure) {
    counter!(TASK_FAILURES_TOTAL, "reason" => failure.label()).increment(1);
}

pub(crate) fn build(version: &str) {
    gauge!(BUILD_INFO, "version" => version.to_owned()).set(1.0);
}

pub(crate) fn uptime(seconds: f64) {
    gauge!(UPTIME_SECONDS).set(seconds);
}

pub(crate) fn resident_memory(bytes: f64) {
    gauge!(MEMORY_BYTES).set(bytes);
}

pub(crate) fn open_fds(count: f64) {
    gauge!(OPEN_FDS).set(count);
}

pub(crate) fn ready(ready: bool) {
    gauge!(READY).set(if ready { 1.0 } else { 0.0 });
}

pub(crate) fn dependency(name: &str, up: bool) {
    gauge!(DEPENDENCY_UP, "dependency" => name.to_owned()).set(if up { 1.0 } else { 0.0 });
}
