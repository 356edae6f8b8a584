//! The rows: one idea each.

use std::pin::Pin;

use super::{Mode, Row, Setup};

mod bad_network;
mod both_restarted;
mod connection_reset;
mod consumer_cancelled;
mod crash_loop;
mod delivered_twice;
mod foreign_envelopes;
mod gateway_killed;
mod hands_on;
mod keys_deleted;
mod queue_by_hand;
mod rabbit_alarm;
mod rabbit_away;
mod rabbit_away_fallback;
mod rabbit_killed;
mod rabbit_restarted;
mod redis_cut;
mod redis_empty;
mod redis_full;
mod redis_killed;
mod redis_restarted;
mod rolling_workers;
pub(super) mod scheduler_behind;
mod scheduler_killed;
mod watchers_cut;
pub(super) mod worker_between;
mod worker_frozen;
mod worker_killed;
mod worker_recorded;

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
    /// Over what it can be done.
    pub modes: &'static [Mode],
    pub(super) run: for<'a> fn(&'a Setup) -> Outcome<'a>,
}

/// All of them, in the order of the table.
pub const SCENARIOS: [Scenario; 35] = [
    worker_killed::SCENARIO,
    worker_recorded::SCENARIO,
    worker_between::SCENARIO,
    gateway_killed::CHECKED,
    gateway_killed::RECORDED,
    gateway_killed::PUBLISHED,
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
    redis_empty::SCENARIO,
    watchers_cut::SCENARIO,
    hands_on::SCENARIO,
    rabbit_killed::SCENARIO,
    rabbit_restarted::SCENARIO,
    rabbit_away::SCENARIO,
    rabbit_away_fallback::SCENARIO,
    both_restarted::SCENARIO,
    rabbit_alarm::MEMORY,
    rabbit_alarm::DISK,
    connection_reset::SCENARIO,
    delivered_twice::SCENARIO,
    consumer_cancelled::SCENARIO,
    queue_by_hand::PURGED,
    queue_by_hand::DELETED,
];

impl Scenario {
    /// Whether it can be done over this.
    #[must_use]
    pub fn is_for(&self, mode: Mode) -> bool {
        self.modes.contains(&mode)
    }

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
