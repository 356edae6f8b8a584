//! A driver process, seen from the bench.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::role::{ENDED, GO, READY, SUBMITTED};

/// How long a driver may take to connect.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a driver may take to end when its input does.
const END_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a driver's complaints that an error shows.
const COMPLAINT_BYTES: usize = 2_000;

/// A running driver that said it is ready. Ends with its input, so it does not outlive the bench.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Driver {
    /// Starts a driver and waits until it is ready. What it complains about goes to `log`.
    ///
    /// # Errors
    /// When it can't be started, ends, or is not ready in time.
    pub async fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let complaints = std::fs::File::create(log).context("make the log of a driver")?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true);
        let program = command.as_std().get_program().display().to_string();
        let mut child = command
            .spawn()
            .with_context(|| format!("start {program}"))?;
        let input = child.stdin.take().context("take a driver's input")?;
        let output = child.stdout.take().context("take a driver's output")?;
        let mut driver = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            log: log.to_owned(),
        };
        driver.expect(READY, READY_WITHIN).await?;
        Ok(driver)
    }

    /// Lets it begin.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn go(&mut self) -> anyhow::Result<()> {
        let line = format!("{GO}\n");
        let told = self.input.write_all(line.as_bytes()).await;
        told.with_context(|| format!("let a driver begin: {}", self.complaints()))
    }

    /// Waits until its jobs are acknowledged.
    ///
    /// # Errors
    /// When it ends before that, or takes longer than `patience`.
    pub async fn submitted(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.expect(SUBMITTED, patience).await
    }

    /// Waits until it has acknowledged every job.
    ///
    /// # Errors
    /// When it ends before that, or takes longer than `patience`.
    pub async fn ended(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.expect(ENDED, patience).await
    }

    /// Ends its input and waits until it has ended in order.
    ///
    /// # Errors
    /// When it does not, or failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self {
            mut child,
            input,
            output: _output,
            log,
        } = self;
        drop(input);
        let ended = tokio::time::timeout(END_WITHIN, child.wait()).await;
        let status = ended.context("wait for a driver to end")??;
        anyhow::ensure!(
            status.success(),
            "a driver ended with {status}: {}",
            last_words(&log)
        );
        Ok(())
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// What it complained about.
    #[must_use]
    pub fn complaints(&self) -> String {
        last_words(&self.log)
    }

    async fn expect(&mut self, word: &str, patience: Duration) -> anyhow::Result<()> {
        let line = tokio::time::timeout(patience, self.output.next_line()).await;
        let Ok(line) = line else {
            bail!(
                "a driver did not say {word:?} within {patience:?}: {}",
                self.complaints()
            );
        };
        let line = line.context("listen to a driver")?;
        anyhow::ensure!(
            line.as_deref() == Some(word),
            "a driver said {line:?}, not {word:?}: {}",
            self.complaints()
        );
        Ok(())
    }
}

/// The end of a log.
pub(super) fn last_words(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let last = text.len().saturating_sub(COMPLAINT_BYTES);
    String::from_utf8_lossy(text.get(last..).unwrap_or_default())
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_driver_begins_when_told_and_ends_with_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo ready; read word; [ $word = go ] && echo submitted; read word; exit 0";
        let log = folder.path().join("log");
        let mut driver = Driver::start(shell(script), &log).await.unwrap();
        assert!(driver.pid() > 0);
        driver.go().await.unwrap();
        driver.submitted(READY_WITHIN).await.unwrap();
        driver.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_driver_that_fails_is_told_in_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = "echo 'no such module' >&2; exit 1";
        let error = Driver::start(shell(script), &log).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains("no such module"), "{error}");
        let late = Driver::start(shell("echo ready; read word; exit 3"), &log).await;
        let error = late.unwrap().stop().await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
    }
}
