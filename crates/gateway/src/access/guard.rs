//! Stands before gRPC: nothing of a call is read before it is known who makes it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::rule::Rule;
use crate::caller;
use crate::edge::Edge;
use crate::handled::Handled;
use crate::message_time::in_time;

/// Lets a call pass, with its caller among its extensions, or refuses it.
pub(crate) async fn guard(
    State(edge): State<Arc<Edge>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (rule, method) = Rule::of_path(request.uri().path());
    let refusal = match edge.access.admit(rule, request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let request = in_time(&edge, rule, method, request);
            return next.run(request).await;
        }
        Err(refusal) => refusal,
    };
    let status = Status::from(refusal);
    if let Some(method) = method {
        // It is counted like a call that its method refused.
        let metadata = MetadataMap::from_headers(request.headers().clone());
        Handled::begin(method, caller::span(method, &metadata)).end(status.code());
    }
    status.into_http::<Body>()
}
