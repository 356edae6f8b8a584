//! The edge: clients' calls in, words of `assay-core` behind. Untrusted input is checked here.
//!
//! - [`Gateway`] is put together by whoever runs it and served with [`Gateway::start`]; [`main`] is the
//!   program `gateway`, which shares Redis and a folder with the other processes.
//! - A call's way: `access` (who calls, and whether they may) → `calls` (span) → `submit`, `submit_stream`, `query`,
//!   `cancel`, `watch`, `content`, `admin` → the ports. `convert` reads and writes messages, `status` holds all errors.
//! - `http`: the same calls as HTTP/JSON, on a port of its own.
//!
//! Contract: a job is answered after the store has it; every error carries a stable reason of the table
//! in `jobs.proto`; all wrong fields are named at once; nothing is held that has no bound.
//!
//! Not here: the life of jobs (`assay-core`), keeping them (`assay-store`).

use std::net::SocketAddr;
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_core::port::{JobQueue, JobStore, QueueControl, WorkerRegistry};
use assay_service::tasks::Restart;
use assay_service::{Context, OnEnd, listen};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

mod access;
mod admin;
mod caller;
mod calls;
mod cancel;
mod config;
mod connections;
mod content;
mod convert;
mod dead_letters;
mod edge;
mod handled;
mod http;
mod limits;
mod message_bound;
mod message_room;
mod message_time;
mod method;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
mod page_token;
mod process;
mod query;
mod queues;
mod server;
mod status;
mod submit;
mod submit_stream;
mod watch;

pub use access::{ENTROPY_BYTES, FileError, NewToken, TokenError, check_tokens, new_token};
pub use config::{DEFAULTS, check};
pub use http::view as json;
pub use metric_definitions::INSTRUMENTS;
pub use process::main;

use access::{Access, Held};
use config::Settings;
use edge::Edge;
use limits::{Admission, Rates};
use watch::Hub;

/// What a gateway needs to serve.
pub struct Gateway {
    /// The records.
    pub store: Arc<dyn JobStore>,
    /// Where jobs wait for workers.
    pub queue: Arc<dyn JobQueue>,
    /// Which kinds are held back.
    pub control: Arc<dyn QueueControl>,
    /// The content.
    pub blobs: Blobs,
    /// Which workers live.
    pub registry: Arc<dyn WorkerRegistry>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What this server keeps its jobs in, for people.
    pub mode: pb::ServerMode,
}

/// Where a gateway serves, with the ports that were really taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// gRPC.
    pub grpc: SocketAddr,
    /// HTTP/JSON, if it is served.
    pub http: Option<SocketAddr>,
}

/// Why a gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting of `[gateway]` can't be used.
    #[error(transparent)]
    Config(#[from] assay_service::config::Error),
    /// The address can't be listened on.
    #[error(transparent)]
    Listen(#[from] listen::Error),
    /// The listener does not know its address.
    #[error("ask the system for the address that the gateway listens on")]
    Address(#[source] std::io::Error),
    /// The compiled-in descriptors are wrong: a mistake in this program.
    #[error("read the compiled-in descriptors of the API")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The server ended.
    #[error("serve the API")]
    Serve(#[source] tonic::transport::Error),
}

impl Gateway {
    /// Serves where `gateway.listen` and `gateway.http_listen` say, until the shutdown; answers the addresses. The
    /// tasks of the gateway belong to `context.tasks` and end by themselves.
    ///
    /// # Errors
    /// When a setting is wrong or an address is taken.
    pub async fn start(self, context: &Context) -> Result<Addresses, Error> {
        let settings = Settings::read(&context.config)?;
        let grpc = settings.address(&context.config)?;
        let grpc = listen::bind(config::LISTEN, grpc).await?;
        let http = match settings.http_address(&context.config)? {
            Some(address) => Some(listen::bind(config::HTTP_LISTEN, address).await?),
            None => None,
        };
        let addresses = Addresses {
            grpc: grpc.local_addr().map_err(Error::Address)?,
            http: http
                .as_ref()
                .map(TcpListener::local_addr)
                .transpose()
                .map_err(Error::Address)?,
        };
        let latch = context.readiness.latch("gateway");
        let (access, tokens) = match settings.tokens(self.clock.now_ms())? {
            Some((tokens, held)) => {
                let access = Access::guarded(tokens, Arc::clone(&self.clock));
                (access, Some(held))
            }
            None => (Access::open(Arc::clone(&self.clock)), None),
        };
        let edge = Arc::new(self.into_edge(settings, access, context));
        let health = HealthReporter::new();
        let routes = server::routes(&edge, health.clone())?;
        edge.watch_store();
        if let Some(held) = tokens {
            edge.follow_tokens(held);
        }
        edge.serve_grpc(routes, health, grpc);
        tell("gRPC", addresses.grpc);
        if let (Some(http), Some(address)) = (http, addresses.http) {
            edge.serve_http(http);
            tell("HTTP/JSON", address);
        }
        if edge.access.is_open() {
            tracing::info!("no tokens are asked for: whoever reaches the API may do everything");
        }
        latch.release();
        Ok(addresses)
    }

    fn into_edge(self, settings: Settings, access: Access, context: &Context) -> Edge {
        Edge {
            started_at_ms: self.clock.now_ms(),
            store: self.store,
            queue: self.queue,
            control: self.control,
            blobs: self.blobs,
            registry: self.registry,
            clock: self.clock,
            access,
            mode: self.mode,
            shutdown: context.shutdown.clone(),
            hub: Arc::new(Hub::new(settings.watchers_max, settings.write_idle())),
            admission: Admission::new(
                settings.calls_max,
                Rates::new(|class| settings.quota(class)),
            ),
            tasks: context.tasks.clone(),
            uploads: Arc::new(Semaphore::new(settings.uploads_max)),
            submit_bytes: Arc::new(Semaphore::new(settings.submit_bytes_max)),
            settings,
        }
    }
}

/// Says what is served where.
fn tell(what: &str, address: SocketAddr) {
    tracing::info!(%address, "serving {what} on {address}");
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "{what} on {address} is for other machines, too, and tokens travel there as they are: have something before \
             it speak TLS"
        );
    }
}

impl Edge {
    /// Hears what happens to jobs, for those who watch.
    fn watch_store(self: &Arc<Self>) {
        let edge = Arc::clone(self);
        let listen = move || {
            let edge = Arc::clone(&edge);
            async move {
                edge.hub
                    .run(Arc::clone(&edge.store), edge.shutdown.clone())
                    .await
            }
        };
        self.tasks
            .spawn_restarting("gateway-watch", Restart::default(), listen);
    }

    /// Has in force what the file of tokens holds. Without that, a token that was taken back would stay good.
    fn follow_tokens(self: &Arc<Self>, held: Held) {
        let following = access::follow(Arc::clone(self), held);
        self.tasks
            .spawn("gateway-tokens", OnEnd::Shutdown, following);
    }

    fn serve_grpc(&self, routes: Routes, health: HealthReporter, listener: TcpListener) {
        let reporting = server::report_health(health, self.shutdown.clone());
        self.tasks.spawn("gateway-health", OnEnd::Log, reporting);
        let serving = server::serve(
            routes,
            self.settings.clone(),
            listener,
            self.shutdown.clone(),
        );
        self.tasks.spawn("gateway-grpc", OnEnd::Shutdown, serving);
    }

    fn serve_http(self: &Arc<Self>, listener: TcpListener) {
        let serving = http::serve(Arc::clone(self), listener);
        self.tasks.spawn("gateway-http", OnEnd::Shutdown, serving);
    }
}
