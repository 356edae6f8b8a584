//! The pump with a scripted store.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::stream;
use tokio::sync::oneshot;

use super::*;

const BOUND: usize = 4;

type Requests = stream::BoxStream<'static, Result<pb::SubmitJobsRequest, Status>>;

fn requests(count: u64) -> Requests {
    let request = |sequence| {
        Ok(pb::SubmitJobsRequest {
            sequence,
            request: None,
        })
    };
    stream::iter((0..count).map(request)).boxed()
}

fn never() -> Lapse {
    Box::pin(std::future::pending())
}

/// Done once `committed` is set.
fn when(
    committed: Arc<AtomicBool>,
    request: pb::SubmitJobsRequest,
) -> impl Future<Output = pb::SubmitJobsResult> {
    std::future::poll_fn(move |context| {
        if committed.load(Ordering::SeqCst) {
            return Poll::Ready(result(&request));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

fn result(request: &pb::SubmitJobsRequest) -> pb::SubmitJobsResult {
    pb::SubmitJobsResult {
        sequence: request.sequence,
        outcome: None,
    }
}

#[tokio::test]
async fn every_request_is_answered_once_and_never_more_than_the_bound_are_in_flight() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let submit = {
        let most = Arc::clone(&most);
        move |request: pb::SubmitJobsRequest| {
            let in_flight = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(in_flight, Ordering::SeqCst);
            let now = Arc::clone(&now);
            Box::pin(async move {
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                result(&request)
            })
        }
    };
    let pump = Pump::new(requests(100), submit, BOUND, never());
    let messages: Vec<_> = pump.collect().await;
    let mut sequences: Vec<_> = messages
        .into_iter()
        .flat_map(|message| message.unwrap().results)
        .map(|result| result.sequence)
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (0..100).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), BOUND);
}

#[tokio::test]
async fn results_that_are_ready_together_leave_together() {
    // Like a group commit: nothing is done until all are.
    let committed = Arc::new(AtomicBool::new(false));
    let submit = {
        let committed = Arc::clone(&committed);
        move |request| when(Arc::clone(&committed), request)
    };
    let count = RESULTS_PER_MESSAGE_MAX + 1;
    let mut pump = Pump::new(requests(count as u64), submit, count, never());
    assert!(futures::poll!(pump.next()).is_pending());
    committed.store(true, Ordering::SeqCst);
    assert_eq!(
        pump.next().await.unwrap().unwrap().results.len(),
        RESULTS_PER_MESSAGE_MAX
    );
    assert_eq!(pump.next().await.unwrap().unwrap().results.len(), 1);
    assert!(pump.next().await.is_none());
}

#[tokio::test]
async fn a_shutdown_answers_what_was_read_and_then_says_so() {
    let (stop, stopped) = oneshot::channel::<()>();
    let submit = |request: pb::SubmitJobsRequest| Box::pin(async move { result(&request) });
    let open = requests(2).chain(stream::pending()).boxed();
    let stopped = Box::pin(async move {
        drop(stopped.await);
        Refusal::ShuttingDown
    });
    let mut pump = Pump::new(open, submit, BOUND, stopped);
    assert_eq!(pump.next().await.unwrap().unwrap().results.len(), 2);
    stop.send(()).unwrap();
    let end = pump.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unavailable);
    assert!(pump.next().await.is_none());
}

#[tokio::test]
async fn a_shutdown_after_the_last_request_is_no_error() {
    let (stop, stopped) = oneshot::channel::<()>();
    let submit = |request: pb::SubmitJobsRequest| Box::pin(async move { result(&request) });
    let stopped = Box::pin(async move {
        drop(stopped.await);
        Refusal::ShuttingDown
    });
    let mut pump = Pump::new(requests(2), submit, BOUND, stopped);
    assert_eq!(pump.next().await.unwrap().unwrap().results.len(), 2);
    stop.send(()).unwrap();
    assert!(pump.next().await.is_none());
}

#[tokio::test]
async fn a_broken_stream_ends_after_its_answers_and_says_why() {
    let submit = |request: pb::SubmitJobsRequest| Box::pin(async move { result(&request) });
    let broken = requests(3)
        .chain(stream::iter([Err(Status::out_of_range("too large"))]))
        .boxed();
    let mut pump = Pump::new(broken, submit, BOUND, never());
    assert_eq!(pump.next().await.unwrap().unwrap().results.len(), 3);
    let end = pump.next().await.unwrap().unwrap_err();
    assert_eq!(end.message(), "too large");
    assert!(pump.next().await.is_none());
}

#[tokio::test]
async fn no_message_is_larger_than_clients_take() {
    let large = |request: pb::SubmitJobsRequest| {
        let error = pb::SubmitError {
            message: "m".repeat(65_536),
            ..pb::SubmitError::default()
        };
        let outcome = Some(pb::submit_jobs_result::Outcome::Error(error));
        let result = pb::SubmitJobsResult {
            outcome,
            ..result(&request)
        };
        Box::pin(async move { result })
    };
    let pump = Pump::new(requests(200), large, 200, never());
    let messages: Vec<_> = pump.map(Result::unwrap).collect().await;
    let count: usize = messages.iter().map(|message| message.results.len()).sum();
    assert_eq!(count, 200);
    for message in messages {
        assert!(message.encoded_len() <= 4 * 1024 * 1024);
    }
}
