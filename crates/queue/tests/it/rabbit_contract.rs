use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_test_support::contract::job_queue::{self, Subject};
use futures::FutureExt;

use crate::rabbit_bench::{config, start};

async fn on_rabbitmq() -> Subject {
    let queue = Arc::new(start(&config()).await);
    let closed = Arc::clone(&queue);
    let close = move || {
        let queue = Arc::clone(&closed);
        async move { queue.close().await }.boxed()
    };
    Subject {
        queue,
        clock: Arc::new(SystemClock),
        close: Box::new(close),
    }
}

assay_test_support::job_queue_contract! { #[tokio::test] on_rabbitmq }

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_lose_nothing() {
    job_queue::many_publishers_and_consumers_lose_nothing(on_rabbitmq().await).await;
    job_queue::troubled_consumers_lose_nothing(on_rabbitmq().await).await;
}
