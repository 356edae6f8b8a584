//! The workers of one process.

use std::convert::Infallible;
use std::sync::Arc;

use assay_core::port::WorkerRegistry;
use assay_service::config::Error as ConfigError;
use assay_service::{Context, OnEnd};

use crate::attendance::{Attendance, Program};
use crate::config::Settings;
use crate::handler::JobHandler;
use crate::ports::Ports;
use crate::worker::Worker;

/// Takes handlers in, and starts a worker for each. All of them are one worker to the registry.
pub struct Crew {
    context: Context,
    ports: Ports,
    attendance: Arc<Attendance>,
}

impl Crew {
    /// A crew of `program` without workers; `registry` hears of it from now on, until the last worker has ended.
    #[must_use]
    pub fn new(
        context: &Context,
        program: Program,
        ports: Ports,
        registry: Arc<dyn WorkerRegistry>,
    ) -> Self {
        let attendance = Attendance::new(program, ports.worker.clone(), registry, &*ports.clock);
        let keeping = Arc::clone(&attendance).keep(context.shutdown.clone());
        let attending = async {
            keeping.await;
            Ok::<(), Infallible>(())
        };
        context
            .tasks
            .spawn("attendance", OnEnd::Shutdown, attending);
        Self {
            context: context.clone(),
            ports,
            attendance,
        }
    }

    /// What the workers see of the outside.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Starts a worker that runs jobs of the handler's kind, as section `[worker]` says.
    ///
    /// # Errors
    /// When the section is wrong.
    pub fn add<H: JobHandler>(&mut self, handler: H) -> Result<(), ConfigError> {
        let settings = Settings::read(&self.context.config)?;
        let worker = Worker::new(self.ports.clone(), handler, settings).attending(&self.attendance);
        let name = format!("worker {}", H::KIND);
        let run = worker.run(self.context.clone());
        self.context.tasks.spawn(&name, OnEnd::Shutdown, run);
        Ok(())
    }
}
