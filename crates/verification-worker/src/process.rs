//! The program `verification-worker`: the handler, over what all processes share.

use std::process::ExitCode;
use std::sync::Arc;

use assay_backend::Backend;
use assay_service::config::{Config, Error as ConfigError};
use assay_service::{BoxError, Context, Service};
use assay_worker_runtime::{Crew, Jitter, Ports, Program, worker_id};

use crate::analyst::{ANALYST_WORD, child_main};
use crate::{DEFAULTS, INSTRUMENTS, Settings, handler, settings};

const PROGRAM: Program = Program {
    name: "verification-worker",
    version: env!("CARGO_PKG_VERSION"),
};

/// The other programs of one machine have other defaults.
const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:9092\"\n";

const SERVICE: Service = Service {
    name: PROGRAM.name,
    version: PROGRAM.version,
    defaults: &{
        let [store, redis, rabbit, shared] = assay_backend::DEFAULTS;
        let worker = assay_worker_runtime::DEFAULTS;
        let detectors = assay_detectors::DEFAULTS;
        [
            store, redis, rabbit, shared, worker, DEFAULTS, detectors, ADMIN,
        ]
    },
    instruments: &{
        let [records, envelopes] = assay_backend::INSTRUMENTS;
        let worker = assay_worker_runtime::INSTRUMENTS;
        let detectors = assay_detectors::INSTRUMENTS;
        [records, envelopes, worker, INSTRUMENTS, detectors]
    },
    check,
};

/// The whole program, and that of its children. Answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    // A child process that looks at a file of strangers: no runtime, no configuration, no log.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == ANALYST_WORD)
    {
        return child_main();
    }
    assay_service::main(&SERVICE, |context| assay_backend::run(context, work))
}

fn check(config: &Config) -> Result<(), ConfigError> {
    assay_backend::check(config)?;
    assay_worker_runtime::Settings::read(config)?;
    settings::check(config)
}

async fn work(context: Context, backend: Backend) -> Result<(), BoxError> {
    let settings = Settings::read(&context.config)?;
    let blobs = backend.blobs().clone();
    let handler = handler(settings, blobs.clone(), backend.clock(), &context.metrics)?;
    let worker = worker_id(PROGRAM.name)?;
    let ports = Ports {
        queue: backend.queue(&worker),
        store: backend.store(),
        control: backend.control(),
        contents: Arc::new(blobs),
        clock: backend.clock(),
        jitter: Jitter::random(),
        worker,
    };
    Crew::new(&context, PROGRAM, ports, backend.registry()).add(handler)?;
    Ok(())
}
