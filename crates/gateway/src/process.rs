//! The program `gateway`: the edge over what all processes share.

use std::process::ExitCode;

use assay_api::v1::ServerMode;
use assay_backend::{Backend, Mode};
use assay_core::id::WorkerId;
use assay_service::config::{Config, Error as ConfigError};
use assay_service::{BoxError, Context, Service};

use crate::{Gateway, INSTRUMENTS, config};

/// The other programs of one machine have other defaults.
const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:9090\"\n";

const SERVICE: Service = Service {
    name: "gateway",
    version: env!("CARGO_PKG_VERSION"),
    defaults: &{
        let [store, redis, rabbit, shared] = assay_backend::DEFAULTS;
        [store, redis, rabbit, shared, config::DEFAULTS, ADMIN]
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
    assay_service::main(&SERVICE, |context| assay_backend::run(context, serve))
}

fn check(config: &Config) -> Result<(), ConfigError> {
    assay_backend::check(config)?;
    config::check(config)
}

async fn serve(context: Context, backend: Backend) -> Result<(), BoxError> {
    let consumer = WorkerId::new(format!("{}-{}", SERVICE.name, std::process::id()))?;
    let gateway = Gateway {
        store: backend.store(),
        queue: backend.queue(&consumer),
        control: backend.control(),
        blobs: backend.blobs().clone(),
        registry: backend.registry(),
        clock: backend.clock(),
        mode: mode(&backend),
    };
    let address = gateway.start(&context).await?.grpc;
    tracing::info!(%address, "ready: the API is at http://{address} (gRPC)");
    Ok(())
}

fn mode(backend: &Backend) -> ServerMode {
    match backend.mode() {
        Mode::Redis => ServerMode::Redis,
        Mode::Full => ServerMode::Full,
    }
}
