//! Two ways that do as they are told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::BreakerConfig;
use assay_core::kind::Lane;
use assay_core::port::{Delivery, JobQueue as _, QueueError, Subscription};
use assay_queue::{FIRST_WAY_MS_MAX, Failover};
use assay_test_support::wait::within;
use tokio::time::{Instant, advance};

use crate::rabbit_bench::{KIND, envelope};
use crate::scripted_way::{Mood, PausedClock, ScriptedWay};

struct World {
    first: Arc<ScriptedWay>,
    second: Arc<ScriptedWay>,
    queue: Failover,
    published: u64,
}

impl World {
    fn new() -> Self {
        let [first, second] = ["first", "second"].map(ScriptedWay::new);
        Self {
            queue: Failover::new(
                Arc::clone(&first) as _,
                Arc::clone(&second) as _,
                PausedClock::new(),
            ),
            first,
            second,
            published: 0,
        }
    }

    async fn publish_to(&mut self, lane: Lane) -> Result<&'static str, QueueError> {
        self.published += 1;
        let envelope = envelope(lane, self.published);
        self.queue.publish_and_tell(&envelope).await
    }

    async fn publish(&mut self) -> Result<&'static str, QueueError> {
        self.publish_to(Lane::Normal).await
    }

    /// Publishes until nothing is tried on the first way any more.
    async fn break_the_first(&mut self) {
        self.first.set(Mood::Away);
        for _ in 0..BreakerConfig::infrastructure().minimum_calls {
            assert_eq!(self.publish().await.unwrap(), "second");
        }
        assert_eq!(
            self.first.publishes(),
            u64::from(BreakerConfig::infrastructure().minimum_calls)
        );
    }

    async fn subscribe(&self, concurrency: usize) -> Box<dyn Subscription> {
        let subscribed = within(
            "somebody subscribed",
            self.queue.subscribe(KIND, concurrency),
        );
        subscribed.await.unwrap()
    }

    /// What waits on each way, in all lanes.
    async fn waiting(&self) -> [u64; 2] {
        let mut waiting = [0; 2];
        for (count, way) in waiting.iter_mut().zip([&self.first, &self.second]) {
            let depth = way.depth(KIND).await.unwrap();
            *count = depth.iter().map(|lane| lane.ready).sum();
        }
        waiting
    }
}

async fn take(subscription: &mut dyn Subscription, slots: usize) -> Vec<Delivery> {
    let taken = within("there is something to take", subscription.take(slots)).await;
    taken.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_first_way_does_not_take_goes_the_second() {
    for mood in [Mood::Away, Mood::LosesAnswers, Mood::Hangs] {
        let mut world = World::new();
        assert_eq!(world.publish().await.unwrap(), "first");
        world.first.set(mood);
        let begun = Instant::now();
        assert_eq!(world.publish().await.unwrap(), "second", "{mood:?}");
        assert!(begun.elapsed() <= Duration::from_millis(FIRST_WAY_MS_MAX));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_first_way_refuses_stays_refused() {
    let mut world = World::new();
    world.first.set(Mood::Refuses);
    for _ in 0..20 {
        let refused = world.publish().await.unwrap_err();
        assert!(matches!(refused, QueueError::Refused { .. }), "{refused}");
    }
    assert_eq!((world.first.publishes(), world.second.publishes()), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_second_way_refuses_is_refused_only_if_the_first_has_it_not() {
    let is_refused = |answer| matches!(answer, Err(QueueError::Refused { .. }));
    let mut world = World::new();
    world.second.set(Mood::Refuses);
    world.first.set(Mood::Away);
    assert!(is_refused(world.publish().await));
    for mood in [Mood::LosesAnswers, Mood::Hangs] {
        world.first.set(mood);
        let answer = world.publish().await;
        assert!(matches!(answer, Err(QueueError::Unknown)), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_way_that_fails_is_left_alone_for_a_while() {
    let mut world = World::new();
    world.break_the_first().await;
    for _ in 0..5 {
        assert_eq!(world.publish().await.unwrap(), "second");
    }
    assert_eq!(world.first.publishes(), 0);
    // It is tried again, fails again, and is left alone for longer.
    advance(Duration::from_millis(
        BreakerConfig::infrastructure().open_ms,
    ))
    .await;
    assert_eq!(world.publish().await.unwrap(), "second");
    assert_eq!(world.publish().await.unwrap(), "second");
    assert_eq!(world.first.publishes(), 1);
    // It is back.
    world.first.set(Mood::Works);
    advance(Duration::from_millis(
        BreakerConfig::infrastructure().open_cap_ms,
    ))
    .await;
    for _ in 0..BreakerConfig::infrastructure().probes {
        assert_eq!(world.publish().await.unwrap(), "first");
    }
    assert_eq!(world.publish().await.unwrap(), "first");
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_nobody_waits_for_holds_no_probe() {
    let mut world = World::new();
    world.break_the_first().await;
    world.first.set(Mood::Hangs);
    advance(Duration::from_millis(
        BreakerConfig::infrastructure().open_cap_ms,
    ))
    .await;
    for _ in 0..2 * BreakerConfig::infrastructure().probes {
        assert!(futures::poll!(std::pin::pin!(world.publish())).is_pending());
    }
    world.first.set(Mood::Works);
    assert_eq!(world.publish().await.unwrap(), "first");
}

#[tokio::test(start_paused = true)]
async fn it_accepts_while_either_way_does() {
    let mut world = World::new();
    world.second.set(Mood::Away);
    world.queue.accepts().unwrap();
    world.first.set(Mood::Away);
    let refused = world.queue.accepts().unwrap_err().to_string();
    assert!(
        refused.contains("first is away") && refused.contains("second is away"),
        "{refused}"
    );
    world.second.set(Mood::Works);
    world.queue.accepts().unwrap();
    // Whoever is left alone takes nothing, whatever it says.
    world.break_the_first().await;
    world.first.set(Mood::Works);
    world.second.set(Mood::Away);
    world.queue.accepts().unwrap_err();
    advance(Duration::from_millis(
        BreakerConfig::infrastructure().open_ms,
    ))
    .await;
    world.queue.accepts().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_on_either_way_is_delivered() {
    let mut world = World::new();
    world.publish().await.unwrap();
    world.first.set(Mood::Away);
    world.publish().await.unwrap();
    world.publish().await.unwrap();
    let mut subscription = world.subscribe(8).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        for delivery in take(&mut *subscription, 8).await {
            seen.insert(delivery.envelope.generation);
            delivery.ack().await.unwrap();
        }
    }
    assert_eq!(seen, BTreeSet::from([2, 3]));
    // The first comes back, and nobody has to subscribe again.
    world.first.set(Mood::Works);
    let delivery = take(&mut *subscription, 8).await.remove(0);
    assert_eq!(delivery.envelope.generation, 1);
    delivery.ack().await.unwrap();
    assert_eq!(world.waiting().await, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn two_full_ways_are_read_in_turns() {
    let mut world = World::new();
    for _ in 0..50 {
        world.publish().await.unwrap();
    }
    world.first.set(Mood::LosesAnswers);
    for _ in 0..5 {
        world.publish().await.unwrap();
    }
    world.first.set(Mood::Away);
    for _ in 0..50 {
        world.publish().await.unwrap();
    }
    world.first.set(Mood::Works);
    assert_eq!(world.waiting().await, [55, 55]);
    let mut subscription = world.subscribe(1).await;
    for _ in 0..40 {
        take(&mut *subscription, 1)
            .await
            .remove(0)
            .ack()
            .await
            .unwrap();
    }
    assert_eq!(world.waiting().await, [35, 35]);
}

#[tokio::test(start_paused = true)]
async fn the_low_lane_is_bounded_over_both_ways() {
    let mut world = World::new();
    for mood in [Mood::Works, Mood::Away] {
        world.first.set(mood);
        for _ in 0..10 {
            world.publish_to(Lane::Low).await.unwrap();
        }
    }
    world.first.set(Mood::Works);
    let mut subscription = world.subscribe(5).await;
    let mut in_hand = Vec::new();
    while in_hand.len() < 4 {
        in_hand.extend(take(&mut *subscription, 1).await);
    }
    assert_eq!(world.waiting().await, [8, 8]);
    for _ in 0..6 {
        let mut waiting = subscription.take(5);
        assert!(
            futures::poll!(&mut waiting).is_pending(),
            "a fifth was taken"
        );
        // One goes, from one way or the other, so one comes.
        in_hand.remove(0).ack().await.unwrap();
        let taken = within("a low slot was freed", waiting).await;
        in_hand.extend(taken.unwrap().unwrap());
        assert_eq!(in_hand.len(), 4);
    }
    world.publish().await.unwrap();
    let urgent = take(&mut *subscription, 5).await.remove(0);
    assert_eq!(urgent.envelope.lane, Lane::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_down_when_both_ways_are() {
    let mut world = World::new();
    let mut subscription = world.subscribe(2).await;
    for way in [&world.first, &world.second] {
        way.set(Mood::Away);
    }
    let down = within("it is told", subscription.take(1)).await;
    let Err(QueueError::Unavailable { why }) = down else {
        panic!("something came");
    };
    assert!(
        why.contains("first is away") && why.contains("second is away"),
        "{why}"
    );
    let refused = within("it is told", world.queue.subscribe(KIND, 1)).await;
    assert!(matches!(refused, Err(QueueError::Unavailable { .. })));
    world.second.set(Mood::Works);
    world.publish().await.unwrap();
    // It may be told so once more.
    let mut taken = subscription.take(1).await;
    while taken.is_err() {
        taken = within("something comes", subscription.take(1)).await;
    }
    let delivery = taken.unwrap().unwrap().remove(0);
    delivery.ack().await.unwrap();
    // One of them is enough, for as long as it takes.
    let hour = Duration::from_secs(3_600);
    let waited = tokio::time::timeout(hour, subscription.take(1)).await;
    assert!(waited.is_err(), "it was told that nothing comes");
}

#[tokio::test(start_paused = true)]
async fn depth_is_what_can_be_seen() {
    let mut world = World::new();
    world.publish().await.unwrap();
    world.first.set(Mood::Away);
    for _ in 0..2 {
        world.publish().await.unwrap();
    }
    let ready = |depth: [assay_core::port::LaneDepth; 3]| depth.map(|lane| lane.ready);
    assert_eq!(ready(world.queue.depth(KIND).await.unwrap()), [0, 2, 0]);
    world.first.set(Mood::Works);
    assert_eq!(ready(world.queue.depth(KIND).await.unwrap()), [0, 3, 0]);
    world.first.set(Mood::Away);
    world.second.set(Mood::Away);
    let unknown = world.queue.depth(KIND).await;
    assert!(matches!(unknown, Err(QueueError::Unavailable { .. })));
}
