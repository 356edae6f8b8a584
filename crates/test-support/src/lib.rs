//! What tests of several crates share. Dev only: no crate depends on it outside its tests.
//!
//! - [`contract`]: what every adapter of a port must do.
//! - [`wait`]: waiting for states, with a bound.
//!
//! Not here: adapters, servers, anything heavy. It is built before every test.

pub mod contract;
pub mod wait;
