//! Contract suites: one per port, run unchanged by every adapter.

pub mod fingerprint_log;
pub mod job_queue;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a case names the answers it expects; any other fails it"
)]
pub mod job_store;
pub mod queue_control;
pub mod worker_registry;
