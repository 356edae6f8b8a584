//! What is promised beyond the contract, on a broker.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::{Clock, SystemClock};
use assay_core::kind::Lane;
use assay_core::port::{DeadLetters, JobQueue, MarkerQueue, Markers, QueueError};
use assay_core::retry::DeadLetterReason;
use assay_core::route::{BrokerNames, lane_key};
use assay_queue::{RabbitConfig, RabbitQueue};
use assay_test_support::wait::{WAIT_MAX, wait_for, wait_until, within};
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::rabbit_bench::{
    KIND, Remembered, config, envelope, outside, start, subscribe, take_and_ack, take_one,
};

/// Somebody else on the same broker.
struct Stranger {
    channel: Channel,
    names: BrokerNames,
    _connection: Connection,
}

impl Stranger {
    async fn new(config: &RabbitConfig) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&config.url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        Self {
            channel,
            names: BrokerNames::new(&config.prefix),
            _connection: connection,
        }
    }

    async fn delete(&self, queue: &str) {
        let options = QueueDeleteOptions::default();
        self.channel
            .queue_delete(queue.into(), options)
            .await
            .unwrap();
    }

    async fn consumers(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let looked = self
            .channel
            .queue_declare(queue.into(), passive, FieldTable::default());
        looked.await.unwrap().consumer_count()
    }

    async fn publish(&self, key: &str, body: &[u8]) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let exchange = self.names.jobs().into();
        let sent = self
            .channel
            .basic_publish(exchange, key.into(), options, body, properties)
            .await;
        assert!(sent.unwrap().await.unwrap().is_ack());
    }

    /// How often the head of a queue was delivered before.
    async fn deliveries(&self, queue: &str) -> i64 {
        let got = self
            .channel
            .basic_get(queue.into(), BasicGetOptions::default());
        let got = got.await.unwrap().expect("the queue is empty");
        let headers = got
            .delivery
            .properties
            .headers()
            .clone()
            .unwrap_or_default();
        let count = headers.inner().get("x-delivery-count").cloned();
        count
            .and_then(|count| count.as_long_long_int())
            .unwrap_or_default()
    }
}

fn lane(config: &RabbitConfig, lane: Lane) -> String {
    BrokerNames::new(&config.prefix).lane(KIND, lane, false)
}

#[tokio::test]
async fn a_full_lane_refuses() {
    let config = RabbitConfig {
        lane_envelopes_max: 3,
        ..config()
    };
    let queue = start(&config).await;
    let mut taken = 0;
    let refused = loop {
        match queue.publish(&envelope(Lane::Normal, taken)).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 1_000, "the lane is never full");
    };
    assert!(matches!(refused, QueueError::Refused { .. }), "{refused}");
    queue.publish(&envelope(Lane::High, 1)).await.unwrap();
    let mut subscription = subscribe(&queue, 4).await;
    let mut seen = Vec::new();
    while (seen.len() as u64) < taken + 1 {
        seen.push(take_and_ack(&mut subscription).await);
    }
    assert!(!seen.contains(&taken), "what was refused was delivered");
}

#[tokio::test]
async fn a_queue_that_somebody_deletes_is_made_again() {
    let config = config();
    let queue = start(&config).await;
    let mut subscription = subscribe(&queue, 1).await;
    queue.publish(&envelope(Lane::Normal, 1)).await.unwrap();
    assert_eq!(take_and_ack(&mut subscription).await, 1);
    let stranger = Stranger::new(&config).await;
    stranger.delete(&lane(&config, Lane::Normal)).await;
    queue.publish(&envelope(Lane::Normal, 2)).await.unwrap();
    assert_eq!(take_and_ack(&mut subscription).await, 2);
    // Also when nobody publishes meanwhile.
    stranger.delete(&lane(&config, Lane::Normal)).await;
    let mut take = subscription.take(1);
    assert!(futures::poll!(&mut take).is_pending());
    queue.publish(&envelope(Lane::Normal, 3)).await.unwrap();
    let taken = within("it is delivered", take).await;
    drop(taken);
}

#[tokio::test]
async fn what_nobody_can_read_is_moved_out_of_the_way_and_stays() {
    let config = config();
    let queue = start(&config).await;
    let mut subscription = subscribe(&queue, 1).await;
    let stranger = Stranger::new(&config).await;
    stranger
        .publish(&lane_key(KIND, Lane::Normal, false), b"garbage")
        .await;
    queue.publish(&envelope(Lane::Normal, 1)).await.unwrap();
    let delivery = take_one(&mut subscription).await;
    delivery
        .dead_letter(DeadLetterReason::CrashLoop)
        .await
        .unwrap();
    let letters = || async {
        let mut reader = queue.read_dead_letters(KIND).await.unwrap();
        let mut letters = Vec::new();
        while let Some(letter) = reader.next().await.unwrap() {
            letters.push(letter);
        }
        (reader, letters)
    };
    let mut dozes = subscription.take(1);
    assert!(futures::poll!(&mut dozes).is_pending());
    let found = wait_for("both are out of the way", || async {
        let (reader, letters) = letters().await;
        (letters.len() == 2).then_some((reader, letters))
    });
    let (reader, found) = found.await;
    for letter in found {
        match letter.delivery {
            None => assert_eq!(letter.why, "undecodable"),
            Some(delivery) => {
                assert_eq!(
                    (letter.why.as_str(), delivery.envelope.generation),
                    ("crash_loop", 1)
                );
                delivery.ack().await.unwrap();
            }
        }
    }
    drop(reader);
    wait_until("the one that was not acknowledged stays", || async {
        let (_reader, letters) = letters().await;
        letters.len() == 1 && letters[0].delivery.is_none()
    })
    .await;
}

#[tokio::test]
async fn nothing_comes_before_its_time() {
    let queue = start(&config()).await;
    let mut subscription = subscribe(&queue, 8).await;
    let begun_ms = SystemClock.now_ms();
    for (number, after_ms) in [(1, 2_300), (2, 400), (3, 1_100)] {
        let mut envelope = envelope(Lane::Normal, number);
        envelope.due_at_ms = Some(begun_ms + after_ms);
        queue.publish(&envelope).await.unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        let delivery = take_one(&mut subscription).await;
        let due_ms = delivery.envelope.due_at_ms.unwrap();
        assert!(SystemClock.now_ms() >= due_ms, "it came too early");
        order.push(delivery.envelope.generation);
        delivery.ack().await.unwrap();
    }
    assert_eq!(order, [2, 3, 1]);
    queue.publish(&envelope(Lane::High, 4)).await.unwrap();
    let delivery = take_one(&mut subscription).await;
    let asked_ms = SystemClock.now_ms();
    delivery.retry(Duration::from_millis(1_500)).await.unwrap();
    assert_eq!(take_and_ack(&mut subscription).await, 4);
    assert!(SystemClock.now_ms() >= asked_ms + 1_500);
}

#[tokio::test]
async fn a_marker_passes_through_its_lane_and_reaches_no_worker() {
    let markers = Arc::<Remembered>::default();
    let queue = RabbitQueue::start(&config(), outside(&markers)).unwrap();
    queue.connected(WAIT_MAX).await.unwrap();
    let mut subscription = subscribe(&queue, 1).await;
    queue.publish_marker(KIND, Lane::Low, 17).await.unwrap();
    queue.publish_marker(KIND, Lane::High, 18).await.unwrap();
    let mut take = subscription.take(1);
    assert!(futures::poll!(&mut take).is_pending());
    wait_until("both markers came out", || async {
        let low = markers.latest(KIND, Lane::Low).await.unwrap();
        let high = markers.latest(KIND, Lane::High).await.unwrap();
        (low, high) == (Some(17), Some(18))
    })
    .await;
    assert!(futures::poll!(&mut take).is_pending());
}

#[tokio::test]
async fn a_worker_that_does_not_ask_gives_back_once_and_holds_nothing() {
    let config = config();
    let queue = start(&config).await;
    let stranger = Stranger::new(&config).await;
    let _idle = subscribe(&queue, 4).await;
    let name = lane(&config, Lane::Normal);
    queue.publish(&envelope(Lane::Normal, 1)).await.unwrap();
    wait_until("it is not sent anything any more", || async {
        stranger.consumers(&name).await == 0
    })
    .await;
    wait_until("what it was sent is back", || async {
        queue.depth(KIND).await.unwrap()[Lane::Normal as usize].ready == 1
    })
    .await;
    // Once by the worker, and once by the look at its age.
    assert!(stranger.deliveries(&name).await <= 2);
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_told_of_at_once() {
    let config = RabbitConfig {
        url: "amqp://assay:opensesame@127.0.0.1:1".into(),
        ..config()
    };
    let queue = RabbitQueue::start(&config, outside(&Arc::default())).unwrap();
    let refused = queue.accepts().unwrap_err();
    assert!(matches!(refused, QueueError::Unavailable { .. }));
    let refused = queue.publish(&envelope(Lane::Normal, 1)).await.unwrap_err();
    assert!(
        matches!(refused, QueueError::Unavailable { .. }),
        "{refused}"
    );
    let refused = queue.subscribe(KIND, 1).await.err().unwrap().to_string();
    assert!(
        refused.contains("127.0.0.1:1") && !refused.contains("opensesame"),
        "{refused}"
    );
}
