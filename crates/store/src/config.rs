//! The settings of a store. `defaults.toml` explains each.

use assay_core::retention::Retention;
use serde::Deserialize;

use crate::GROUPS_MAX;

/// The documented defaults, section `[store]`.
pub const DEFAULTS_TOML: &str = include_str!("defaults.toml");

/// The settings of a store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Most jobs of one kind that have not ended.
    pub queued_jobs_max: u64,
    /// How long the record of an ended job is kept, in milliseconds.
    pub retention_ms: u64,
    /// How long the record of a dead letter is kept, in milliseconds: no shorter than any other.
    pub dead_letter_retention_ms: u64,
    /// Most operations of one commit.
    pub batch_operations_max: usize,
    /// Most operations that wait for a commit.
    pub pending_operations_max: usize,
    /// Most changed jobs that are in the journal alone.
    pub journal_jobs_max: usize,
    /// Most bytes of the journal, beyond what one commit adds.
    pub journal_bytes_max: usize,
    /// Memory for pages of the file, or for records out of Redis, in bytes.
    pub cache_bytes: usize,
    /// Events that a listener may lag behind.
    pub event_lag_max: usize,
    /// Groups of keys in Redis, 1 to [`GROUPS_MAX`](crate::GROUPS_MAX); fixed with the first start.
    pub redis_groups: u16,
    /// Most steps of one script call.
    pub redis_batch_max: usize,
    /// Jobs that are recorded and not yet published, where a queue elsewhere carries envelopes.
    pub outbox_max: u64,
    /// How long whoever was answered an envelope has to publish it, in milliseconds.
    pub outbox_visible_ms: u64,
    /// Most fingerprints in the log of one tenant.
    pub fingerprints_max: u64,
}

impl Default for StoreConfig {
    /// The same values as [`DEFAULTS_TOML`]; a test compares them.
    fn default() -> Self {
        Self {
            queued_jobs_max: 1_000_000,
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            dead_letter_retention_ms: 30 * 24 * 60 * 60 * 1000,
            batch_operations_max: 2_048,
            pending_operations_max: 8_192,
            journal_jobs_max: 32_768,
            journal_bytes_max: 64 * 1024 * 1024,
            cache_bytes: 16 * 1024 * 1024,
            event_lag_max: 8_192,
            redis_groups: 1,
            redis_batch_max: 128,
            outbox_max: 100_000,
            outbox_visible_ms: 45_000,
            fingerprints_max: 5_000_000,
        }
    }
}

/// A setting that no store can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("set store.{setting} to {must}, not {is}")]
pub struct ConfigError {
    /// Which setting.
    pub setting: &'static str,
    /// What it must be.
    pub must: String,
    /// What it is.
    is: usize,
}

/// Most steps of one script call that may be asked for: Redis does nothing else meanwhile.
const REDIS_BATCH_MAX: usize = 1_024;

impl StoreConfig {
    /// How long the record of an ended job is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            ended_ms: self.retention_ms,
            dead_letters_ms: self.dead_letter_retention_ms,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first that no store can work with.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let any = usize::MAX;
        let bounds = [
            ("batch_operations_max", self.batch_operations_max, any),
            (
                "dead_letter_retention_ms",
                as_usize(self.dead_letter_retention_ms),
                any,
            ),
            ("pending_operations_max", self.pending_operations_max, any),
            ("event_lag_max", self.event_lag_max, any),
            ("redis_groups", self.redis_groups.into(), GROUPS_MAX.into()),
            ("redis_batch_max", self.redis_batch_max, REDIS_BATCH_MAX),
            ("outbox_max", as_usize(self.outbox_max), any),
            ("outbox_visible_ms", as_usize(self.outbox_visible_ms), any),
            ("fingerprints_max", as_usize(self.fingerprints_max), any),
        ];
        let outside = |(_, is, most): &(&str, usize, usize)| *is == 0 || is > most;
        match bounds.into_iter().find(outside) {
            Some((setting, is, most)) => Err(ConfigError {
                setting,
                must: match most {
                    usize::MAX => "1 or more".into(),
                    most => format!("1 to {most}"),
                },
                is,
            }),
            None => self.validate_retention(),
        }
    }

    /// What people are to look at goes last. Raising the one silently to the other would keep what somebody may have
    /// promised to forget.
    fn validate_retention(&self) -> Result<(), ConfigError> {
        if self.dead_letter_retention_ms >= self.retention_ms {
            return Ok(());
        }
        Err(ConfigError {
            setting: "dead_letter_retention_ms",
            must: format!(
                "store.retention_ms, which is {}, or more",
                self.retention_ms
            ),
            is: as_usize(self.dead_letter_retention_ms),
        })
    }
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let file = config::File::from_str(DEFAULTS_TOML, config::FileFormat::Toml);
        let documented = config::Config::builder().add_source(file).build().unwrap();
        let documented: StoreConfig = documented.get("store").unwrap();
        assert_eq!(documented, StoreConfig::default());
        assert_eq!(documented.validate(), Ok(()));
    }

    #[test]
    fn what_has_a_bound_keeps_it() {
        let mut config = StoreConfig {
            redis_batch_max: REDIS_BATCH_MAX,
            redis_groups: GROUPS_MAX,
            ..StoreConfig::default()
        };
        assert_eq!(config.validate(), Ok(()));
        config.redis_batch_max += 1;
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "set store.redis_batch_max to 1 to 1024, not 1025");
        (config.redis_batch_max, config.redis_groups) = (1, GROUPS_MAX + 1);
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "set store.redis_groups to 1 to 256, not 257");
    }

    #[test]
    fn dead_letters_are_kept_as_long_as_others_or_longer() {
        let mut config = StoreConfig {
            retention_ms: 10,
            dead_letter_retention_ms: 10,
            ..StoreConfig::default()
        };
        assert_eq!(config.validate(), Ok(()));
        config.retention_ms += 1;
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(
            error,
            "set store.dead_letter_retention_ms to store.retention_ms, which is 11, or more, not 10"
        );
        (config.retention_ms, config.dead_letter_retention_ms) = (0, 0);
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(
            error,
            "set store.dead_letter_retention_ms to 1 or more, not 0"
        );
    }

    #[test]
    fn one_is_enough_and_none_is_not() {
        let changes: [fn(&mut StoreConfig, usize); 7] = [
            |config, value| config.batch_operations_max = value,
            |config, value| config.pending_operations_max = value,
            |config, value| config.event_lag_max = value,
            |config, value| config.redis_batch_max = value,
            |config, value| config.outbox_max = value as u64,
            |config, value| config.outbox_visible_ms = value as u64,
            |config, value| config.fingerprints_max = value as u64,
        ];
        for change in changes {
            let mut config = StoreConfig::default();
            change(&mut config, 1);
            assert_eq!(config.validate(), Ok(()));
            change(&mut config, 0);
            assert!(config.validate().is_err());
        }
    }
}
