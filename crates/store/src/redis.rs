//! Many processes, one Redis.
//!
//! The rules are in `assay_core::transition` and nowhere else: this adapter reads a record (or remembers it),
//! applies a rule, and sends what is to be written together with the revision that it was decided on. Redis
//! does it if that is still the revision, and answers with the record as it is if not; then it is decided again.
//! Steps that come at the same time go in one call (see `committer`).

mod cache;
mod change;
mod channel;
mod clock;
mod committer;
mod config;
mod connect;
mod control;
mod facts;
mod gather;
mod history;
mod index;
mod keys;
mod link;
mod list;
mod look;
mod markers;
mod memory;
mod outbox;
mod port;
mod prepare;
mod queue;
mod reader;
mod record;
mod registry;
mod revision;
mod script;
mod set_once;
mod steps;
#[cfg(test)]
mod tests;
mod users;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::port::Durability;
use parking_lot::Mutex;
use tokio::task::JoinSet;

pub use clock::{CLOCK_SKEW_MS_MAX, TimeSource};
pub use config::{DEFAULTS_TOML as REDIS_DEFAULTS_TOML, RedisConfig, RedisConfigError};
pub use connect::ConnectError;
pub use facts::Unfit;
pub use keys::GROUPS_MAX;
pub use look::Seen;
pub use outbox::Carrier;
pub use queue::RedisQueue;
pub use registry::RedisRegistry;

use crate::StoreConfig;
use crate::metric_definitions::redis::Call;
use clock::StoreClock;
use committer::Committer;
use keys::Keys;
use link::Link;
use outbox::{Outbox, Walk};
use queue::Sweep;
use reader::Reader;
use users::User;

/// How long closing waits for what was asked before.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// The store of all processes that use one Redis under one prefix.
pub struct RedisStore {
    config: StoreConfig,
    keys: Arc<Keys>,
    link: Link,
    reader: Reader,
    clock: StoreClock,
    committer: Mutex<Option<Committer>>,
    durability: Durability,
    is_full: Arc<AtomicBool>,
    /// Where envelopes go through a queue elsewhere.
    outbox: Option<Outbox>,
    walk: Walk,
    user: User,
    entries: Sweep,
    /// End by themselves when the committer is gone.
    lanes: Mutex<JoinSet<()>>,
    /// Are stopped.
    watchers: Mutex<JoinSet<()>>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

impl RedisStore {
    /// The registry of the workers that use this store.
    #[must_use]
    pub fn registry(&self) -> RedisRegistry {
        RedisRegistry::new(
            self.link.labelled(Call::Registry),
            Arc::clone(&self.keys),
            self.clock.clone(),
        )
    }

    /// The store's time: the same in every process.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.shared()
    }

    /// What an acknowledged write survives, as the server is set.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Ends the store: what was asked before is answered, later calls are refused, listeners hear the end.
    pub async fn close(&self) {
        drop(self.committer.lock().take());
        let mut lanes = std::mem::take(&mut *self.lanes.lock());
        let ended = tokio::time::timeout(CLOSE_PATIENCE, async {
            while let Some(lane) = lanes.join_next().await {
                if lane.is_err() {
                    tracing::error!("a lane of the store's committer panicked");
                }
            }
        });
        if ended.await.is_err() {
            tracing::warn!("closed the store before Redis answered all that was asked");
        }
        let mut watchers = std::mem::take(&mut *self.watchers.lock());
        watchers.shutdown().await;
        self.user.leave().await;
    }

    /// The committer, unless the store was closed.
    fn committer(&self) -> Option<Committer> {
        self.committer.lock().clone()
    }
}
