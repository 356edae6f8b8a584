//! One contender's processes around a Redis of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use assay_test_support::redis::{Appendfsync, Client, RedisOptions, RedisServer};
use tempfile::TempDir;
use tokio::time::Instant;

use super::contender::{Contender, Programs, QUEUE};
use super::driver::Driver;
use super::role::{Orders, Role};
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

/// Where a peer keeps the jobs that have ended.
#[derive(Clone, Copy, Debug)]
enum Results {
    /// In `BullMQ`'s set.
    CompletedSet,
    /// A key each; the only other key is the stream.
    Keys,
}

/// Everything that runs during a measurement, ready to begin.
#[derive(Debug)]
pub struct Stage {
    /// Submits jobs when told.
    pub producer: Driver,
    worker: Worker,
    client: Client,
    redis: RedisServer,
    folder: TempDir,
    jobs: usize,
}

impl Stage {
    /// Starts Redis, the worker and the producer, and waits until all are ready.
    ///
    /// # Errors
    /// When one of them can't be started.
    pub async fn set(
        programs: &Programs,
        contender: Contender,
        load: Load,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder for the run")?;
        let redis = RedisServer::start(redis_options()).await?;
        let journal = (load.rate_hz > 0).then(|| folder.path().join(JOURNAL));
        let driver = async |role, address: SocketAddr, name: &str| {
            let orders = orders(role, address, load, journal.clone());
            let command = programs.driver(contender, &orders)?;
            Driver::start(command, &folder.path().join(name)).await
        };
        let (worker, address) = if contender == Contender::Assay {
            let site = Site::new(&programs.ours, redis.address(), folder.path())?;
            let concurrency = load.setting.concurrency;
            let ours = Worker::Ours {
                gateway: site.gateway().await?,
                scheduler: site.scheduler().await?,
                worker: site.worker(concurrency, journal.as_deref()).await?,
            };
            (ours, site.gateway)
        } else {
            let worker = driver(Role::Worker, redis.address(), "worker.log").await?;
            let results = match contender {
                Contender::Ceiling => Results::Keys,
                Contender::Assay | Contender::BullmqNode | Contender::BullmqRust => {
                    Results::CompletedSet
                }
            };
            (Worker::Driver(worker, results), redis.address())
        };
        let producer = driver(Role::Producer, address, "producer.log").await?;
        Ok(Self {
            producer,
            worker,
            client: redis.client()?,
            redis,
            folder,
            jobs: load.jobs,
        })
    }

    /// Every process whose CPU time a job costs.
    ///
    /// # Errors
    /// When Redis has ended.
    pub fn processes(&self) -> anyhow::Result<Vec<(Part, u32)>> {
        let redis = self.redis.pid().context("find the process of Redis")?;
        let mut processes = vec![(Part::Producer, self.producer.pid()), (Part::Redis, redis)];
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
            Worker::Driver(_, Results::Keys) => Ok(self.number(&["DBSIZE"])?.saturating_sub(1)),
        }
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

/// The same for all: synced each second, and never rewritten in the middle of a run.
#[must_use]
pub fn redis_options() -> RedisOptions {
    RedisOptions::new(Appendfsync::EverySec).set("auto-aof-rewrite-percentage", "0")
}

fn orders(role: Role, address: SocketAddr, load: Load, journal: Option<PathBuf>) -> Orders {
    Orders {
        role,
        address: address.to_string(),
        queue: QUEUE.to_owned(),
        jobs: load.jobs,
        add: load.setting.add,
        batch: BATCH,
        window: WINDOW,
        rate_hz: load.rate_hz,
        payload_bytes: PAYLOAD_BYTES,
        concurrency: load.setting.concurrency,
        journal,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of jobs"
)]
fn whole(count: f64) -> usize {
    count as usize
}
