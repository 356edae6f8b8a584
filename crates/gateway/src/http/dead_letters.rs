//! Dead letters, for people: look at them, edit them, put them back or have them forgotten, one or all that match.

use assay_api::v1 as pb;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::ask::{Ask, wrong};
use super::member::text;
use super::problem::Problem;
use super::{answer, jobs, verify, view};
use crate::convert::Fields;

mod filter;

/// A page of dead letters, newest first. One that is filtered by reason may be short and not the last.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let asked = jobs::request(&ask.query)?;
    let mut reasons = Vec::new();
    for word in ask.query.all("reason") {
        let reason = view::dead_letter_reason(word);
        let reason = reason.ok_or_else(|| wrong("reason", filter::REASONS))?;
        reasons.push(reason.into());
    }
    let request = pb::ListDeadLettersRequest {
        page_size: asked.page_size,
        page_token: asked.page_token,
        filter: Some(pb::DeadLetterFilter {
            kinds: asked.kinds,
            reasons,
            created_from: asked.created_from,
            created_before: asked.created_before,
        }),
    };
    let page = ask
        .edge
        .list_dead_letters(&request, &ask.caller.tenant)
        .await?;
    let letters: Vec<_> = page.dead_letters.iter().map(view::listed_letter).collect();
    let told = json!({"deadLetters": letters, "nextPageToken": page.next_page_token});
    Ok(answer::json(StatusCode::OK, &told))
}

/// One dead letter.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let job_id = ask.job_id()?.to_string();
    let request = pb::GetDeadLetterRequest { job_id };
    let letter = ask
        .edge
        .get_dead_letter(&request, &ask.caller.tenant)
        .await?;
    Ok(answer::json(StatusCode::OK, &view::letter(&letter)))
}

/// Gives one another payload.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let job_id = ask.job_id()?.to_string();
    let held = super::body::object(&ask.edge, &ask.headers, body).await?;
    let mut members = held.members;
    let mut fields = Fields::default();
    let etag = text(&mut fields, "etag", members.remove("etag"));
    if members.remove("highPriority").is_some() {
        fields.refuse(
            "highPriority",
            "is no member here: the job stays in its lane",
        );
    }
    fields.finish()?;
    let payload = verify::payload(&ask.edge, &ask.caller.tenant, members).await?;
    let request = pb::UpdateDeadLetterRequest {
        job_id,
        etag: etag.unwrap_or_default(),
        payload: Some(pb::update_dead_letter_request::Payload::ContentVerification(payload)),
    };
    let edited = ask.edge.update_dead_letter(&request, &ask.caller).await?;
    Ok(answer::json(StatusCode::OK, &view::letter(&edited)))
}

/// Puts one back into its queue.
pub(super) async fn redrive(ask: Ask) -> Result<Response, Problem> {
    let job_id = ask.job_id()?.to_string();
    let request = pb::RedriveDeadLetterRequest { job_id };
    let job = ask
        .edge
        .redrive_dead_letter(&request, &ask.caller.tenant)
        .await?;
    Ok(answer::json(StatusCode::ACCEPTED, &view::job(&job)))
}

/// Forgets one.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let mut fields = Fields::default();
    let etag = ask.query.one("etag", &mut fields).unwrap_or_default();
    let etag = etag.to_owned();
    fields.finish()?;
    let job_id = ask.job_id()?.to_string();
    let request = pb::DeleteDeadLetterRequest { job_id, etag };
    ask.edge
        .delete_dead_letter(&request, &ask.caller.tenant)
        .await?;
    let told = json!({"jobId": request.job_id, "deleted": true});
    Ok(answer::json(StatusCode::OK, &told))
}

/// Puts all back that match, as fast as asked and no faster; or only counts them.
pub(super) async fn redrive_all(ask: Ask, body: Body) -> Result<Response, Problem> {
    let held = super::body::object(&ask.edge, &ask.headers, body).await?;
    let request = filter::redrive(held.members)?;
    let redriven = ask
        .edge
        .redrive_dead_letters(&request, &ask.caller.tenant)
        .await?;
    let mut told = json!({
        "dryRun": request.dry_run,
        "matched": redriven.matched,
        "redriven": redriven.redriven,
        "refused": refused(&redriven.refused),
        "more": redriven.more,
    });
    view::stopped(&mut told, &redriven.stopped);
    Ok(answer::json(StatusCode::OK, &told))
}

/// Forgets all that match, or only counts them.
pub(super) async fn purge(ask: Ask, body: Body) -> Result<Response, Problem> {
    let held = super::body::object(&ask.edge, &ask.headers, body).await?;
    let request = filter::purge(held.members)?;
    let purged = ask
        .edge
        .purge_dead_letters(&request, &ask.caller.tenant)
        .await?;
    let mut told = json!({
        "dryRun": request.dry_run,
        "matched": purged.matched,
        "purged": purged.purged,
        "refused": refused(&purged.refused),
        "more": purged.more,
    });
    view::stopped(&mut told, &purged.stopped);
    Ok(answer::json(StatusCode::OK, &told))
}

/// Those that were left as they are, and why.
fn refused(refused: &[pb::DeadLetterRefusal]) -> Value {
    let of = |one: &pb::DeadLetterRefusal| json!({"jobId": one.job_id, "reason": one.reason});
    refused.iter().map(of).collect()
}
