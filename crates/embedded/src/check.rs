//! What the parts want configured and measured, in one place.

use assay_service::Config;
use assay_service::config::Error;
use assay_service::prometheus::{Instruments, named};
use assay_store::metric_definitions;

use crate::settings::Settings;

/// Documented defaults of all sections but those of the handlers.
pub const DEFAULTS: [&str; 5] = [
    include_str!("defaults.toml"),
    assay_store::DEFAULTS_TOML,
    assay_gateway::DEFAULTS,
    assay_scheduler::DEFAULTS,
    assay_worker_runtime::DEFAULTS,
];

/// Metrics of all parts but the handlers.
pub const INSTRUMENTS: [Instruments; 4] = [
    STORE,
    assay_gateway::INSTRUMENTS,
    assay_scheduler::INSTRUMENTS,
    assay_worker_runtime::INSTRUMENTS,
];

/// The store knows nothing of this process's metrics; it names its own.
const STORE: Instruments = Instruments {
    describe: metric_definitions::describe,
    buckets: &named(metric_definitions::BUCKETS),
};

/// Reads all sections once, without using them.
///
/// # Errors
/// The first value that a part cannot work with.
pub fn check(config: &Config) -> Result<(), Error> {
    Settings::read(config)?;
    assay_backend::store_settings(config)?;
    assay_gateway::check(config)?;
    assay_scheduler::Settings::read(config)?;
    assay_worker_runtime::Settings::read(config)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(key: &str, value: &str) -> Result<(), String> {
        let config = Config::loader(&DEFAULTS).set(key, value).load().unwrap();
        check(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_work_together() {
        check(&Config::loader(&DEFAULTS).load().unwrap()).unwrap();
    }

    #[test]
    fn every_section_is_looked_at() {
        for (key, value) in [
            ("embedded.data_dir", ""),
            ("store.event_lag_max", "0"),
            ("gateway.listen", "nowhere"),
            ("scheduler.reap_period_ms", "0"),
            ("worker.concurrency", "0"),
        ] {
            let error = check_with(key, value).unwrap_err();
            assert!(error.contains(&format!("`{key}`")), "{error}");
        }
    }
}
