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
    if !status.success() {
        let why = first_paragraph(&String::from_utf8_lossy(&stderr));
        bail!("rabbitmqctl {name} ended with {status}: {why}");
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// What went wrong, in one line: advice follows it, behind an empty line.
fn first_paragraph(said: &str) -> String {
    let lines = said.trim().lines().take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_without_advice() {
        let said = "\nError:\nQueue not found\n\nSee the manual.\n";
        assert_eq!(first_paragraph(said), "Error: Queue not found");
        assert_eq!(first_paragraph(""), "");
    }
}
