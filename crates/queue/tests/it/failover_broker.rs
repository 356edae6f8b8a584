//! A second way for when the broker is killed.

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_core::kind::Lane;
use assay_core::port::{JobQueue, Subscription};
use assay_queue::{Failover, InProcessQueue, RabbitConfig, RabbitQueue};
use assay_test_support::rabbit::{RabbitOptions, RabbitServer};
use assay_test_support::wait::{wait_until, within};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::rabbit_bench::{KIND, envelope, start};

/// Envelopes without the broker, and after it came back.
const EACH: u64 = 100;
/// Envelopes that are published before the broker dies.
const BEFORE: usize = 20;

struct World {
    server: RabbitServer,
    rabbit: Arc<RabbitQueue>,
    second: Arc<InProcessQueue>,
    queue: Failover,
    published: u64,
    received: Arc<Mutex<BTreeSet<u64>>>,
}

impl World {
    async fn new() -> Self {
        let server = RabbitServer::start(RabbitOptions::new()).await.unwrap();
        let config = RabbitConfig {
            url: server.url(),
            ..RabbitConfig::default()
        };
        let rabbit = Arc::new(start(&config).await);
        let second = Arc::new(InProcessQueue::new(Arc::new(SystemClock)));
        Self {
            server,
            queue: Failover::new(
                Arc::clone(&rabbit) as Arc<dyn JobQueue>,
                Arc::clone(&second) as Arc<dyn JobQueue>,
                Arc::new(SystemClock),
            ),
            rabbit,
            second,
            published: 0,
            received: Arc::default(),
        }
    }

    /// Publishes the next; what took it.
    async fn publish(&mut self) -> &'static str {
        let envelope = envelope(Lane::Normal, self.published);
        self.published += 1;
        let published = self.queue.publish_and_tell(&envelope);
        within("an envelope is published", published).await.unwrap()
    }

    async fn publish_some(&mut self) {
        for _ in 0..EACH {
            self.publish().await;
        }
    }

    async fn all_are_received(&self) {
        wait_until("all that was published is received", || async {
            self.received.lock().len() as u64 == self.published
        })
        .await;
    }
}

/// Acknowledges what comes. What was in hand when a way was lost comes again.
async fn consume(mut subscription: Box<dyn Subscription>, received: Arc<Mutex<BTreeSet<u64>>>) {
    loop {
        for delivery in subscription.take(8).await.unwrap().unwrap() {
            let number = delivery.envelope.generation;
            drop(delivery.ack().await);
            received.lock().insert(number);
        }
    }
}

async fn is_empty(queue: &dyn JobQueue) -> bool {
    let depth = queue.depth(KIND).await;
    depth.is_ok_and(|depth| depth.iter().all(|lane| lane.ready == 0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_comes_back_holds_nobody_up() {
    let mut world = World::new().await;
    let subscription = world.queue.subscribe(KIND, 8).await.unwrap();
    let mut consumer = JoinSet::new();
    consumer.spawn(consume(subscription, Arc::clone(&world.received)));
    for _ in 0..BEFORE {
        assert_eq!(world.publish().await, "rabbitmq");
    }
    world.server.keep_queues().await.unwrap();

    world.server.kill().await.unwrap();
    world.publish_some().await;
    assert_eq!(world.publish().await, "assay");
    world.queue.accepts().unwrap();

    world.server.restart().await.unwrap();
    let back = async { while world.publish().await != "rabbitmq" {} };
    within("the broker is used again", back).await;
    world.publish_some().await;
    world.all_are_received().await;
    let (rabbit, second) = (&*world.rabbit, &*world.second);
    wait_until("both ways are empty", || async {
        is_empty(rabbit).await && is_empty(second).await
    })
    .await;
    assert!(consumer.try_join_next().is_none(), "the consumer ended");
}
