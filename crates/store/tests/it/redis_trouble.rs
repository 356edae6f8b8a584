//! What servers, networks and clocks do to a store in Redis.

mod conflict;
mod gap;
mod late_promote;
mod lost_answer;
mod memory;
mod reach;
mod rollback;
mod start;

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::{Job, JobSpec};
use assay_core::kind::JobKind;
use assay_core::port::{Claim, ClaimRequest, Claimed, JobStore as _, Settlement, Submitted};
use assay_core::retry::Decision;
use assay_store::{Carrier, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::redis::{Appendfsync, Database, RedisOptions, RedisServer};

use crate::redis_bench::config;

const LEASE_MS: u64 = 60_000;

/// Stores over one database or server, by its clock.
struct Bench {
    config: RedisConfig,
    store: Arc<RedisStore>,
}

impl Bench {
    /// Over a database of the run's server.
    async fn new() -> Self {
        let database = Database::take();
        Self::over(config(database.address, database.number)).await
    }

    async fn over(config: RedisConfig) -> Self {
        let store = connect(&config).await;
        Self { config, store }
    }

    async fn submit(&self, number: u8) -> Arc<Envelope> {
        let spec = self.spec();
        let submitted = self.store.submit(id(number), spec.clone()).await.unwrap();
        let Submitted::Queued(job) = submitted else {
            panic!("{submitted:?}")
        };
        // A delivery is of the submit that made the record, which its time tells.
        Arc::new(Envelope::new(id(number), &spec, job.times.created_at_ms))
    }

    fn spec(&self) -> JobSpec {
        let now_ms = self.store.clock().now_ms();
        JobSpec::new(JobKind::ContentVerification, vec![7; 400], now_ms)
    }

    async fn job(&self, number: u8) -> Job {
        let job = self.store.get(&Tenant::default(), id(number)).await;
        job.unwrap().unwrap()
    }
}

async fn connect(config: &RedisConfig) -> Arc<RedisStore> {
    let store = RedisStore::connect(
        config,
        StoreConfig::default(),
        TimeSource::Server,
        Carrier::Streams,
    );
    store.await.unwrap()
}

/// A server of the test's own, and how to connect to it.
async fn server(options: RedisOptions) -> (RedisServer, RedisConfig) {
    let server = RedisServer::start(options).await.unwrap();
    let config = config(server.address(), 0);
    (server, config)
}

fn options() -> RedisOptions {
    RedisOptions::new(Appendfsync::EverySec)
}

fn id(number: u8) -> JobId {
    JobId::random(1_700_000_000_000, [number; 10])
}

fn request(envelope: &Arc<Envelope>, worker: &str) -> ClaimRequest {
    ClaimRequest {
        envelope: Arc::clone(envelope),
        worker: WorkerId::new(worker).unwrap(),
        lease_ms: LEASE_MS,
    }
}

async fn claim(store: &RedisStore, envelope: &Arc<Envelope>, worker: &str) -> Claimed {
    match store.claim(request(envelope, worker)).await.unwrap() {
        Claim::Run(claimed) => *claimed,
        other @ (Claim::Not(_) | Claim::Orphan) => panic!("not claimed: {other:?}"),
    }
}

fn settlement(decision: Decision) -> Settlement {
    Settlement {
        decision,
        result: None,
        progress: None,
    }
}
