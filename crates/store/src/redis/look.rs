//! What a process that connects would find, for people who have not started one.

use assay_core::port::Durability;
use tokio::task::JoinSet;

use super::RedisStore;
use super::clock::TimeSource;
use super::config::RedisConfig;
use super::connect::{ConnectError, durability, inquire, start_clock, validate};
use super::keys::Keys;
use super::link::Link;
use super::outbox::Carrier;
use super::prepare;
use crate::StoreConfig;

/// A Redis that will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its version.
    pub version: String,
    /// What an acknowledged job survives in it.
    pub durability: Durability,
}

impl RedisStore {
    /// Looks at Redis as [`connect`](Self::connect) would, and writes nothing into it: others may be using it.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub async fn look(
        config: &RedisConfig,
        store: &StoreConfig,
        carrier: Carrier,
    ) -> Result<Seen, ConnectError> {
        validate(config, store)?;
        let (_, facts) = inquire(config).await?;
        // Aborts what listens when it is dropped.
        let mut watchers = JoinSet::new();
        let of_link = |error| ConnectError::unreachable(config, &error);
        let link = Link::new(config, store.event_lag_max, &mut watchers).map_err(of_link)?;
        let keys = Keys::new(&config.prefix, store.redis_groups);
        let clock = start_clock(&link, TimeSource::Server)
            .await
            .map_err(of_link)?;
        let found = prepare::look(&link, &keys, clock.now_ms(), carrier).await;
        found.map_err(of_link)?.admit(config, carrier)?;
        Ok(Seen {
            durability: durability(carrier, &facts),
            version: facts.version,
        })
    }
}
