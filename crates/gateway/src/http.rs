//! HTTP/JSON: the same calls on a port of their own, in the shapes of the system before this one, and what that lacked.
//!
//! - A request's way: `serve`, `connection`, `pulse` (who keeps a connection waiting is cut off) → `front` (what is
//!   wrong with it whatever it asks for) → `route` (the table of all addresses) → [`Rule`] (who may) → `ask`
//!   (parameters) → `verify`, `jobs`, `events`,
//!   `contents`, `dead_letters`, `queues`, `overview` → the calls of the edge → `view`, `progress` (JSON). `openapi.json` says all
//!   of it to programs.
//! - `body`, `json`, `query`, `member` read what comes from outside, each within bounds; `problem` holds all errors.
//!
//! Contract: every error is a problem with a stable reason, the same as over gRPC where a call refused it; none tells
//! where anything is kept. Nothing is held that has no bound.
//!
//! Not here: what calls do; Prometheus (the admin port).

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::on;
use tokio::net::TcpListener;
use tonic::metadata::MetadataMap;
use tracing::{Instrument, Span};

use crate::access::Rule;
use crate::caller;
use crate::edge::Edge;
use crate::metric_definitions::{self, HttpOutcome};

mod answer;
mod ask;
mod body;
mod connection;
mod contents;
mod dead_letters;
mod events;
mod field;
mod front;
mod jobs;
mod json;
mod member;
mod overview;
mod performance;
mod problem;
mod progress;
mod pulse;
mod query;
mod queues;
mod route;
mod serve;
mod verify;
pub mod view;

pub(crate) use front::FRONT_REASONS;
pub(crate) use pulse::Cut;
pub(crate) use route::Route;

use ask::Ask;
use problem::Problem;

/// Serves until no new work is taken and all requests are answered, or until work must be given back.
pub(crate) async fn serve(edge: Arc<Edge>, listener: TcpListener) -> Result<(), Infallible> {
    let (router, shutdown) = (router(&edge), edge.shutdown.clone());
    tokio::select! {
        () = serve::serve(edge, router, listener) => {}
        () = shutdown.hand_back() => {}
    }
    Ok(())
}

fn router(edge: &Arc<Edge>) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        let edge = Arc::clone(edge);
        let answer = move |request: Request| answer(route, Arc::clone(&edge), request);
        router = router.route(route.path(), on(route.filter(), answer));
    }
    router
        .fallback(|| async { Problem::no_such_address().respond(None) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed().respond(None) })
}

/// Answers one request, whatever comes of it.
async fn answer(route: Route, edge: Arc<Edge>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let metadata = MetadataMap::from_headers(parts.headers.clone());
    let told = Told::begin(route, caller::http_span(route, &metadata));
    let trace = caller::trace(&told.span);
    let work = async {
        let caller = edge.access.admit(Rule::of_route(route), &parts.headers)?;
        caller::note(&told.span, &caller);
        let _place = edge.admission.admit_route(route, &caller)?;
        let ask = Ask::read(route, edge, caller, trace, parts).await?;
        work(route, ask, body).await
    };
    let answered = work.instrument(told.span.clone()).await;
    let response = answered.unwrap_or_else(|problem| problem.respond(Some(route)));
    told.end(response.status());
    response
}

async fn work(route: Route, ask: Ask, body: Body) -> Result<Response, Problem> {
    match route {
        Route::SubmitVerification => verify::submit(ask, body).await,
        Route::ListJobs => jobs::list(ask).await,
        Route::GetJob => jobs::get(ask).await,
        Route::GetProgress => jobs::progress(ask).await,
        Route::GetResult => jobs::result(ask).await,
        Route::WatchEvents => events::watch_job(ask).await,
        Route::CancelJob => jobs::cancel(ask).await,
        Route::RetryJob => jobs::retry(ask).await,
        Route::UploadContent => contents::upload(ask, body).await,
        Route::GetContent => contents::get(ask).await,
        Route::DownloadContent => contents::download(ask).await,
        Route::ListDeadLetters => dead_letters::list(ask).await,
        Route::GetDeadLetter => dead_letters::get(ask).await,
        Route::RedriveDeadLetter => dead_letters::redrive(ask).await,
        Route::RedriveDeadLetters => dead_letters::redrive_all(ask, body).await,
        Route::UpdateDeadLetter => dead_letters::update(ask, body).await,
        Route::DeleteDeadLetter => dead_letters::delete(ask).await,
        Route::PurgeDeadLetters => dead_letters::purge(ask, body).await,
        Route::GetHealth => overview::health(ask).await,
        Route::ListQueues => overview::queues(ask).await,
        Route::PauseQueue => queues::pause(ask).await,
        Route::ResumeQueue => queues::resume(ask).await,
        Route::PurgeQueue => queues::purge(ask, body).await,
        Route::GetMetrics => overview::metrics(ask).await,
        Route::GetDescription => Ok(overview::description()),
    }
}

/// A request under way: its end is told once. One that is dropped was given up: its caller went away.
struct Told {
    route: Route,
    span: Span,
    outcome: HttpOutcome,
}

impl Told {
    fn begin(route: Route, span: Span) -> Self {
        Self {
            route,
            span,
            outcome: HttpOutcome::Left,
        }
    }

    fn end(mut self, status: StatusCode) {
        self.span
            .record("http.response.status_code", status.as_u16());
        self.outcome = outcome(status);
        if self.outcome == HttpOutcome::Failed {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        metric_definitions::http_handled(self.route, self.outcome);
    }
}

fn outcome(status: StatusCode) -> HttpOutcome {
    if status.is_server_error() {
        HttpOutcome::Failed
    } else if status.is_client_error() {
        HttpOutcome::Refused
    } else {
        HttpOutcome::Answered
    }
}

#[cfg(test)]
mod tests {
    use assay_service::Readiness;
    use assay_service::prometheus::Metrics;

    use super::*;
    use crate::INSTRUMENTS;

    #[test]
    fn a_request_is_told_once_however_it_ends() {
        let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
        let begin = || Told::begin(Route::GetJob, Span::none());
        metrics.record(|| {
            begin().end(StatusCode::OK);
            begin().end(StatusCode::NOT_FOUND);
            begin().end(StatusCode::SERVICE_UNAVAILABLE);
            drop(begin());
            drop(begin());
        });
        let text = metrics.render(&Readiness::new());
        for (outcome, count) in [("answered", 1), ("refused", 1), ("failed", 1), ("left", 2)] {
            let labels = format!(
                r#"service="test",reason="GET /api/async/jobs/{{id}}",outcome="{outcome}""#
            );
            let line = format!("assay_http_server_handled_total{{{labels}}} {count}\n");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
