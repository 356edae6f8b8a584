//! `rabbitmqctl`, run against one broker.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::timeout;

/// How long a command may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Runs a command and returns what it printed, without headers.
pub(super) async fn run(mut command: Command, words: &[&str]) -> anyhow::Result<String> {
    let name = words.first().copied().unwrap_or_default();
    command.arg("--silent").args(words).stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    let output = timeout(ANSWER_WITHIN, command.kill_on_drop(true).output()).await;
    let output = output
        .with_context(|| format!("rabbitmqctl {name} has not ended after {ANSWER_WITHIN:?}"))?;
    let Output {
        status,
        stdout,
        stderr,
    } = output.context("run rabbitmqctl")?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !status.success() {
        let why = said(&[stdout, stderr].concat());
        bail!("rabbitmqctl {name} ended with {status}: {why}");
    }
    Ok(said(&stdout))
}
