//! W3C trace context: which trace the work in hand belongs to, as text that travels.
//!
//! With the telemetry of this crate every span has ids, also when no collector is configured: the log
//! lines of several services can be joined by trace id, and a caller's sampling decision is passed on.
//! Without any telemetry (most tests) there are no ids, [`current`] is empty and [`link`] does nothing.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use std::str::FromStr;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The longest `tracestate` that is carried, in bytes; a longer one is left out.
pub const TRACESTATE_BYTES_MAX: usize = 512;

/// Length of a `traceparent` of version 00, in bytes.
const TRACEPARENT_BYTES: usize = 55;

/// The two headers of a trace. Both are empty outside of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// Version, trace id, span id, flags.
    pub traceparent: String,
    /// What vendors add; often empty.
    pub tracestate: String,
}

/// A `traceparent` that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read traceparent: it must look like 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")]
pub struct Invalid;

impl TraceContext {
    /// Takes headers as they came in. A `tracestate` that is wrong or too long is left out, as the
    /// standard permits; the trace goes on without it.
    ///
    /// # Errors
    /// When `traceparent` is wrong.
    pub fn parse(traceparent: &str, tracestate: &str) -> Result<Self, Invalid> {
        parse(traceparent, tracestate)
            .map(|context| Self::of_context(&context))
            .ok_or(Invalid)
    }

    /// Whether there is no trace.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traceparent.is_empty()
    }

    /// The trace id, in 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.split('-').nth(1)
    }

    fn of_context(context: &SpanContext) -> Self {
        if !context.is_valid() {
            return Self::default();
        }
        let flags = (context.trace_flags() & TraceFlags::SAMPLED).to_u8();
        let traceparent = format!(
            "00-{}-{}-{flags:02x}",
            context.trace_id(),
            context.span_id()
        );
        Self {
            traceparent,
            tracestate: context.trace_state().header(),
        }
    }
}

/// The context of the span that the caller is in.
#[must_use]
pub fn current() -> TraceContext {
    of(&Span::current())
}

/// The context of a span.
#[must_use]
pub fn of(span: &Span) -> TraceContext {
    TraceContext::of_context(span.context().span().span_context())
}

/// Links a span to another that came before it, perhaps hours ago. False when there was nothing to
/// link to.
pub fn link(span: &Span, context: &TraceContext) -> bool {
    let Some(context) = parse(&context.traceparent, &context.tracestate) else {
        return false;
    };
    span.add_link(context);
    true
}

/// Makes a span part of a caller's trace; must come before the span is entered. False when it could
/// not: no trace, no telemetry, or too late.
pub fn set_parent(span: &Span, context: &TraceContext) -> bool {
    let Some(context) = parse(&context.traceparent, &context.tracestate) else {
        return false;
    };
    let parent = opentelemetry::Context::new().with_remote_span_context(context);
    span.set_parent(parent).is_ok()
}

/// Whether a span will be sent to a collector: only then is it worth describing.
#[must_use]
pub fn is_sent(span: &Span) -> bool {
    span.context().span().span_context().is_sampled()
}

/// Tells the collector, but no log, something about a span.
pub fn describe(span: &Span, name: &'static str, value: String) {
    span.set_attribute(name, value);
}

/// W3C Trace Context, level 1, section 3.2.
fn parse(traceparent: &str, tracestate: &str) -> Option<SpanContext> {
    let text = traceparent.trim();
    let (known, rest) = text.split_at_checked(TRACEPARENT_BYTES)?;
    let fields: Vec<&str> = known.split('-').collect();
    let [version, trace_id, span_id, flags] = fields.as_slice() else {
        return None;
    };
    let lengths = [version.len(), trace_id.len(), span_id.len(), flags.len()];
    let hex = |field: &&str| {
        field
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if lengths != [2, 32, 16, 2] || !fields.iter().all(hex) || *version == "ff" {
        return None;
    }
    // A later version may say more after another dash; version 00 may not.
    if !rest.is_empty() && (*version == "00" || !rest.starts_with('-')) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace_id, span_id) = (
        TraceId::from_hex(trace_id).ok()?,
        SpanId::from_hex(span_id).ok()?,
    );
    let context = SpanContext::new(trace_id, span_id, flags, true, state(tracestate));
    context.is_valid().then_some(context)
}

fn state(tracestate: &str) -> TraceState {
    let text = Some(tracestate.trim()).filter(|text| text.len() <= TRACESTATE_BYTES_MAX);
    text.and_then(|text| TraceState::from_str(text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_good_header_survives() {
        let context = TraceContext::parse(PARENT, "vendor=1").unwrap();
        assert_eq!(context.traceparent, PARENT);
        assert_eq!(context.tracestate, "vendor=1");
        assert_eq!(context.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = PARENT.replacen("00", "cc", 1);
        assert_eq!(TraceContext::parse(&later, "").unwrap().traceparent, PARENT);
        let longer = format!("{later}-more");
        assert_eq!(
            TraceContext::parse(&longer, "").unwrap().traceparent,
            PARENT
        );
        assert!(TraceContext::parse(&format!("{later}more"), "").is_err());
    }

    #[test]
    fn wrong_headers_are_refused() {
        let wrong = [
            String::new(),
            PARENT[..54].to_owned(),
            format!("{PARENT}-more"),
            PARENT.replacen("00", "ff", 1),
            PARENT.to_uppercase(),
            PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
            PARENT.replace('-', "_"),
            PARENT.replace("b7ad", "é7a"),
        ];
        for header in wrong {
            assert_eq!(TraceContext::parse(&header, ""), Err(Invalid), "{header}");
        }
    }

    #[test]
    fn a_tracestate_beyond_the_bound_is_left_out() {
        let state_of = |bytes: usize| {
            let first = format!("a={}", "x".repeat(200));
            let second = format!("b={}", "y".repeat(200));
            let rest = bytes - first.len() - second.len() - 4;
            format!("{first},{second},c={}", "z".repeat(rest))
        };
        let fits = state_of(TRACESTATE_BYTES_MAX);
        assert_eq!(fits.len(), TRACESTATE_BYTES_MAX);
        assert_eq!(TraceContext::parse(PARENT, &fits).unwrap().tracestate, fits);
        let too_long = state_of(TRACESTATE_BYTES_MAX + 1);
        assert_eq!(
            TraceContext::parse(PARENT, &too_long).unwrap().tracestate,
            ""
        );
    }

    #[test]
    fn without_telemetry_there_is_no_trace() {
        assert!(current().is_empty());
        assert_eq!(current().trace_id(), None);
        let context = TraceContext {
            traceparent: PARENT.to_owned(),
            tracestate: String::new(),
        };
        assert!(!set_parent(&Span::none(), &context));
        assert!(!link(&Span::none(), &TraceContext::default()));
        assert!(!is_sent(&Span::none()));
    }
}
