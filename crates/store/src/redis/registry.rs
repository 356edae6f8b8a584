//! The registry of workers in Redis, by the store's time.

use std::sync::{Arc, LazyLock};

use assay_core::id::WorkerId;
use assay_core::port::{Registered, RegistryError, WorkerRegistry};
use assay_core::worker::{Beat, Presence, WORKER_FORGOTTEN_AFTER_MS};
use async_trait::async_trait;
use redis::{FromRedisValue, Pipeline, Value};

use super::clock::StoreClock;
use super::keys::{GroupKeys, Keys};
use super::link::{Link, LinkError};
use super::script::{Room, Script};

/// Most workers that are listed.
const WORKERS_LISTED_MAX: usize = 10_000;

/// A full Redis must not make the living look dead.
static BEAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("beat.lua")));

/// The workers on one Redis. Clones share the connections of their store.
#[derive(Clone)]
pub struct RedisRegistry {
    link: Link,
    keys: Arc<Keys>,
    clock: StoreClock,
}

impl RedisRegistry {
    pub(crate) fn new(link: Link, keys: Arc<Keys>, clock: StoreClock) -> Self {
        Self { link, keys, clock }
    }

    /// All workers are in the first group: they belong to no job.
    fn group(&self) -> Result<&GroupKeys, RegistryError> {
        let first = self.keys.groups().first();
        first.ok_or_else(|| failed("there is no group of keys"))
    }

    async fn ask(&self, command: &redis::Cmd) -> Result<Value, RegistryError> {
        self.link.ask(command).await.map_err(of_link)
    }

    fn silent_ms(&self, beaten_at_ms: u64) -> u64 {
        self.clock.now_ms().saturating_sub(beaten_at_ms)
    }

    fn presence_of(&self, beaten_at_ms: Option<f64>) -> Presence {
        let silent_ms = beaten_at_ms.map(|at_ms| self.silent_ms(score(at_ms)));
        let known = silent_ms.filter(|silent_ms| *silent_ms < WORKER_FORGOTTEN_AFTER_MS);
        known.map_or(Presence::Unknown, |silent_ms| Presence::Beating {
            silent_ms,
        })
    }
}

#[async_trait]
impl WorkerRegistry for RedisRegistry {
    async fn beat(&self, beat: &Beat) -> Result<(), RegistryError> {
        let group = self.group()?;
        let said = rmp_serde::to_vec_named(beat).map_err(failed)?;
        let now_ms = self.clock.now_ms();
        let about = group.worker(beat.worker.as_str());
        let mut call = BEAT.call([group.workers.as_str(), about.as_str()].into_iter());
        call.arg(beat.worker.as_str())
            .arg(said)
            .arg(now_ms)
            .arg(now_ms.saturating_sub(WORKER_FORGOTTEN_AFTER_MS))
            .arg(WORKER_FORGOTTEN_AFTER_MS);
        let noted = self.link.run(&BEAT, &call).await;
        noted.map(drop).map_err(of_link)
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), RegistryError> {
        let group = self.group()?;
        let mut gone = Pipeline::new();
        gone.zrem(&group.workers, worker.as_str());
        gone.del(group.worker(worker.as_str()));
        self.link.ask_all(&gone).await.map(drop).map_err(of_link)
    }

    async fn presence(&self, workers: &[WorkerId]) -> Result<Vec<Presence>, RegistryError> {
        if workers.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::cmd("ZMSCORE");
        ask.arg(&self.group()?.workers);
        for worker in workers {
            ask.arg(worker.as_str());
        }
        let scores: Vec<Option<f64>> = read(self.ask(&ask).await?)?;
        Ok(scores
            .into_iter()
            .map(|beaten_at_ms| self.presence_of(beaten_at_ms))
            .collect())
    }

    async fn list(&self) -> Result<Vec<Registered>, RegistryError> {
        let group = self.group()?;
        let mut ask = redis::cmd("ZRANGE");
        ask.arg(&group.workers).arg(0).arg(WORKERS_LISTED_MAX - 1);
        let known: Vec<(String, f64)> = read(self.ask(ask.arg("WITHSCORES")).await?)?;
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::cmd("MGET");
        for (worker, _) in &known {
            ask.arg(group.worker(worker));
        }
        let said: Vec<Option<Vec<u8>>> = read(self.ask(&ask).await?)?;
        let both = known.into_iter().zip(said);
        let mut all: Vec<Registered> = both
            .filter_map(|((_, beaten_at_ms), said)| {
                let silent_ms = self.silent_ms(score(beaten_at_ms));
                registered(&said?, silent_ms)
            })
            .collect();
        all.sort_by_key(|known| known.beat.started_at_ms);
        Ok(all)
    }
}

/// What a worker said; nothing if it is forgotten, or of a version that says it in another way.
fn registered(said: &[u8], silent_ms: u64) -> Option<Registered> {
    if silent_ms >= WORKER_FORGOTTEN_AFTER_MS {
        return None;
    }
    let beat = rmp_serde::from_slice(said).ok()?;
    Some(Registered { beat, silent_ms })
}

/// Scores are whole milliseconds, exact in the 53 bits that Redis keeps of them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it was an integer when it was written"
)]
fn score(at_ms: f64) -> u64 {
    at_ms.max(0.0) as u64
}

fn read<T: FromRedisValue>(answer: Value) -> Result<T, RegistryError> {
    redis::from_redis_value(answer).map_err(failed)
}

fn of_link(error: LinkError) -> RegistryError {
    failed(error)
}

fn failed(why: impl ToString) -> RegistryError {
    RegistryError {
        why: why.to_string(),
    }
}
