//! The whole system, from outside; and the shape of its code.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is how a test fails"
)]

mod apart;
mod architecture;
mod chaos;
mod clients;
mod documents;
mod failpoints;
mod fallback;
mod fleet;
mod jobs;
mod many_files;
mod metrics;
mod programs;
mod readme;
mod sources;
mod sse;
mod tidy;
mod tracing;
mod up_down;
mod watch;
