//! Carries envelopes from whoever queues a job to a worker of its kind.
//!
//! Contract: [`assay_core::port::JobQueue`]. Every adapter passes the same suite, unchanged:
//! `assay_test_support::contract::job_queue`.
//!
//! - [`InProcessQueue`]: inside one process, filled by the store that keeps the jobs.
//!
//! Not here: records, due times, retries, duplicates. A queue may deliver twice; the claim decides.
//! Only this crate talks to a message broker.

mod in_process;

pub use in_process::{DEAD_LETTERS_KEPT_MAX, DeadLetter, DeadLetters, InProcessQueue};
