//! Streams beside a queue elsewhere, for when that is away.

use assay_core::port::SentJobs as _;
use assay_test_support::wait::wait_until;

use super::touched::{age, held, take_and_die};
use super::*;
use crate::redis::CLOCK_SKEW_MS_MAX;

async fn beside() -> World {
    World::over(Carrier::BrokerOrStreams).await
}

impl World {
    /// Records a job; its envelope is to be published.
    async fn accept(&self, number: u64) -> Envelope {
        let spec = JobSpec::new(KIND, b"payload".to_vec(), self.store.clock().now_ms());
        let id = JobId::from_bytes([7; 16]).child("beside", number);
        let submitted = self.store.submit(id, spec).await.unwrap();
        let Submitted::Publish(_, envelope) = submitted else {
            panic!("{submitted:?}");
        };
        envelope
    }

    async fn is_sent(&self, envelope: &Envelope) {
        let promoted = self.store.promote(envelope.job_id, envelope.generation);
        promoted.await.unwrap();
    }

    /// Publishes it in the streams.
    async fn publish(&self, envelope: &Envelope) {
        self.queue.publish(envelope).await.unwrap();
        self.is_sent(envelope).await;
    }

    async fn send_again(&self) -> usize {
        let before_ms = self.store.clock().now_ms() + 60_000;
        let sent = self.store.send_again(KIND, Lane::Normal, before_ms, 100);
        sent.await.unwrap()
    }
}

#[tokio::test]
async fn an_envelope_that_a_dead_process_took_is_delivered_to_others() {
    let world = beside().await;
    world.publish(&world.accept(1).await).await;
    take_and_die(&world, 1).await;
    age(&world).await;
    let swept = world.store.sweep_outbox(100).await.unwrap();
    assert_eq!((swept.jobs, swept.publish.len()), (1, 0));
    let mut subscription = world.subscribe().await;
    let delivery = take(&mut *subscription, 1).await.remove(0);
    world.work_on(delivery).await.unwrap();
    world.queue.close().await;
    assert!(held(&world).await.is_empty());
}

#[tokio::test]
async fn a_job_whose_envelope_is_elsewhere_is_given_no_entry() {
    let world = beside().await;
    let envelope = world.accept(1).await;
    world.is_sent(&envelope).await;
    let swept = world.store.sweep_outbox(100).await.unwrap();
    assert_eq!((swept.jobs, swept.publish.len()), (0, 0));
    let length: i64 = world.ask(&["XLEN", world.stream()]).await;
    assert_eq!(length, 0);
}

#[tokio::test]
async fn what_waits_in_the_streams_is_not_taken_for_lost() {
    let world = beside().await;
    let lost = world.accept(1).await;
    world.is_sent(&lost).await;
    let clock = world.store.clock();
    let later_ms = clock.now_ms() + CLOCK_SKEW_MS_MAX + 100;
    wait_until("clocks agree that it is later", || async {
        clock.now_ms() > later_ms
    })
    .await;
    let waits = world.accept(2).await;
    world.publish(&waits).await;
    assert_eq!(world.send_again().await, 1);
    let swept = world.store.sweep_outbox(100).await.unwrap();
    assert_eq!(swept.publish, [lost]);
    // What has left the streams and nobody claims is lost like any other.
    take_and_die(&world, 1).await;
    assert_eq!(world.send_again().await, 1);
    let swept = world.store.sweep_outbox(100).await.unwrap();
    assert_eq!(swept.publish, [waits]);
}
