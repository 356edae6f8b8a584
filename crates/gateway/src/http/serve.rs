//! The server of HTTP/1.1: a task for each connection, all of them of this one.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tonic::codegen::Service;

use super::connection::{Answered, Beat, Noted, Watch};
use super::front::Front;
use super::pulse::Patience;
use crate::config::{HEADER_BYTES_MOST, Settings};
use crate::connections::{Connection, Door};
use crate::edge::Edge;
use crate::metric_definitions;

/// What a connection holds of what comes and what goes, in bytes: what a client does not take is not made, and the
/// largest headers fit.
const BUFFER_BYTES: usize = 64 * 1024;
const _: () = assert!(BUFFER_BYTES as u64 >= HEADER_BYTES_MOST);

/// Serves until no new work is taken and all requests are answered.
pub(super) async fn serve(edge: Arc<Edge>, router: Router, listener: TcpListener) {
    let server = Arc::new(Server::new(&edge, router));
    let stop = edge.shutdown.intake_token();
    let mut door = Door::open(
        listener,
        edge.settings.connections_max,
        edge.settings.greeting(),
    );
    // Dropped with this task, and then all connections are cut.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            connection = door.next() => {
                let server = Arc::clone(&server);
                let stop = stop.clone();
                connections.spawn(async move {
                    server.converse(connection, stop.cancelled_owned()).await;
                });
            }
            Some(ended) = connections.join_next() => report(ended),
        }
    }
    drop(door);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection over HTTP ended with a fault of the server: {error}");
    }
}

/// What all connections have in common.
struct Server {
    http: Builder,
    patience: Patience,
    front: Front,
    router: Router,
}

impl Server {
    fn new(edge: &Edge, router: Router) -> Self {
        let settings = &edge.settings;
        Self {
            http: http(settings),
            patience: Patience {
                head: settings.http_head(),
                idle: settings.http_idle(),
                write: settings.write_idle(),
            },
            front: Front::new(settings),
            router,
        }
    }

    /// Answers one request after the other, until the client leaves, is cut off, or no new work is taken.
    async fn converse(&self, connection: Connection, stop: impl Future<Output = ()>) {
        let beat = Beat::new(self.patience);
        let connection = TokioIo::new(Noted::new(connection, beat.clone()));
        let mut watch = Watch::new(beat.clone());
        let service = service_fn(|request| self.answer(&beat, request));
        let mut served = pin!(self.http.serve_connection(connection, service));
        let (mut stop, mut stopped) = (pin!(stop), false);
        let cut = poll_fn(|context| {
            if !stopped && stop.as_mut().poll(context).is_ready() {
                stopped = true;
                served.as_mut().graceful_shutdown();
            }
            match served.as_mut().poll(context) {
                Poll::Ready(ended) => Poll::Ready(Err(ended)),
                Poll::Pending => watch.poll(context).map(Ok),
            }
        });
        match cut.await {
            Ok(cut) => {
                metric_definitions::connection_cut(cut);
                let waited_for = cut.label();
                tracing::debug!(
                    waited_for,
                    "cut a connection over HTTP off: waited for its {waited_for}"
                );
            }
            Err(Err(error)) => {
                tracing::debug!(%error, "a connection over HTTP broke: {error}");
            }
            Err(Ok(())) => {}
        }
    }

    async fn answer(
        &self,
        beat: &Beat,
        request: Request<Incoming>,
    ) -> Result<Response<Answered>, Infallible> {
        let answering = beat.begin();
        let answered = match self.front.check(&request) {
            Ok(()) => {
                // Cheap: all clones share their routes.
                let mut router = self.router.clone();
                router.call(request).await?
            }
            Err(wrong) => {
                metric_definitions::refused(wrong.reason());
                wrong.problem().respond(None)
            }
        };
        Ok(answered.map(|body: Body| Answered::new(body, answering)))
    }
}

fn http(settings: &Settings) -> Builder {
    let mut http = Builder::new();
    let header_bytes_max = usize::try_from(settings.header_bytes_max).unwrap_or(usize::MAX);
    // How long a head may take is for `pulse`: this clock would count idle connections, too.
    http.header_read_timeout(None::<Duration>)
        .max_header_size(header_bytes_max)
        .max_buf_size(BUFFER_BYTES);
    http
}
