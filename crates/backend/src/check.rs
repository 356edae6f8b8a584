//! The sections that say what is shared.

use std::path::PathBuf;

use assay_queue::RabbitConfig;
use assay_queue::metric_definitions as queue_metrics;
use assay_service::Config;
use assay_service::config::Error;
use assay_service::prometheus::{Instruments, named};
use assay_store::metric_definitions::redis as redis_metrics;
use assay_store::{RedisConfig, StoreConfig};

/// Documented defaults of all sections.
pub const DEFAULTS: [&str; 4] = [
    assay_store::DEFAULTS_TOML,
    assay_store::REDIS_DEFAULTS_TOML,
    assay_queue::RABBIT_DEFAULTS_TOML,
    include_str!("defaults.toml"),
];

/// The key of the folder of blobs.
pub const BLOB_FOLDER_KEY: &str = "blob.folder";

/// Store and queue know nothing of a process's metrics; each names its own.
pub const INSTRUMENTS: [Instruments; 2] = [
    Instruments {
        describe: redis_metrics::describe,
        buckets: &named(redis_metrics::BUCKETS),
    },
    Instruments {
        describe: queue_metrics::describe,
        buckets: &named(queue_metrics::BUCKETS),
    },
];

/// What is shared, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Redis is.
    pub redis: RedisConfig,
    /// How records are kept in it.
    pub store: StoreConfig,
    /// Where RabbitMQ is, if it carries the envelopes; without one they go through Redis.
    pub rabbit: Option<RabbitConfig>,
    /// The folder of blobs.
    pub blob_folder: PathBuf,
}

impl Settings {
    /// Reads the sections.
    ///
    /// # Errors
    /// The first value that cannot be used, and what it must be.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let redis: RedisConfig = config.section("redis")?;
        if let Err(error) = redis.validate() {
            return Err(Error::Invalid(vec![error.to_string()]));
        }
        let rabbit: RabbitConfig = config.section("rabbitmq")?;
        let rabbit = Some(rabbit).filter(RabbitConfig::is_set);
        if let Some(Err(error)) = rabbit.as_ref().map(RabbitConfig::validate) {
            return Err(Error::Invalid(vec![error.to_string()]));
        }
        let folder: String = config.section(BLOB_FOLDER_KEY)?;
        if folder.is_empty() {
            return Err(config.refuse(BLOB_FOLDER_KEY, "name a folder"));
        }
        Ok(Self {
            redis,
            rabbit,
            store: store_settings(config)?,
            blob_folder: folder.into(),
        })
    }
}

/// Reads all sections once, without using them.
///
/// # Errors
/// The first value that cannot be used.
pub fn check(config: &Config) -> Result<(), Error> {
    Settings::read(config).map(drop)
}

/// Section `[store]`.
///
/// # Errors
/// The first value that no store can work with.
pub fn store_settings(config: &Config) -> Result<StoreConfig, Error> {
    let store: StoreConfig = config.section("store")?;
    match store.validate() {
        Ok(()) => Ok(store),
        Err(error) => {
            let key = format!("store.{}", error.setting);
            Err(config.refuse(&key, &format!("be {}", error.must)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variable = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: BTreeMap<String, String> = variables.iter().map(variable).collect();
        let config = Config::loader(&DEFAULTS).environment(variables).load();
        Settings::read(&config.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_variables_of_the_seed_work() {
        let settings = read(&[
            ("REDIS_HOST", "redis.example"),
            ("REDIS_PORT", "6380"),
            ("REDIS_PASSWORD", "opensesame"),
            ("REDIS_DB", "3"),
            ("RABBITMQ_URL", ""),
        ]);
        let redis = settings.unwrap().redis;
        assert_eq!(
            (redis.host.as_str(), redis.port, redis.db),
            ("redis.example", 6_380, 3)
        );
        assert_eq!(redis.password, "opensesame");
    }

    #[test]
    fn a_password_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "opensesame\n").unwrap();
        let settings = read(&[("ASSAY__REDIS__PASSWORD_FILE", file.to_str().unwrap())]);
        assert_eq!(settings.unwrap().redis.password, "opensesame");
    }

    #[test]
    fn a_rabbitmq_carries_the_envelopes_if_it_is_named() {
        assert!(read(&[]).unwrap().rabbit.is_none());
        let settings = read(&[("RABBITMQ_URL", "amqp://assay:opensesame@mq:5672")]);
        let rabbit = settings.unwrap().rabbit.unwrap();
        assert!(format!("{rabbit:?}").contains("mq:5672"));
    }

    #[test]
    fn a_rabbitmq_that_nobody_can_use_is_told_in_one_sentence() {
        let error = read(&[("RABBITMQ_URL", "http://assay:opensesame@mq")]).unwrap_err();
        assert!(error.contains("RABBITMQ_URL"), "{error}");
        assert!(
            !error.contains("opensesame") && !error.contains('\n'),
            "{error}"
        );
    }

    #[test]
    fn every_section_is_looked_at() {
        for (variable, value, said) in [
            ("ASSAY__BLOB__FOLDER", "", "blob.folder"),
            ("ASSAY__STORE__EVENT_LAG_MAX", "0", "store.event_lag_max"),
            (
                "ASSAY__STORE__RETENTION_MS",
                "2592000001",
                "`store.dead_letter_retention_ms` must be store.retention_ms, which is 2592000001, or more",
            ),
            ("ASSAY__REDIS__CONNECTIONS", "0", "redis.connections"),
            ("REDIS_PORT", "65536", "redis.port"),
            ("ASSAY__RABBITMQ__FALLBACK", "kafka", "rabbitmq.fallback"),
        ] {
            let url = ("RABBITMQ_URL", "amqp://assay:opensesame@mq");
            let error = read(&[(variable, value), url]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(read(&[]).is_ok());
    }
}
