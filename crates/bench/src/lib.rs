//! Measures Assay from outside, and breaks it on purpose.
//!
//! - `bench`: speed, latency, memory of the embedded mode. Prints figures; asserts nothing.
//! - `bench-photos`: what looking at photographs costs a real worker, and how it scales with cores. Prints figures and
//!   whether they are within their targets; asserts nothing.
//! - `bench-peers`: redis mode and full mode beside their [`peers`], on the same servers. Prints tables; fails if
//!   somebody is missing.
//! - `bench-edge`: submits over HTTP beside gRPC, and very many watchers ([`edge`]). Prints figures beside their targets;
//!   fails if a watcher was not told what it is promised.
//! - `chaos`: kills the server under load and holds a client-side [`ledger`] against what it says afterwards.
//!
//! Every server is a process of its own, started here, on loopback, with a data folder of its own; the client of a
//! measurement is this process.
//!
//! Not here: what a probe job does (`probe`); tests (`tests/`).

#![expect(
    clippy::print_stdout,
    reason = "these are programs whose output is a table"
)]

pub mod chaos;
pub mod client;
pub mod edge;
pub mod examination;
pub mod figures;
pub mod footprint;
pub mod http;
pub mod latency;
pub mod ledger;
pub mod peers;
pub mod process;
pub mod server;
pub mod speed;
pub mod statistics;
pub mod watched;
pub mod watcher;

/// Prints a table.
pub fn print(table: &impl std::fmt::Display) {
    println!("{table}");
}
