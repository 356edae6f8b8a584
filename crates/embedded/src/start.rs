//! Everything up, then everything down.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_api::v1::ServerMode;
use assay_backend::store_settings;
use assay_blob::Blobs;
use assay_core::clock::{Clock, SystemClock};
use assay_core::id::InvalidId;
use assay_core::job::JOB_LIFE_MS_MAX;
use assay_core::port::{JobQueue, JobStore, QueueControl, WorkerRegistry};
use assay_gateway::{Addresses, Gateway};
use assay_queue::InProcessQueue;
use assay_scheduler::Keeping;
use assay_service::{BoxError, Context, OnEnd, TaskGroup, config};
use assay_store::{EmbeddedStore, InProcessRegistry, OpenError, StoreConfig};
use assay_worker_runtime::{Crew, Jitter, Ports, Program, worker_id};

use crate::settings::Settings;
use crate::watchman;
use crate::workers::Workers;

/// What the process is called among workers.
const PROGRAM: Program = Program {
    name: "embedded",
    version: env!("CARGO_PKG_VERSION"),
};

/// Contents and large results, below the data folder.
const BLOBS_FOLDER: &str = "blobs";

/// The data folder is its owner's alone.
const FOLDER_MODE: u32 = 0o700;

/// All services, running.
pub struct Embedded {
    addresses: Addresses,
    data_dir: PathBuf,
    parts: Parts,
}

/// Why the services do not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store's start panicked or was cut off.
    #[error("open the store")]
    Opening(#[from] tokio::task::JoinError),
    /// The folder of contents cannot be used.
    #[error(transparent)]
    Blobs(#[from] assay_blob::Error),
    /// The API cannot be served.
    #[error(transparent)]
    Gateway(#[from] assay_gateway::Error),
    /// The name of the process is no name for a worker.
    #[error("name the workers")]
    Worker(#[from] InvalidId),
    /// A worker cannot be set up.
    #[error("set up the workers")]
    Workers(#[source] BoxError),
}

/// What is up, in the order in which it must go down.
struct Parts {
    /// Of the gateway, the workers and the scheduler; they end by themselves in a shutdown.
    tasks: TaskGroup,
    queue: Arc<InProcessQueue>,
    store: Arc<EmbeddedStore>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Embedded");
        out.field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Starts all services; `workers` says which kinds of jobs are run, and by whom.
    ///
    /// Boot order: data folder and store (queued jobs are handed out), contents, workers, scheduler, and
    /// the gateway last, so that nobody is answered before everything behind it is there.
    ///
    /// # Errors
    /// When a setting, the data folder or the address cannot be used. Nothing runs then.
    pub async fn start<W>(context: &Context, workers: W) -> Result<Self, Error>
    where
        W: FnOnce(&mut Workers) -> Result<(), BoxError>,
    {
        let latch = context.readiness.latch("embedded");
        let data_dir = Settings::read(&context.config)?.data_dir;
        let store_config = store_settings(&context.config)?;
        let retention_ms = store_config.retention().longest_ms();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // The parts' own context: their tasks are joined before the store closes.
        let context = Context {
            tasks: TaskGroup::new(context.shutdown.clone()),
            ..context.clone()
        };
        let parts = Parts::open(&context, &data_dir, store_config, &clock).await?;
        let started = parts.start(&context, &data_dir, retention_ms, clock, workers);
        match started.await {
            Ok(addresses) => {
                latch.release();
                Ok(Self {
                    addresses,
                    data_dir: std::path::absolute(&data_dir).unwrap_or(data_dir),
                    parts,
                })
            }
            Err(error) => {
                parts.tasks.abort_all();
                parts.close().await;
                Err(error)
            }
        }
    }

    /// Where the API is served, with the port that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.grpc
    }

    /// Where HTTP/JSON is served, if it is.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.addresses.http
    }

    /// The folder that holds everything.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What an acknowledged job survives, as a sentence for people.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        self.parts.store.durability().promise()
    }

    /// Waits until a shutdown took everything down: the gateway stops taking, the workers drain, the
    /// scheduler stops, the store closes last. A part that ends before begins the shutdown.
    pub async fn finished(self) {
        self.parts.tasks.joined().await;
        self.parts.close().await;
    }
}

impl Parts {
    async fn open(
        context: &Context,
        data_dir: &Path,
        config: StoreConfig,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        make(data_dir);
        let queue = Arc::new(InProcessQueue::new(Arc::clone(clock)));
        let (folder, clock) = (data_dir.to_path_buf(), Arc::clone(clock));
        let hand_out = Arc::clone(&queue);
        // Reading a full store takes seconds, in which a signal must be heard.
        let opened = tokio::task::spawn_blocking(move || {
            EmbeddedStore::open(&folder, config, clock, hand_out)
        });
        Ok(Self {
            tasks: context.tasks.clone(),
            queue,
            store: Arc::new(opened.await??),
        })
    }

    async fn start<W>(
        &self,
        context: &Context,
        data_dir: &Path,
        retention_ms: u64,
        clock: Arc<dyn Clock>,
        workers: W,
    ) -> Result<Addresses, Error>
    where
        W: FnOnce(&mut Workers) -> Result<(), BoxError>,
    {
        let blobs = Blobs::open(data_dir.join(BLOBS_FOLDER)).await?;
        let (store, queue) = self.ports();
        let control: Arc<dyn QueueControl> = Arc::<EmbeddedStore>::clone(&self.store);
        let ports = Ports {
            queue: Arc::clone(&queue),
            store: Arc::clone(&store),
            control: Arc::clone(&control),
            contents: Arc::new(blobs.clone()),
            clock: Arc::clone(&clock),
            jitter: Jitter::random(),
            worker: worker_id(PROGRAM.name)?,
        };
        let registry: Arc<dyn WorkerRegistry> =
            Arc::new(InProcessRegistry::new(Arc::clone(&clock)));
        // Before the workers: where its port is taken, none of them is there to end with it.
        let gateway = Gateway {
            store: Arc::clone(&store),
            queue: Arc::clone(&queue),
            control,
            blobs: blobs.clone(),
            registry: Arc::clone(&registry),
            clock: Arc::clone(&clock),
            mode: ServerMode::Embedded,
        };
        let addresses = gateway.start(context).await?;
        let crew = Crew::new(context, PROGRAM, ports, registry);
        let mut all = Workers::new(context, crew, blobs.clone());
        workers(&mut all).map_err(Error::Workers)?;
        let scheduler = assay_scheduler::Parts {
            store,
            queue,
            blobs: Some(keeping(blobs, retention_ms)),
            clock,
            reconciling: None,
        };
        let scheduling = assay_scheduler::run(context.clone(), scheduler);
        self.tasks.spawn("scheduler", OnEnd::Shutdown, scheduling);
        watchman::watch(&self.store, &self.tasks, &context.shutdown);
        Ok(addresses)
    }

    /// Store and queue as everybody else sees them.
    fn ports(&self) -> (Arc<dyn JobStore>, Arc<dyn JobQueue>) {
        let store = Arc::<EmbeddedStore>::clone(&self.store);
        (store, Arc::<InProcessQueue>::clone(&self.queue))
    }

    async fn close(&self) {
        self.queue.close();
        self.store.close().await;
    }
}

/// How long contents may be needed: by the longest job, until its record is gone.
fn keeping(blobs: Blobs, retention_ms: u64) -> Keeping {
    Keeping {
        blobs,
        job_life_ms_max: JOB_LIFE_MS_MAX,
        retention_ms,
    }
}

/// Makes the data folder, for its owner alone. What keeps it from being made, the store tells better.
fn make(data_dir: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    drop(builder.recursive(true).mode(FOLDER_MODE).create(data_dir));
}

#[cfg(test)]
mod tests {
    use assay_core::clock::ManualClock;
    use assay_core::id::Tenant;
    use assay_core::job::{DEADLINE_MS_MAX, DUE_AHEAD_MS_MAX};
    use assay_core::port::ContentStore;
    use assay_scheduler::{Activity, BLOB_MARGIN_MS, CollectBlobs};

    use super::*;

    /// Touched at its submit, due as late as it may be, a dead letter as late as it may be, kept for a month.
    #[tokio::test]
    async fn content_outlives_the_longest_job_and_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join(BLOBS_FOLDER)).await.unwrap();
        let tenant = Tenant::default();
        let retention_ms = StoreConfig::default().retention().longest_ms();
        let stored = ContentStore::put(&blobs, &tenant, b"content".to_vec()).await;
        let id = stored.unwrap().parse().unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now_ms() + 1_000));
        let touched = blobs.touch(&tenant, &id, clock.now_ms()).await.unwrap();
        assert_eq!(touched, Some(7));

        let keeping = keeping(blobs.clone(), retention_ms);
        let collect = CollectBlobs::new(keeping, Arc::<ManualClock>::clone(&clock), 10);
        clock.advance(DUE_AHEAD_MS_MAX + DEADLINE_MS_MAX + retention_ms + BLOB_MARGIN_MS);
        assert_eq!(collect.activate().await.unwrap().changed, 0);
        clock.advance(1);
        assert_eq!(collect.activate().await.unwrap().changed, 1);
        assert_eq!(blobs.size(&tenant, &id).await.unwrap(), None);
    }
}
