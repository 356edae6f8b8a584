//! One contender's processes around servers of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use assay_test_support::redis::Client;
use tempfile::TempDir;
use tokio::time::Instant;

use super::contender::{Contender, Programs, QUEUE};
use super::driver::Driver;
use super::mode::Mode;
use super::role::{Orders, Role};
use super::servers::Servers;
use super::services::{Service, Site};
use super::setting::Setting;
use crate::client::PAYLOAD_BYTES;

/// Jobs of one bulk add, the same for all.
pub const BATCH: usize = 500;
/// Jobs without an answer at a time, the same for all.
pub const WINDOW: usize = 1_000;
/// How long a run may take.
const RUN_WITHIN: Duration = Duration::from_secs(300);
/// Between two looks at how many jobs have ended.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// Counts jobs that have ended.
const COMPLETED_TOTAL: &str = "assay_job_completed_total";
const SUCCEEDED: &str = "outcome=\"succeeded\"";
/// File of a stage that times are noted in.
const JOURNAL: &str = "journal";

/// What a process is to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Submits it.
    Producer,
    /// Runs it.
    Worker,
    /// Stands between: gateway, scheduler.
    Services,
    /// Keeps it.
    Redis,
    /// RabbitMQ: carries it.
    Broker,
}

/// What a contender is to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Jobs in all.
    pub jobs: usize,
    /// How they are added and run.
    pub setting: Setting,
    /// Jobs a second; 0 for as many as the window allows.
    pub rate_hz: u64,
}

/// What runs the jobs.
#[derive(Debug)]
enum Worker {
    /// Of a peer.
    Driver(Driver, Results),
    /// Ours, and what stands between.
    Ours {
        worker: Service,
        gateway: Service,
        scheduler: Service,
    },
}

/// How the jobs of a peer are seen to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Results {
    /// They are in `BullMQ`'s set.
    CompletedSet,
    /// Each has a key; there are so many others.
    Keys { others: usize },
    /// Celery has written the state of each a second time: the first was its progress.
    Written,
    /// The worker says so.
    Told,
}

/// Everything that runs during a measurement, ready to begin.
#[derive(Debug)]
pub struct Stage {
    /// Submits jobs when told.
    pub producer: Driver,
    worker: Worker,
    client: Client,
    servers: Servers,
    folder: TempDir,
    jobs: usize,
}

impl Stage {
    /// Starts the servers, the worker and the producer, and waits until all are ready.
    ///
    /// # Errors
    /// When one of them can't be started.
    pub async fn set(
        programs: &Programs,
        contender: Contender,
        load: Load,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder for the run")?;
        let servers = Servers::start(programs.mode).await?;
        let journal = (load.rate_hz > 0).then(|| folder.path().join(JOURNAL));
        let driver = async |role, address: SocketAddr, name: &str| {
            let mut orders = orders(role, address, load);
            orders.broker = servers.broker_url();
            orders.journal.clone_from(&journal);
            let command = programs.driver(contender, &orders)?;
            Driver::start(command, &folder.path().join(name)).await
        };
        let redis = servers.redis.address();
        let (worker, address) = if contender == Contender::Assay {
            let site = Site::new(&programs.ours, &servers, folder.path())?;
            let concurrency = load.setting.concurrency;
            let ours = Worker::Ours {
                gateway: site.gateway().await?,
                scheduler: site.scheduler().await?,
                worker: site.worker(concurrency, journal.as_deref()).await?,
            };
            (ours, site.gateway)
        } else {
            let worker = driver(Role::Worker, redis, "worker.log").await?;
            let results = Results::of(programs.mode, contender, load.jobs);
            (Worker::Driver(worker, results), redis)
        };
        let producer = driver(Role::Producer, address, "producer.log").await?;
        Ok(Self {
            producer,
            worker,
            client: servers.redis.client()?,
            servers,
            folder,
            jobs: load.jobs,
        })
    }

    /// Every process whose CPU time a job costs.
    ///
    /// # Errors
    /// When a server has ended.
    pub fn processes(&self) -> anyhow::Result<Vec<(Part, u32)>> {
        let mut processes = self.servers.processes()?;
        processes.push((Part::Producer, self.producer.pid()));
        match &self.worker {
            Worker::Driver(worker, _) => processes.push((Part::Worker, worker.pid())),
            Worker::Ours {
                worker,
                gateway,
                scheduler,
            } => processes.extend([
                (Part::Worker, worker.pid()?),
                (Part::Services, gateway.pid()?),
                (Part::Services, scheduler.pid()?),
            ]),
        }
        Ok(processes)
    }

    /// Waits until the result of every job is recorded.
    ///
    /// # Errors
    /// When that takes too long, or nobody tells how many there are.
    pub async fn wait_until_ended(&mut self) -> anyhow::Result<()> {
        if let Worker::Driver(worker, Results::Told) = &mut self.worker {
            return worker.ended(RUN_WITHIN).await;
        }
        let deadline = Instant::now() + RUN_WITHIN;
        loop {
            let ended = self.ended().await?;
            if ended >= self.jobs {
                return Ok(());
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "{ended} of {} jobs ended within {RUN_WITHIN:?}: {} {}",
                self.jobs,
                self.producer.complaints(),
                self.worker.complaints(),
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// Waits until the producer has heard of every job.
    ///
    /// # Errors
    /// When it fails.
    pub async fn wait_until_submitted(&mut self) -> anyhow::Result<()> {
        self.producer.submitted(RUN_WITHIN).await
    }

    /// Memory that Redis uses, in bytes.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn redis_bytes(&mut self) -> anyhow::Result<u64> {
        let used = self.client.info("used_memory")?;
        used.parse().context("read the memory of Redis")
    }

    /// Where times are noted.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join(JOURNAL)
    }

    /// Ends the drivers in order. The answered folder holds what they noted.
    ///
    /// # Errors
    /// When one fails.
    pub async fn end(self) -> anyhow::Result<TempDir> {
        self.producer.stop().await?;
        match self.worker {
            Worker::Driver(worker, _) => worker.stop().await?,
            // Its handlers note as they go.
            Worker::Ours { .. } => {}
        }
        Ok(self.folder)
    }

    /// How many jobs have a recorded result.
    async fn ended(&mut self) -> anyhow::Result<usize> {
        match &self.worker {
            Worker::Ours { worker, .. } => {
                let completed = worker.metric(COMPLETED_TOTAL, SUCCEEDED).await?;
                Ok(whole(completed))
            }
            Worker::Driver(_, Results::CompletedSet) => {
                self.number(&["ZCARD", &format!("bull:{QUEUE}:completed")])
            }
            Worker::Driver(_, Results::Keys { others }) => {
                let others = *others;
                Ok(self.number(&["DBSIZE"])?.saturating_sub(others))
            }
            Worker::Driver(_, Results::Written) => {
                // In this order, so that never too many seem to have ended.
                let written = self.states_written()?;
                Ok(written.saturating_sub(self.number(&["DBSIZE"])?))
            }
            // It has said so, or is still to say it.
            Worker::Driver(_, Results::Told) => Ok(self.jobs),
        }
    }

    /// How often Celery has written the state of a job.
    fn states_written(&mut self) -> anyhow::Result<usize> {
        let told = self.client.run(&["INFO", "commandstats"])?;
        let told = told.text().context("read how often commands were run")?;
        Ok(calls_of("setex", told))
    }

    fn number(&mut self, command: &[&str]) -> anyhow::Result<usize> {
        let number = self.client.run(command)?.integer();
        let number = number.with_context(|| format!("read the answer to {command:?}"))?;
        Ok(usize::try_from(number)?)
    }
}

impl Worker {
    fn complaints(&self) -> String {
        match self {
            Self::Driver(worker, _) => worker.complaints(),
            Self::Ours { worker, .. } => worker.complaints(),
        }
    }
}

impl Results {
    fn of(mode: Mode, contender: Contender, jobs: usize) -> Self {
        match (contender, mode) {
            (Contender::Bare, _) => Self::Told,
            (Contender::Celery, _) => Self::Written,
            // The stream, or a record of each job.
            (Contender::Ceiling, Mode::Redis) => Self::Keys { others: 1 },
            (Contender::Ceiling, Mode::Full) => Self::Keys { others: jobs },
            (Contender::Assay | Contender::BullmqNode | Contender::BullmqRust, _) => {
                Self::CompletedSet
            }
        }
    }
}

fn orders(role: Role, address: SocketAddr, load: Load) -> Orders {
    let Setting {
        concurrency,
        add,
        pool,
    } = load.setting;
    Orders {
        role,
        address: address.to_string(),
        broker: None,
        queue: QUEUE.to_owned(),
        jobs: load.jobs,
        add,
        batch: BATCH,
        window: WINDOW,
        rate_hz: load.rate_hz,
        payload_bytes: PAYLOAD_BYTES,
        concurrency,
        pool: pool.map(|pool| pool.name().to_owned()),
        journal: None,
    }
}

/// How often a command was run, in what Redis tells of all.
fn calls_of(command: &str, commandstats: &str) -> usize {
    let name = format!("cmdstat_{command}:calls=");
    let mut found = commandstats
        .lines()
        .filter_map(|line| line.strip_prefix(&name));
    let calls = found.next().and_then(|rest| rest.split(',').next());
    calls.and_then(|calls| calls.parse().ok()).unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of jobs"
)]
fn whole(count: f64) -> usize {
    count as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_command_are_told_by_redis() {
        let stats = "# Commandstats\r\ncmdstat_set:calls=3,usec=1\r\ncmdstat_setex:calls=4000,usec=9,x=1\r\n";
        assert_eq!(calls_of("setex", stats), 4_000);
        assert_eq!(calls_of("get", stats), 0);
    }
}
