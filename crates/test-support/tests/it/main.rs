//! The servers of tests: real ones, started, killed and looked at from outside.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod family;
mod install;
mod rabbit_server;
mod redis_server;
mod with_both_servers;
mod with_servers;
