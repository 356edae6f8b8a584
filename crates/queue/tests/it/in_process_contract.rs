use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_queue::InProcessQueue;
use assay_test_support::contract::job_queue::{self, Subject};
use futures::FutureExt;

async fn in_process() -> Subject {
    let queue = Arc::new(InProcessQueue::new(Arc::new(SystemClock)));
    let closed = Arc::clone(&queue);
    let close = move || {
        closed.close();
        std::future::ready(()).boxed()
    };
    Subject {
        queue,
        clock: Arc::new(SystemClock),
        close: Box::new(close),
    }
}

assay_test_support::job_queue_contract! { #[tokio::test(start_paused = true)] in_process }

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_lose_nothing() {
    for _ in 0..20 {
        job_queue::many_publishers_and_consumers_lose_nothing(in_process().await).await;
        job_queue::troubled_consumers_lose_nothing(in_process().await).await;
    }
}
