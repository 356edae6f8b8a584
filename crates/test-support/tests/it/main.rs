//! The servers of tests: real ones, started, killed and looked at from outside.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod install;
mod redis_server;
mod with_servers;
