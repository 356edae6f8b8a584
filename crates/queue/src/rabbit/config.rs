//! The settings of the connection to RabbitMQ. `defaults.toml` explains each.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use assay_tls::{Roots, RootsError};
use serde::Deserialize;

use super::address::{Address, AddressError};

/// The documented defaults, section `[rabbitmq]`.
pub const DEFAULTS_TOML: &str = include_str!("defaults.toml");

/// The longest prefix, in bytes: names on a broker have at most 255.
pub const PREFIX_BYTES_MAX: usize = 64;
/// The queue in the Redis of the records, as what stands in.
const FALLBACK_REDIS: &str = "redis";
/// Most channels that one process publishes over.
const PUBLISH_CHANNELS_MAX: usize = 64;

/// Where RabbitMQ is and how it is spoken to.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RabbitConfig {
    /// Where it is, divided by commas; empty when it is not used.
    pub url: String,
    /// The file of the certificates that are trusted where the URL begins with `amqps://`; empty for the system's.
    pub ca_file: String,
    /// What every name on it begins with.
    pub prefix: String,
    /// Most envelopes that wait in one lane.
    pub lane_envelopes_max: u32,
    /// Channels that envelopes are published over.
    pub publish_channels: usize,
    /// How long a confirm may take, in milliseconds.
    pub confirm_ms: u64,
    /// How long making a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long any other answer may take, in milliseconds.
    pub answer_timeout_ms: u64,
    /// How long a peer may be silent, in milliseconds.
    pub heartbeat_ms: u64,
    /// What stands in while it is away: `redis`, or nothing if empty.
    pub fallback: String,
}

impl Default for RabbitConfig {
    /// The same values as [`DEFAULTS_TOML`]; a test compares them.
    fn default() -> Self {
        Self {
            url: String::new(),
            ca_file: String::new(),
            prefix: "assay".into(),
            lane_envelopes_max: 1_000_000,
            publish_channels: 4,
            confirm_ms: 30_000,
            connect_timeout_ms: 5_000,
            answer_timeout_ms: 10_000,
            heartbeat_ms: 10_000,
            fallback: String::new(),
        }
    }
}

impl fmt::Debug for RabbitConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.addresses().map(|addresses| {
            let hosts = addresses.iter().map(Address::to_string);
            hosts.collect::<Vec<_>>()
        });
        out.debug_struct("RabbitConfig")
            .field("hosts", &hosts.unwrap_or_default())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A setting that no connection can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RabbitConfigError {
    /// A URL that leads nowhere.
    #[error("set rabbitmq.url (RABBITMQ_URL) to amqp://user:password@host:port/vhost: {0}")]
    Url(#[from] AddressError),
    /// Nobody can be trusted.
    #[error("set rabbitmq.ca_file to a file of certificates in PEM form: {0}")]
    Roots(#[from] RootsError),
    /// Who is trusted is named, and nobody would be asked for it.
    #[error("begin rabbitmq.url (RABBITMQ_URL) with amqps://, or leave rabbitmq.ca_file empty")]
    Unencrypted,
    /// A prefix that no name may begin with.
    #[error(
        "set rabbitmq.prefix to 1 to {PREFIX_BYTES_MAX} letters, digits, '-', '_', and '.', not '{prefix}'"
    )]
    Prefix {
        /// What it is.
        prefix: String,
    },
    /// A name of nothing that could stand in.
    #[error("set rabbitmq.fallback to \"{FALLBACK_REDIS}\" or to \"\", not \"{fallback}\"")]
    Fallback {
        /// What it is.
        fallback: String,
    },
    /// A number that is too small or too large.
    #[error("set rabbitmq.{setting} to {min} to {max}, not {value}")]
    OutOfRange {
        /// Which setting.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The least that works.
        min: u64,
        /// The most that works.
        max: u64,
    },
}

impl RabbitConfig {
    /// Whether envelopes go over RabbitMQ at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// Whether envelopes go through the Redis of the records while RabbitMQ is away.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        self.fallback == FALLBACK_REDIS
    }

    /// Checks every setting, and reads the file of certificates if they are needed.
    ///
    /// # Errors
    /// The first that no connection can work with.
    pub fn validate(&self) -> Result<(), RabbitConfigError> {
        self.roots()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let length = 1..=PREFIX_BYTES_MAX;
        if !length.contains(&self.prefix.len()) || !self.prefix.chars().all(plain) {
            return Err(RabbitConfigError::Prefix {
                prefix: self.prefix.clone(),
            });
        }
        if !["", FALLBACK_REDIS].contains(&self.fallback.as_str()) {
            return Err(RabbitConfigError::Fallback {
                fallback: self.fallback.clone(),
            });
        }
        let channels_max = PUBLISH_CHANNELS_MAX as u64;
        let bounds = [
            (
                "lane_envelopes_max",
                u64::from(self.lane_envelopes_max),
                1,
                u64::from(u32::MAX),
            ),
            (
                "publish_channels",
                self.publish_channels as u64,
                1,
                channels_max,
            ),
            ("confirm_ms", self.confirm_ms, 100, 600_000),
            ("connect_timeout_ms", self.connect_timeout_ms, 1, 600_000),
            ("answer_timeout_ms", self.answer_timeout_ms, 1, 600_000),
            ("heartbeat_ms", self.heartbeat_ms, 1_000, 600_000),
        ];
        let wrong = bounds
            .into_iter()
            .find(|(_, value, min, max)| !(min..=max).contains(&value));
        match wrong {
            Some((setting, value, min, max)) => Err(RabbitConfigError::OutOfRange {
                setting,
                value,
                min,
                max,
            }),
            None => Ok(()),
        }
    }

    /// The brokers, in the order in which they are tried: all are spoken to in the same way.
    pub(super) fn addresses(&self) -> Result<Vec<Address>, AddressError> {
        let urls = self.url.split(',').map(str::trim);
        let addresses: Vec<Address> = urls.map(Address::parse).collect::<Result<_, _>>()?;
        let encrypted = addresses.iter().filter(|at| at.is_encrypted()).count();
        if encrypted != 0 && encrypted != addresses.len() {
            return Err(AddressError::Mixed);
        }
        Ok(addresses)
    }

    /// Who is trusted to be one of the brokers; `None` where what is sent is not encrypted.
    pub(super) fn roots(&self) -> Result<Option<Roots>, RabbitConfigError> {
        let encrypted = self.addresses()?.iter().any(Address::is_encrypted);
        let file = Some(Path::new(&self.ca_file)).filter(|path| !path.as_os_str().is_empty());
        match (encrypted, file) {
            (true, file) => Ok(Some(Roots::read(file)?)),
            (false, Some(_)) => Err(RabbitConfigError::Unencrypted),
            (false, None) => Ok(None),
        }
    }

    pub(super) fn confirm_timeout(&self) -> Duration {
        Duration::from_millis(self.confirm_ms)
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }

    pub(super) fn heartbeat_s(&self) -> u16 {
        u16::try_from(self.heartbeat_ms / 1_000).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn working() -> RabbitConfig {
        RabbitConfig {
            url: "amqp://assay:opensesame@mq-1,amqp://assay:opensesame@mq-2:5673/jobs".into(),
            ..RabbitConfig::default()
        }
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let file = config::File::from_str(DEFAULTS_TOML, config::FileFormat::Toml);
        let documented = config::Config::builder().add_source(file).build().unwrap();
        let documented: RabbitConfig = documented.get("rabbitmq").unwrap();
        assert_eq!(documented, RabbitConfig::default());
        assert!(!documented.is_set());
    }

    #[test]
    fn what_cannot_work_is_named() {
        type Change = fn(&mut RabbitConfig);
        let changes: [(Change, &str); 14] = [
            (|config| config.url.clear(), "RABBITMQ_URL"),
            (
                |config| config.url = "amqps://a:b@mq-1,amqp://a:b@mq-2".into(),
                "each of them with amqps://, or none",
            ),
            (
                |config| config.ca_file = "/nowhere/ca.pem".into(),
                "or leave rabbitmq.ca_file empty",
            ),
            (
                |config| {
                    config.url = "amqps://a:b@mq".into();
                    config.ca_file = "/nowhere/ca.pem".into();
                },
                "rabbitmq.ca_file to a file of certificates in PEM form: cannot read /nowhere/ca.pem",
            ),
            (|config| config.prefix.clear(), "rabbitmq.prefix"),
            (|config| config.prefix = "a b".into(), "rabbitmq.prefix"),
            (
                |config| config.prefix = "a".repeat(PREFIX_BYTES_MAX + 1),
                "rabbitmq.prefix",
            ),
            (
                |config| config.lane_envelopes_max = 0,
                "rabbitmq.lane_envelopes_max",
            ),
            (
                |config| config.publish_channels = 0,
                "rabbitmq.publish_channels",
            ),
            (
                |config| config.publish_channels = PUBLISH_CHANNELS_MAX + 1,
                "rabbitmq.publish_channels",
            ),
            (|config| config.confirm_ms = 99, "rabbitmq.confirm_ms"),
            (
                |config| config.answer_timeout_ms = 0,
                "rabbitmq.answer_timeout_ms",
            ),
            (|config| config.heartbeat_ms = 999, "rabbitmq.heartbeat_ms"),
            (
                |config| config.fallback = "kafka".into(),
                "rabbitmq.fallback",
            ),
        ];
        assert_eq!(working().validate(), Ok(()));
        for (change, name) in changes {
            let mut config = working();
            change(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
        let mut config = working();
        config.prefix = "a".repeat(PREFIX_BYTES_MAX);
        config.publish_channels = PUBLISH_CHANNELS_MAX;
        config.fallback = FALLBACK_REDIS.into();
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn nothing_shows_the_password() {
        let config = working();
        let shown = format!("{config:?}");
        assert!(!shown.contains("opensesame"), "{shown}");
        assert!(shown.contains("mq-2:5673/jobs"), "{shown}");
    }
}
