//! The section `[scheduler]`.

use assay_service::Config;
use assay_service::config::Error;
use serde::Deserialize;

/// Documented defaults of the section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The shortest period, in milliseconds: below, a loop is a load of its own.
pub const PERIOD_MS_MIN: u64 = 5;
/// The longest period, in milliseconds: a day.
pub const PERIOD_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// Most that one activation may be allowed to change.
pub const PER_ACTIVATION_LIMIT: usize = 10_000;

/// How often, and how much at a time. `defaults.toml` documents each key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How often [`crate::PromoteDue`] runs, in milliseconds.
    pub promote_due_period_ms: u64,
    /// How often [`crate::Reap`] runs, in milliseconds.
    pub reap_period_ms: u64,
    /// How often [`crate::SweepOutbox`] runs, in milliseconds.
    pub sweep_outbox_period_ms: u64,
    /// How often [`crate::Expire`] runs, in milliseconds.
    pub expire_period_ms: u64,
    /// How often [`crate::MeasureDepth`] runs, in milliseconds.
    pub measure_depth_period_ms: u64,
    /// How often [`crate::CollectBlobs`] runs, in milliseconds.
    pub collect_blobs_period_ms: u64,
    /// How often [`crate::SendMarkers`] runs, in milliseconds.
    pub send_markers_period_ms: u64,
    /// How often [`crate::Reconcile`] runs, in milliseconds.
    pub reconcile_period_ms: u64,
    /// How often [`crate::ReconcileDeadLetters`] runs, in milliseconds.
    pub reconcile_dead_letters_period_ms: u64,
    /// Most jobs that one activation changes.
    pub jobs_per_activation_max: usize,
    /// Most contents that one activation deletes.
    pub blobs_per_activation_max: usize,
}

impl Settings {
    /// Reads the section.
    ///
    /// # Errors
    /// What is out of bounds, and what would not be.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let settings: Self = config.section("scheduler")?;
        settings.check(config)?;
        Ok(settings)
    }

    fn check(&self, config: &Config) -> Result<(), Error> {
        let periods = [
            ("promote_due_period_ms", self.promote_due_period_ms),
            ("reap_period_ms", self.reap_period_ms),
            ("sweep_outbox_period_ms", self.sweep_outbox_period_ms),
            ("expire_period_ms", self.expire_period_ms),
            ("measure_depth_period_ms", self.measure_depth_period_ms),
            ("collect_blobs_period_ms", self.collect_blobs_period_ms),
            ("send_markers_period_ms", self.send_markers_period_ms),
            ("reconcile_period_ms", self.reconcile_period_ms),
            (
                "reconcile_dead_letters_period_ms",
                self.reconcile_dead_letters_period_ms,
            ),
        ];
        for (key, period_ms) in periods {
            if !(PERIOD_MS_MIN..=PERIOD_MS_MAX).contains(&period_ms) {
                let must = format!("be {PERIOD_MS_MIN} to {PERIOD_MS_MAX} milliseconds");
                return Err(config.refuse(&format!("scheduler.{key}"), &must));
            }
        }
        let limits = [
            ("jobs_per_activation_max", self.jobs_per_activation_max),
            ("blobs_per_activation_max", self.blobs_per_activation_max),
        ];
        for (key, limit) in limits {
            if !(1..=PER_ACTIVATION_LIMIT).contains(&limit) {
                let must = format!("be 1 to {PER_ACTIVATION_LIMIT}");
                return Err(config.refuse(&format!("scheduler.{key}"), &must));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: impl ToString) -> Result<Settings, String> {
        let loader = Config::loader(&[DEFAULTS]).set(key, value.to_string());
        let config = loader.load().map_err(|error| error.to_string())?;
        Settings::read(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_retry_is_late_by_a_tenth_of_a_second_at_most_by_default() {
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        assert!(Settings::read(&config).unwrap().promote_due_period_ms <= 100);
    }

    #[test]
    fn periods_hold_their_bounds() {
        let key = "scheduler.reap_period_ms";
        for (inside, outside) in [
            (PERIOD_MS_MIN, PERIOD_MS_MIN - 1),
            (PERIOD_MS_MAX, PERIOD_MS_MAX + 1),
        ] {
            assert_eq!(read(key, inside).unwrap().reap_period_ms, inside);
            let error = read(key, outside).unwrap_err();
            assert!(
                error.contains("`scheduler.reap_period_ms` must be 5 to 86400000"),
                "{error}"
            );
        }
    }

    #[test]
    fn limits_hold_their_bounds() {
        let key = "scheduler.jobs_per_activation_max";
        for (inside, outside) in [(1, 0), (PER_ACTIVATION_LIMIT, PER_ACTIVATION_LIMIT + 1)] {
            assert_eq!(read(key, inside).unwrap().jobs_per_activation_max, inside);
            let error = read(key, outside).unwrap_err();
            assert!(error.contains("must be 1 to 10000"), "{error}");
        }
    }
}
