use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::ManualClock;
use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{Delivery, HandOut, JobQueue, QueueError, Subscription};
use assay_core::retry::DeadLetterReason;
use assay_queue::InProcessQueue;
use assay_test_support::wait::within;
use futures::poll;
use tokio::time::Instant;

const NOW_MS: u64 = 1_700_000_000_000;

fn queue() -> InProcessQueue {
    InProcessQueue::new(Arc::new(ManualClock::at(NOW_MS)))
}

fn envelope(lane: Lane, number: u64) -> Arc<Envelope> {
    let mut spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW_MS);
    spec.lane = lane;
    let id = JobId::from_bytes([1; 16]).child("envelope", number);
    Arc::new(Envelope::new(id, &spec, NOW_MS))
}

async fn subscribe(queue: &InProcessQueue, concurrency: usize) -> Box<dyn Subscription> {
    queue.subscribe(JobKind::Batch, concurrency).await.unwrap()
}

async fn take(subscription: &mut Box<dyn Subscription>, slots: usize) -> Vec<Delivery> {
    let taken = within("there is something to take", subscription.take(slots)).await;
    taken.unwrap().unwrap()
}

#[tokio::test]
async fn what_the_store_hands_out_is_delivered_without_a_copy() {
    let queue = queue();
    let mut subscription = subscribe(&queue, 1).await;
    let handed_out = envelope(Lane::Normal, 1);
    queue.hand_out(Arc::clone(&handed_out));
    let delivery = take(&mut subscription, 1).await.remove(0);
    assert!(Arc::ptr_eq(&delivery.envelope, &handed_out));
    delivery.ack().await.unwrap();
    assert_eq!(Arc::strong_count(&handed_out), 1, "it was not forgotten");
}

#[tokio::test(start_paused = true)]
async fn news_reaches_the_worker_that_may_take_it() {
    let queue = queue();
    let (mut full, mut free) = (subscribe(&queue, 2).await, subscribe(&queue, 2).await);
    queue.hand_out(envelope(Lane::Low, 1));
    let in_hand = take(&mut full, 2).await;
    let mut full_waits = full.take(2);
    assert!(poll!(&mut full_waits).is_pending());
    let mut free_waits = free.take(2);
    assert!(poll!(&mut free_waits).is_pending());

    queue.hand_out(envelope(Lane::Low, 2));
    let taken = within("the free worker takes it", &mut free_waits).await;
    assert_eq!(taken.unwrap().unwrap().len(), 1);
    assert!(poll!(&mut full_waits).is_pending());
    drop(in_hand);
}

#[tokio::test(start_paused = true)]
async fn a_retry_wakes_whoever_still_waits_when_its_time_has_come() {
    let queue = queue();
    let mut workers = [subscribe(&queue, 1).await, subscribe(&queue, 1).await];
    let mut giver = subscribe(&queue, 1).await;
    let [one, other] = &mut workers;
    queue.hand_out(envelope(Lane::Normal, 1));
    let delivery = take(&mut giver, 1).await.remove(0);
    let mut cancelled = one.take(1);
    assert!(poll!(&mut cancelled).is_pending());
    let mut waits = other.take(1);
    assert!(poll!(&mut waits).is_pending());

    let start = Instant::now();
    delivery.retry(Duration::from_secs(2)).await.unwrap();
    // The one that was told first, and set its alarm, goes away.
    assert!(poll!(&mut cancelled).is_pending());
    assert!(poll!(&mut waits).is_pending());
    drop(cancelled);
    within("it comes back", waits).await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_very_long_retry_comes_back_after_a_day() {
    let queue = queue();
    let mut subscription = subscribe(&queue, 1).await;
    queue.hand_out(envelope(Lane::Normal, 1));
    let delivery = take(&mut subscription, 1).await.remove(0);
    delivery.retry(Duration::MAX).await.unwrap();
    let start = Instant::now();
    assert!(subscription.take(1).await.unwrap().is_some());
    assert_eq!(start.elapsed().as_secs(), 24 * 60 * 60);
}

#[tokio::test]
async fn dead_letters_are_kept_for_a_look() {
    let queue = queue();
    let mut subscription = subscribe(&queue, 1).await;
    queue.hand_out(envelope(Lane::Normal, 1));
    let delivery = take(&mut subscription, 1).await.remove(0);
    let why = DeadLetterReason::Undecodable;
    delivery.dead_letter(why).await.unwrap();
    let letters = queue.dead_letters();
    assert_eq!((letters.total, letters.kept[0].why), (1, why));
}

#[tokio::test]
async fn a_closed_queue_refuses_and_leaves_the_rest_to_the_store() {
    let queue = queue();
    queue.close();
    let refused = queue.publish(&envelope(Lane::Normal, 1)).await;
    assert!(matches!(refused, Err(QueueError::Refused { .. })));
    queue.hand_out(envelope(Lane::Normal, 2));
    let depth = queue.depth(JobKind::Batch).await.unwrap();
    assert!(depth.iter().all(|lane| lane.ready == 0));
    let mut late = subscribe(&queue, 1).await;
    assert!(late.take(1).await.unwrap().is_none());
}
