//! What `local up` has started, written down.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::leash;

/// What a private Redis is called in the list.
pub(super) const REDIS: &str = "redis";
/// What a private RabbitMQ is called there.
pub(super) const BROKER: &str = "rabbitmq";
/// What the port mapper of that is called.
pub(super) const MAPPER: &str = "epmd";

/// The list of processes.
const FILE: &str = "processes";
/// Held by whoever changes the list.
const LOCK: &str = "lock";
/// Where the start time stands in `/proc/*/stat`, behind the name.
const START_TICKS: usize = 19;

/// One process that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is: `redis`, `gateway` and so on.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// When it started, in ticks since the machine did: tells it from a later process of the same id.
    pub start_ticks: u64,
    /// Where it can be reached.
    pub address: String,
}

impl Record {
    /// The record of a process that runs now.
    ///
    /// # Errors
    /// When it does not run.
    pub fn of(name: &str, pid: u32, address: String) -> anyhow::Result<Self> {
        let start_ticks =
            start_ticks(pid).with_context(|| format!("find {name}, process {pid}"))?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            start_ticks,
            address,
        })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        leash::runs(self.pid) && start_ticks(self.pid) == Some(self.start_ticks)
    }

    fn line(&self) -> String {
        let Self {
            name,
            pid,
            start_ticks,
            address,
        } = self;
        format!("{name} {pid} {start_ticks} {address}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            name: words.next()?.to_owned(),
            pid: words.next()?.parse().ok()?,
            start_ticks: words.next()?.parse().ok()?,
            address: words.next()?.to_owned(),
        })
    }
}

/// The list in a folder, with nobody else at it.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    records: Vec<Record>,
    _lock: File,
}

impl State {
    /// Opens the list; an empty one where nothing was ever started.
    ///
    /// # Errors
    /// When somebody else is at it, or it can't be read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        let lock = File::create(folder.join(LOCK)).context("open the lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another `make up` or `make down` is at work in {}: wait for it",
                    folder.display()
                )
            }
            Err(TryLockError::Error(error)) => return Err(error).context("take the lock"),
        }
        let file = folder.join(FILE);
        let text = if file.exists() {
            fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?
        } else {
            String::new()
        };
        Ok(Self {
            folder: folder.to_owned(),
            records: text.lines().filter_map(Record::parse).collect(),
            _lock: lock,
        })
    }

    /// All processes that were started.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Writes a process down.
    ///
    /// # Errors
    /// When the list can't be written.
    pub fn add(&mut self, record: Record) -> anyhow::Result<()> {
        self.records.push(record);
        let text: String = self.records.iter().map(Record::line).collect();
        let file = self.folder.join(FILE);
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }

    /// Forgets all: nothing of it runs.
    ///
    /// # Errors
    /// When the list can't be removed.
    pub fn clear(&mut self) -> anyhow::Result<()> {
        self.records.clear();
        let file = self.folder.join(FILE);
        if !file.exists() {
            return Ok(());
        }
        fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))
    }
}

fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets and may hold anything, brackets too.
    let (_, behind_name) = stat.rsplit_once(") ")?;
    behind_name.split(' ').nth(START_TICKS)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record::of("me", std::process::id(), "127.0.0.1:1".to_owned()).unwrap();
        assert!(record.runs());
        let mut state = State::open(folder.path()).unwrap();
        assert_eq!(state.records(), []);
        state.add(record.clone()).unwrap();
        drop(state);
        let mut state = State::open(folder.path()).unwrap();
        assert_eq!(state.records(), [record]);
        state.clear().unwrap();
        state.clear().unwrap();
        drop(state);
        assert_eq!(State::open(folder.path()).unwrap().records(), []);
    }

    #[test]
    fn a_later_process_of_the_same_id_is_another() {
        let record = Record::of("me", std::process::id(), String::new()).unwrap();
        let earlier = Record {
            start_ticks: record.start_ticks - 1,
            ..record
        };
        assert!(!earlier.runs());
    }

    #[test]
    fn two_do_not_change_the_list_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let _one = State::open(folder.path()).unwrap();
        let error = State::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is at work in"), "{error}");
    }
}
