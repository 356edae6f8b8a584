//! What every [`JobQueue`] must do. An adapter's test file names a way to make a [`Subject`]:
//!
//! ```text
//! assay_test_support::job_queue_contract! { #[tokio::test] make_subject }
//! ```
//!
//! Each case gets a queue of its own, which nobody else uses. Cases hold for real and for paused time.

use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{Delivery, JobQueue, Subscription};
use futures::future::BoxFuture;

use crate::wait::within;

mod crowd;
mod delivery;
mod lanes;
mod lifetime;
mod resumed;

pub use crowd::{many_publishers_and_consumers_lose_nothing, troubled_consumers_lose_nothing};
pub use delivery::{
    a_dead_letter_does_not_come_back, a_dropped_delivery_comes_back,
    a_published_envelope_is_delivered_whole, a_retried_delivery_waits_its_time,
    an_acknowledged_envelope_is_forgotten, kinds_do_not_mix, slots_bound_a_take,
};
pub use lanes::{
    a_lane_roughly_keeps_its_order, an_old_envelope_is_not_starved, lanes_are_read_by_weight,
    the_low_lane_may_be_bounded_further, the_low_lane_never_takes_the_last_slot,
    the_only_slot_may_be_low,
};
pub use lifetime::{
    a_cancelled_take_takes_nothing, a_closed_queue_ends_its_subscriptions, depth_tells_what_waits,
};
pub use resumed::{
    resumed_envelopes_come_first, resumed_envelopes_leave_the_lanes_their_weights,
    resumed_envelopes_leave_the_low_lane_its_bound, what_is_resumed_again_lets_others_by,
};

/// A queue under test.
pub struct Subject {
    /// The queue, empty.
    pub queue: Arc<dyn JobQueue>,
    /// The time that it reads.
    pub clock: Arc<dyn Clock>,
    /// Closes it.
    pub close: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

/// The kind that the cases use unless they say otherwise.
const KIND: JobKind = JobKind::ContentVerification;

impl Subject {
    /// An envelope of [`KIND`], told apart from others by `number`.
    fn envelope(&self, lane: Lane, number: u64) -> Envelope {
        let now_ms = self.clock.now_ms();
        let mut spec = JobSpec::new(KIND, format!("payload {number}").into_bytes(), now_ms);
        spec.lane = lane;
        let id = JobId::random(now_ms, [7; 10]).child("envelope", number);
        let mut envelope = Envelope::new(id, &spec, now_ms);
        envelope.generation = number;
        envelope
    }

    async fn publish(&self, lane: Lane, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            publish(&*self.queue, &self.envelope(lane, number)).await;
        }
    }

    /// Publishes envelopes of jobs that lost their workers.
    async fn publish_resumed(&self, lane: Lane, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let mut envelope = self.envelope(lane, number);
            envelope.resumed = true;
            publish(&*self.queue, &envelope).await;
        }
    }

    async fn subscribe(&self, concurrency: usize) -> Box<dyn Subscription> {
        subscribe(&*self.queue, KIND, concurrency).await
    }

    async fn ready(&self) -> [u64; 3] {
        let depth = self.queue.depth(KIND).await;
        expect("tell its depth", depth).map(|lane| lane.ready)
    }
}

async fn publish(queue: &dyn JobQueue, envelope: &Envelope) {
    let published = within("an envelope is published", queue.publish(envelope)).await;
    expect("publish", published);
}

async fn subscribe(
    queue: &dyn JobQueue,
    kind: JobKind,
    concurrency: usize,
) -> Box<dyn Subscription> {
    let subscribed = within("a worker subscribed", queue.subscribe(kind, concurrency)).await;
    expect("subscribe", subscribed)
}

/// Takes at most `slots`, at least one.
async fn take(subscription: &mut dyn Subscription, slots: usize) -> Vec<Delivery> {
    let taken = within("there is something to take", subscription.take(slots)).await;
    let Some(deliveries) = expect("take", taken) else {
        fail("the queue was closed although nobody asked it to")
    };
    assert!(!deliveries.is_empty(), "a take answered without anything");
    assert!(deliveries.len() <= slots, "a take exceeded its slots");
    deliveries
}

async fn take_one(subscription: &mut dyn Subscription) -> Delivery {
    match take(subscription, 1).await.pop() {
        Some(delivery) => delivery,
        None => fail("a take answered without anything"),
    }
}

/// Takes one, settles it, answers with what it was.
async fn take_and_ack(subscription: &mut dyn Subscription) -> Arc<Envelope> {
    let delivery = take_one(subscription).await;
    let envelope = Arc::clone(&delivery.envelope);
    ack(delivery).await;
    envelope
}

async fn ack(delivery: Delivery) {
    let acknowledged = within("a delivery is acknowledged", delivery.ack()).await;
    expect("acknowledge", acknowledged);
}

/// What an adapter answered where it must not fail.
fn expect<T, E: std::fmt::Debug>(what: &str, answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => fail(&format!("the queue failed to {what}: {error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a case fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Makes a test of each case. Takes the attribute of the tests and a function that makes a [`Subject`].
#[macro_export]
macro_rules! job_queue_contract {
    (#[$test:meta] $subject:path) => {
        $crate::job_queue_contract! { @each #[$test] $subject:
            a_published_envelope_is_delivered_whole,
            an_acknowledged_envelope_is_forgotten,
            a_dropped_delivery_comes_back,
            a_retried_delivery_waits_its_time,
            a_dead_letter_does_not_come_back,
            kinds_do_not_mix,
            slots_bound_a_take,
            a_lane_roughly_keeps_its_order,
            lanes_are_read_by_weight,
            an_old_envelope_is_not_starved,
            the_low_lane_never_takes_the_last_slot,
            the_low_lane_may_be_bounded_further,
            the_only_slot_may_be_low,
            resumed_envelopes_come_first,
            resumed_envelopes_leave_the_lanes_their_weights,
            resumed_envelopes_leave_the_low_lane_its_bound,
            what_is_resumed_again_lets_others_by,
            a_cancelled_take_takes_nothing,
            depth_tells_what_waits,
            a_closed_queue_ends_its_subscriptions,
            many_publishers_and_consumers_lose_nothing,
            troubled_consumers_lose_nothing,
        }
    };
    (@each #[$test:meta] $subject:path: $($case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::contract::job_queue::$case($subject().await).await;
            }
        )+
    };
}
