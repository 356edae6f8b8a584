//! A call until it is answered: its time, its code and its span are told once, however it ends.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::StreamExt;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::Span;

use crate::limits::Place;
use crate::method::{Method, code_name, is_fault};
use crate::metric_definitions;

/// A call under way. One that is dropped was cancelled: its caller went away.
pub(crate) struct Handled {
    method: Method,
    begun: Instant,
    span: Span,
    told: bool,
    // Free for another call when this one has ended.
    place: Option<Place>,
}

impl Handled {
    /// A call that begins now.
    pub(crate) fn begin(method: Method, span: Span) -> Self {
        Self {
            method,
            begun: Instant::now(),
            span,
            told: false,
            place: None,
        }
    }

    /// It holds a place until it ends.
    pub(crate) fn hold(&mut self, place: Option<Place>) {
        self.place = place;
    }

    /// Where it is traced.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// It was answered.
    pub(crate) fn end(mut self, code: Code) {
        self.tell(code);
    }

    fn tell(&mut self, code: Code) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let name = code_name(code);
        self.place = None;
        metric_definitions::handled(self.method, code, self.begun.elapsed());
        self.span.record("rpc.response.status_code", name);
        if is_fault(code) {
            self.span.record("error.type", name);
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        self.tell(Code::Cancelled);
    }
}

/// A stream of answers whose end is that of its call.
pub(crate) struct Told<S> {
    answers: S,
    handled: Handled,
}

impl<S> Told<S> {
    pub(crate) fn new(answers: S, handled: Handled) -> Self {
        Self { answers, handled }
    }
}

impl<S, T> Stream for Told<S>
where
    S: Stream<Item = Result<T, Status>> + Unpin,
{
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = {
            // What is logged meanwhile belongs to the call.
            let _entered = this.handled.span.enter();
            this.answers.poll_next_unpin(context)
        };
        match &polled {
            Poll::Ready(None) => this.handled.tell(Code::Ok),
            Poll::Ready(Some(Err(status))) => this.handled.tell(status.code()),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use assay_service::Readiness;
    use assay_service::prometheus::Metrics;
    use futures::{FutureExt, stream};

    use super::*;
    use crate::INSTRUMENTS;

    type Answer = Result<u8, Status>;

    fn told(answers: Vec<Answer>) -> Told<impl Stream<Item = Answer> + Unpin> {
        let handled = Handled::begin(Method::WatchJob, Span::none());
        Told::new(stream::iter(answers), handled)
    }

    #[test]
    fn a_call_is_told_once_however_it_ends() {
        let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
        metrics.record(|| {
            Handled::begin(Method::GetJob, Span::none()).end(Code::NotFound);
            drop(Handled::begin(Method::GetJob, Span::none()));
            let all = told(vec![Ok(1), Ok(2)]).collect::<Vec<_>>();
            assert_eq!(all.now_or_never().unwrap().len(), 2);
            let broken = told(vec![Ok(1), Err(Status::unavailable("gone"))]);
            drop(broken.collect::<Vec<_>>().now_or_never().unwrap());
            drop(told(vec![Ok(1)]));
        });
        let text = metrics.render(&Readiness::new());
        for (method, code, calls) in [
            ("JobService/GetJob", "NOT_FOUND", 1),
            ("JobService/GetJob", "CANCELLED", 1),
            ("JobService/GetJob", "OK", 0),
            ("JobService/WatchJob", "OK", 1),
            ("JobService/WatchJob", "UNAVAILABLE", 1),
            ("JobService/WatchJob", "CANCELLED", 1),
        ] {
            let labels = format!(r#"service="test",reason="assay.v1.{method}",outcome="{code}""#);
            let line = format!("assay_grpc_server_handled_total{{{labels}}} {calls}\n");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
