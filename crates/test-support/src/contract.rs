//! Contract suites: one per port, run unchanged by every adapter.

pub mod job_queue;
pub mod job_store;
