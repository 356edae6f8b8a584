//! What the driver of a contender is told, what it says, and what it notes.
//!
//! A driver is one process, a producer or a worker. Its command line is [`Orders`]. It says `ready`, waits for a line
//! `go`, a producer says `submitted` when every job is acknowledged; it ends when its input does. The drivers of peers
//! keep to this in their own languages; those in Rust compile this very file, so it uses nothing of ours.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

/// Said when a driver can begin.
pub const READY: &str = "ready";
/// Told to a driver that shall begin.
pub const GO: &str = "go";
/// Said by a producer whose jobs are all acknowledged.
pub const SUBMITTED: &str = "submitted";
/// Said by a worker that keeps no results, when it has acknowledged every job.
pub const ENDED: &str = "ended";
/// Notes that a job was about to be submitted.
pub const SENT: &str = "sent";
/// Notes that a handler began.
pub const STARTED: &str = "started";

/// The command line of a driver.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
pub struct Orders {
    /// What to be.
    pub role: Role,
    /// Whom to connect to: Redis, or the gateway.
    #[arg(long)]
    pub address: String,
    /// The URL of RabbitMQ, for whoever uses one.
    #[arg(long)]
    pub broker: Option<String>,
    /// Name of the queue.
    #[arg(long)]
    pub queue: String,
    /// Jobs in all.
    #[arg(long)]
    pub jobs: usize,
    /// How jobs are added.
    #[arg(long)]
    pub add: Add,
    /// Jobs of one bulk add.
    #[arg(long)]
    pub batch: usize,
    /// Jobs without an answer at a time.
    #[arg(long)]
    pub window: usize,
    /// Jobs a second; 0 for as many as the window allows.
    #[arg(long)]
    pub rate_hz: u64,
    /// Bytes of a payload.
    #[arg(long)]
    pub payload_bytes: usize,
    /// Jobs that the worker runs at once.
    #[arg(long)]
    pub concurrency: usize,
    /// What they run in, for whoever has a choice.
    #[arg(long)]
    pub pool: Option<String>,
    /// File to note times in.
    #[arg(long)]
    pub journal: Option<PathBuf>,
}

/// What a driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Submits jobs.
    Producer,
    /// Runs them.
    Worker,
}

/// How jobs are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Add {
    /// One call a job, many calls at a time.
    Single,
    /// Many jobs a call.
    Bulk,
}

impl Orders {
    /// The command line that says this.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let word = |value: &dyn fmt::Display| value.to_string();
        let options = [
            ("--address", self.address.clone()),
            ("--queue", self.queue.clone()),
            ("--jobs", word(&self.jobs)),
            ("--add", name_of(&self.add)),
            ("--batch", word(&self.batch)),
            ("--window", word(&self.window)),
            ("--rate-hz", word(&self.rate_hz)),
            ("--payload-bytes", word(&self.payload_bytes)),
            ("--concurrency", word(&self.concurrency)),
        ];
        let journal = self.journal.as_ref().map(|path| path.display().to_string());
        let choices = [
            ("--broker", self.broker.clone()),
            ("--pool", self.pool.clone()),
            ("--journal", journal),
        ];
        let choices = choices.into_iter();
        let chosen = choices.filter_map(|(name, value)| Some((name, value?)));
        let options = options.into_iter().chain(chosen);
        let words = options.flat_map(|(name, value)| [name.to_owned(), value]);
        std::iter::once(name_of(&self.role)).chain(words).collect()
    }

    /// Jobs of each call, one after the other.
    pub fn calls(&self) -> impl Iterator<Item = usize> + use<> {
        let (jobs, most) = (self.jobs, self.jobs_per_call());
        (0..jobs.div_ceil(most)).map(move |call| most.min(jobs - call * most))
    }

    fn jobs_per_call(&self) -> usize {
        match self.add {
            Add::Single => 1,
            Add::Bulk => self.batch.max(1),
        }
    }

    /// Submits all jobs: never more than the window without an answer, never faster than the rate.
    ///
    /// # Errors
    /// The first of `submit`.
    pub async fn submit_all<F>(&self, submit: impl Fn(usize) -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let begun = Instant::now();
        let every = Duration::from_micros(1_000_000u64.checked_div(self.rate_hz).unwrap_or(0));
        let calls = stream::iter(self.calls().zip(0u32..)).then(|(jobs, place)| async move {
            if !every.is_zero() {
                tokio::time::sleep_until(begun + every * place).await;
            }
            jobs
        });
        let at_once = (self.window / self.jobs_per_call()).max(1);
        let answers = calls.map(submit).buffer_unordered(at_once);
        answers.try_collect::<Vec<()>>().await?;
        Ok(())
    }
}

fn name_of(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Says a word to whoever started this driver.
pub fn say(word: &str) {
    println!("{word}");
}

/// Says that all is prepared, and waits until it is to begin.
///
/// # Errors
/// When the input ends instead.
pub async fn wait_for_go() -> anyhow::Result<()> {
    say(READY);
    let heard = hear().await?;
    anyhow::ensure!(
        heard.as_deref() == Some(GO),
        "wait for {GO:?}: heard {heard:?}"
    );
    Ok(())
}

/// Waits for the next line of input; none when it has ended.
///
/// # Errors
/// When it can't be read.
pub async fn hear() -> anyhow::Result<Option<String>> {
    let read = || {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    };
    let line = tokio::task::spawn_blocking(read).await?;
    let line = line.context("read a line of input")?;
    Ok((!line.is_empty()).then(|| line.trim().to_owned()))
}

/// Times of jobs: lines `<word> <job id> ... <microseconds since the epoch>`. Kept in memory until written.
#[derive(Debug, Default)]
pub struct Notes {
    journal: Option<PathBuf>,
    lines: Mutex<String>,
}

impl Notes {
    /// Notes for this file; nothing is noted without one.
    #[must_use]
    pub fn new(journal: Option<PathBuf>) -> Self {
        Self {
            journal,
            lines: Mutex::default(),
        }
    }

    /// Notes a time.
    pub fn note(&self, word: &str, job_id: &str, at_us: u64) {
        if self.journal.is_none() {
            return;
        }
        if let Ok(mut lines) = self.lines.lock() {
            lines.push_str(&format!("{word} {job_id} {at_us}\n"));
        }
    }

    /// Writes what was noted behind what the file holds.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self) -> anyhow::Result<()> {
        let (Some(path), Ok(lines)) = (&self.journal, self.lines.lock()) else {
            return Ok(());
        };
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let mut file = file.context("open the journal")?;
        file.write_all(lines.as_bytes())
            .context("write the journal")
    }
}

/// Now, in microseconds since the epoch: all drivers run on one machine and compare by it.
#[expect(
    clippy::disallowed_methods,
    reason = "measures the real world, so it takes the real time"
)]
pub fn now_us() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since_epoch.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    fn orders(jobs: usize, add: Add) -> Orders {
        Orders {
            role: Role::Producer,
            address: "127.0.0.1:1".to_owned(),
            broker: None,
            queue: "q".to_owned(),
            jobs,
            add,
            batch: 4,
            window: 8,
            rate_hz: 0,
            payload_bytes: 400,
            concurrency: 50,
            pool: None,
            journal: None,
        }
    }

    #[test]
    fn orders_round_trip_over_a_command_line() {
        let with_all = Orders {
            role: Role::Worker,
            broker: Some("amqp://u:p@127.0.0.1:2".to_owned()),
            pool: Some("solo".to_owned()),
            journal: Some(PathBuf::from("/j")),
            ..orders(7, Add::Bulk)
        };
        for orders in [orders(5, Add::Single), with_all] {
            let words = std::iter::once("driver".to_owned()).chain(orders.words());
            assert_eq!(Orders::parse_from(words), orders);
        }
    }

    #[test]
    fn calls_hold_every_job_once_and_no_more_than_a_batch() {
        let calls = |jobs, add| orders(jobs, add).calls().collect::<Vec<_>>();
        assert_eq!(calls(3, Add::Single), [1, 1, 1]);
        assert_eq!(calls(8, Add::Bulk), [4, 4]);
        assert_eq!(calls(9, Add::Bulk), [4, 4, 1]);
        assert!(calls(0, Add::Bulk).is_empty());
    }

    #[tokio::test]
    async fn no_more_than_the_window_is_without_an_answer() {
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let submit = |jobs| {
            let (open, most) = (&open, &most);
            async move {
                most.fetch_max(open.fetch_add(jobs, Relaxed) + jobs, Relaxed);
                tokio::task::yield_now().await;
                open.fetch_sub(jobs, Relaxed);
                Ok(())
            }
        };
        for add in [Add::Single, Add::Bulk] {
            orders(30, add).submit_all(submit).await.unwrap();
            assert_eq!(open.load(Relaxed), 0);
            assert_eq!(most.swap(0, Relaxed), 8);
        }
    }

    #[tokio::test]
    async fn a_rate_is_kept() {
        let paced = Orders {
            rate_hz: 1_000,
            ..orders(21, Add::Single)
        };
        let begun = Instant::now();
        paced.submit_all(|_| async { Ok(()) }).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn notes_go_behind_what_the_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "before\n").unwrap();
        let notes = Notes::new(Some(path.clone()));
        notes.note(SENT, "a", 5);
        notes.note(STARTED, "a", 7);
        notes.write().unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, "before\nsent a 5\nstarted a 7\n");
        Notes::new(None).note(SENT, "a", 5);
    }
}
