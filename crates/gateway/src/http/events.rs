//! What happens to a job, as server-sent events.
//!
//! An event bears its id; a client that comes back with it in `Last-Event-ID` gets each later one once. The last thing
//! is a snapshot of the end, and then the answer ends. Its id says so: browsers come back by themselves, and are told
//! with 204 that there is nothing more.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use assay_api::v1 as pb;
use assay_core::event::EventId;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use pb::watch_job_response::Message;
use serde_json::json;
use tonic::Status;

use super::ask::{Ask, wrong};
use super::problem::Problem;
use super::view;
use crate::watch::watch;

/// The last event that a client saw.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Follows the id of the last event of a job in the id of the snapshot of its end.
const END: &str = "-end";
/// How often a stream says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a client whose stream broke should come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// Begins to tell what happens to a job.
pub(super) async fn watch_job(ask: Ask) -> Result<Response, Problem> {
    let id = ask.job_id()?;
    let last = ask.header(LAST_EVENT_ID)?.unwrap_or_default();
    let seen = last.strip_suffix(END);
    let after = seen.unwrap_or(last);
    if !last.is_empty()
        && let Err(error) = after.parse::<EventId>()
    {
        return Err(wrong(LAST_EVENT_ID, &error.to_string()));
    }
    if let Some(seen) = seen {
        let job = ask.edge.find(&ask.caller.tenant, id).await?;
        if job.state.is_terminal() && job.event_id.to_string() == seen {
            let mut nothing = Response::new(Body::empty());
            *nothing.status_mut() = StatusCode::NO_CONTENT;
            return Ok(nothing);
        }
    }
    let request = pb::WatchJobRequest {
        job_id: id.to_string(),
        after_event_id: after.to_owned(),
    };
    let messages = watch(Arc::clone(&ask.edge), &request, ask.caller).await?;
    let events = messages.filter_map(async |message| event(message).map(Ok::<_, Infallible>));
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(Box::pin(events))
        .keep_alive(heartbeat)
        .into_response())
}

fn event(message: Result<pb::WatchJobResponse, Status>) -> Option<Event> {
    match message {
        Ok(pb::WatchJobResponse { message }) => match message? {
            Message::Event(event) => {
                let told = Event::default().event("progress").id(&event.event_id);
                Some(told.data(view::event(&event).to_string()))
            }
            Message::Snapshot(snapshot) => Some(snapshot_event(&snapshot)),
        },
        Err(status) => {
            let problem = Problem::from(status).to_json(None).to_string();
            let told = Event::default().event("problem").retry(COME_BACK);
            Some(told.data(problem))
        }
    }
}

fn snapshot_event(snapshot: &pb::JobSnapshot) -> Event {
    let job = snapshot.job.clone().unwrap_or_default();
    let end = if is_terminal(job.state()) { END } else { "" };
    let data = json!({"job": view::job(&job), "reset": snapshot.reset});
    let told = Event::default().event("snapshot");
    told.id(format!("{}{end}", job.event_id))
        .data(data.to_string())
}

fn is_terminal(state: pb::JobState) -> bool {
    matches!(view::status(state), "completed" | "failed")
}
