//! Workers of this process, as the caller wants them.

use std::sync::Arc;

use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_service::config::Error as ConfigError;
use assay_service::prometheus::Metrics;
use assay_service::{Config, Context};
use assay_worker_runtime::{Crew, JobHandler};

/// Takes handlers in, and starts a worker for each.
pub struct Workers {
    context: Context,
    crew: Crew,
    blobs: Blobs,
}

impl Workers {
    pub(crate) fn new(context: &Context, crew: Crew, blobs: Blobs) -> Self {
        Self {
            context: context.clone(),
            crew,
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
        Arc::clone(&self.crew.ports().clock)
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
        self.crew.add(handler)
    }
}
