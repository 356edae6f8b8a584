//! Stops what `local up` has started, and nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::state::{Record, State};
use crate::leash::{Signal, send};

/// How long a process may take to end when asked; longer than the services' own bounds of an orderly end.
const END_WITHIN: Duration = Duration::from_secs(60);
/// How long the system may take to end one that was killed.
const KILL_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

pub(super) async fn run(folder: PathBuf) -> anyhow::Result<String> {
    let mut state = State::open(&folder)?;
    let (redis, services): (Vec<_>, Vec<_>) = {
        let running = state
            .records()
            .iter()
            .filter(|record| record.runs())
            .cloned();
        running.partition(|record| record.name == "redis")
    };
    // Redis last: the others write their last words into it.
    let mut lines = stop(&services).await?;
    lines.extend(stop(&redis).await?);
    state.clear()?;
    if lines.is_empty() {
        return Ok("Nothing is up.".to_owned());
    }
    Ok(lines.join("\n"))
}

async fn stop(records: &[Record]) -> anyhow::Result<Vec<String>> {
    for record in records {
        signal(record, Signal::TERM)?;
    }
    let mut lines = Vec::new();
    for record in records {
        let Record { name, pid, .. } = record;
        let how = if ended(record, END_WITHIN).await {
            "stopped"
        } else {
            signal(record, Signal::KILL)?;
            anyhow::ensure!(
                ended(record, KILL_WITHIN).await,
                "{name} (process {pid}) does not end even when killed"
            );
            "killed, because it did not end when asked:"
        };
        lines.push(format!("{how} {name} (process {pid})"));
    }
    Ok(lines)
}

/// One that has just ended needs none.
fn signal(record: &Record, signal: Signal) -> anyhow::Result<()> {
    match send(record.pid, signal) {
        Err(error) if record.runs() => Err(error),
        _ => Ok(()),
    }
}

async fn ended(record: &Record, patience: Duration) -> bool {
    let start = Instant::now();
    while record.runs() {
        if start.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    true
}
