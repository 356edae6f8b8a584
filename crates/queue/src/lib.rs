//! Carries envelopes from whoever queues a job to a worker of its kind.
//!
//! Contract: [`assay_core::port::JobQueue`]. Every adapter passes the same suite, unchanged:
//! `assay_test_support::contract::job_queue`.
//!
//! - [`InProcessQueue`]: inside one process, filled by the store that keeps the jobs.
//! - [`RabbitQueue`]: over RabbitMQ, for many processes; what was published survives the loss of a node.
//! - [`Failover`]: any two of them, the second for when the first is away.
//!
//! Not here: records, due times, retries, duplicates. A queue may deliver twice; the claim decides.
//! Only this crate talks to a message broker.

mod failover;
mod in_process;
mod low_slots;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
pub mod metric_definitions;
mod rabbit;

pub use failover::{FIRST_WAY_MS_MAX, Failover};
pub use in_process::{DEAD_LETTERS_KEPT_MAX, DeadLetter, DeadLetters, InProcessQueue};
pub use rabbit::{
    AddressError, DEFAULTS_TOML as RABBIT_DEFAULTS_TOML, Outside, PREFIX_BYTES_MAX, RabbitConfig,
    RabbitConfigError, RabbitQueue, VERSION_MIN as RABBIT_VERSION_MIN, VisitError, Visited,
    visit as visit_rabbit,
};
