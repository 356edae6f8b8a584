//! The program `probe-worker`: a worker of an installation whose processes run apart, with the probe as its handler.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use assay_backend::Backend;
use assay_service::config::{Config, Error as ConfigError};
use assay_service::{BoxError, Context, Service};
use assay_worker_runtime::{Crew, Jitter, Ports, Program, worker_id};

use crate::handler::Probe;
use crate::journal::Journal;

const PROGRAM: Program = Program {
    name: "probe-worker",
    version: env!("CARGO_PKG_VERSION"),
};

/// What the probe adds to the configuration of a worker, and where its admin port is.
const DEFAULTS: &str = "\
[admin]
listen = \"127.0.0.1:9093\"

[probe]
# File that the worker notes its doings in; empty notes nothing.
journal = \"\"
";

const SERVICE: Service = Service {
    name: PROGRAM.name,
    version: PROGRAM.version,
    defaults: &{
        let [store, redis, rabbit, shared] = assay_backend::DEFAULTS;
        let worker = assay_worker_runtime::DEFAULTS;
        [store, redis, rabbit, shared, worker, DEFAULTS]
    },
    instruments: &{
        let [records, envelopes] = assay_backend::INSTRUMENTS;
        [records, envelopes, assay_worker_runtime::INSTRUMENTS]
    },
    check,
};

/// The whole program. Answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    assay_service::main(&SERVICE, |context| assay_backend::run(context, work))
}

fn check(config: &Config) -> Result<(), ConfigError> {
    assay_backend::check(config)?;
    assay_worker_runtime::Settings::read(config)?;
    config.section::<String>("probe.journal").map(drop)
}

async fn work(context: Context, backend: Backend) -> Result<(), BoxError> {
    let file: String = context.config.section("probe.journal")?;
    let journal = match file.as_str() {
        "" => Journal::none(),
        file => Journal::append(Path::new(file))?,
    };
    let worker = worker_id(PROGRAM.name)?;
    let ports = Ports {
        queue: backend.queue(&worker),
        store: backend.store(),
        control: backend.control(),
        contents: Arc::new(backend.blobs().clone()),
        clock: backend.clock(),
        jitter: Jitter::random(),
        worker,
    };
    let probe = Probe::new(Arc::new(journal))?;
    Crew::new(&context, PROGRAM, ports, backend.registry()).add(probe)?;
    Ok(())
}
