//! Many jobs in over one stream, without waiting for one another.
//!
//! Requests are read while fewer than the bound are being recorded, so a slow store or a client that does
//! not read its results slows the reading down and nothing piles up. All of it happens where the stream is
//! polled: no task, no channel. Results that are ready together leave in one message.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use assay_api::v1 as pb;
use assay_core::envelope::TraceContext;
use futures::Stream;
use futures::stream::{FuturesUnordered, StreamExt, TryStreamExt};
use prost::Message as _;
use tonic::Status;

use crate::access::{Caller, Lapse};
use crate::convert::Fields;
use crate::edge::Edge;
use crate::limits::{RESULTS_BYTES_FULL, RESULTS_PER_MESSAGE_MAX};
use crate::message_bound::reasoned;
use crate::status::Refusal;

/// Whose stream it is, and its trace: one span per stream, as one per job would cost more than the job.
pub(crate) struct Submitter {
    pub(crate) edge: Arc<Edge>,
    pub(crate) caller: Caller,
    pub(crate) trace: TraceContext,
}

/// Answers every request of `requests` once.
pub(crate) fn submit_all<R>(
    submitter: Submitter,
    requests: R,
) -> impl Stream<Item = Result<pb::SubmitJobsResponse, Status>> + Send + 'static
where
    R: Stream<Item = Result<pb::SubmitJobsRequest, Status>> + Unpin + Send + 'static,
{
    let settings = &submitter.edge.settings;
    let (in_flight_max, bytes_max) = (settings.submits_in_flight_max, settings.message_bytes_max);
    let shutdown = submitter.edge.shutdown.clone();
    let lapse = submitter.edge.access.lapse(&submitter.caller);
    let submitter = Arc::new(submitter);
    let submit = move |request| answer(Arc::clone(&submitter), request);
    let stop = Box::pin(async move {
        tokio::select! {
            () = shutdown.intake_stopped() => Refusal::ShuttingDown,
            refusal = lapse => refusal,
        }
    });
    let requests = requests.map_err(move |status| reasoned(status, bytes_max));
    Pump::new(requests, submit, in_flight_max, stop)
}

async fn answer(submitter: Arc<Submitter>, request: pb::SubmitJobsRequest) -> pb::SubmitJobsResult {
    let submitted = match &request.request {
        None => {
            let mut fields = Fields::default();
            fields.refuse("request", "must be given");
            fields.finish().map(|()| pb::SubmitJobResponse::default())
        }
        Some(job) => {
            let Submitter {
                edge,
                caller,
                trace,
            } = &*submitter;
            match edge.admission.admit_submit(caller) {
                Ok(()) => edge.submit(job, &caller.tenant, trace).await,
                Err(refusal) => Err(refusal),
            }
        }
    };
    let outcome = match submitted {
        Ok(response) => pb::submit_jobs_result::Outcome::Submitted(response),
        Err(refusal) => pb::submit_jobs_result::Outcome::Error(refusal.into()),
    };
    pb::SubmitJobsResult {
        sequence: request.sequence,
        outcome: Some(outcome),
    }
}

/// Reads requests, runs at most so many at a time, hands on what is done.
struct Pump<R, S, F> {
    // None once there is nothing more to read.
    requests: Option<R>,
    submit: S,
    in_flight: FuturesUnordered<F>,
    in_flight_max: usize,
    // Says why nothing more may be read. None once it has fired.
    stop: Option<Lapse>,
    // Why requests may be unread; the client hears it after its results.
    broken: Option<Status>,
    ended: bool,
}

impl<R, S, F> Pump<R, S, F>
where
    R: Stream<Item = Result<pb::SubmitJobsRequest, Status>> + Unpin,
    S: Fn(pb::SubmitJobsRequest) -> F + Unpin,
    F: Future<Output = pb::SubmitJobsResult>,
{
    fn new(requests: R, submit: S, in_flight_max: usize, stop: Lapse) -> Self {
        Self {
            requests: Some(requests),
            submit,
            in_flight: FuturesUnordered::new(),
            in_flight_max,
            stop: Some(stop),
            broken: None,
            ended: false,
        }
    }

    fn read(&mut self, context: &mut Context<'_>) {
        if let Some(stop) = &mut self.stop
            && let Poll::Ready(refusal) = stop.as_mut().poll(context)
        {
            self.stop = None;
            if self.requests.take().is_some() {
                self.broken = Some(refusal.into());
            }
        }
        while self.in_flight.len() < self.in_flight_max {
            let Some(requests) = &mut self.requests else {
                return;
            };
            match requests.poll_next_unpin(context) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(request))) => self.in_flight.push((self.submit)(request)),
                Poll::Ready(None) => self.requests = None,
                // Such as a message over the bound; what was read before is still answered.
                Poll::Ready(Some(Err(status))) => {
                    self.requests = None;
                    self.broken = Some(status);
                }
            }
        }
    }

    fn take_results(&mut self, context: &mut Context<'_>) -> Vec<pb::SubmitJobsResult> {
        let mut results = Vec::new();
        let mut bytes = 0;
        while results.len() < RESULTS_PER_MESSAGE_MAX
            && bytes < RESULTS_BYTES_FULL
            && let Poll::Ready(Some(result)) = self.in_flight.poll_next_unpin(context)
        {
            bytes += result.encoded_len();
            results.push(result);
        }
        results
    }
}

impl<R, S, F> Stream for Pump<R, S, F>
where
    R: Stream<Item = Result<pb::SubmitJobsRequest, Status>> + Unpin,
    S: Fn(pb::SubmitJobsRequest) -> F + Unpin,
    F: Future<Output = pb::SubmitJobsResult>,
{
    type Item = Result<pb::SubmitJobsResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pump = self.get_mut();
        if pump.ended {
            return Poll::Ready(None);
        }
        pump.read(context);
        let results = pump.take_results(context);
        if !results.is_empty() {
            return Poll::Ready(Some(Ok(pb::SubmitJobsResponse { results })));
        }
        if pump.requests.is_some() || !pump.in_flight.is_empty() {
            return Poll::Pending;
        }
        pump.ended = true;
        Poll::Ready(pump.broken.take().map(Err))
    }
}

#[cfg(test)]
mod tests;
