//! Section `[gateway]` of the configuration.

use std::net::SocketAddr;
use std::time::Duration;

use assay_core::kind::JobKind;
use assay_service::config::{Config, Error};
use assay_service::listen;
use serde::Deserialize;

/// Documented defaults of the section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The key of the address.
pub(crate) const LISTEN: &str = "gateway.listen";

/// The least that a request of any size within the API's bounds needs, in bytes: a payload, metadata and
/// some room.
const MESSAGE_BYTES_LEAST: usize = 512 * 1024;

/// What `[gateway]` holds; `defaults.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    listen: String,
    pub(crate) kinds: Vec<JobKind>,
    pub(crate) content_bytes_max: u64,
    pub(crate) uploads_max: usize,
    upload_idle_ms: u64,
    pub(crate) watchers_max: usize,
    pub(crate) submits_in_flight_max: usize,
    pub(crate) message_bytes_max: usize,
    pub(crate) streams_per_connection_max: u32,
    health_ms: u64,
}

impl Settings {
    /// Reads and checks the section.
    pub(crate) fn read(config: &Config) -> Result<Self, Error> {
        let settings: Self = config.section("gateway")?;
        settings.address(config)?;
        let at_least = [
            ("gateway.kinds", settings.kinds.len(), 1),
            ("gateway.uploads_max", settings.uploads_max, 1),
            (
                "gateway.submits_in_flight_max",
                settings.submits_in_flight_max,
                1,
            ),
            (
                "gateway.message_bytes_max",
                settings.message_bytes_max,
                MESSAGE_BYTES_LEAST,
            ),
        ];
        for (key, value, least) in at_least {
            if value < least {
                return Err(config.refuse(key, &format!("be or hold at least {least}")));
            }
        }
        Ok(settings)
    }

    /// Where to listen.
    pub(crate) fn address(&self, config: &Config) -> Result<SocketAddr, Error> {
        let unset = self.listen.is_empty();
        if unset {
            return Err(config.refuse(LISTEN, "be an address with a port such as 127.0.0.1:7400"));
        }
        listen::address(config, LISTEN, false)
    }

    pub(crate) fn upload_idle(&self) -> Duration {
        Duration::from_millis(self.upload_idle_ms)
    }

    pub(crate) fn health_patience(&self) -> Duration {
        Duration::from_millis(self.health_ms)
    }
}

/// Checks the section without using it, for `--check-config`.
///
/// # Errors
/// The first value that the gateway can't work with.
pub fn check(config: &Config) -> Result<(), Error> {
    Settings::read(config).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: &str) -> Result<Settings, Error> {
        let loader = Config::loader(&[DEFAULTS]).set(key, value);
        Settings::read(&loader.load().unwrap())
    }

    #[test]
    fn the_defaults_are_what_the_design_says() {
        let settings = read("gateway.listen", "127.0.0.1:7400").unwrap();
        assert_eq!(settings.watchers_max, 10_000);
        assert_eq!(settings.content_bytes_max, 64 * 1024 * 1024);
        assert_eq!(settings.kinds, [JobKind::ContentVerification]);
        assert_eq!(settings.upload_idle(), Duration::from_secs(30));
    }

    #[test]
    fn values_that_cannot_work_are_refused_by_name() {
        let wrong = [
            ("gateway.listen", "0.0.0.0:7400"),
            ("gateway.listen", "7400"),
            ("gateway.uploads_max", "0"),
            ("gateway.submits_in_flight_max", "0"),
            ("gateway.message_bytes_max", "524287"),
        ];
        for (key, value) in wrong {
            let error = read(key, value).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert!(read("gateway.message_bytes_max", "524288").is_ok());
    }
}
