//! What people and dying processes do to streams. Each test has a database of its own.

mod beside;
mod crowded;
mod deleted;
mod touched;
mod unreadable;

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{
    Claim, ClaimRequest, Delivery, JobQueue as _, JobStore as _, Settlement, Submitted,
    Subscription,
};
use assay_core::retry::Decision;
use assay_test_support::redis::Database;
use assay_test_support::wait::within;
use redis::{Cmd, FromRedisValue};

use super::streams::{KindStreams, StreamNo};
use super::{Access, RedisQueue};
use crate::StoreConfig;
use crate::redis::{Carrier, RedisConfig, RedisStore, TimeSource};

const KIND: JobKind = JobKind::Batch;
const LEASE_MS: u64 = 60_000;

/// A store and a queue that nobody else uses.
struct World {
    store: Arc<RedisStore>,
    queue: RedisQueue,
    streams: Arc<KindStreams>,
}

impl World {
    async fn new() -> Self {
        Self::over(Carrier::Streams).await
    }

    async fn over(carrier: Carrier) -> Self {
        let database = Database::take();
        let config = RedisConfig {
            host: database.address.ip().to_string(),
            port: database.address.port(),
            db: i64::from(database.number),
            // Channels are not part of a database.
            prefix: format!("trouble-{}", database.number),
            ..RedisConfig::default()
        };
        let store =
            RedisStore::connect(&config, StoreConfig::default(), TimeSource::Server, carrier);
        let store = store.await.unwrap();
        let queue = store.queue(&worker("live"));
        let streams = store.access().streams(KIND).remove(0);
        Self {
            store,
            queue,
            streams,
        }
    }

    fn access(&self) -> Access {
        self.store.access()
    }

    /// The stream of new jobs.
    fn stream(&self) -> &str {
        self.streams.name(fresh())
    }

    /// Asks Redis behind the store's back.
    async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut asked = Cmd::new();
        asked.arg(command);
        redis::from_redis_value(self.store.link.ask(&asked).await.unwrap()).unwrap()
    }

    async fn submit(&self, number: u64) -> JobId {
        self.submit_to(Lane::Normal, number).await
    }

    async fn submit_to(&self, lane: Lane, number: u64) -> JobId {
        let now_ms = self.store.clock().now_ms();
        let mut spec = JobSpec::new(KIND, number.to_be_bytes().to_vec(), now_ms);
        spec.lane = lane;
        let id = JobId::from_bytes([7; 16]).child("trouble", number);
        let submitted = self.store.submit(id, spec).await.unwrap();
        assert!(matches!(submitted, Submitted::Queued(_)), "{submitted:?}");
        id
    }

    async fn subscribe(&self) -> Box<dyn Subscription> {
        self.queue.subscribe(KIND, 8).await.unwrap()
    }

    /// Claims a job for a worker, as its delivery asks for.
    async fn claim(&self, envelope: &Arc<Envelope>, worker: WorkerId) -> Claim {
        let envelope = Arc::clone(envelope);
        let request = ClaimRequest {
            envelope,
            worker,
            lease_ms: LEASE_MS,
        };
        self.store.claim(request).await.unwrap()
    }

    /// Works on a delivery; the claim says why if there is nothing to do.
    async fn work_on(&self, delivery: Delivery) -> Result<(), Claim> {
        let claim = self.claim(&delivery.envelope, worker("live")).await;
        let Claim::Run(claimed) = claim else {
            delivery.ack().await.unwrap();
            return Err(claim);
        };
        let settlement = Settlement {
            decision: Decision::Succeed,
            result: None,
            progress: None,
        };
        self.store.settle(&claimed.lease, settlement).await.unwrap();
        delivery.ack().await.unwrap();
        Ok(())
    }
}

fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

/// The stream of new jobs of the normal lane.
fn fresh() -> StreamNo {
    StreamNo::ALL[3]
}

async fn take(subscription: &mut dyn Subscription, slots: usize) -> Vec<Delivery> {
    let taken = within("there is something to take", subscription.take(slots)).await;
    taken.unwrap().unwrap()
}
