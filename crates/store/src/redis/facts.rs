//! What the server says of itself: whether it may be used, and what is promised in it.

use std::collections::HashMap;

use assay_core::port::Durability;
use assay_tls::Refusal;
use deadpool_redis::{Manager, Pool, PoolError, Runtime};
use redis::{AsyncConnectionConfig, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};
use tokio::time::Instant;

use super::config::RedisConfig;
use super::link::{unanswered, unconnected};
use crate::metric_definitions::redis::{Call, CallOutcome, called};

/// The oldest version of Redis that will do: scripts with flags came with it.
const VERSION_MIN: (u32, u32) = (7, 0);
/// Connections for questions that have nothing to do with jobs.
const POOL_CONNECTIONS_MAX: usize = 2;

/// The settings and state of the server that matter to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) version: String,
    pub(crate) eviction: String,
    /// Whether each change is written to a file.
    pub(crate) append_only: bool,
    /// When that file is synced; empty when the server does not tell.
    pub(crate) sync: String,
    /// Memory in use, in bytes.
    pub(crate) memory_used: u64,
    /// Memory that it may use, in bytes; 0 for no bound.
    pub(crate) memory_max: u64,
}

/// Why a server can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is too old.
    #[error("use Redis 7.0 or newer, not {version}")]
    Version {
        /// What it is.
        version: String,
    },
    /// It throws keys away when memory is short.
    #[error(
        "set maxmemory-policy of Redis to noeviction, not {policy}: it would throw jobs away when memory is short"
    )]
    Eviction {
        /// What it is set to.
        policy: String,
    },
}

impl Facts {
    fn of(info: &str, sync: &[String]) -> Self {
        let fields: HashMap<&str, &str> = info
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .collect();
        let text = |name| fields.get(name).copied().unwrap_or_default().to_owned();
        let number = |name| fields.get(name).and_then(|text| text.parse().ok());
        Self {
            version: text("redis_version"),
            eviction: text("maxmemory_policy"),
            append_only: text("aof_enabled") == "1",
            sync: sync.get(1).cloned().unwrap_or_default(),
            memory_used: number("used_memory").unwrap_or(0),
            memory_max: number("maxmemory").unwrap_or(0),
        }
    }

    /// Checks that jobs are safe in this server.
    pub(crate) fn check(&self) -> Result<(), Unfit> {
        let mut parts = self
            .version
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if version < VERSION_MIN {
            return Err(Unfit::Version {
                version: self.version.clone(),
            });
        }
        if self.eviction != "noeviction" {
            return Err(Unfit::Eviction {
                policy: self.eviction.clone(),
            });
        }
        Ok(())
    }

    /// What an answer survives.
    pub(crate) fn durability(&self) -> Durability {
        match (self.append_only, self.sync.as_str()) {
            (true, "always") => Durability::PowerCut,
            (true, _) => Durability::ProcessDeath,
            (false, _) => Durability::Snapshot,
        }
    }

    /// Whether so much memory is in use that no new work is taken in: `percent` of the bound or more.
    pub(crate) fn is_full(&self, percent: u64) -> bool {
        self.memory_max > 0
            && self.memory_used.saturating_mul(100) >= self.memory_max.saturating_mul(percent)
    }
}

/// Asks the server about itself, beside the connections that jobs use.
#[derive(Clone)]
pub(crate) struct Inquirer {
    pool: Pool,
    encrypted: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFacts {
    /// Nobody is there who would answer, now.
    #[error("{0}")]
    Unreachable(String),
    /// The server does not let this client in, or not into this database.
    #[error("{0}")]
    Denied(String),
    /// Who answers is not known to be the server.
    #[error("{0}")]
    Distrusted(String),
}

impl NoFacts {
    fn of(error: &RedisError, encrypted: bool) -> Self {
        let denied = matches!(
            error.kind(),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::ResponseError)
        );
        let code = error.code().unwrap_or_default();
        if denied || ["NOAUTH", "WRONGPASS", "NOPERM"].contains(&code) {
            return Self::Denied(error.to_string());
        }
        let why = unconnected(error, encrypted);
        match Refusal::of(error) {
            Some(_) => Self::Distrusted(why),
            None => Self::Unreachable(why),
        }
    }
}

impl Inquirer {
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, NoFacts> {
        let reason = |error: &dyn std::error::Error| NoFacts::Unreachable(error.to_string());
        let client = config.client().map_err(|error| reason(&error))?;
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.connect_timeout()))
            .set_response_timeout(Some(config.response_timeout()));
        let info = client.get_connection_info().clone();
        let manager = Manager::new_with_config(info, settings).map_err(|error| reason(&error))?;
        let pool = Pool::builder(manager)
            .max_size(POOL_CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.connect_timeout()))
            .create_timeout(Some(config.connect_timeout()))
            .recycle_timeout(Some(config.response_timeout()))
            .build();
        let pool = pool.map_err(|error| reason(&error))?;
        let encrypted = config.tls;
        Ok(Self { pool, encrypted })
    }

    pub(crate) async fn facts(&self) -> Result<Facts, NoFacts> {
        let asked = Instant::now();
        let told = self.inquire().await;
        let outcome = match &told {
            Ok(_) => CallOutcome::Done,
            Err(NoFacts::Denied(_) | NoFacts::Distrusted(_)) => CallOutcome::Refused,
            Err(NoFacts::Unreachable(_)) => CallOutcome::Unavailable,
        };
        called(Call::Facts, outcome, asked.elapsed().as_secs_f64());
        told
    }

    async fn inquire(&self) -> Result<Facts, NoFacts> {
        let mut info = redis::cmd("INFO");
        info.arg("server").arg("memory").arg("persistence");
        let info: String = self.ask(&info).await?;
        let mut sync = redis::cmd("CONFIG");
        sync.arg("GET").arg("appendfsync");
        // Some servers do not tell; then the weaker promise is assumed.
        let sync: Vec<String> = self.ask(&sync).await.unwrap_or_default();
        Ok(Facts::of(&info, &sync))
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, NoFacts> {
        let mut connection = self.pool.get().await.map_err(|error| match &error {
            PoolError::Backend(error) => NoFacts::of(error, self.encrypted),
            PoolError::Timeout(_) => NoFacts::Unreachable(unanswered(&error, self.encrypted)),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                NoFacts::Unreachable(error.to_string())
            }
        })?;
        let answer = command.query_async(&mut connection).await;
        answer.map_err(|error| NoFacts::of(&error, self.encrypted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nused_memory:84\r\nmaxmemory:100\r\n\
        maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n";

    fn facts(sync: &str) -> Facts {
        Facts::of(INFO, &["appendfsync".into(), sync.into()])
    }

    #[test]
    fn promises_follow_the_settings() {
        assert_eq!(facts("always").durability(), Durability::PowerCut);
        assert_eq!(facts("everysec").durability(), Durability::ProcessDeath);
        assert_eq!(Facts::of(INFO, &[]).durability(), Durability::ProcessDeath);
        let mut without = facts("always");
        without.append_only = false;
        assert_eq!(without.durability(), Durability::Snapshot);
    }

    #[test]
    fn an_old_server_and_one_that_evicts_are_refused() {
        assert_eq!(facts("always").check(), Ok(()));
        let mut old = facts("always");
        for (version, fits) in [
            ("6.2.14", false),
            ("7.0.0", true),
            ("10.1.0", true),
            ("", false),
        ] {
            old.version = version.into();
            assert_eq!(old.check().is_ok(), fits, "{version}");
        }
        let mut evicts = facts("always");
        evicts.eviction = "allkeys-lru".into();
        assert!(
            evicts
                .check()
                .unwrap_err()
                .to_string()
                .contains("allkeys-lru")
        );
    }

    #[test]
    fn full_begins_at_the_bound_and_needs_one() {
        let mut facts = facts("always");
        assert!(!facts.is_full(85));
        facts.memory_used = 85;
        assert!(facts.is_full(85));
        facts.memory_max = 0;
        assert!(!facts.is_full(85));
    }
}
