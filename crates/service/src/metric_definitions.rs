//! Names of the metrics that every process has. No other file of this crate holds one.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::prometheus::Instruments;

const BUILD_INFO: &str = "assay_build_info";
const CONFIG_HASH: &str = "assay_config_hash";
const RUNTIME_BUSY_RATIO: &str = "assay_runtime_busy_ratio";
const UPTIME_SECONDS: &str = "assay_process_uptime_seconds";
const CPU_SECONDS: &str = "assay_process_cpu_seconds";
const MEMORY_BYTES: &str = "assay_process_resident_memory_bytes";
const OPEN_FDS: &str = "assay_process_open_fds";
const MAX_FDS: &str = "assay_process_max_fds";
const THREADS: &str = "assay_process_threads";
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
        CONFIG_HASH,
        "a number that is the same for two processes with the same settings, secrets aside"
    );
    describe_gauge!(
        RUNTIME_BUSY_RATIO,
        "part of their time that the runtime's threads worked, over the last seconds"
    );
    describe_process();
    describe_gauge!(READY, "1 when the process should get work");
    describe_gauge!(DEPENDENCY_UP, "1 when the dependency can be used");
    describe_counter!(
        TASK_FAILURES_TOTAL,
        "supervised tasks that failed, by reason"
    );
    config_hash(0);
    runtime_busy(0.0);
    for failure in Failure::ALL {
        counter!(TASK_FAILURES_TOTAL, "reason" => failure.label()).absolute(0);
    }
}

fn describe_process() {
    describe_gauge!(
        UPTIME_SECONDS,
        Unit::Seconds,
        "time since the process started"
    );
    describe_gauge!(
        CPU_SECONDS,
        Unit::Seconds,
        "processor time that the process has used"
    );
    describe_gauge!(MEMORY_BYTES, Unit::Bytes, "resident memory");
    describe_gauge!(OPEN_FDS, "open file descriptors");
    describe_gauge!(MAX_FDS, "file descriptors that may be open");
    describe_gauge!(THREADS, "threads of the process");
}

pub(crate) fn task_failed(failure: Failure) {
    counter!(TASK_FAILURES_TOTAL, "reason" => failure.label()).increment(1);
}

pub(crate) fn build(version: &str) {
    gauge!(BUILD_INFO, "version" => version.to_owned()).set(1.0);
}

pub(crate) fn config_hash(hash: u32) {
    gauge!(CONFIG_HASH).set(f64::from(hash));
}

pub(crate) fn runtime_busy(ratio: f64) {
    gauge!(RUNTIME_BUSY_RATIO).set(ratio);
}

pub(crate) fn uptime(seconds: f64) {
    gauge!(UPTIME_SECONDS).set(seconds);
}

pub(crate) fn cpu(seconds: f64) {
    gauge!(CPU_SECONDS).set(seconds);
}

pub(crate) fn resident_memory(bytes: f64) {
    gauge!(MEMORY_BYTES).set(bytes);
}

pub(crate) fn open_fds(count: f64) {
    gauge!(OPEN_FDS).set(count);
}

pub(crate) fn max_fds(count: f64) {
    gauge!(MAX_FDS).set(count);
}

pub(crate) fn threads(count: f64) {
    gauge!(THREADS).set(count);
}

pub(crate) fn ready(ready: bool) {
    gauge!(READY).set(if ready { 1.0 } else { 0.0 });
}

pub(crate) fn dependency(name: &str, up: bool) {
    gauge!(DEPENDENCY_UP, "dependency" => name.to_owned()).set(if up { 1.0 } else { 0.0 });
}
