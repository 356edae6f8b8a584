//! What every Assay process does, whatever it is for.
//!
//! A service binary is one line: [`bootstrap::main`] with a [`Service`] and a `run` function. Boot order
//! and shutdown order are told top to bottom in [`bootstrap`]; `run` gets a [`Context`] and hands it down.
//!
//! - [`config`]: defaults, file, environment; every wrong value named with how to mend it.
//! - [`telemetry`], [`trace_context`], [`prometheus`]: logs, traces, metrics.
//! - [`admin`], [`readiness`], [`listen`]: what the platform asks of a process.
//! - [`shutdown`], [`signals`], [`tasks`]: how work starts, is watched and ends.
//!
//! Not here: jobs, queues, stores, gRPC. Process globals (log subscriber, metrics recorder, panic hook)
//! are set in [`bootstrap`] alone and only when asked to, so a test can run many services in a process.

pub mod admin;
mod args;
pub mod bootstrap;
pub mod config;
mod context;
#[cfg(feature = "failpoints")]
mod failpoints;
pub mod listen;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
pub mod prometheus;
pub mod readiness;
pub mod shutdown;
pub mod signals;
pub mod tasks;
pub mod telemetry;
pub mod trace_context;
mod usage;

pub use bootstrap::main;
pub use config::Config;
pub use context::{BoxError, Context, Service};
pub use readiness::Readiness;
pub use shutdown::Shutdown;
pub use tasks::{OnEnd, TaskGroup};
