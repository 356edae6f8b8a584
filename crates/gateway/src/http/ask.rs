//! A request, read as far as all routes do.

use std::sync::Arc;

use assay_core::envelope::TraceContext;
use assay_core::id::JobId;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::problem::Problem;
use super::query::Query;
use super::route::Route;
use crate::access::Caller;
use crate::convert::Fields;
use crate::edge::Edge;

/// Says whether a browser sends the request for a page of somebody else.
const FETCH_SITE: &str = "sec-fetch-site";

/// A request without its body.
pub(super) struct Ask {
    pub(super) edge: Arc<Edge>,
    pub(super) caller: Caller,
    pub(super) trace: TraceContext,
    pub(super) headers: HeaderMap,
    /// What the path names; empty if it names nothing.
    pub(super) id: String,
    pub(super) query: Query,
}

impl Ask {
    /// Reads what all routes have in common.
    pub(super) async fn read(
        route: Route,
        edge: Arc<Edge>,
        caller: Caller,
        trace: TraceContext,
        mut parts: Parts,
    ) -> Result<Self, Problem> {
        let site = parts.headers.get(FETCH_SITE).map(|site| site.as_bytes());
        if site == Some(b"cross-site") && !route.is_question() {
            let detail = "pages of other sites may not change anything here";
            return Err(Problem::new(StatusCode::FORBIDDEN, "CROSS_SITE", detail));
        }
        let query = Query::read(parts.uri.query().unwrap_or_default(), route.query())?;
        let id = match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(named) => named.iter().next().map(|(_, id)| id.to_owned()),
            Err(_) if route.path().contains('{') => return Err(Problem::no_such_address()),
            Err(_) => None,
        };
        Ok(Self {
            edge,
            caller,
            trace,
            headers: parts.headers,
            id: id.unwrap_or_default(),
            query,
        })
    }

    /// The job that the path names. What is no name of a job names none.
    pub(super) fn job_id(&self) -> Result<JobId, Problem> {
        self.id.parse().map_err(|_| Problem::job_not_found())
    }

    /// The text of a header, if there is one. `name` is as people write it.
    pub(super) fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut given = self.headers.get_all(name).iter();
        let text = given.next().map(HeaderValue::to_str).transpose();
        if given.next().is_some() {
            // Somebody on the way may have looked at the other.
            return Err(wrong(name, "must be given once at most"));
        }
        text.map_err(|_| wrong(name, "must be ASCII without control characters"))
    }
}

/// One thing that is wrong with a request.
pub(super) fn wrong(field: &str, must: &str) -> Problem {
    let mut fields = Fields::default();
    fields.refuse(field, must);
    match fields.finish() {
        Err(refusal) => refusal.into(),
        Ok(()) => Problem::new(StatusCode::BAD_REQUEST, "INVALID_FIELD", must),
    }
}
