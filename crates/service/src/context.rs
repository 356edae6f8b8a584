//! What a service is, and what its `run` function gets.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{self, Config};
use crate::prometheus::{Instruments, Metrics};
use crate::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::tasks::TaskGroup;

/// Any error, as the end of a task or of a whole program.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Describes a service before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its name: in logs, traces and the `service` label.
    pub name: &'static str,
    /// Its version, usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// Documented defaults of its configuration sections, one TOML document per component.
    pub defaults: &'static [&'static str],
    /// Metrics of its components.
    pub instruments: &'static [Instruments],
    /// Reads all sections once, so that `--check-config` finds what only a component can know.
    pub check: fn(&Config) -> Result<(), config::Error>,
}

/// What every part of a process shares. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Context {
    /// Settings.
    pub config: Arc<Config>,
    /// Where tasks are started. All of them must end before the process does.
    pub tasks: TaskGroup,
    /// When to stop taking work, and when to hand it back.
    pub shutdown: Shutdown,
    /// Whether this process should get work.
    pub readiness: Readiness,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Where the admin port listens, with the port that was really taken.
    pub admin_address: Option<SocketAddr>,
}

impl Context {
    /// A context without a process around it: for tests, and for parts inside another program.
    #[must_use]
    pub fn detached(config: Config, metrics: Metrics) -> Self {
        let shutdown = Shutdown::new();
        Self {
            config: Arc::new(config),
            tasks: TaskGroup::new(shutdown.clone()),
            shutdown,
            readiness: Readiness::new(),
            metrics,
            admin_address: None,
        }
    }
}
