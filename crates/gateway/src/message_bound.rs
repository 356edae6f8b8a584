//! A message over the bound is refused by the transport, before a call is read and without a reason. Here it
//! gets the reason of the table.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::server::NamedService;
use tonic::{Code, Status};

use crate::status::Refusal;

/// A service whose messages have at most `limit` bytes.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<S> {
    service: S,
    limit: usize,
}

impl<S> Bounded<S> {
    /// `service` must hold the bound; this only says why.
    pub(crate) fn new(service: S, limit: usize) -> Self {
        Self { service, limit }
    }
}

impl<S: NamedService> NamedService for Bounded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B, C> Service<Request<B>> for Bounded<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    S::Future: Unpin,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Answer {
            answer: self.service.call(request),
            limit: self.limit,
        }
    }
}

/// The answer to one call, in the making.
#[derive(Debug)]
pub(crate) struct Answer<F> {
    answer: F,
    limit: usize,
}

impl<F, C, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<C>, E>> + Unpin,
{
    type Output = Result<Response<C>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = ready!(Pin::new(&mut self.answer).poll(context));
        if let Ok(response) = &mut answer {
            give_reason(response.headers_mut(), self.limit);
        }
        Poll::Ready(answer)
    }
}

/// A call that was refused at once has its status in the headers of its answer.
fn give_reason(headers: &mut HeaderMap, limit: usize) {
    if let Some(status) = Status::from_header_map(headers).filter(is_over) {
        // A status that makes no header leaves the one that is there.
        drop(reasoned(status, limit).add_header(headers));
    }
}

/// The status with which a stream of messages ended, with its reason if one of them was over the bound.
pub(crate) fn reasoned(status: Status, limit: usize) -> Status {
    if is_over(&status) {
        Refusal::MessageTooLarge { limit }.into()
    } else {
        status
    }
}

/// Whether the transport says so; ours have details.
fn is_over(status: &Status) -> bool {
    status.code() == Code::OutOfRange && status.details().is_empty()
}
