//! Stores over an empty database of the run's Redis, and a look into it from outside.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use assay_core::clock::{Clock as _, ManualClock};
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, Tenant};
use assay_core::port::{JobStore, SentJobs as _};
use assay_store::{Carrier, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::contract::job_store::{Offers, Settings, Subject};
use assay_test_support::redis::Database;
use async_trait::async_trait;
use parking_lot::Mutex;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

/// How to connect to a database of a server.
pub(crate) fn config(address: SocketAddr, number: u32) -> RedisConfig {
    RedisConfig {
        host: address.ip().to_string(),
        port: address.port(),
        db: number.into(),
        // Channels do not belong to a database: tests must not hear each other.
        prefix: format!("assay-{number}"),
        ..RedisConfig::default()
    }
}

/// The settings that contract cases count on.
pub(crate) fn settings() -> StoreConfig {
    StoreConfig {
        queued_jobs_max: Settings::QUEUED_JOBS_MAX,
        retention_ms: Settings::RETENTION_MS,
        dead_letter_retention_ms: Settings::DEAD_LETTER_RETENTION_MS,
        ..StoreConfig::default()
    }
}

/// A connection of a test's own.
pub(crate) async fn connection(config: &RedisConfig) -> MultiplexedConnection {
    let address = format!("redis://{}:{}/{}", config.host, config.port, config.db);
    let client = redis::Client::open(address).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// A store under test, by a clock that stands.
pub(crate) async fn subject(settings: StoreConfig) -> Subject {
    let parts = Parts::open(settings, Carrier::Streams).await;
    let offered = Streams {
        connection: connection(&parts.config).await,
        store: Arc::clone(&parts.store),
        seen: Mutex::default(),
    };
    Subject {
        store: parts.store,
        clock: parts.clock,
        offered: Arc::new(offered),
        keep: Box::new(()),
    }
}

/// A store under test whose envelopes are in a queue elsewhere, which is in memory here.
pub(crate) async fn subject_of_broker(settings: StoreConfig) -> Subject {
    let parts = Parts::open(settings, Carrier::Broker).await;
    let offered = Elsewhere {
        store: Arc::clone(&parts.store),
        clock: Arc::clone(&parts.clock),
        published: Mutex::default(),
    };
    Subject {
        store: parts.store,
        clock: parts.clock,
        offered: Arc::new(offered),
        keep: Box::new(()),
    }
}

/// A store in a database of its own, by a clock that stands.
pub(crate) struct Parts {
    pub(crate) config: RedisConfig,
    pub(crate) store: Arc<RedisStore>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Parts {
    pub(crate) async fn open(settings: StoreConfig, carrier: Carrier) -> Self {
        let database = Database::take();
        let config = config(database.address, database.number);
        let clock = Arc::new(ManualClock::at(Settings::NOW_MS));
        let time = TimeSource::Given(Arc::clone(&clock) as _);
        let store = RedisStore::connect(&config, settings, time, carrier).await;
        Self {
            config,
            store: store.unwrap(),
            clock,
        }
    }
}

/// What the store wanted published.
struct Elsewhere {
    store: Arc<RedisStore>,
    clock: Arc<ManualClock>,
    published: Mutex<Vec<Arc<Envelope>>>,
}

#[async_trait]
impl Offers for Elsewhere {
    async fn all(&self) -> Vec<Arc<Envelope>> {
        self.published.lock().clone()
    }

    /// A copy that waits elsewhere for its time is none that workers are given; the cases are about what the
    /// store sends when the time has come.
    async fn publish(&self, envelope: Arc<Envelope>) {
        let due_at_ms = envelope.due_at_ms.unwrap_or(0);
        if due_at_ms <= self.clock.now_ms() {
            self.published.lock().push(envelope);
        }
    }

    async fn deliver(&self, _id: JobId) {}

    /// A marker has passed the lane of the job, and the job has not been claimed.
    async fn lose(&self, id: JobId) {
        let job = self.store.get(&Tenant::default(), id).await.unwrap();
        let job = job.unwrap();
        let before_ms = self.clock.now_ms() + 1;
        let again = self.store.send_again(job.kind, job.lane, before_ms, 100);
        assert_eq!(again.await.unwrap(), 1);
    }
}

/// What the store put into its streams.
struct Streams {
    connection: MultiplexedConnection,
    store: Arc<RedisStore>,
    /// What was taken out of them, in order.
    seen: Mutex<Vec<Arc<Envelope>>>,
}

/// An entry of a stream.
struct Waiting {
    stream: String,
    entry: String,
    id: JobId,
    generation: u64,
}

impl Streams {
    async fn waiting(&self) -> Vec<Waiting> {
        let mut connection = self.connection.clone();
        let streams: Vec<String> = connection.keys("*}:s:*").await.unwrap();
        let mut waiting = Vec::new();
        for stream in streams {
            let mut range = redis::cmd("XRANGE");
            range.arg(&stream).arg("-").arg("+");
            let range: Vec<(String, HashMap<String, Vec<u8>>)> =
                range.query_async(&mut connection).await.unwrap();
            for (entry, fields) in range {
                let id = fields["j"].as_slice().try_into().unwrap();
                let generation = std::str::from_utf8(&fields["g"]).unwrap();
                waiting.push(Waiting {
                    stream: stream.clone(),
                    entry,
                    id: JobId::from_bytes(id),
                    generation: generation.parse().unwrap(),
                });
            }
        }
        // All ids are of one clock.
        waiting.sort_by_key(|waiting| waiting.entry.clone());
        waiting
    }

    /// The envelope that an entry stands for; none if its job is forgotten.
    async fn envelope(&self, waiting: &Waiting) -> Option<Arc<Envelope>> {
        let mut connection = self.connection.clone();
        let records: Vec<String> = connection
            .keys(format!("*:j:{}", waiting.id.to_string().replace('-', "")))
            .await
            .unwrap();
        let first: Option<Vec<u8>> = connection.hget(records.first()?, "e").await.unwrap();
        let first = Envelope::decode(&first?).unwrap();
        let tenants = [Tenant::default(), Tenant::new("other").unwrap()];
        for tenant in &tenants {
            if let Some(job) = self.store.get(tenant, waiting.id).await.unwrap() {
                let envelope = first.carrying(&job, first.published_at_ms);
                return Some(Arc::new(Envelope {
                    generation: waiting.generation,
                    ..envelope
                }));
            }
        }
        None
    }

    /// Takes what waits of a job out of the streams.
    async fn take(&self, id: JobId) {
        let mut connection = self.connection.clone();
        for waiting in self.waiting().await {
            if waiting.id != id {
                continue;
            }
            let seen = self.envelope(&waiting).await;
            let mut delete = redis::cmd("XDEL");
            delete.arg(&waiting.stream).arg(&waiting.entry);
            let deleted: u64 = delete.query_async(&mut connection).await.unwrap();
            // Once, however many ask for it at a time.
            self.seen.lock().extend(seen.filter(|_| deleted == 1));
        }
    }
}

#[async_trait]
impl Offers for Streams {
    async fn all(&self) -> Vec<Arc<Envelope>> {
        let mut all = self.seen.lock().clone();
        for waiting in self.waiting().await {
            all.extend(self.envelope(&waiting).await);
        }
        all
    }

    async fn publish(&self, _envelope: Arc<Envelope>) {
        panic!("a store that is its own queue wants nothing published");
    }

    async fn deliver(&self, id: JobId) {
        self.take(id).await;
    }

    async fn lose(&self, id: JobId) {
        self.take(id).await;
    }
}
