//! Lanes against each other.

use assay_core::kind::Lane;

use super::{Subject, ack, take, take_and_ack, take_one};
use crate::wait::{wait_until, within};

/// How many places an envelope may be away from where publishing put it in its lane.
const ORDER_SLACK: u64 = 16;

/// Envelopes of one lane come roughly as they were published.
pub async fn a_lane_roughly_keeps_its_order(subject: Subject) {
    subject.publish(Lane::Normal, 0..100).await;
    let mut subscription = subject.subscribe(1).await;
    for place in 0..100 {
        let number = take_and_ack(&mut *subscription).await.generation;
        let away = number.abs_diff(place);
        assert!(
            away <= ORDER_SLACK,
            "envelope {number} came as number {place}"
        );
    }
}

/// While all lanes are full, the more urgent one is read more often, and none is left out.
pub async fn lanes_are_read_by_weight(subject: Subject) {
    for lane in Lane::ALL {
        subject.publish(lane, 0..150).await;
    }
    wait_until("all is there to be read", || async {
        subject.ready().await == [150; 3]
    })
    .await;
    let mut subscription = subject.subscribe(2).await;
    let mut counts = [0; 3];
    for _ in 0..150 {
        counts[take_and_ack(&mut *subscription).await.lane as usize] += 1;
    }
    let [low, normal, high] = counts;
    assert!(
        0 < low && low < normal && normal < high,
        "low {low}, normal {normal}, high {high}"
    );
}

/// An envelope of the low lane is read, however many urgent ones there are.
pub async fn an_old_envelope_is_not_starved(subject: Subject) {
    subject.publish(Lane::Low, [0]).await;
    subject.publish(Lane::High, 1..=300).await;
    let mut subscription = subject.subscribe(2).await;
    for _ in 0..200 {
        if take_and_ack(&mut *subscription).await.lane == Lane::Low {
            return;
        }
    }
    super::fail("200 urgent envelopes went before one of the low lane");
}

/// A worker keeps a slot for what is more urgent than the low lane.
pub async fn the_low_lane_never_takes_the_last_slot(subject: Subject) {
    subject.publish(Lane::Low, 0..10).await;
    let mut subscription = subject.subscribe(3).await;
    let mut in_hand = take(&mut *subscription, 2).await;
    if in_hand.len() < 2 {
        in_hand.push(take_one(&mut *subscription).await);
    }
    subject.publish(Lane::Normal, [10]).await;
    let last = take_one(&mut *subscription).await;
    assert_eq!(
        last.envelope.lane,
        Lane::Normal,
        "a third low one was taken"
    );
    ack(last).await;
    // One goes, so another of the low lane may come.
    if let Some(low) = in_hand.pop() {
        ack(low).await;
    }
    let next = take_one(&mut *subscription).await;
    assert_eq!(next.envelope.lane, Lane::Low);
    in_hand.push(next);
    a_wait_ends_when_a_low_slot_is_freed(&subject, &mut in_hand, &mut *subscription).await;
}

/// A worker that waits because its low slots are full goes on as soon as it gives one back.
async fn a_wait_ends_when_a_low_slot_is_freed(
    subject: &Subject,
    in_hand: &mut Vec<assay_core::port::Delivery>,
    subscription: &mut dyn assay_core::port::Subscription,
) {
    assert!(subject.ready().await[Lane::Low as usize] > 0);
    let mut waiting = subscription.take(3);
    assert!(
        futures::poll!(&mut waiting).is_pending(),
        "a third low one was taken"
    );
    in_hand.clear();
    let taken = within("a low slot was freed", waiting).await;
    let taken = super::expect("take", taken).unwrap_or_default();
    assert!((1..=2).contains(&taken.len()), "took {}", taken.len());
}

/// A worker that has envelopes of the low lane from elsewhere is given fewer.
pub async fn the_low_lane_may_be_bounded_further(subject: Subject) {
    subject.publish(Lane::Low, 0..10).await;
    let mut subscription = subject.subscribe(5).await;
    subscription.bound_low(0);
    assert!(
        futures::poll!(&mut subscription.take(5)).is_pending(),
        "a low one was taken"
    );
    let mut in_hand = Vec::new();
    // What the worker's own concurrency allows is the most.
    for (bound, most) in [(1, 1), (3, 3), (9, 4)] {
        subscription.bound_low(bound);
        while in_hand.len() < most {
            in_hand.extend(take(&mut *subscription, 5).await);
        }
        assert_eq!(in_hand.len(), most, "with a bound of {bound}");
    }
    subscription.bound_low(2);
    // Two of four are more than enough.
    in_hand.truncate(2);
    assert!(
        futures::poll!(&mut subscription.take(5)).is_pending(),
        "a third low one was taken"
    );
    subject.publish(Lane::Normal, [10]).await;
    let urgent = take_one(&mut *subscription).await;
    assert_eq!(urgent.envelope.lane, Lane::Normal);
}

/// A worker with a single slot does work of the low lane too.
pub async fn the_only_slot_may_be_low(subject: Subject) {
    subject.publish(Lane::Low, [1]).await;
    let mut subscription = subject.subscribe(1).await;
    assert_eq!(take_and_ack(&mut *subscription).await.generation, 1);
}
