//! The sections that say what is shared.

use std::path::PathBuf;

use assay_service::Config;
use assay_service::config::Error;
use assay_service::prometheus::{Instruments, named};
use assay_store::metric_definitions::redis as redis_metrics;
use assay_store::{RedisConfig, StoreConfig};

/// Documented defaults of all sections.
pub const DEFAULTS: [&str; 3] = [
    assay_store::DEFAULTS_TOML,
    assay_store::REDIS_DEFAULTS_TOML,
    include_str!("defaults.toml"),
];

/// The key of the folder of blobs.
pub const BLOB_FOLDER_KEY: &str = "blob.folder";

/// The store knows nothing of a process's metrics; it names its own.
pub const INSTRUMENTS: Instruments = Instruments {
    describe: redis_metrics::describe,
    buckets: &named(redis_metrics::BUCKETS),
};

/// What is shared, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Redis is.
    pub redis: RedisConfig,
    /// How records are kept in it.
    pub store: StoreConfig,
    /// The folder of blobs.
    pub blob_folder: PathBuf,
}

impl Settings {
    /// Reads the sections.
    ///
    /// # Errors
    /// The first value that cannot be used, and what it must be.
    pub fn read(config: &Config) -> Result<Self, Error> {
        refuse_rabbitmq(config)?;
        let redis: RedisConfig = config.section("redis")?;
        if let Err(error) = redis.validate() {
            return Err(Error::Invalid(vec![error.to_string()]));
        }
        let folder: String = config.section(BLOB_FOLDER_KEY)?;
        if folder.is_empty() {
            return Err(config.refuse(BLOB_FOLDER_KEY, "name a folder"));
        }
        Ok(Self {
            redis,
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
            Err(config.refuse(&key, "be at least 1"))
        }
    }
}

/// Whoever names a broker must not believe that it is used.
fn refuse_rabbitmq(config: &Config) -> Result<(), Error> {
    let url: String = config.section("rabbitmq.url")?;
    if url.is_empty() {
        return Ok(());
    }
    let must = "be unset (RABBITMQ_URL too): queues in RabbitMQ are not built yet, records and queues are both in Redis";
    Err(config.refuse("rabbitmq.url", must))
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
    fn a_rabbitmq_is_refused_in_one_sentence() {
        let error = read(&[("RABBITMQ_URL", "amqp://guest:secret@mq:5672")]).unwrap_err();
        assert!(error.starts_with("`rabbitmq.url` must be unset"), "{error}");
        assert!(
            error.contains("environment variable RABBITMQ_URL"),
            "{error}"
        );
        assert!(
            !error.contains("secret") && !error.contains('\n'),
            "{error}"
        );
    }

    #[test]
    fn every_section_is_looked_at() {
        for (variable, value, said) in [
            ("ASSAY__BLOB__FOLDER", "", "blob.folder"),
            ("ASSAY__STORE__EVENT_LAG_MAX", "0", "store.event_lag_max"),
            ("ASSAY__REDIS__CONNECTIONS", "0", "redis.connections"),
            ("REDIS_PORT", "65536", "redis.port"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(read(&[]).is_ok());
    }
}
