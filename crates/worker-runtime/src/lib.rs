//! From delivery to settled: runs the handler of one kind of job and makes its outcome true.
//!
//! ```text
//!            no slot: wait, then back                          record, publish, ack
//! delivery ─────────────────────────> claim ──> run ──> decide ─────────────────────> settled
//!                                       │        │                       │
//!      done, stale, cancelled: ack <────┤        ├── renewed every 3 s   ├── no answer: again
//!      busy, early: later          <────┤        ├── cancelled, drained: ├── fenced: dropped, ack
//!      orphan: dead letter         <────┘        │   asked, then cut off └── gone: claimed again
//!                                                └── timeout, deadline, panic: caught
//! ```
//!
//! Contract: a delivery is acknowledged only after its outcome is on record. Every write carries the
//! attempt's fencing token, and what is refused for it is dropped. A slot is taken before a job is
//! claimed; a job whose worker died under it runs alone. Nothing that a handler does (panic, hang, ignore
//! a cancel) costs more than its own attempt. A worker that goes down gives back what it has not ended,
//! and spends no attempt by it. Nothing is taken while the kind is paused; what runs goes on.
//!
//! - [`JobHandler`], [`JobContext`], [`JobError`]: what the author of a kind sees.
//! - [`Worker`], [`Ports`], [`Settings`], [`Crew`], [`Attendance`]: what the author of a service sees.
//!
//! Not here: what follows from an outcome (`assay_core::retry`), which delivery may run
//! (`assay_core::claim`), any client library. The worker sees ports.

mod attempt;
mod attendance;
mod config;
mod context;
mod crew;
mod drain;
mod execute;
mod handler;
mod in_hand;
mod intake;
mod jitter;
mod job_error;
mod lease;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
mod outcome;
mod pause;
mod ports;
mod progress;
mod refuse;
mod result;
mod run;
mod settle;
mod slots;
mod span;
mod worker;

pub use attendance::{Attendance, Program};
pub use config::{
    CONCURRENCY_MAX, DEFAULTS, LEASE_MS_MIN, PREFETCH_FACTOR_MAX, RENEWALS_PER_LEASE_MIN, Settings,
    TIME_MS_MAX,
};
pub use context::{CheckpointError, JobContext};
pub use crew::Crew;
pub use handler::JobHandler;
pub use jitter::Jitter;
pub use job_error::JobError;
pub use metric_definitions::INSTRUMENTS;
pub use ports::{Ports, worker_id};
pub use progress::Reporter;
pub use span::Tie;
pub use worker::{Error, Worker, queue_dependency};
