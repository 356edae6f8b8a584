//! From settings to a store that can be used, or the reason why not.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use assay_core::port::Durability;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::RedisStore;
use super::cache::Cache;
use super::clock::{ServerClock, StoreClock, TimeSource};
use super::committer::Committer;
use super::config::{RedisConfig, RedisConfigError};
use super::facts::{Facts, Inquirer, NoFacts, Unfit};
use super::keys::Keys;
use super::link::{Link, LinkError};
use super::memory;
use super::outbox::{Carrier, Outbox, Walk};
use super::prepare::{Found, prepare};
use super::queue::{Access, Sweep};
use super::reader::Reader;
use super::users::User;
use crate::{ConfigError, StoreConfig};

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
    /// Who answers is not known to be it: the connection was to be encrypted.
    #[error("use Redis at {address}: {why}; check redis.tls and redis.ca_file")]
    Distrusted {
        /// Where it should be.
        address: String,
        /// What is wrong with who answers.
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
    /// Envelopes of the jobs in it go another way.
    #[error(
        "use Redis at {address}: {live} jobs under this prefix have not ended whose envelopes go another way; {wants}, or let them end first"
    )]
    Carrier {
        /// Where it is.
        address: String,
        /// How many jobs.
        live: u64,
        /// What to do.
        wants: &'static str,
    },
    /// Processes that use it send envelopes another way.
    #[error(
        "use Redis at {address}: {living} processes under this prefix send envelopes another way; {wants}, or stop them first"
    )]
    Users {
        /// Where it is.
        address: String,
        /// How many processes.
        living: u64,
        /// What to do.
        wants: &'static str,
    },
}

impl ConnectError {
    /// Whether trying again may help, with nothing changed here: a server that starts will be there soon.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(super) fn unreachable(config: &RedisConfig, error: &LinkError) -> Self {
        Self::Unreachable {
            address: config.address(),
            why: error.to_string(),
        }
    }
}

impl RedisStore {
    /// Connects to Redis and checks that jobs are safe in it. Says in one line of the log what is promised.
    /// Every process that uses the same jobs must name the same `carrier`.
    ///
    /// # Errors
    /// [`ConnectError`] says what is wrong and what to do.
    pub async fn connect(
        config: &RedisConfig,
        store: StoreConfig,
        time: TimeSource,
        carrier: Carrier,
    ) -> Result<Arc<Self>, ConnectError> {
        validate(config, &store)?;
        let (inquirer, facts) = inquire(config).await?;
        let of_link = |error: LinkError| ConnectError::unreachable(config, &error);
        let mut watchers = JoinSet::new();
        let link = Link::new(config, store.event_lag_max, &mut watchers).map_err(of_link)?;
        let keys = Arc::new(Keys::new(&config.prefix, store.redis_groups));
        let clock = start_clock(&link, time).await.map_err(of_link)?;
        // Before it looks for others, so that of two that come at the same time not both miss the other.
        let user = User::new(&link, &clock, keys.meta_users(carrier.name()));
        user.say().await.map_err(of_link)?;
        let found = prepare(&link, &keys, clock.now_ms(), carrier).await;
        if let Err(refused) = found.map_err(of_link)?.admit(config, carrier) {
            user.leave().await;
            return Err(refused);
        }
        watchers.spawn(user.clone().keep_saying());
        say_promises(config, &facts, durability(carrier, &facts));
        let is_full = Arc::new(AtomicBool::new(memory::is_full(&facts)));
        watchers.spawn(memory::watch(inquirer, Arc::clone(&is_full)));
        let mut lanes = JoinSet::new();
        let committer = Committer::start(&link, &keys, &clock, &store, &mut lanes);
        let cache = Arc::new(Cache::new(store.cache_bytes));
        let reader = Reader::new(&link, &keys, &cache, &mut watchers);
        let entries = Sweep::new(Access {
            link: link.clone(),
            keys: Arc::clone(&keys),
            clock: clock.clone(),
            reader: reader.clone(),
        });
        Ok(Arc::new(Self {
            outbox: Outbox::of(carrier, &store),
            walk: Walk::default(),
            user,
            config: store,
            keys,
            link,
            reader,
            clock,
            committer: Mutex::new(Some(committer)),
            durability: durability(carrier, &facts),
            is_full,
            entries,
            lanes: Mutex::new(lanes),
            watchers: Mutex::new(watchers),
        }))
    }
}

/// Checks all that is set.
pub(super) fn validate(config: &RedisConfig, store: &StoreConfig) -> Result<(), ConnectError> {
    store
        .validate()
        .map_err(|source| ConnectError::Config { source })?;
    config
        .validate()
        .map_err(|source| ConnectError::Connection { source })
}

impl Found {
    /// Lets a process in that would find its jobs.
    pub(super) fn admit(self, config: &RedisConfig, carrier: Carrier) -> Result<(), ConnectError> {
        let address = config.address();
        match self {
            Self::Usable => Ok(()),
            Self::OtherGroups(found) => Err(ConnectError::Groups { address, found }),
            Self::OtherCarrier(live) => Err(ConnectError::Carrier {
                address,
                live,
                wants: carrier.wants(),
            }),
            Self::OtherUsers(living) => Err(ConnectError::Users {
                address,
                living,
                wants: carrier.wants(),
            }),
        }
    }
}

/// What the server says of itself, if jobs are safe in it.
pub(super) async fn inquire(config: &RedisConfig) -> Result<(Inquirer, Facts), ConnectError> {
    let address = || config.address();
    let inquirer = Inquirer::new(config).map_err(|error| error.at(address()))?;
    let facts = inquirer.facts().await;
    let facts = facts.map_err(|error| error.at(address()))?;
    facts.check().map_err(|source| ConnectError::Unfit {
        address: address(),
        source,
    })?;
    Ok((inquirer, facts))
}

impl NoFacts {
    fn at(self, address: String) -> ConnectError {
        match self {
            Self::Denied(why) => ConnectError::Denied { address, why },
            Self::Distrusted(why) => ConnectError::Distrusted { address, why },
            Self::Unreachable(_) => ConnectError::Unreachable {
                address,
                why: self.to_string(),
            },
        }
    }
}

/// The clock that `time` asks for.
pub(super) async fn start_clock(link: &Link, time: TimeSource) -> Result<StoreClock, LinkError> {
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

/// What an acknowledged job survives.
pub(super) fn durability(carrier: Carrier, facts: &Facts) -> Durability {
    match carrier {
        // With two ways: what holds for both.
        Carrier::Streams | Carrier::BrokerOrStreams => facts.durability(),
        Carrier::Broker => Durability::Confirmed,
    }
}

fn say_promises(config: &RedisConfig, facts: &Facts, durability: Durability) {
    tracing::info!(
        address = config.address(),
        encrypted = config.tls,
        version = facts.version,
        appendonly = facts.append_only,
        appendfsync = facts.sync,
        "records are in Redis; an acknowledged job: {}",
        durability.promise()
    );
}
