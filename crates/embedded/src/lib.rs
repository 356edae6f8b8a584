//! All services of Assay in one process, over one data folder; no other server is needed.
//!
//! Contract: [`Embedded::start`] returns when jobs are taken and run. [`Embedded::finished`] returns when
//! everything went down in order: the gateway stops taking, the workers drain, the clock stops, and the
//! store closes last. What a job survives is what the store promises ([`Embedded::promise`]).
//!
//! Not here: anything but putting parts together. Rules, adapters and services live in their crates; which
//! kinds of jobs are worked on is the caller's choice, so a probe can take the place of a real worker.

mod check;
mod settings;
mod start;
mod watchman;
mod workers;

pub use assay_store::LOCK_FILE;
pub use check::{DEFAULTS, INSTRUMENTS, check};
pub use settings::Settings;
pub use start::{Embedded, Error};
pub use workers::Workers;
