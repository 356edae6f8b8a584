//! Breaks Assay on purpose, under load, then asks it about everything it ever promised.
//!
//! - [`embedded`]: one process, killed at random moments.
//! - [`services`]: the processes of an installation over a Redis, or a Redis and a RabbitMQ, each fault a row of a table.
//!
//! A row ends with an audit: the client's own [`ledger`](crate::ledger) and the handlers' own journal, held against
//! what the server says. A fault that the promises do not cover makes the program's exit code say so.

mod audit;
pub mod embedded;
mod executions;
pub mod services;

/// Content that every job of a run names.
const CONTENT: &[u8] = b"chaos";
