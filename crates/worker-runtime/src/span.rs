//! Where an attempt is traced.
//!
//! Its span tells of one delivery being processed, in the words of OpenTelemetry's conventions for messaging;
//! what they have no words for is called as in our logs.

use assay_core::route;
use assay_service::trace_context::{self, TraceContext};
use serde::Deserialize;
use tracing::Span;

use crate::attempt::Attempt;

/// How the trace of an attempt hangs together with that of the submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tie {
    /// A trace of its own, linked to the submit's span: the two may lie a day apart.
    Link,
    /// A part of the submit's trace.
    Parent,
}

/// The span of an attempt; the delivery came by `system`.
pub(crate) fn of(attempt: &Attempt, system: &'static str, tie: Tie) -> Span {
    let (job, lease) = (&attempt.job, &attempt.lease);
    let queue = route::queue(job.kind, job.lane);
    let submit = TraceContext {
        traceparent: attempt.envelope.trace.traceparent.clone(),
        tracestate: attempt.envelope.trace.tracestate.clone(),
    };
    let span = tracing::info_span!(
        parent: None,
        "process",
        otel.name = format_args!("process {queue}"),
        otel.kind = "consumer",
        job.id = %lease.job_id,
        job.kind = job.kind.as_str(),
        job.attempt = job.attempt,
        job.token = lease.token,
        // What finds the lines of the client and of every attempt in all logs.
        job.trace_id = submit.trace_id(),
    );
    if !submit.is_empty() {
        match tie {
            Tie::Link => trace_context::link(&span, &submit),
            Tie::Parent => trace_context::set_parent(&span, &submit),
        };
    }
    if trace_context::is_sent(&span) {
        describe(&span, attempt, system, queue);
    }
    span
}

fn describe(span: &Span, attempt: &Attempt, system: &'static str, queue: &'static str) {
    let envelope = &attempt.envelope;
    let job_id = envelope.job_id.to_string();
    let message_id = format!("{job_id}.{}", envelope.generation);
    let facts = [
        ("messaging.system", system.to_owned()),
        ("messaging.operation.name", "process".to_owned()),
        ("messaging.operation.type", "process".to_owned()),
        ("messaging.destination.name", queue.to_owned()),
        ("messaging.message.id", message_id),
        ("messaging.message.conversation_id", job_id),
    ];
    for (name, value) in facts {
        trace_context::describe(span, name, value);
    }
}
