//! What a fleet is made of.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Fleet;
use crate::rabbit::{Prefix, RabbitOptions};
use crate::redis::{Appendfsync, Database, RedisOptions};

/// What a process of the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Takes calls.
    Gateway,
    /// Does what is due.
    Scheduler,
    /// Runs jobs.
    Worker,
}

/// The Redis of a fleet.
#[derive(Clone, Debug)]
pub(super) enum Records {
    /// One of its own, with these options.
    Own(RedisOptions),
    /// A database on the server of the whole run.
    Shared(Database),
}

/// The RabbitMQ of a fleet in full mode.
#[derive(Clone, Debug)]
pub enum Broker {
    /// One of its own, with these options.
    Own(RabbitOptions),
    /// Names on the broker of the whole run.
    Shared(Prefix),
}

impl From<RabbitOptions> for Broker {
    fn from(options: RabbitOptions) -> Self {
        Self::Own(options)
    }
}

impl From<Prefix> for Broker {
    fn from(prefix: Prefix) -> Self {
        Self::Shared(prefix)
    }
}

/// Which processes, with which settings. By default redis mode, over a Redis of its own that syncs before each answer,
/// with a gateway, a scheduler and one `verification-worker`.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) programs: PathBuf,
    pub(super) records: Records,
    pub(super) broker: Option<Broker>,
    pub(super) schedulers: usize,
    pub(super) workers: usize,
    pub(super) worker: String,
    settings: Vec<(Role, String, String)>,
}

impl Plan {
    /// A plan for the programs of this folder, such as `target/debug`.
    #[must_use]
    pub fn new(programs: &Path) -> Self {
        Self {
            programs: programs.to_owned(),
            records: Records::Own(RedisOptions::new(Appendfsync::Always)),
            broker: None,
            schedulers: 1,
            workers: 1,
            worker: "verification-worker".to_owned(),
            settings: Vec::new(),
        }
    }

    /// Keeps records in a Redis of its own with other options.
    #[must_use]
    pub fn redis(mut self, options: RedisOptions) -> Self {
        self.records = Records::Own(options);
        self
    }

    /// Keeps records in a database on the server of the run.
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.records = Records::Shared(database);
        self
    }

    /// Full mode: envelopes go over a RabbitMQ of its own with these options, or over that of the run.
    #[must_use]
    pub fn full(mut self, broker: impl Into<Broker>) -> Self {
        self.broker = Some(broker.into());
        self
    }

    /// So many schedulers.
    #[must_use]
    pub fn schedulers(mut self, count: usize) -> Self {
        self.schedulers = count;
        self
    }

    /// So many workers of this program: `verification-worker` or `probe-worker`.
    #[must_use]
    pub fn workers(mut self, program: &str, count: usize) -> Self {
        self.worker = program.to_owned();
        self.workers = count;
        self
    }

    /// Sets `section.key` for the processes of a role.
    #[must_use]
    pub fn set(mut self, role: Role, key: &str, value: &str) -> Self {
        self.settings.push((role, key.to_owned(), value.to_owned()));
        self
    }

    /// Starts everything and waits until all are ready.
    ///
    /// # Errors
    /// When a program is not built, or one of them does not become ready.
    pub async fn start(self) -> anyhow::Result<Fleet> {
        Fleet::start(self).await
    }

    /// Every process by name.
    pub(super) fn roles(&self) -> Vec<(String, Role)> {
        let many = |name: &'static str, role, count| {
            (1..=count).map(move |number| (format!("{name}-{number}"), role))
        };
        let gateway = ("gateway".to_owned(), Role::Gateway);
        std::iter::once(gateway)
            .chain(many("scheduler", Role::Scheduler, self.schedulers))
            .chain(many("worker", Role::Worker, self.workers))
            .collect()
    }

    /// The settings of a role; what is said last counts.
    pub(super) fn settings(&self, role: Role) -> impl Iterator<Item = (String, String)> {
        let of_role = self.settings.iter().filter(move |(of, _, _)| *of == role);
        of_role.map(|(_, key, value)| (key.clone(), value.clone()))
    }

    /// The program of a role.
    ///
    /// # Errors
    /// When it is not built.
    pub(super) fn program(&self, role: Role) -> anyhow::Result<PathBuf> {
        let name = match role {
            Role::Gateway => "gateway",
            Role::Scheduler => "scheduler",
            Role::Worker => self.worker.as_str(),
        };
        let program = self.programs.join(name);
        program.is_file().then_some(program).with_context(|| {
            format!(
                "find {name} in {}: run `cargo build --workspace --bins`",
                self.programs.display()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_have_names_and_settings_by_role() {
        let plan = Plan::new(Path::new("/programs"))
            .schedulers(2)
            .workers("probe-worker", 2)
            .set(Role::Worker, "worker.concurrency", "1")
            .set(Role::Worker, "worker.concurrency", "2");
        let names: Vec<String> = plan.roles().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "gateway",
                "scheduler-1",
                "scheduler-2",
                "worker-1",
                "worker-2"
            ]
        );
        let of_worker: Vec<_> = plan.settings(Role::Worker).collect();
        assert_eq!(of_worker.len(), 2);
        assert_eq!(of_worker[1].1, "2");
        assert_eq!(plan.settings(Role::Gateway).count(), 0);
    }

    #[test]
    fn a_program_that_is_not_built_is_named() {
        let plan = Plan::new(Path::new("/nowhere")).workers("probe-worker", 1);
        let error = plan.program(Role::Worker).unwrap_err().to_string();
        assert!(
            error.starts_with("find probe-worker in /nowhere: run `cargo build"),
            "{error}"
        );
    }
}
