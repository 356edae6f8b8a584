//! Jobs, one or many: look at them, stop them, put them back.

use assay_api::v1 as pb;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::problem::Problem;
use super::query::Query;
use super::{answer, progress, view};
use crate::convert::{self, Fields};
use crate::status::Refusal;

/// One job.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let job = ask.edge.find(&ask.caller.tenant, ask.job_id()?).await?;
    Ok(answer::json(StatusCode::OK, &view::job(&convert::job(job))))
}

/// A page of jobs, newest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let request = request(&ask.query)?;
    let page = ask.edge.list_jobs(&request, &ask.caller.tenant).await?;
    Ok(respond_page(
        "jobs",
        page.jobs.iter(),
        &page.next_page_token,
    ))
}

/// A page under its name.
pub(super) fn respond_page<'a>(
    name: &str,
    jobs: impl Iterator<Item = &'a pb::Job>,
    next_page_token: &str,
) -> Response {
    let jobs: Vec<_> = jobs.map(view::job).collect();
    let page = json!({name: jobs, "nextPageToken": next_page_token});
    answer::json(StatusCode::OK, &page)
}

/// The call that a query asks for. What the call itself refuses is left to it.
pub(super) fn request(query: &Query) -> Result<pb::ListJobsRequest, Refusal> {
    let mut fields = Fields::default();
    let mut time = |name| {
        let text = query.one(name, &mut fields)?;
        let time = view::read_time(text);
        time.map_err(|must| fields.refuse(name, must)).ok()
    };
    let (created_from, created_before) = (time("createdFrom"), time("createdBefore"));
    let page_token = query.one("pageToken", &mut fields).unwrap_or_default();
    let page_size = query.one("pageSize", &mut fields).map_or(Ok(0), str::parse);
    let page_size = page_size.unwrap_or_else(|_| {
        fields.refuse("pageSize", "must be a whole number");
        0
    });
    fields.finish()?;
    Ok(pb::ListJobsRequest {
        page_size,
        page_token: page_token.to_owned(),
        kinds: query.all("kind").map(str::to_owned).collect(),
        states: query.all("state").map(view::state_of).collect(),
        created_from,
        created_before,
    })
}

/// How far a job is.
pub(super) async fn progress(ask: Ask) -> Result<Response, Problem> {
    let id = ask.job_id()?;
    let history = ask.edge.store.history(&ask.caller.tenant, id, None).await;
    let history = history.map_err(|error| Refusal::of_read(&error))?;
    let history = history.ok_or(Refusal::JobNotFound(id))?;
    let job = ask.edge.find(&ask.caller.tenant, id).await?;
    let events: Vec<_> = history.events.iter().map(convert::event).collect();
    let record = progress::record(&convert::job(job), &events);
    Ok(answer::json(StatusCode::OK, &record))
}

/// The result of a job that succeeded, as it was recorded.
pub(super) async fn result(ask: Ask) -> Result<Response, Problem> {
    let request = pb::GetJobResultRequest {
        job_id: ask.job_id()?.to_string(),
    };
    let result = ask
        .edge
        .get_job_result(&request, &ask.caller.tenant)
        .await?;
    let mut response = answer::json_bytes(StatusCode::OK, result.json);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", result.content_id)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Stops a job.
pub(super) async fn cancel(ask: Ask) -> Result<Response, Problem> {
    let request = pb::CancelJobRequest {
        job_id: ask.job_id()?.to_string(),
    };
    let job = ask.edge.cancel_job(&request, &ask.caller.tenant).await?;
    // Its worker may not have confirmed yet.
    let status = if job.finish_time.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(answer::json(status, &view::job(&job)))
}

/// Puts a job back into its queue.
pub(super) async fn retry(ask: Ask) -> Result<Response, Problem> {
    let request = pb::RetryJobRequest {
        job_id: ask.job_id()?.to_string(),
    };
    let job = ask.edge.retry_job(&request, &ask.caller.tenant).await?;
    Ok(answer::json(StatusCode::ACCEPTED, &view::job(&job)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::route::Route;

    fn read(raw: &str) -> Result<pb::ListJobsRequest, Refusal> {
        let query = Query::read(raw, Route::ListJobs.query()).unwrap();
        request(&query)
    }

    #[test]
    fn a_query_becomes_a_call() {
        let request = read(
            "kind=batch&kind=ruv-profile&state=queued&pageSize=7&pageToken=t\
             &createdFrom=1970-01-01T00:00:05Z",
        );
        let expected = pb::ListJobsRequest {
            page_size: 7,
            page_token: "t".to_owned(),
            kinds: vec!["batch".to_owned(), "ruv-profile".to_owned()],
            states: vec![pb::JobState::Queued.into()],
            created_from: Some(convert::timestamp(5_000)),
            created_before: None,
        };
        assert_eq!(request.unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refusal = read("pageSize=x&createdFrom=y&createdBefore=z&pageToken=1&pageToken=2");
        let refusal = refusal.unwrap_err();
        let mut fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|wrong| wrong.field.as_str())
            .collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["createdBefore", "createdFrom", "pageSize", "pageToken"]
        );
    }
}
