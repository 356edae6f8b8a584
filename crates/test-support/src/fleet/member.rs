//! One service process of a fleet.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::admin;
use crate::leash::{Leash, Signal};
use crate::log::{append, last_words};

/// How long a process may take to be ready, or to end when asked.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks at whether it is.
const LOOK_PERIOD: Duration = Duration::from_millis(5);

/// Variables that a service gets from the environment of the test; any other setting is the fleet's.
const INHERITED: [&str; 3] = ["PATH", "HOME", "TMPDIR"];

/// What to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// Settings, as `section.key` and value.
    pub settings: Vec<(String, String)>,
    /// Where its admin port is to listen.
    pub admin: SocketAddr,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A process that can be started again and again. Killed when dropped.
#[derive(Debug)]
pub struct Member {
    start: Start,
    process: Option<Leash>,
}

impl Member {
    /// One that does not run yet.
    #[must_use]
    pub fn new(start: Start) -> Self {
        Self {
            start,
            process: None,
        }
    }

    /// Starts it and does not wait.
    ///
    /// # Errors
    /// When it runs already, or can't be started.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.runs()?, "{} runs already", self.name());
        let log = append(&self.start.log)?;
        let mut command = Command::new(&self.start.program);
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let inherited: Vec<_> = inherited.collect();
        command
            .env_clear()
            .envs(inherited)
            .envs(
                self.start
                    .settings
                    .iter()
                    .map(|(key, value)| (variable(key), value)),
            )
            .env(variable("admin.listen"), self.start.admin.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log of a service")?)
            .stderr(log);
        self.process = Some(Leash::start(&mut command, None)?);
        Ok(())
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends instead, or takes too long; with the end of its log.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        self.until("ready", admin::is_ready).await
    }

    /// Waits until it is ready and lacks nothing, such as a broker that it could be ready without.
    ///
    /// # Errors
    /// When it ends instead, or takes too long; with the end of its log.
    pub async fn whole(&mut self) -> anyhow::Result<()> {
        self.until("ready and whole", admin::is_whole).await
    }

    async fn until(&mut self, state: &str, look: fn(SocketAddr) -> bool) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.running()?.ended()? {
                bail!(
                    "{} ended with {status}: {}",
                    self.name(),
                    last_words(&self.start.log)
                );
            }
            if look(self.start.admin) {
                return Ok(());
            }
            anyhow::ensure!(
                start.elapsed() < PATIENCE,
                "{} is not {state} after {PATIENCE:?}: {}",
                self.name(),
                last_words(&self.start.log)
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// Kills it as the kernel would: no handler runs.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Signal::KILL).await.map(drop)
    }

    /// Asks it to end and waits until it has: its exit code, or none if a signal ended it.
    ///
    /// # Errors
    /// When it does not run, or does not end.
    pub async fn terminate(&mut self) -> anyhow::Result<Option<i32>> {
        self.end(Signal::TERM).await
    }

    /// Halts it where it stands.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.running()?.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.running()?.signal(Signal::CONT)
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn runs(&mut self) -> anyhow::Result<bool> {
        let ended = self.process.as_mut().map(Leash::ended).transpose()?;
        Ok(matches!(ended, Some(None)))
    }

    /// The process id, unless it was ended from here.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Leash::pid)
    }

    /// Where its admin port listens.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.start.admin
    }

    /// Where its log is.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.start.log
    }

    fn name(&self) -> String {
        let name = self.start.program.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn running(&mut self) -> anyhow::Result<&mut Leash> {
        let name = self.name();
        self.process
            .as_mut()
            .with_context(|| format!("{name} does not run"))
    }

    async fn end(&mut self, signal: Signal) -> anyhow::Result<Option<i32>> {
        self.running()?.signal(signal)?;
        let status = self.running()?.wait(PATIENCE).await?;
        self.process = None;
        Ok(status.code())
    }
}

/// The environment variable that sets `section.key`.
fn variable(key: &str) -> String {
    format!("ASSAY__{}", key.to_uppercase().replace('.', "__"))
}
