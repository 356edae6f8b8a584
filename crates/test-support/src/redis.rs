//! Private Redis servers for tests.
//!
//! - [`Database`]: an empty database on the server that `with-servers` started for the whole run. The usual choice.
//! - [`RedisServer`]: a server of a test's own, to be killed, restarted, filled up, or have its disk cut.
//! - [`Client`]: just enough of a client to look at a server from outside.
//!
//! All listen on loopback, on ports of their own, and are stopped by process id. A server that somebody else
//! started is never touched.

mod aof;
mod client;
mod database;
mod install;
mod options;
mod program;
mod server;

pub use client::{Client, Reply};
pub(crate) use database::DATABASES;
pub use database::{ADDRESS_VARIABLE, Database};
pub use install::ensure_program;
pub use options::{Appendfsync, RedisOptions};
pub use program::Program;
pub use server::RedisServer;
