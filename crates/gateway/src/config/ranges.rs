//! Where each number of the section must lie.

use std::ops::RangeInclusive;

use super::{RateLimit, Settings};

/// The least that a request of any size within the API's bounds needs, in bytes: a payload, metadata and
/// some room.
const MESSAGE_BYTES_LEAST: u64 = 512 * 1024;
/// The most that one request may take of the memory, in bytes.
const MESSAGE_BYTES_MOST: u64 = 16 * 1024 * 1024;
/// The least and the most that the JSON body of one request over HTTP may have, in bytes.
const HTTP_BODY_BYTES_LEAST: u64 = 1024;
const HTTP_BODY_BYTES_MOST: u64 = 64 * 1024 * 1024;
/// The least that headers need which are all right, and the most that a connection holds of them, in bytes.
const HEADER_BYTES_LEAST: u64 = 1024;
pub(crate) const HEADER_BYTES_MOST: u64 = 64 * 1024;
/// The least and the most that the address of a request over HTTP may have, in bytes.
const URL_BYTES_LEAST: u64 = 256;
/// The most headers that hyper reads unless told to spend memory on each request.
const HEADERS_MOST: u64 = 100;
/// A browser sends about 20.
const HEADERS_LEAST: u64 = 16;
/// The most that all submits under way may take of the memory, in bytes.
const SUBMIT_BYTES_MOST: u64 = 1024 * 1024 * 1024 * 1024;
/// The fastest that an upload can be asked to be: 1 GiB a second.
const BYTES_PER_S_MOST: u64 = 1024 * 1024 * 1024;
/// The most of anything that is counted.
const COUNT_MAX: u64 = 1_000_000;
/// The most calls of one caller in a minute: a million in a second.
const PER_MINUTE_MAX: u64 = 60 * COUNT_MAX;
/// The longest time that any setting of the section may hold: one day, in milliseconds.
const TIME_MS_MAX: u64 = 24 * 60 * 60 * 1000;

type Ranged = (&'static str, u64, RangeInclusive<u64>);

impl Settings {
    /// Each number, and where it must lie.
    pub(super) fn ranges(&self) -> Vec<Ranged> {
        let mut ranges = self.counts();
        ranges.extend(self.times());
        ranges.extend(self.sizes());
        let limits = &self.rate_limits;
        ranges.extend(limits.read.ranges(
            "gateway.rate_limits.read.per_minute",
            "gateway.rate_limits.read.burst",
        ));
        ranges.extend(limits.submit.ranges(
            "gateway.rate_limits.submit.per_minute",
            "gateway.rate_limits.submit.burst",
        ));
        ranges.extend(limits.admin.ranges(
            "gateway.rate_limits.admin.per_minute",
            "gateway.rate_limits.admin.burst",
        ));
        ranges
    }

    fn counts(&self) -> Vec<Ranged> {
        let count = |key, value| (key, value, 1..=COUNT_MAX);
        vec![
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
            count("gateway.calls_max", wide(self.calls_max)),
            (
                "gateway.http_headers_max",
                wide(self.http_headers_max),
                HEADERS_LEAST..=HEADERS_MOST,
            ),
        ]
    }

    fn times(&self) -> Vec<Ranged> {
        let time = |key, value| (key, value, 1..=TIME_MS_MAX);
        vec![
            time("gateway.upload_idle_ms", self.upload_idle_ms),
            time("gateway.greeting_ms", self.greeting_ms),
            time("gateway.http_head_ms", self.http_head_ms),
            time("gateway.http_idle_ms", self.http_idle_ms),
            time("gateway.write_idle_ms", self.write_idle_ms),
            time("gateway.keepalive_ms", self.keepalive_ms),
            time("gateway.keepalive_timeout_ms", self.keepalive_timeout_ms),
            time("gateway.health_ms", self.health_ms),
            time("gateway.tokens_reread_ms", self.tokens_reread_ms),
            (
                "gateway.connection_age_ms",
                self.connection_age_ms,
                0..=TIME_MS_MAX,
            ),
        ]
    }

    fn sizes(&self) -> Vec<Ranged> {
        vec![
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
            (
                "gateway.header_bytes_max",
                self.header_bytes_max.into(),
                HEADER_BYTES_LEAST..=HEADER_BYTES_MOST,
            ),
            (
                "gateway.http_url_bytes_max",
                wide(self.http_url_bytes_max),
                URL_BYTES_LEAST..=HEADER_BYTES_MOST,
            ),
            (
                "gateway.upload_bytes_per_s_min",
                self.upload_bytes_per_s_min,
                1..=BYTES_PER_S_MOST,
            ),
        ]
    }
}

impl RateLimit {
    fn ranges(self, per_minute: &'static str, burst: &'static str) -> [Ranged; 2] {
        [
            (per_minute, self.per_minute, 0..=PER_MINUTE_MAX),
            (burst, self.burst, 1..=COUNT_MAX),
        ]
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use assay_service::config::{Config, Error};

    use super::super::DEFAULTS;
    use super::*;

    fn read(key: &str, value: u64) -> Result<Settings, Error> {
        let loader = Config::loader(&[DEFAULTS]).set(key, value.to_string());
        Settings::read(&loader.load().unwrap())
    }

    /// As operators know them, spelled out once more.
    const TABLE: [(&str, u64, u64); 29] = [
        ("uploads_max", 1, COUNT_MAX),
        ("watchers_max", 1, COUNT_MAX),
        ("submits_in_flight_max", 1, COUNT_MAX),
        ("connections_max", 1, COUNT_MAX),
        ("streams_per_connection_max", 1, COUNT_MAX),
        ("calls_max", 1, COUNT_MAX),
        ("http_headers_max", 16, 100),
        ("upload_idle_ms", 1, TIME_MS_MAX),
        ("greeting_ms", 1, TIME_MS_MAX),
        ("http_head_ms", 1, TIME_MS_MAX),
        ("http_idle_ms", 1, TIME_MS_MAX),
        ("write_idle_ms", 1, TIME_MS_MAX),
        ("keepalive_ms", 1, TIME_MS_MAX),
        ("keepalive_timeout_ms", 1, TIME_MS_MAX),
        ("health_ms", 1, TIME_MS_MAX),
        ("tokens_reread_ms", 1, TIME_MS_MAX),
        ("connection_age_ms", 0, TIME_MS_MAX),
        ("message_bytes_max", MESSAGE_BYTES_LEAST, MESSAGE_BYTES_MOST),
        (
            "http_body_bytes_max",
            HTTP_BODY_BYTES_LEAST,
            HTTP_BODY_BYTES_MOST,
        ),
        ("submit_bytes_max", MESSAGE_BYTES_LEAST, SUBMIT_BYTES_MOST),
        ("header_bytes_max", HEADER_BYTES_LEAST, HEADER_BYTES_MOST),
        ("http_url_bytes_max", URL_BYTES_LEAST, HEADER_BYTES_MOST),
        ("upload_bytes_per_s_min", 1, BYTES_PER_S_MOST),
        ("rate_limits.read.per_minute", 0, PER_MINUTE_MAX),
        ("rate_limits.read.burst", 1, COUNT_MAX),
        ("rate_limits.submit.per_minute", 0, PER_MINUTE_MAX),
        ("rate_limits.submit.burst", 1, COUNT_MAX),
        ("rate_limits.admin.per_minute", 0, PER_MINUTE_MAX),
        ("rate_limits.admin.burst", 1, COUNT_MAX),
    ];

    #[test]
    fn every_bound_holds_at_n_and_not_beyond() {
        for (name, least, most) in TABLE {
            let key = format!("gateway.{name}");
            let read = |value: u64| read(&key, value);
            assert!(read(least).is_ok() && read(most).is_ok(), "{key}");
            let below = least.checked_sub(1);
            for beyond in below.into_iter().chain([most + 1]) {
                let error = read(beyond).unwrap_err().to_string();
                assert!(error.contains(&key), "{error}");
            }
        }
    }

    #[test]
    fn no_number_is_without_a_bound() {
        let settings = read("gateway.health_ms", 1).unwrap();
        let checked = settings.ranges().into_iter().map(|(key, ..)| key);
        let named = TABLE.map(|(name, ..)| format!("gateway.{name}"));
        let checked: BTreeSet<String> = checked.map(str::to_owned).collect();
        assert_eq!(checked, BTreeSet::from(named));
    }
}
