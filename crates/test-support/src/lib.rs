//! What tests of several crates share. Dev only: no crate depends on it outside its tests.
//!
//! - [`contract`]: what every adapter of a port must do.
//! - [`proxy`]: a bad network in front of a server.
//! - [`wait`]: waiting for states, with a bound.
//!
//! Not here: adapters, servers, anything heavy. It is built before every test.

pub mod contract;
pub mod proxy;
pub mod wait;
