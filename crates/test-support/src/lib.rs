//! What tests of several crates share. Dev only: no crate depends on it outside its tests.
//!
//! - [`contract`]: what every adapter of a port must do.
//! - [`proxy`]: a bad network in front of a server.
//! - [`wait`]: waiting for states, with a bound.
//! - [`redis`], [`rabbit`]: private Redis servers and RabbitMQ brokers; [`with_servers`]: one of each around a whole run.
//! - [`certificates`]: who such servers are, where connections to them are encrypted.
//! - [`clients`]: what clients of other people need.
//! - [`fleet`]: the service processes of an installation; [`admin`]: what they answer on their admin port.
//! - [`local`]: those services in the background of this machine, for people.
//! - [`leash`]: child processes that do not outlive their owner; [`port`]: ports for them.
//!
//! Not here: adapters, client libraries, anything heavy. It is built before every test.

pub mod admin;
mod apt;
pub mod certificates;
pub mod clients;
pub mod contract;
pub mod fleet;
pub mod leash;
pub mod local;
mod log;
pub mod port;
pub mod proxy;
pub mod rabbit;
pub mod redis;
mod restartable;
pub mod wait;
pub mod with_servers;
