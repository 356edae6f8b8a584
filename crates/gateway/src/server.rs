//! The gRPC server: what it serves, its bounds, how it goes away.

use std::sync::Arc;

use assay_api::FILE_DESCRIPTOR_SET;
use assay_api::v1::admin_service_server::AdminServiceServer;
use assay_api::v1::content_service_server::ContentServiceServer;
use assay_api::v1::job_service_server::JobServiceServer;
use assay_service::Shutdown;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::Error;
use crate::access::guard;
use crate::calls::Calls;
use crate::config::Settings;
use crate::connections::accept;
use crate::edge::Edge;
use crate::limits::STRANGER_BYTES_MAX;
use crate::message_bound::Bounded;

/// What may be under way to the server per stream and per connection, in bytes: enough for streams of
/// submits and uploads not to wait for each other's acknowledgements.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Every name that health is asked for; the empty one is the whole server.
const HEALTH_NAMES: [&str; 4] = [
    "",
    <JobServiceServer<Calls> as NamedService>::NAME,
    <ContentServiceServer<Calls> as NamedService>::NAME,
    <AdminServiceServer<Calls> as NamedService>::NAME,
];

/// What the server serves.
pub(crate) fn routes(edge: &Arc<Edge>, health: HealthReporter) -> Result<Routes, Error> {
    let calls = Calls::new(Arc::clone(edge));
    let bytes_max = edge.settings.message_bytes_max;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(Error::Reflection)?;
    let health = HealthService::from_health_reporter(health);
    let health = HealthServer::new(health).max_decoding_message_size(STRANGER_BYTES_MAX);
    let jobs = JobServiceServer::new(calls.clone()).max_decoding_message_size(bytes_max);
    let contents = ContentServiceServer::new(calls.clone()).max_decoding_message_size(bytes_max);
    let admin = AdminServiceServer::new(calls).max_decoding_message_size(bytes_max);
    let mut routes = Routes::builder();
    routes
        .add_service(Bounded::new(jobs, bytes_max))
        .add_service(Bounded::new(contents, bytes_max))
        .add_service(Bounded::new(admin, bytes_max))
        .add_service(Bounded::new(health, STRANGER_BYTES_MAX))
        .add_service(reflection);
    let routes = routes.routes().into_axum_router();
    // Before all of them, and before what is not served at all.
    let guarded = routes.layer(from_fn_with_state(Arc::clone(edge), guard));
    Ok(guarded.into())
}

/// Serves until no new work is taken and all calls are answered, or until work must be given back.
pub(crate) async fn serve(
    routes: Routes,
    settings: Settings,
    listener: TcpListener,
    shutdown: Shutdown,
) -> Result<(), Error> {
    let incoming = accept(listener, settings.connections_max, settings.greeting());
    let stop = shutdown.intake_token();
    let mut server = Server::builder();
    if let Some(age) = settings.connection_age() {
        server = server.max_connection_age(age);
    }
    let served = server
        // Else the watches and uploads of a client that vanished would hold their places for ever.
        .http2_keepalive_interval(Some(settings.keepalive()))
        .http2_keepalive_timeout(Some(settings.keepalive_timeout()))
        .http2_max_header_list_size(settings.header_bytes_max)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(settings.streams_per_connection_max)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
    tokio::select! {
        served = served => served.map_err(Error::Serve),
        () = shutdown.hand_back() => Ok(()),
    }
}

/// Says that the server serves, and tells whoever asks when it no longer does.
pub(crate) async fn report_health(
    mut health: HealthReporter,
    shutdown: Shutdown,
) -> Result<(), Error> {
    for name in HEALTH_NAMES {
        health
            .set_service_status(name, ServingStatus::Serving)
            .await;
    }
    shutdown.begun().await;
    for name in HEALTH_NAMES {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
    shutdown.intake_stopped().await;
    // Ends the streams of those who watch the health; they would keep their connections open.
    for name in HEALTH_NAMES {
        health.clear_service_status(name).await;
    }
    Ok(())
}
