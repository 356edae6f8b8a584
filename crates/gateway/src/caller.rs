//! Who calls, and in which trace: the one place that reads a call's metadata.

use assay_core::envelope::TraceContext;
use assay_service::trace_context;
use tonic::Extensions;
use tonic::metadata::MetadataMap;
use tracing::Span;
use tracing::field::Empty;

use crate::access::Caller;
use crate::http::Route;
use crate::method::Method;
use crate::status::Refusal;

/// Who makes a call of gRPC, as the guard before it found out. A call that no guard has looked at is nobody's.
pub(crate) fn of(extensions: &Extensions) -> Result<Caller, Refusal> {
    extensions
        .get::<Caller>()
        .cloned()
        .ok_or(Refusal::TokenMissing)
}

/// Has the span of a call say who makes it, if that is known.
pub(crate) fn note(span: &Span, caller: &Caller) {
    if caller.is_known() {
        span.record("caller", &*caller.name);
    }
}

/// The span of a call, part of the caller's trace if the call carries one.
pub(crate) fn span(method: Method, metadata: &MetadataMap) -> Span {
    let span = tracing::info_span!(
        "rpc",
        otel.name = method.name(),
        otel.kind = "server",
        otel.status_code = Empty,
        caller = Empty,
        rpc.system.name = "grpc",
        rpc.method = method.name(),
        rpc.response.status_code = Empty,
        error.type = Empty,
    );
    joined(span, metadata)
}

/// The span of a request over HTTP, part of the caller's trace if it carries one.
pub(crate) fn http_span(route: Route, metadata: &MetadataMap) -> Span {
    let span = tracing::info_span!(
        "http",
        otel.name = route.name(),
        otel.kind = "server",
        otel.status_code = Empty,
        caller = Empty,
        http.route = route.path(),
        http.response.status_code = Empty,
    );
    joined(span, metadata)
}

/// The same span, in the caller's trace.
fn joined(span: Span, metadata: &MetadataMap) -> Span {
    let text = |name| {
        let value = metadata.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    // A caller's trace that can't be read is no reason to refuse the call: it begins a trace of its own.
    if let Ok(parent) = trace_context::TraceContext::parse(text("traceparent"), text("tracestate"))
    {
        trace_context::set_parent(&span, &parent);
    }
    span
}

/// The trace that jobs submitted in this span belong to.
pub(crate) fn trace(span: &Span) -> TraceContext {
    let context = trace_context::of(span);
    TraceContext {
        traceparent: context.traceparent,
        tracestate: context.tracestate,
    }
}
