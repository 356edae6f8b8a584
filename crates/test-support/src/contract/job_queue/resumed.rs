//! Envelopes of jobs that lost their workers, against the others.

use assay_core::kind::Lane;
use assay_core::retry::CRASHES_MAX;

use super::{Subject, ack, take, take_and_ack, take_one};
use crate::wait::wait_until;

/// What lost its worker does not wait behind the backlog of its lane again; what was published first goes
/// first, also when it was in somebody's hand meanwhile.
pub async fn resumed_envelopes_come_first(subject: Subject) {
    subject.publish(Lane::Normal, 0..50).await;
    subject.publish_resumed(Lane::Normal, 100..104).await;
    wait_until("all is there to be read", || async {
        subject.ready().await == [0, 54, 0]
    })
    .await;
    let mut subscription = subject.subscribe(1).await;
    let first = take_one(&mut *subscription).await;
    assert!(first.envelope.resumed, "the mark was lost on the way");
    assert_eq!(first.envelope.generation, 100);
    drop(first);
    wait_until("what was dropped waits again", || async {
        subject.ready().await == [0, 54, 0]
    })
    .await;
    let mut resumed = Vec::new();
    for _ in 0..4 {
        resumed.push(take_and_ack(&mut *subscription).await.generation);
    }
    resumed.sort_unstable();
    assert_eq!(resumed, [100, 101, 102, 103]);
    assert!(!take_and_ack(&mut *subscription).await.resumed);
    // Others have waited longer meanwhile.
    subject.publish_resumed(Lane::Normal, [104]).await;
    wait_until("it is there to be read", || async {
        subject.ready().await == [0, 50, 0]
    })
    .await;
    assert_eq!(take_and_ack(&mut *subscription).await.generation, 104);
}

/// Many that were resumed in one lane take no turns from another.
pub async fn resumed_envelopes_leave_the_lanes_their_weights(subject: Subject) {
    subject.publish_resumed(Lane::Low, 0..150).await;
    subject.publish(Lane::Normal, 0..150).await;
    subject.publish(Lane::High, 0..150).await;
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

/// The slot that is kept for what is more urgent is kept from resumed envelopes of the low lane, too.
pub async fn resumed_envelopes_leave_the_low_lane_its_bound(subject: Subject) {
    subject.publish_resumed(Lane::Low, 0..10).await;
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
}

/// A job that kills its workers comes first as often as it may crash; others of its lane are read after.
pub async fn what_is_resumed_again_lets_others_by(subject: Subject) {
    subject.publish(Lane::Normal, 0..10).await;
    let mut subscription = subject.subscribe(1).await;
    // Its last crash makes a dead letter, which nobody publishes.
    for crash in 1..u64::from(CRASHES_MAX) {
        subject.publish_resumed(Lane::Normal, [100 + crash]).await;
        wait_until("it is there to be read", || async {
            subject.ready().await == [0, 11, 0]
        })
        .await;
        let generation = take_and_ack(&mut *subscription).await.generation;
        assert_eq!(generation, 100 + crash);
    }
    for _ in 0..10 {
        assert!(!take_and_ack(&mut *subscription).await.resumed);
    }
}
