//! Workers of this process, as the caller wants them.

use std::sync::Arc;

use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_service::config::Error as ConfigError;
use assay_service::prometheus::Metrics;
use assay_service::readiness::Need;
use assay_service::{Config, Context, OnEnd};
use assay_worker_runtime::{JobHandler, Ports, Settings, Worker, queue_dependency};

/// Takes handlers in, and starts a worker for each.
pub struct Workers {
    context: Context,
    ports: Ports,
    blobs: Blobs,
}

impl Workers {
    pub(crate) fn new(context: &Context, ports: Ports, blobs: Blobs) -> Self {
        Self {
            context: context.clone(),
            ports,
            blobs,
        }
    }

    /// The settings of the process.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.context.config
    }

    /// The contents that jobs name.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The time of day.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.ports.clock)
    }

    /// What the process measures.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// Starts a worker that runs jobs of the handler's kind, as section `[worker]` says.
    ///
    /// # Errors
    /// When the section is wrong.
    pub fn add<H: JobHandler>(&mut self, handler: H) -> Result<(), ConfigError> {
        let settings = Settings::read(&self.context.config)?;
        // Down until the worker says otherwise: the process is not ready before its workers are.
        drop(
            self.context
                .readiness
                .dependency(&queue_dependency(H::KIND), Need::Required),
        );
        let worker = Worker::new(self.ports.clone(), handler, settings);
        let name = format!("worker {}", H::KIND);
        let run = worker.run(self.context.clone());
        self.context.tasks.spawn(&name, OnEnd::Shutdown, run);
        Ok(())
    }
}
