//! The adapters of [`JobStore`](assay_core::port::JobStore): where the records of jobs live. Beside them lie other
//! small things that must not get lost, such as the [fingerprints](assay_core::port::FingerprintLog) of contents.
//!
//! - [`EmbeddedStore`] keeps them in one data folder and hands out queued jobs itself, so it needs no server.
//!   What it answered is synced to disk; what it has not answered may be there or not, never in part.
//! - [`RedisStore`] keeps them in Redis, where many processes share them; what an answer survives is what Redis
//!   is set to.
//! - [`InProcessRegistry`] and [`RedisRegistry`] know the workers beside them.
//!
//! Not here: rules. What a step does to a record is decided in `assay_core::transition`; an adapter only
//! keeps the answer. Not here either: contents and large results, which are blobs.

mod config;
mod embedded;
mod expired;
mod form;
mod in_process;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
pub mod metric_definitions;
mod redis;

pub use config::{ConfigError, DEFAULTS_TOML, StoreConfig};
pub use embedded::{DATABASE_FILE, EmbeddedStore, LOCK_FILE, OpenError, WriterPanicked};
pub use in_process::InProcessRegistry;
pub use redis::{
    CLOCK_SKEW_MS_MAX, Carrier, ConnectError, GROUPS_MAX, REDIS_DEFAULTS_TOML, RedisConfig,
    RedisConfigError, RedisQueue, RedisRegistry, RedisStore, Seen, TimeSource, Unfit,
};
