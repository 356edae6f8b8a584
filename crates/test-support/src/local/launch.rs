//! Starts processes that go on when this program has ended.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::state::{Record, State};
use crate::log::last_words;

/// How long a process may take to be ready; a broker first reads what it kept.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks at whether it is.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// What this run has started, so that it can take it back.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) state: State,
    folder: PathBuf,
    started: Vec<Child>,
}

impl Launch {
    pub(super) fn new(state: State, folder: &Path) -> Self {
        Self {
            state,
            folder: folder.to_owned(),
            started: Vec::new(),
        }
    }

    /// Where a process logs to.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// Starts a process and writes it down. Its log begins anew.
    pub(super) fn start(
        &mut self,
        name: &str,
        address: String,
        command: &mut Command,
    ) -> anyhow::Result<()> {
        let log =
            File::create(self.log(name)).with_context(|| format!("open the log of {name}"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share a log")?)
            .stderr(log)
            // Ctrl-C in this terminal is not meant for it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let pid = child.id();
        self.started.push(child);
        self.state.add(Record::of(name, pid, address)?)
    }

    /// Waits until the process that was started last says what `look` looks for.
    pub(super) async fn ready<T>(
        &mut self,
        name: &str,
        mut look: impl FnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        loop {
            let child = self
                .started
                .last_mut()
                .context("wait for a process before any started")?;
            if let Some(status) = child
                .try_wait()
                .with_context(|| format!("look at {name}"))?
            {
                bail!(
                    "{name} ended with {status}: {}",
                    last_words(&self.log(name))
                );
            }
            if let Some(found) = look() {
                return Ok(found);
            }
            anyhow::ensure!(
                start.elapsed() < READY_WITHIN,
                "{name} is not ready after {READY_WITHIN:?}: {}",
                last_words(&self.log(name))
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// Stops what was started, the last first.
    pub(super) fn take_back(mut self) -> anyhow::Result<()> {
        while let Some(mut child) = self.started.pop() {
            child.kill().context("kill what was started")?;
            child.wait().context("wait for what was killed")?;
        }
        self.state.clear()
    }
}
