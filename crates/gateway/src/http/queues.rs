//! Queues, for operators: held back, let go, emptied.

use assay_api::v1 as pb;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::json::Members;
use super::member::{flag, text, time};
use super::problem::Problem;
use super::{answer, view};
use crate::convert::Fields;
use crate::status::Refusal;

/// Has the jobs of a kind wait.
pub(super) async fn pause(ask: Ask) -> Result<Response, Problem> {
    let kind = ask.id.clone();
    let request = pb::PauseQueueRequest { kind };
    ask.edge.pause_queue(&request).await?;
    Ok(held(&ask.id, true))
}

/// Lets the jobs of a kind run again.
pub(super) async fn resume(ask: Ask) -> Result<Response, Problem> {
    let kind = ask.id.clone();
    let request = pb::ResumeQueueRequest { kind };
    ask.edge.resume_queue(&request).await?;
    Ok(held(&ask.id, false))
}

fn held(kind: &str, is_paused: bool) -> Response {
    let told = json!({"kind": kind, "isPaused": is_paused});
    answer::json(StatusCode::OK, &told)
}

/// Cancels what waits, or only counts it.
pub(super) async fn purge(ask: Ask, body: Body) -> Result<Response, Problem> {
    let held = super::body::object(&ask.edge, &ask.headers, body).await?;
    let request = read(held.members, &ask.id)?;
    let purged = ask.edge.purge_queue(&request, &ask.caller.tenant).await?;
    let mut told = json!({
        "dryRun": request.dry_run,
        "matched": purged.matched,
        "cancelled": purged.cancelled,
        "skipped": purged.skipped,
        "more": purged.more,
        "createdBefore": view::time(purged.created_before),
    });
    view::stopped(&mut told, &purged.stopped);
    Ok(answer::json(StatusCode::OK, &told))
}

/// The call that a body asks for.
fn read(mut body: Members, kind: &str) -> Result<pb::PurgeQueueRequest, Refusal> {
    let mut fields = Fields::default();
    let lane = text(&mut fields, "lane", body.remove("lane"));
    let lane = lane.map(|word| {
        view::lane(&word).unwrap_or_else(|| {
            fields.refuse("lane", "must be low, normal or high");
            pb::Lane::Unspecified
        })
    });
    let created_before = body.remove("createdBefore");
    let request = pb::PurgeQueueRequest {
        kind: kind.to_owned(),
        lanes: lane.into_iter().map(i32::from).collect(),
        dry_run: flag(&mut fields, "dryRun", body.remove("dryRun")),
        include_delayed: flag(&mut fields, "includeDelayed", body.remove("includeDelayed")),
        created_before: time(&mut fields, "createdBefore", created_before),
    };
    super::member::none_left(
        &mut fields,
        &body,
        "lane, dryRun, includeDelayed, createdBefore",
    );
    fields.finish()?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::json::{self, Node};
    use super::*;

    fn read(body: &str) -> Result<pb::PurgeQueueRequest, Refusal> {
        let Node::Object(members) = json::read(body.as_bytes()).unwrap() else {
            panic!("{body} is an object");
        };
        super::read(members, "batch")
    }

    #[test]
    fn a_body_becomes_a_call() {
        let expected = pb::PurgeQueueRequest {
            kind: "batch".to_owned(),
            ..Default::default()
        };
        assert_eq!(read("{}"), Ok(expected.clone()));
        let expected = pb::PurgeQueueRequest {
            lanes: vec![pb::Lane::Low.into()],
            dry_run: true,
            include_delayed: true,
            created_before: Some(crate::convert::timestamp(1_000)),
            ..expected
        };
        let body = r#"{"lane":"low","dryRun":true,"includeDelayed":true,
                       "createdBefore":"1970-01-01T00:00:01Z"}"#;
        assert_eq!(read(body), Ok(expected));
    }

    #[test]
    fn everything_wrong_is_named() {
        let body =
            r#"{"lane":"fast","dryRun":1,"includeDelayed":2,"createdBefore":"soon","all":true}"#;
        let refusal = read(body).unwrap_err();
        let mut fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|it| it.field.as_str())
            .collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["all", "createdBefore", "dryRun", "includeDelayed", "lane"]
        );
    }
}
