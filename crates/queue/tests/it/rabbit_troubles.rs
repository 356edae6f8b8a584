//! A broker that closes connections, takes nothing in, stops and comes back.

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_core::kind::Lane;
use assay_core::port::{JobQueue, QueueError};
use assay_queue::{RabbitConfig, RabbitQueue};
use assay_test_support::rabbit::{RabbitOptions, RabbitServer};
use assay_test_support::wait::{WAIT_MAX, wait_until, within};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rabbit_bench::{KIND, envelope, start, subscribe, take_and_ack, take_one};

const PUBLISHES: u64 = 600;
const PUBLISHERS: u64 = 12;

async fn server() -> (RabbitServer, RabbitConfig) {
    let server = RabbitServer::start(RabbitOptions::new()).await.unwrap();
    let config = RabbitConfig {
        url: server.url(),
        ..RabbitConfig::default()
    };
    (server, config)
}

/// What publishers were told of each envelope.
#[derive(Default)]
struct Ledger {
    done: u64,
    taken: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    unknown: u64,
}

impl Ledger {
    /// Notes an answer; whether the queue was not there.
    fn note(&mut self, number: u64, answer: Result<(), QueueError>) -> bool {
        self.done += 1;
        match answer {
            Ok(()) => drop(self.taken.insert(number)),
            Err(QueueError::Unknown) => self.unknown += 1,
            Err(QueueError::Refused { .. } | QueueError::Unavailable { .. }) => {
                return self.refused.insert(number);
            }
        }
        false
    }
}

async fn publish_all(queue: Arc<RabbitQueue>, ledger: Arc<Mutex<Ledger>>, publisher: u64) {
    for number in (0..PUBLISHES).filter(|number| number % PUBLISHERS == publisher) {
        let envelope = envelope(Lane::Normal, number);
        let answer = within("a publish is answered", queue.publish(&envelope)).await;
        let is_gone = ledger.lock().note(number, answer);
        if is_gone {
            queue.connected(WAIT_MAX).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishes_over_a_connection_that_is_closed_are_answered_truly() {
    let (server, config) = server().await;
    let queue = Arc::new(start(&config).await);
    let mut subscription = subscribe(&queue, 8).await;
    let ledger = Arc::<Mutex<Ledger>>::default();
    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        publishers.spawn(publish_all(
            Arc::clone(&queue),
            Arc::clone(&ledger),
            publisher,
        ));
    }
    let received = Arc::<Mutex<BTreeSet<u64>>>::default();
    let seen = Arc::clone(&received);
    let mut consumer = JoinSet::new();
    consumer.spawn(async move {
        loop {
            let Ok(Some(deliveries)) = subscription.take(8).await else {
                continue;
            };
            for delivery in deliveries {
                seen.lock().insert(delivery.envelope.generation);
                // A connection that was lost meanwhile brings it again.
                drop(delivery.ack().await);
            }
        }
    });
    for mark in [100, 300] {
        wait_until("some were published", || async {
            ledger.lock().done >= mark
        })
        .await;
        server
            .control(&["close_all_connections", "a test"])
            .await
            .unwrap();
    }
    while let Some(published) = publishers.join_next().await {
        published.unwrap();
    }
    let told = ledger.lock().taken.clone();
    assert!(!told.is_empty());
    wait_until("all that was taken is delivered", || async {
        told.is_subset(&received.lock())
    })
    .await;
    let refused = ledger.lock().refused.clone();
    assert!(
        refused.is_disjoint(&received.lock()),
        "what was refused was delivered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_memory_takes_nothing_in_and_workers_go_on() {
    let (server, config) = server().await;
    let queue = start(&config).await;
    let mut subscription = subscribe(&queue, 2).await;
    for number in [1, 2] {
        queue
            .publish(&envelope(Lane::Normal, number))
            .await
            .unwrap();
    }
    let in_hand = take_one(&mut subscription).await;
    server
        .control(&["set_vm_memory_high_watermark", "0.00001"])
        .await
        .unwrap();
    let begun = Instant::now();
    wait_until("the queue knows", || async {
        // The broker tells nobody before they publish.
        let published = queue.publish(&envelope(Lane::Normal, 3)).await;
        assert!(!matches!(published, Err(QueueError::Refused { .. })));
        queue.accepts().is_err()
    })
    .await;
    let refused = queue.publish(&envelope(Lane::Normal, 4)).await.unwrap_err();
    assert!(
        matches!(refused, QueueError::Unavailable { .. }),
        "{refused}"
    );
    assert!(
        begun.elapsed().as_secs() < 8,
        "it took {:?}",
        begun.elapsed()
    );

    in_hand.ack().await.unwrap();
    let second = take_one(&mut subscription).await;
    // It cannot be put off now, and comes again.
    let put_off = second.retry(std::time::Duration::from_secs(1)).await;
    assert!(matches!(put_off, Err(QueueError::Unavailable { .. })));
    assert_eq!(take_and_ack(&mut subscription).await, 2);

    server
        .control(&["set_vm_memory_high_watermark", "0.6"])
        .await
        .unwrap();
    wait_until("it takes envelopes again", || async {
        queue.accepts().is_ok()
    })
    .await;
    queue.publish(&envelope(Lane::Normal, 5)).await.unwrap();
    while take_and_ack(&mut subscription).await != 5 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stops_and_comes_back_has_what_it_confirmed() {
    let (mut server, config) = server().await;
    let queue = start(&config).await;
    let mut subscription = subscribe(&queue, 2).await;
    for number in 1..=5 {
        queue
            .publish(&envelope(Lane::Normal, number))
            .await
            .unwrap();
    }
    let in_hand = take_one(&mut subscription).await;
    server.stop().await.unwrap();
    let told = async {
        loop {
            match subscription.take(1).await {
                Ok(taken) => drop(taken),
                Err(error) => return error,
            }
        }
    };
    let told = within("the worker is told", told).await;
    assert!(matches!(told, QueueError::Unavailable { .. }), "{told}");
    assert!(queue.accepts().is_err());
    assert!(in_hand.ack().await.is_err(), "nobody heard it");
    server.restart().await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 5 {
        seen.insert(take_and_ack(&mut subscription).await);
    }
    wait_until("it takes envelopes again", || async {
        queue.accepts().is_ok()
    })
    .await;
    queue.publish(&envelope(Lane::High, 6)).await.unwrap();
    assert_eq!(take_and_ack(&mut subscription).await, 6);
    assert_eq!(
        queue.depth(KIND).await.unwrap().map(|lane| lane.ready),
        [0; 3]
    );
    queue.close().await;
}
