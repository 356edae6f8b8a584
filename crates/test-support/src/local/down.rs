//! Stops what `local up` has started, and nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::state::{BROKER, MAPPER, REDIS, Record, State};
use crate::leash::{Signal, send};

/// How long a process may take to end when asked; longer than the services' own bounds of an orderly end.
const END_WITHIN: Duration = Duration::from_secs(60);
/// How long the system may take to end one that was killed.
const KILL_WITHIN: Duration = Duration::from_secs(10);
/// The last turn.
const TURN_MAX: u32 = 2;
/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

pub(super) async fn run(folder: PathBuf) -> anyhow::Result<String> {
    let mut state = State::open(&folder)?;
    let running = state.records().iter().filter(|record| record.runs());
    let running: Vec<Record> = running.cloned().collect();
    let mut lines = Vec::new();
    for turn in 0..=TURN_MAX {
        let of_turn = running.iter().filter(|record| turn_of(record) == turn);
        lines.extend(stop(&of_turn.cloned().collect::<Vec<_>>()).await?);
    }
    state.clear()?;
    if lines.is_empty() {
        return Ok("Nothing is up.".to_owned());
    }
    Ok(lines.join("\n"))
}

/// When its turn to be stopped is. Servers come after the services, which write their last words into them; a port
/// mapper after its broker.
fn turn_of(record: &Record) -> u32 {
    match record.name.as_str() {
        BROKER => 1,
        REDIS | MAPPER => TURN_MAX,
        _ => 0,
    }
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
