//! A server that a test starts, halts, ends and starts again, over one log.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::leash::{Leash, Signal};
use crate::log::{append, last_words};

/// How long a server is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long it may take to be ready.
    pub(crate) ready_within: Duration,
    /// Between two looks at whether it is.
    pub(crate) look_period: Duration,
    /// How long it may take to end.
    pub(crate) end_within: Duration,
}

/// A process that runs or does not. Killed when dropped, and when the test is killed.
#[derive(Debug)]
pub(crate) struct Restartable {
    /// What errors call it.
    name: &'static str,
    log: PathBuf,
    patience: Patience,
    process: Option<Leash>,
}

impl Restartable {
    /// One that does not run yet, and will write what it says into `log`.
    pub(crate) fn new(name: &'static str, log: PathBuf, patience: Patience) -> Self {
        Self {
            name,
            log,
            patience,
            process: None,
        }
    }

    /// Starts it, and does not wait. `folder` goes with it if the test is killed.
    pub(crate) fn launch(&mut self, command: &mut Command, folder: &Path) -> anyhow::Result<()> {
        let log = append(&self.log)?;
        let shared = log.try_clone();
        let shared = shared.with_context(|| format!("share the log of {}", self.name))?;
        command.stdin(Stdio::null()).stdout(shared).stderr(log);
        self.process = Some(Leash::start(command, Some(folder))?);
        Ok(())
    }

    /// Waits for one look more at one that was not ready, and was launched at `start`; fails if it never will be.
    pub(crate) async fn look_later(&mut self, start: Instant) -> anyhow::Result<()> {
        let Patience { ready_within, .. } = self.patience;
        if let Some(status) = self.ended_with()? {
            bail!(
                "{} ended with {status} before it was ready: {}",
                self.name,
                last_words(&self.log)
            );
        }
        anyhow::ensure!(
            start.elapsed() < ready_within,
            "{} is not ready after {ready_within:?}: {}",
            self.name,
            last_words(&self.log)
        );
        tokio::time::sleep(self.patience.look_period).await;
        Ok(())
    }

    /// The process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Leash::pid)
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> anyhow::Result<bool> {
        let status = self.ended_with()?;
        Ok(status.is_none() && self.process.is_some())
    }

    /// How it ended, if it did so without being told to.
    pub(crate) fn ended_with(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.as_mut().map_or(Ok(None), Leash::ended)
    }

    /// Sends it a signal that it goes on after.
    pub(crate) fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        self.running()?.signal(signal)
    }

    /// Sends it a signal that ends it, and waits for the end.
    pub(crate) async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let end_within = self.patience.end_within;
        let process = self.running()?;
        process.signal(signal)?;
        process.wait(end_within).await?;
        self.process = None;
        Ok(())
    }

    /// What it said.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        let log = std::fs::read_to_string(&self.log);
        log.with_context(|| format!("read the log of {}", self.name))
    }

    fn running(&mut self) -> anyhow::Result<&mut Leash> {
        let process = self.process.as_mut();
        process.with_context(|| format!("{} does not run", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(words: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", words]);
        command
    }

    fn server(folder: &Path, ready_within: Duration) -> Restartable {
        let patience = Patience {
            ready_within,
            look_period: Duration::from_millis(2),
            end_within: Duration::from_secs(60),
        };
        Restartable::new("the shell", folder.join("log"), patience)
    }

    #[tokio::test]
    async fn one_that_was_ended_can_be_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = server(folder.path(), Duration::from_secs(60));
        assert!(!server.is_running().unwrap());
        let absent = server.end(Signal::KILL).await.unwrap_err().to_string();
        assert_eq!(absent, "the shell does not run");
        for _ in 0..2 {
            server
                .launch(&mut shell("exec sleep 600"), folder.path())
                .unwrap();
            assert!(server.is_running().unwrap());
            server.end(Signal::KILL).await.unwrap();
            assert_eq!(server.pid(), None);
        }
    }

    #[tokio::test]
    async fn one_that_never_gets_ready_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let mut patient = server(folder.path(), Duration::from_secs(60));
        let mut dies = shell("echo farewell; exit 3");
        patient.launch(&mut dies, folder.path()).unwrap();
        let error = loop {
            if let Err(error) = patient.look_later(start).await {
                break error.to_string();
            }
        };
        assert!(error.contains("before it was ready: farewell"), "{error}");
        assert_eq!(patient.log().unwrap(), "farewell\n");

        let mut hurried = server(folder.path(), Duration::ZERO);
        let mut lives = shell("exec sleep 600");
        hurried.launch(&mut lives, folder.path()).unwrap();
        let error = hurried.look_later(start).await.unwrap_err().to_string();
        assert!(
            error.starts_with("the shell is not ready after 0ns"),
            "{error}"
        );
    }
}
