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
mod facts;
mod history;
mod index;
mod keys;
mod link;
mod list;
mod port;
mod queue;
mod reader;
mod record;
mod registry;
mod revision;
mod script;
mod steps;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use assay_core::clock::Clock;
use assay_core::port::Durability;
use parking_lot::Mutex;
use redis::Value;
use tokio::task::JoinSet;

pub use clock::{CLOCK_SKEW_MS_MAX, TimeSource};
pub use config::{DEFAULTS_TOML as REDIS_DEFAULTS_TOML, RedisConfig, RedisConfigError};
pub use facts::Unfit;
pub use keys::GROUPS_MAX;
pub use queue::RedisQueue;
pub use registry::RedisRegistry;

use crate::metric_definitions::redis::{Call, memory};
use crate::{ConfigError, StoreConfig};
use cache::Cache;
use clock::{ServerClock, StoreClock};
use committer::Committer;
use facts::{Facts, Inquirer, NoFacts};
use keys::Keys;
use link::{Link, LinkError};
use queue::{Access, Sweep};
use reader::Reader;

/// How often the server's memory is looked at.
const MEMORY_PERIOD: Duration = Duration::from_secs(1);
/// At this much of its memory the server takes no new work, in percent.
const MEMORY_PERCENT_MAX: u64 = 85;
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

/// Why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A setting of the store.
    #[error("use the settings of the store")]
    Config {
        /// Which, and what to set it to.
        #[source]
        source: ConfigError,
    },
    /// A setting of the connection.
    #[error("use the settings of the connection to Redis")]
    Connection {
        /// Which, and what to set it to.
        #[source]
        source: RedisConfigError,
    },
    /// It does not answer.
    #[error("connect to Redis at {address}: {why}; check redis.host, redis.port and that it runs")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What went wrong.
        why: String,
    },
    /// It answers, and refuses to be used like this: a wrong password, a database that it does not have.
    #[error("use Redis at {address}: {why}; check redis.username, redis.password and redis.db")]
    Denied {
        /// Where it is.
        address: String,
        /// What it says.
        why: String,
    },
    /// It can't keep jobs safe.
    #[error("use Redis at {address}")]
    Unfit {
        /// Where it is.
        address: String,
        /// What to change in it.
        #[source]
        source: Unfit,
    },
    /// It holds jobs in another number of groups.
    #[error(
        "use Redis at {address}: jobs under this prefix are in {found} groups, set store.redis_groups to that"
    )]
    Groups {
        /// Where it is.
        address: String,
        /// How many there are.
        found: String,
    },
}

impl ConnectError {
    /// Whether trying again may help, with nothing changed here: a server that starts will be there soon.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl RedisStore {
    /// Connects to Redis and checks that jobs are safe in it. Says in one line of the log what is promised.
    ///
    /// # Errors
    /// [`ConnectError`] says what is wrong and what to do.
    pub async fn connect(
        config: &RedisConfig,
        store: StoreConfig,
        time: TimeSource,
    ) -> Result<Arc<Self>, ConnectError> {
        store
            .validate()
            .map_err(|source| ConnectError::Config { source })?;
        config
            .validate()
            .map_err(|source| ConnectError::Connection { source })?;
        let unreachable = |why: String| ConnectError::Unreachable {
            address: config.address(),
            why,
        };
        let inquirer = Inquirer::new(config).map_err(|error| unreachable(error.to_string()))?;
        let facts = inquirer.facts().await;
        let facts = facts.map_err(|error| match error {
            NoFacts::Denied(why) => ConnectError::Denied {
                address: config.address(),
                why,
            },
            error @ NoFacts::Unreachable(_) => unreachable(error.to_string()),
        })?;
        facts.check().map_err(|source| ConnectError::Unfit {
            address: config.address(),
            source,
        })?;
        let mut watchers = JoinSet::new();
        let link = Link::new(config, store.event_lag_max, &mut watchers)
            .map_err(|error| unreachable(error.to_string()))?;
        let keys = Arc::new(Keys::new(&config.prefix, store.redis_groups));
        let clock = start_clock(&link, time)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let found = prepare(&link, &keys, clock.now_ms())
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        if found != store.redis_groups.to_string() {
            let address = config.address();
            return Err(ConnectError::Groups { address, found });
        }
        let is_full = Arc::new(AtomicBool::new(facts.is_full(MEMORY_PERCENT_MAX)));
        watchers.spawn(watch_memory(inquirer, Arc::clone(&is_full)));
        let mut lanes = JoinSet::new();
        let committer = Committer::start(&link, &keys, &clock, &store, &mut lanes);
        say_promises(config, &facts);
        let cache = Arc::new(Cache::new(store.cache_bytes));
        let reader = Reader::new(&link, &keys, &cache);
        let entries = Sweep::new(Access {
            link: link.clone(),
            keys: Arc::clone(&keys),
            clock: clock.clone(),
            reader: reader.clone(),
        });
        Ok(Arc::new(Self {
            config: store,
            keys,
            link,
            reader,
            clock,
            committer: Mutex::new(Some(committer)),
            durability: facts.durability(),
            is_full,
            entries,
            lanes: Mutex::new(lanes),
            watchers: Mutex::new(watchers),
        }))
    }

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
    }

    /// The committer, unless the store was closed.
    fn committer(&self) -> Option<Committer> {
        self.committer.lock().clone()
    }
}

/// The clock that `time` asks for.
async fn start_clock(link: &Link, time: TimeSource) -> Result<StoreClock, LinkError> {
    match time {
        TimeSource::Given(clock) => Ok(StoreClock::Given(clock)),
        TimeSource::Server => {
            let sent = Instant::now();
            let answer = link.ask(&redis::cmd("TIME")).await?;
            let malformed = |_| LinkError::Refused("its TIME is none".into());
            let (seconds, micros): (u64, u64) =
                redis::from_redis_value(answer).map_err(malformed)?;
            let server_ms = seconds * 1_000 + micros / 1_000;
            Ok(StoreClock::Server(Arc::new(ServerClock::new(
                server_ms, sent,
            ))))
        }
    }
}

/// Writes what must be there before the first job, unless it is; answers how many groups there are.
async fn prepare(link: &Link, keys: &Keys, now_ms: u64) -> Result<String, LinkError> {
    let mut commands = redis::pipe();
    let count = keys.groups().len();
    let meta = keys.meta_groups();
    commands.cmd("SET").arg(&meta).arg(count).arg("NX").ignore();
    for group in keys.groups() {
        for key in [&group.epoch, &group.beat] {
            commands.cmd("SET").arg(key).arg(now_ms).arg("NX").ignore();
        }
    }
    commands.cmd("GET").arg(&meta);
    match link.ask_all(&commands).await?.pop() {
        Some(Value::BulkString(found)) => Ok(String::from_utf8_lossy(&found).into_owned()),
        _ => Err(LinkError::Refused(
            "it does not keep what it is told".into(),
        )),
    }
}

/// Looks at the server's memory again and again. A server that does not answer is judged as before.
async fn watch_memory(inquirer: Inquirer, is_full: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(MEMORY_PERIOD).await;
        let Ok(facts) = inquirer.facts().await else {
            continue;
        };
        memory(facts.memory_used, facts.memory_max);
        let now = facts.is_full(MEMORY_PERCENT_MAX);
        if is_full.swap(now, Ordering::Relaxed) == now {
            continue;
        }
        if now {
            tracing::warn!(
                used = facts.memory_used,
                max = facts.memory_max,
                "Redis is nearly out of memory: no new jobs are taken in"
            );
        } else {
            tracing::info!("Redis has memory again: new jobs are taken in");
        }
    }
}

fn say_promises(config: &RedisConfig, facts: &Facts) {
    tracing::info!(
        address = config.address(),
        version = facts.version,
        appendonly = facts.append_only,
        appendfsync = facts.sync,
        "records are in Redis: an acknowledged job {}",
        facts.durability().promise()
    );
}
