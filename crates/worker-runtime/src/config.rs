//! Section `[worker]` of the configuration.

use std::time::Duration;

use assay_service::config::{self, Config};
use serde::Deserialize;

use crate::span::Tie;

/// Documented defaults of this crate's section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Most jobs that one worker runs at once.
pub const CONCURRENCY_MAX: usize = 4_096;
/// Most deliveries in hand per job that runs at once.
pub const PREFETCH_FACTOR_MAX: usize = 16;
/// Shortest lease, in milliseconds.
pub const LEASE_MS_MIN: u64 = 100;
/// So many renewals fit into a lease: two may fail.
pub const RENEWALS_PER_LEASE_MIN: u64 = 3;
/// Longest time that any setting of the section may hold: one day, in milliseconds.
pub const TIME_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// How a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Jobs that run at once, 1..=[`CONCURRENCY_MAX`].
    pub concurrency: usize,
    /// Deliveries in hand per job that runs at once, 1..=[`PREFETCH_FACTOR_MAX`].
    pub prefetch_factor: usize,
    /// Longest wait of a delivery for a free slot, in milliseconds.
    pub buffer_age_max_ms: u64,
    /// Length of a lease, in milliseconds.
    pub lease_ms: u64,
    /// Time between renewals, in milliseconds.
    pub renew_ms: u64,
    /// Longest attempt, in milliseconds.
    pub attempt_timeout_ms: u64,
    /// Time for a handler to stop, in milliseconds.
    pub cancel_grace_ms: u64,
    /// Longest time that an outcome is offered to the store, in milliseconds.
    pub settle_patience_ms: u64,
    /// How the trace of an attempt hangs together with that of its submit.
    pub trace: Tie,
}

impl Settings {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// Names the key that cannot be used, and what it must be.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let settings: Self = config.section("worker")?;
        match settings.fault() {
            Some((key, must)) => Err(config.refuse(key, &must)),
            None => Ok(settings),
        }
    }

    /// The first key that cannot be used, and what it must be.
    fn fault(&self) -> Option<(&'static str, String)> {
        let renew_ms_max = (self.lease_ms / RENEWALS_PER_LEASE_MIN).max(1);
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let ranges = [
            (
                "worker.concurrency",
                wide(self.concurrency),
                1,
                wide(CONCURRENCY_MAX),
            ),
            (
                "worker.prefetch_factor",
                wide(self.prefetch_factor),
                1,
                wide(PREFETCH_FACTOR_MAX),
            ),
            (
                "worker.buffer_age_max_ms",
                self.buffer_age_max_ms,
                1,
                TIME_MS_MAX,
            ),
            ("worker.lease_ms", self.lease_ms, LEASE_MS_MIN, TIME_MS_MAX),
            ("worker.renew_ms", self.renew_ms, 1, renew_ms_max),
            (
                "worker.attempt_timeout_ms",
                self.attempt_timeout_ms,
                1,
                TIME_MS_MAX,
            ),
            (
                "worker.cancel_grace_ms",
                self.cancel_grace_ms,
                0,
                TIME_MS_MAX,
            ),
            (
                "worker.settle_patience_ms",
                self.settle_patience_ms,
                0,
                TIME_MS_MAX,
            ),
        ];
        let (key, _, min, max) = ranges
            .into_iter()
            .find(|(_, value, min, max)| !(min..=max).contains(&value))?;
        Some((key, format!("be between {min} and {max}")))
    }

    /// Most deliveries in hand, running ones included.
    pub(crate) fn prefetch_max(&self) -> usize {
        self.concurrency.saturating_mul(self.prefetch_factor)
    }

    pub(crate) fn cancel_grace(&self) -> Duration {
        Duration::from_millis(self.cancel_grace_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: impl ToString) -> Result<Settings, String> {
        let loader = Config::loader(&[DEFAULTS]).set(&format!("worker.{key}"), value.to_string());
        Settings::read(&loader.load().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_bound_holds_at_n_and_not_beyond() {
        let table = [
            ("concurrency", 1, 4_096),
            ("prefetch_factor", 1, 16),
            ("buffer_age_max_ms", 1, TIME_MS_MAX),
            ("renew_ms", 1, 3_333),
            ("attempt_timeout_ms", 1, TIME_MS_MAX),
        ];
        for (key, min, max) in table {
            assert!(read(key, min).is_ok() && read(key, max).is_ok(), "{key}");
            assert!(
                read(key, min - 1).is_err() && read(key, max + 1).is_err(),
                "{key}"
            );
        }
        for key in ["cancel_grace_ms", "settle_patience_ms"] {
            assert!(
                read(key, 0).is_ok() && read(key, TIME_MS_MAX).is_ok(),
                "{key}"
            );
            assert!(read(key, TIME_MS_MAX + 1).is_err(), "{key}");
        }
        // A shorter lease than three renewals is the renewal's fault, and said so.
        assert!(read("lease_ms", 9_000).is_ok());
        assert!(
            read("lease_ms", 8_999)
                .unwrap_err()
                .contains("`worker.renew_ms`")
        );
        assert!(
            read("lease_ms", LEASE_MS_MIN - 1)
                .unwrap_err()
                .contains("`worker.lease_ms`")
        );
    }

    #[test]
    fn traces_are_linked_unless_told_otherwise() {
        let defaults = Config::loader(&[DEFAULTS]).load().unwrap();
        assert_eq!(Settings::read(&defaults).unwrap().trace, Tie::Link);
        assert_eq!(read("trace", "parent").unwrap().trace, Tie::Parent);
        assert!(
            read("trace", "sibling")
                .unwrap_err()
                .contains("`worker.trace`")
        );
    }

    #[test]
    fn a_wrong_value_is_refused_in_one_sentence() {
        assert_eq!(
            read("concurrency", 0).unwrap_err(),
            "`worker.concurrency` must be between 1 and 4096, but the program holds 0"
        );
    }

    #[test]
    fn the_environment_of_the_seed_works() {
        let variables = [("WORKER_CONCURRENCY", "3"), ("WORKER_TIMEOUT", "1500")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let loader = Config::loader(&[DEFAULTS]).environment(variables.into());
        let settings = Settings::read(&loader.load().unwrap()).unwrap();
        assert_eq!(
            (settings.concurrency, settings.attempt_timeout_ms),
            (3, 1_500)
        );
    }
}
