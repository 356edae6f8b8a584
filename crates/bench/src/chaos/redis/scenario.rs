//! The rows: one idea each.

use std::pin::Pin;

use super::{Row, Setup};

mod bad_network;
mod crash_loop;
mod foreign_envelopes;
mod gateway_killed;
mod keys_deleted;
mod redis_cut;
mod redis_full;
mod redis_killed;
mod redis_restarted;
mod rolling_workers;
pub(super) mod scheduler_behind;
mod scheduler_killed;
pub(super) mod worker_between;
mod worker_frozen;
mod worker_killed;

/// What a scenario comes to.
type Outcome<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Row>> + 'a>>;

/// A fault, and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, for people.
    pub fault: &'static str,
    /// Whether it stops processes at failpoints, which only some builds have.
    pub failpoints: bool,
    pub(super) run: for<'a> fn(&'a Setup) -> Outcome<'a>,
}

/// All of them, in the order of the table.
pub const SCENARIOS: [Scenario; 18] = [
    worker_killed::SCENARIO,
    worker_between::SCENARIO,
    gateway_killed::CHECKED,
    gateway_killed::RECORDED,
    gateway_killed::ANSWERING,
    scheduler_killed::SCENARIO,
    scheduler_behind::SCENARIO,
    redis_killed::SCENARIO,
    redis_cut::SCENARIO,
    redis_restarted::SCENARIO,
    redis_full::SCENARIO,
    bad_network::SCENARIO,
    rolling_workers::SCENARIO,
    crash_loop::SCENARIO,
    keys_deleted::LEASES,
    keys_deleted::STREAMS,
    foreign_envelopes::SCENARIO,
    worker_frozen::SCENARIO,
];

impl Scenario {
    /// The scenario of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        for scenario in &SCENARIOS {
            assert_eq!(
                Scenario::named(scenario.name).unwrap().fault,
                scenario.fault
            );
        }
        assert!(Scenario::named("flood").is_none());
    }
}
