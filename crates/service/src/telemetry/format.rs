//! Puts the ids of the trace into every log line.

use std::fmt;
use std::sync::{Arc, OnceLock};

use opentelemetry::trace::TraceContextExt;
use tracing::dispatcher::WeakDispatch;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Knows the subscriber that it is part of; only that can turn a span into trace ids.
#[derive(Clone, Debug, Default)]
pub(super) struct DispatchSeat {
    dispatch: Arc<OnceLock<WeakDispatch>>,
}

impl<S: Subscriber> Layer<S> for DispatchSeat {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        drop(self.dispatch.set(dispatch.downgrade()));
    }
}

/// An event format with trace id and span id added.
#[derive(Debug)]
pub(super) struct WithTrace<F> {
    inner: F,
    seat: DispatchSeat,
    json: bool,
}

impl<F> WithTrace<F> {
    pub(super) fn text(inner: F, seat: DispatchSeat) -> Self {
        Self {
            inner,
            seat,
            json: false,
        }
    }

    pub(super) fn json(inner: F, seat: DispatchSeat) -> Self {
        Self {
            inner,
            seat,
            json: true,
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.inner
            .format_event(context, Writer::new(&mut line), event)?;
        let ids = context
            .lookup_current()
            .and_then(|span| self.ids(&span.id()));
        let Some((trace_id, span_id)) = ids else {
            return writer.write_str(&line);
        };
        match line.strip_prefix('{') {
            Some(rest) if self.json => {
                write!(
                    writer,
                    r#"{{"trace_id":"{trace_id}","span_id":"{span_id}",{rest}"#
                )
            }
            Some(_) | None => {
                writeln!(
                    writer,
                    "{} trace_id={trace_id} span_id={span_id}",
                    line.trim_end()
                )
            }
        }
    }
}

impl<F> WithTrace<F> {
    fn ids(&self, span: &tracing::span::Id) -> Option<(String, String)> {
        let dispatch = self.seat.dispatch.get()?.upgrade()?;
        let context = tracing_opentelemetry::get_otel_context(span, &dispatch)?;
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid()
            .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    }
}
