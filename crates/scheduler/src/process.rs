//! The program `scheduler`: the clock over what all processes share. Any number of them may run.

use std::process::ExitCode;

use assay_backend::{Backend, Reconciliation};
use assay_core::id::WorkerId;
use assay_core::job::JOB_LIFE_MS_MAX;
use assay_service::config::{Config, Error as ConfigError};
use assay_service::{BoxError, Context, OnEnd, Service};

use crate::{DEFAULTS, INSTRUMENTS, Keeping, Parts, Reconciling, Settings, run};

/// The other programs of one machine have other defaults.
const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:9091\"\n";

const SERVICE: Service = Service {
    name: "scheduler",
    version: env!("CARGO_PKG_VERSION"),
    defaults: &{
        let [store, redis, rabbit, shared] = assay_backend::DEFAULTS;
        [store, redis, rabbit, shared, DEFAULTS, ADMIN]
    },
    instruments: &{
        let [records, envelopes] = assay_backend::INSTRUMENTS;
        [records, envelopes, INSTRUMENTS]
    },
    check,
};

/// The whole program. Answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    assay_service::main(&SERVICE, |context| assay_backend::run(context, tick))
}

fn check(config: &Config) -> Result<(), ConfigError> {
    assay_backend::check(config)?;
    Settings::read(config).map(drop)
}

async fn tick(context: Context, backend: Backend) -> Result<(), BoxError> {
    let consumer = WorkerId::new(format!("{}-{}", SERVICE.name, std::process::id()))?;
    let parts = Parts {
        store: backend.store(),
        queue: backend.queue(&consumer),
        blobs: Some(Keeping {
            blobs: backend.blobs().clone(),
            job_life_ms_max: JOB_LIFE_MS_MAX,
            retention_ms: backend.retention().longest_ms(),
        }),
        clock: backend.clock(),
        reconciling: backend.reconciliation().map(reconciling),
    };
    let ticking = run(context.clone(), parts);
    context.tasks.spawn("scheduler", OnEnd::Shutdown, ticking);
    tracing::info!("ready: the clock runs");
    Ok(())
}

fn reconciling(shared: Reconciliation) -> Reconciling {
    Reconciling {
        markers: shared.markers,
        marker_queue: shared.marker_queue,
        sent: shared.sent,
        dead_letters: shared.dead_letters,
    }
}
