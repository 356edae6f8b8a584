//! Opens what is shared.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_core::id::WorkerId;
use assay_core::port::{JobQueue, JobStore, QueueControl, WorkerRegistry};
use assay_core::retention::Retention;
use assay_queue::{RabbitConfigError, VisitError};
use assay_service::readiness::Dependency;
use assay_service::{BoxError, Shutdown, config};
use assay_store::{ConnectError, RedisStore, TimeSource};

use crate::carriage::{Carriage, Mode, Reconciliation, carrier};
use crate::check::Settings;

/// Between two tries to reach a Redis that is not there yet.
const RETRY: Duration = Duration::from_millis(500);

/// The folder of blobs is its owner's alone.
const FOLDER_MODE: u32 = 0o700;

/// What the processes share. Clones are other handles to the same.
#[derive(Clone)]
pub struct Backend {
    store: Arc<RedisStore>,
    carriage: Carriage,
    blobs: Blobs,
    retention: Retention,
}

/// Why a process does not run. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Redis cannot be reached, or will not do.
    #[error(transparent)]
    Redis(#[from] ConnectError),
    /// RabbitMQ is not named in a way that could work.
    #[error(transparent)]
    Rabbit(#[from] RabbitConfigError),
    /// RabbitMQ cannot be reached, or lets nobody in.
    #[error(transparent)]
    Broker(#[from] VisitError),
    /// The folder of blobs cannot be used.
    #[error(transparent)]
    Blobs(#[from] assay_blob::Error),
    /// A part of the process does not start.
    #[error(transparent)]
    Part(BoxError),
}

impl Backend {
    /// Opens everything, and waits as long as it takes for a Redis that cannot be reached. `None` when the
    /// shutdown came first.
    ///
    /// # Errors
    /// When Redis is there and will not do, or the folder cannot be used.
    pub(crate) async fn open(
        settings: Settings,
        redis_up: &Dependency,
        shutdown: &Shutdown,
    ) -> Result<Option<Self>, Error> {
        make(&settings.blob_folder);
        let blobs = Blobs::open(&settings.blob_folder).await?;
        let retention = settings.store.retention();
        let Some(store) = connect(&settings, redis_up, shutdown).await? else {
            return Ok(None);
        };
        let carriage = Carriage::start(settings.rabbit.as_ref(), &store)?;
        Ok(Some(Self {
            store,
            carriage,
            blobs,
            retention,
        }))
    }

    /// The records.
    #[must_use]
    pub fn store(&self) -> Arc<dyn JobStore> {
        Arc::<RedisStore>::clone(&self.store)
    }

    /// The queues, for a process that calls itself `consumer`.
    #[must_use]
    pub fn queue(&self, consumer: &WorkerId) -> Arc<dyn JobQueue> {
        self.carriage.queue(consumer)
    }

    /// Where records and envelopes are.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.carriage.mode()
    }

    /// What keeps records and envelopes in step; `None` where they are in one place.
    #[must_use]
    pub fn reconciliation(&self) -> Option<Reconciliation> {
        self.carriage.reconciliation()
    }

    /// The queues as readiness watches them; `None` where they are in one place with the records.
    pub(crate) fn broker(&self) -> Option<Arc<dyn JobQueue>> {
        self.carriage.broker()
    }

    /// The registry of workers.
    #[must_use]
    pub fn registry(&self) -> Arc<dyn WorkerRegistry> {
        Arc::new(self.store.registry())
    }

    /// Which kinds are paused.
    #[must_use]
    pub fn control(&self) -> Arc<dyn QueueControl> {
        Arc::<RedisStore>::clone(&self.store)
    }

    /// The time that all processes agree on.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.store.clock()
    }

    /// Contents and large results.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// How long the record of an ended job is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// Waits for RabbitMQ, if it is used, but no longer than `patience`.
    pub(crate) async fn connected(&self, patience: Duration) {
        self.carriage.connected(patience).await;
    }

    pub(crate) async fn close(&self) {
        self.carriage.close().await;
        self.store.close().await;
    }
}

async fn connect(
    settings: &Settings,
    redis_up: &Dependency,
    shutdown: &Shutdown,
) -> Result<Option<Arc<RedisStore>>, Error> {
    let carrier = carrier(settings.rabbit.as_ref());
    let mut told = false;
    loop {
        let tried = RedisStore::connect(
            &settings.redis,
            settings.store.clone(),
            TimeSource::Server,
            carrier,
        );
        match Box::pin(tried).await {
            Ok(store) => {
                redis_up.up();
                return Ok(Some(store));
            }
            Err(error) if error.may_pass() => {
                let why = chain(&error);
                redis_up.down(why.as_str());
                if !told {
                    tracing::warn!("waiting for Redis: {why}");
                }
                told = true;
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = shutdown.begun() => return Ok(None),
        }
    }
}

/// Makes the folder, for its owner alone. What keeps it from being made, the blobs tell better.
fn make(folder: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    drop(builder.recursive(true).mode(FOLDER_MODE).create(folder));
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
