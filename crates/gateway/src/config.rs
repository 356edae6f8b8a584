//! Section `[gateway]` of the configuration.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use assay_core::kind::JobKind;
use assay_service::config::{Config, Error};
use assay_service::listen::{self, Guard};
use serde::Deserialize;

use crate::access::{self, FileError, Held, Tokens};

/// Documented defaults of the section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The key of the address.
pub(crate) const LISTEN: &str = "gateway.listen";
/// The key of the address of HTTP/JSON.
pub(crate) const HTTP_LISTEN: &str = "gateway.http_listen";

/// The key of the file of tokens.
const TOKENS_FILE: &str = "gateway.tokens_file";

/// The least that a request of any size within the API's bounds needs, in bytes: a payload, metadata and
/// some room.
const MESSAGE_BYTES_LEAST: u64 = 512 * 1024;
/// The most that one request may take of the memory, in bytes.
const MESSAGE_BYTES_MOST: u64 = 16 * 1024 * 1024;
/// The least and the most that the JSON body of one request over HTTP may have, in bytes.
const HTTP_BODY_BYTES_LEAST: u64 = 1024;
const HTTP_BODY_BYTES_MOST: u64 = 64 * 1024 * 1024;
/// The most that all submits under way may take of the memory, in bytes.
const SUBMIT_BYTES_MOST: u64 = 1024 * 1024 * 1024 * 1024;
/// The most of anything that is counted.
const COUNT_MAX: u64 = 1_000_000;
/// The longest time that any setting of the section may hold: one day, in milliseconds.
const TIME_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// What `[gateway]` holds; `defaults.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    listen: String,
    http_listen: String,
    tokens_file: String,
    tokens_reread_ms: u64,
    pub(crate) http_body_bytes_max: usize,
    pub(crate) kinds: Vec<JobKind>,
    pub(crate) content_bytes_max: u64,
    pub(crate) uploads_max: usize,
    upload_idle_ms: u64,
    pub(crate) watchers_max: usize,
    pub(crate) submits_in_flight_max: usize,
    pub(crate) submit_bytes_max: usize,
    pub(crate) message_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) streams_per_connection_max: u32,
    health_ms: u64,
}

impl Settings {
    /// Reads and checks the section.
    pub(crate) fn read(config: &Config) -> Result<Self, Error> {
        let settings: Self = config.section("gateway")?;
        settings.address(config)?;
        settings.http_address(config)?;
        match settings.fault() {
            Some((key, must)) => Err(config.refuse(key, &must)),
            None => Ok(settings),
        }
    }

    /// The first key that can't be used, and what it must be.
    fn fault(&self) -> Option<(&'static str, String)> {
        if self.kinds.is_empty() {
            return Some(("gateway.kinds", "hold at least one kind".to_owned()));
        }
        let mut ranges = self.ranges().into_iter();
        let (key, _, range) = ranges.find(|(_, value, range)| !range.contains(value))?;
        let (least, most) = range.into_inner();
        Some((key, format!("be between {least} and {most}")))
    }

    /// Each number, and where it must lie.
    fn ranges(&self) -> [(&'static str, u64, RangeInclusive<u64>); 11] {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let count = |key, value| (key, value, 1..=COUNT_MAX);
        let time = |key, value| (key, value, 1..=TIME_MS_MAX);
        [
            count("gateway.uploads_max", wide(self.uploads_max)),
            count("gateway.watchers_max", wide(self.watchers_max)),
            count(
                "gateway.submits_in_flight_max",
                wide(self.submits_in_flight_max),
            ),
            count("gateway.connections_max", wide(self.connections_max)),
            count(
                "gateway.streams_per_connection_max",
                self.streams_per_connection_max.into(),
            ),
            time("gateway.upload_idle_ms", self.upload_idle_ms),
            time("gateway.health_ms", self.health_ms),
            time("gateway.tokens_reread_ms", self.tokens_reread_ms),
            (
                "gateway.message_bytes_max",
                wide(self.message_bytes_max),
                MESSAGE_BYTES_LEAST..=MESSAGE_BYTES_MOST,
            ),
            (
                "gateway.http_body_bytes_max",
                wide(self.http_body_bytes_max),
                HTTP_BODY_BYTES_LEAST..=HTTP_BODY_BYTES_MOST,
            ),
            (
                "gateway.submit_bytes_max",
                wide(self.submit_bytes_max),
                MESSAGE_BYTES_LEAST..=SUBMIT_BYTES_MOST,
            ),
        ]
    }

    /// Where to listen.
    pub(crate) fn address(&self, config: &Config) -> Result<SocketAddr, Error> {
        let unset = self.listen.is_empty();
        if unset {
            return Err(config.refuse(LISTEN, "be an address with a port such as 127.0.0.1:7400"));
        }
        listen::address(config, LISTEN, self.guard())
    }

    /// Where to listen for HTTP, if anywhere.
    pub(crate) fn http_address(&self, config: &Config) -> Result<Option<SocketAddr>, Error> {
        if self.http_listen.is_empty() {
            return Ok(None);
        }
        listen::address(config, HTTP_LISTEN, self.guard()).map(Some)
    }

    /// What callers from elsewhere must show.
    fn guard(&self) -> Guard {
        Guard {
            key: TOKENS_FILE,
            is_set: self.tokens_file().is_some(),
        }
    }

    /// The file of tokens, if there is one.
    pub(crate) fn tokens_file(&self) -> Option<&Path> {
        Some(Path::new(&self.tokens_file)).filter(|path| !path.as_os_str().is_empty())
    }

    /// Reads the file of tokens, if there is one.
    pub(crate) fn tokens(&self, now_ms: u64) -> Result<Option<(Tokens, Held)>, Error> {
        let Some(path) = self.tokens_file() else {
            return Ok(None);
        };
        let read = access::read(path, now_ms).map_err(|error| unusable(path, &error))?;
        Ok(Some(read))
    }

    /// How often the file of tokens is looked at.
    pub(crate) fn tokens_reread(&self) -> Duration {
        Duration::from_millis(self.tokens_reread_ms)
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
    Settings::read(config)?.tokens(0).map(drop)
}

fn unusable(path: &Path, error: &FileError) -> Error {
    let path = path.display();
    Error::Invalid(vec![format!(
        "cannot use the file of tokens {path}, named by `{TOKENS_FILE}`: {error}"
    )])
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
    fn every_bound_holds_at_n_and_not_beyond() {
        let table = [
            ("uploads_max", 1, COUNT_MAX),
            ("watchers_max", 1, COUNT_MAX),
            ("submits_in_flight_max", 1, COUNT_MAX),
            ("connections_max", 1, COUNT_MAX),
            ("streams_per_connection_max", 1, COUNT_MAX),
            ("upload_idle_ms", 1, TIME_MS_MAX),
            ("health_ms", 1, TIME_MS_MAX),
            ("tokens_reread_ms", 1, TIME_MS_MAX),
            ("message_bytes_max", MESSAGE_BYTES_LEAST, MESSAGE_BYTES_MOST),
            ("submit_bytes_max", MESSAGE_BYTES_LEAST, SUBMIT_BYTES_MOST),
            (
                "http_body_bytes_max",
                HTTP_BODY_BYTES_LEAST,
                HTTP_BODY_BYTES_MOST,
            ),
        ];
        for (name, least, most) in table {
            let key = format!("gateway.{name}");
            let read = |value: u64| read(&key, &value.to_string());
            assert!(read(least).is_ok() && read(most).is_ok(), "{key}");
            for beyond in [least - 1, most + 1] {
                let error = read(beyond).unwrap_err().to_string();
                assert!(error.contains(&key), "{error}");
            }
        }
    }

    #[test]
    fn an_address_that_cannot_work_is_refused_by_name() {
        for wrong in ["0.0.0.0:7400", "7400", ""] {
            let error = read("gateway.listen", wrong).unwrap_err().to_string();
            assert!(error.contains("gateway.listen"), "{error}");
        }
    }

    #[test]
    fn callers_from_elsewhere_must_show_a_token() {
        for key in [LISTEN, HTTP_LISTEN] {
            let error = read(key, "0.0.0.0:7400").unwrap_err().to_string();
            let expected = format!(
                "`{key}` must be a loopback address unless `{TOKENS_FILE}` is set, but the program holds \"0.0.0.0:7400\""
            );
            assert_eq!(error, expected);
            let loader = Config::loader(&[DEFAULTS]).set(key, "0.0.0.0:7400");
            let config = loader.set(TOKENS_FILE, "tokens").load().unwrap();
            assert!(Settings::read(&config).is_ok());
        }
    }

    #[test]
    fn a_file_of_tokens_that_can_t_be_used_is_refused_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let check_it = || {
            let loader = Config::loader(&[DEFAULTS]).set(TOKENS_FILE, path.display().to_string());
            check(&loader.load().unwrap())
        };
        let said = |error: Error| {
            error
                .to_string()
                .replace(&path.display().to_string(), "PATH")
        };
        let missing = said(check_it().unwrap_err());
        assert!(
            missing.contains("PATH, named by `gateway.tokens_file`: No such file"),
            "{missing}"
        );
        std::fs::write(&path, "# ours\nname=ci\n").unwrap();
        let expected = "cannot use the file of tokens PATH, named by `gateway.tokens_file`: line 2: `tenant` is missing";
        assert_eq!(said(check_it().unwrap_err()), expected);
    }

    #[test]
    fn http_is_served_to_loopback_or_not_at_all() {
        let settings = read("gateway.http_listen", "").unwrap();
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        assert_eq!(settings.http_address(&config).unwrap(), None);
        for wrong in ["0.0.0.0:7401", "7401"] {
            let error = read("gateway.http_listen", wrong).unwrap_err().to_string();
            assert!(error.contains("`gateway.http_listen` must be"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
