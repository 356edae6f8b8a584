//! An error over HTTP: `application/problem+json` (RFC 9457) with a stable reason, and with the member `error` that
//! clients of the system before this one read.
//!
//! What a call refuses is told by the one table (`status.rs`); here it gets its status of HTTP. What went wrong inside
//! the server is said in general words: the log says more.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::field;
use super::route::Route;
use crate::status::{Refusal, Violation};

pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) status: StatusCode,
    reason: String,
    detail: String,
    fields: Vec<Violation>,
    retry_after: Option<Duration>,
    // Values that belong to the reason.
    values: Vec<(String, String)>,
}

impl Problem {
    /// One that no call has refused: the request did not come that far.
    pub(super) fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
            values: Vec::new(),
        }
    }

    /// Nothing is served there.
    pub(super) fn no_such_address() -> Self {
        let detail = "nothing is served at this address: GET /api/async/openapi.json lists all";
        Self::new(StatusCode::NOT_FOUND, "NO_SUCH_ADDRESS", detail)
    }

    /// The address does not take that method.
    pub(super) fn method_not_allowed() -> Self {
        let detail =
            "this address does not take this method: the header Allow lists those it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
    }

    /// There is no such job, or it is somebody else's: both look the same.
    pub(super) fn job_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "JOB_NOT_FOUND",
            "there is no such job",
        )
    }

    /// A body over its bound.
    pub(super) fn body_too_large(limit: usize) -> Self {
        let detail = format!(
            "the body is over the bound of {limit} bytes (gateway.http_body_bytes_max): \
             store the file at /api/async/contents and name it as `content.contentId`"
        );
        let mut problem = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "MESSAGE_TOO_LARGE", detail);
        problem.values.push(("limit".to_owned(), limit.to_string()));
        problem
    }

    /// The reason in words, such as `Job not found`.
    fn title(&self) -> String {
        let mut words = self.reason.replace('_', " ").to_lowercase();
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }

    /// What clients of the system before this one read.
    fn error(&self, route: Option<Route>) -> String {
        let failure = route.and_then(Route::failure);
        if let Some(failure) = failure.filter(|_| self.status.is_server_error()) {
            return failure.to_owned();
        }
        if self
            .fields
            .iter()
            .any(|wrong| wrong.field == field::CONTENT)
        {
            return "Content is required".to_owned();
        }
        self.title()
    }

    /// All that is told.
    pub(super) fn to_json(&self, route: Option<Route>) -> Value {
        let kind = self.reason.replace('_', "-").to_lowercase();
        let mut members = Map::new();
        members.insert(
            "type".to_owned(),
            format!("urn:assay:problem:{kind}").into(),
        );
        members.insert("title".to_owned(), self.title().into());
        members.insert("status".to_owned(), self.status.as_u16().into());
        members.insert("detail".to_owned(), self.detail.as_str().into());
        members.insert("error".to_owned(), self.error(route).into());
        members.insert("reason".to_owned(), self.reason.as_str().into());
        if !self.fields.is_empty() {
            let fields = self.fields.iter();
            let fields =
                fields.map(|wrong| json!({"field": wrong.field, "description": wrong.description}));
            members.insert("fields".to_owned(), fields.collect());
        }
        for (name, value) in &self.values {
            members.insert(field::camel_case(name), value.as_str().into());
        }
        Value::Object(members)
    }

    /// What a token must be shown for, or is wrong with the one that was (RFC 6750, section 3).
    fn challenge(&self) -> Option<HeaderValue> {
        let text = match self.reason.as_str() {
            "TOKEN_MISSING" => r#"Bearer realm="assay""#.to_owned(),
            "TOKEN_UNKNOWN" | "TOKEN_EXPIRED" => {
                r#"Bearer realm="assay", error="invalid_token""#.to_owned()
            }
            "SCOPE_MISSING" => {
                let (_, scope) = self.values.iter().find(|(name, _)| name == "scope")?;
                format!(r#"Bearer realm="assay", error="insufficient_scope", scope="{scope}""#)
            }
            _ => return None,
        };
        HeaderValue::from_str(&text).ok()
    }

    /// The answer.
    pub(super) fn respond(&self, route: Option<Route>) -> Response {
        let mut response = Response::new(Body::from(self.to_json(route).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.retry_after {
            // In whole seconds, and none too early.
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                headers.insert(header::RETRY_AFTER, value);
            }
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Status::from(refusal).into()
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let Some(info) = details.error_info() else {
            return of_transport(&status);
        };
        let fields: Vec<_> = details
            .bad_request()
            .into_iter()
            .flat_map(|bad| &bad.field_violations)
            .map(|wrong| Violation {
                field: field::over_http(&wrong.field),
                description: wrong.description.clone(),
            })
            .collect();
        let mut values: Vec<_> = info.metadata.clone().into_iter().collect();
        values.sort_unstable();
        Self {
            status: of_reason(&info.reason, status.code()),
            detail: detail(&info.reason, &status, &fields),
            reason: info.reason.clone(),
            fields,
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            values,
        }
    }
}

/// The body broke off, or something is wrong with this program.
fn of_transport(status: &Status) -> Problem {
    if status.code() == Code::Aborted {
        return Problem::new(StatusCode::BAD_REQUEST, "BODY_BROKEN", status.message());
    }
    tracing::error!(code = ?status.code(), "a call ended without a reason: {}", status.message());
    let detail = "a fault in the server: its log says more";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", detail)
}

fn of_reason(reason: &str, code: Code) -> StatusCode {
    match reason {
        "CONTENT_TOO_LARGE" | "MESSAGE_TOO_LARGE" => return StatusCode::PAYLOAD_TOO_LARGE,
        "UPLOAD_STALLED" | "WATCHER_TOO_SLOW" => return StatusCode::REQUEST_TIMEOUT,
        "STORE_FULL" => return StatusCode::INSUFFICIENT_STORAGE,
        // As drafts of the header's standard have it.
        "REQUEST_ID_REUSED" => return StatusCode::UNPROCESSABLE_ENTITY,
        "OUTCOME_UNKNOWN" => return StatusCode::GATEWAY_TIMEOUT,
        _ => {}
    }
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The sentence for the caller. What stores and queues say of themselves may name places, and goes into the log.
fn detail(reason: &str, status: &Status, fields: &[Violation]) -> String {
    let general = match reason {
        "INVALID_FIELD" => return sentence(fields),
        "JOB_NOT_FOUND" => return "there is no such job".to_owned(),
        "STORE_UNAVAILABLE" => "the store can't be reached, nothing was written: try again",
        "QUEUE_UNAVAILABLE" => "the queue takes no jobs, nothing was written: try again",
        "QUEUE_FULL" => "too many jobs wait, nothing was written: try again later",
        "STORE_FULL" => "there is no room to write, nothing was written: try again later",
        _ => return status.message().to_owned(),
    };
    tracing::warn!(
        reason,
        "refused a request with {reason}: {}",
        status.message()
    );
    general.to_owned()
}

fn sentence(fields: &[Violation]) -> String {
    let parts = fields
        .iter()
        .map(|wrong| format!("`{}` {}", wrong.field, wrong.description));
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use assay_core::id::JobId;

    use super::*;
    use crate::access::Scope;

    fn json(refusal: Refusal, route: Route) -> Value {
        Problem::from(refusal).to_json(Some(route))
    }

    #[test]
    fn a_refusal_is_told_in_both_worlds() {
        let missing = json(
            Refusal::JobNotFound(JobId::from_bytes([7; 16])),
            Route::GetProgress,
        );
        let expected = json!({
            "type": "urn:assay:problem:job-not-found",
            "title": "Job not found",
            "status": 404,
            "detail": "there is no such job",
            "error": "Job not found",
            "reason": "JOB_NOT_FOUND",
        });
        assert_eq!(missing, expected);
        let busy = Problem::from(Refusal::ServerBusy { limit: 3 });
        assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(busy.respond(None).headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn a_refused_token_is_told_in_the_header_for_it() {
        let told = |refusal| {
            let response = Problem::from(refusal).respond(None);
            let challenge = response.headers().get(header::WWW_AUTHENTICATE);
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
            (response.status().as_u16(), challenge)
        };
        let challenge = |rest: &str| Some(format!(r#"Bearer realm="assay"{rest}"#));
        assert_eq!(told(Refusal::TokenMissing), (401, challenge("")));
        let invalid = (401, challenge(r#", error="invalid_token""#));
        assert_eq!(told(Refusal::TokenUnknown), invalid);
        assert_eq!(told(Refusal::TokenExpired), invalid);
        let scope = challenge(r#", error="insufficient_scope", scope="admin""#);
        assert_eq!(told(Refusal::ScopeMissing(Scope::Admin)), (403, scope));
        assert_eq!(told(Refusal::ShuttingDown), (503, None));
        let document = json(Refusal::ScopeMissing(Scope::Read), Route::GetJob);
        assert_eq!(document["scope"], "read");
        assert_eq!(document["error"], "Scope missing");
    }

    #[test]
    fn what_stores_say_of_themselves_is_not_repeated() {
        let why = || "open /var/lib/secret/place: refused".to_owned();
        let refusals = [
            Refusal::StoreUnavailable { why: why() },
            Refusal::QueueUnavailable { why: why() },
            Refusal::Internal(why()),
            Refusal::QueueFull {
                why: why(),
                retry_after_ms: 1,
            },
            Refusal::StoreFull {
                why: why(),
                retry_after_ms: 1,
            },
        ];
        for refusal in refusals {
            let told = json(refusal, Route::SubmitVerification);
            assert!(!told.to_string().contains("secret"), "{told}");
        }
    }

    #[test]
    fn a_fault_of_the_server_bears_the_old_name() {
        let why = || "gone".to_owned();
        let told = |route| json(Refusal::StoreUnavailable { why: why() }, route)["error"].clone();
        assert_eq!(told(Route::SubmitVerification), "Failed to submit job");
        assert_eq!(told(Route::GetMetrics), "Failed to get metrics");
        assert_eq!(told(Route::ListJobs), "Store unavailable");
    }

    #[test]
    fn fields_have_the_names_of_the_request() {
        let wrong = Violation {
            field: "content_verification.content_id".to_owned(),
            description: "must be a name".to_owned(),
        };
        let told = json(
            Refusal::InvalidField(vec![wrong]),
            Route::SubmitVerification,
        );
        assert_eq!(told["fields"][0]["field"], "content.contentId");
        assert_eq!(told["detail"], "`content.contentId` must be a name");
        assert_eq!(told["status"], 400);
    }
}
