use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_core::port::JobQueue;
use assay_queue::{Failover, InProcessQueue};
use assay_test_support::contract::job_queue::{self, Subject};
use futures::FutureExt;

use crate::rabbit_bench::{config, start};

fn in_process() -> Arc<InProcessQueue> {
    Arc::new(InProcessQueue::new(Arc::new(SystemClock)))
}

fn over(first: Arc<dyn JobQueue>, second: Arc<dyn JobQueue>) -> Arc<Failover> {
    Arc::new(Failover::new(first, second, Arc::new(SystemClock)))
}

async fn over_two_in_process() -> Subject {
    let ways = [(); 2].map(|()| in_process());
    let [first, second] = ways.clone();
    let close = move || {
        ways.iter().for_each(|way| way.close());
        std::future::ready(()).boxed()
    };
    Subject {
        queue: over(first, second),
        clock: Arc::new(SystemClock),
        close: Box::new(close),
    }
}

async fn over_rabbitmq_and_in_process() -> Subject {
    let first = Arc::new(start(&config()).await);
    let second = in_process();
    let queue = over(
        Arc::clone(&first) as Arc<dyn JobQueue>,
        Arc::clone(&second) as Arc<dyn JobQueue>,
    );
    let close = move || {
        second.close();
        let first = Arc::clone(&first);
        async move { first.close().await }.boxed()
    };
    Subject {
        queue,
        clock: Arc::new(SystemClock),
        close: Box::new(close),
    }
}

assay_test_support::job_queue_contract! { #[tokio::test(start_paused = true)] over_two_in_process }

mod with_rabbitmq {
    use super::over_rabbitmq_and_in_process;

    assay_test_support::job_queue_contract! { #[tokio::test] over_rabbitmq_and_in_process }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_lose_nothing() {
    for _ in 0..5 {
        job_queue::many_publishers_and_consumers_lose_nothing(over_two_in_process().await).await;
        job_queue::troubled_consumers_lose_nothing(over_two_in_process().await).await;
    }
}
