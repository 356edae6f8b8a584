//! Waiting, cancelling, measuring, closing.

use assay_core::kind::Lane;

use super::{KIND, Subject, expect, fail, take_and_ack, take_one};
use crate::wait::{wait_until, within};

/// A take that is dropped while it waits leaves everything to others, even if it was about to wake.
pub async fn a_cancelled_take_takes_nothing(subject: Subject) {
    let (mut first, mut second) = (subject.subscribe(4).await, subject.subscribe(4).await);
    for number in 1..=20 {
        let mut cancelled = first.take(4);
        assert!(
            futures::poll!(&mut cancelled).is_pending(),
            "there is nothing to take"
        );
        let lane = if number % 2 == 0 {
            Lane::Low
        } else {
            Lane::Normal
        };
        let other = async {
            subject.publish(lane, [number]).await;
            drop(cancelled);
        };
        let (taken, ()) = futures::future::join(take_and_ack(&mut *second), other).await;
        assert_eq!(taken.generation, number);
    }
}

/// Depth counts what waits and tells how old the oldest is.
pub async fn depth_tells_what_waits(subject: Subject) {
    let now_ms = subject.clock.now_ms();
    for (number, lane) in [(1, Lane::Low), (2, Lane::Low), (3, Lane::High)] {
        let mut envelope = subject.envelope(lane, number);
        envelope.published_at_ms = now_ms + number;
        super::publish(&*subject.queue, &envelope).await;
    }
    wait_until("depth shows all that was published", || async {
        subject.ready().await == [2, 0, 1]
    })
    .await;
    let depth = expect("tell its depth", subject.queue.depth(KIND).await);
    assert_eq!(depth.map(|lane| lane.lane), Lane::ALL);
    let oldest = depth.map(|lane| lane.oldest_published_at_ms);
    assert_eq!(oldest, [Some(now_ms + 1), None, Some(now_ms + 3)]);

    let mut subscription = subject.subscribe(1).await;
    let in_hand = take_one(&mut *subscription).await;
    assert_eq!(in_hand.envelope.lane, Lane::High);
    wait_until("what is in hand waits no more", || async {
        subject.ready().await == [2, 0, 0]
    })
    .await;
    drop(in_hand);
    wait_until("what was dropped waits again", || async {
        subject.ready().await == [2, 0, 1]
    })
    .await;
}

/// After a close, takes answer `None`, also those that were waiting, and nothing is accepted.
pub async fn a_closed_queue_ends_its_subscriptions(subject: Subject) {
    let (mut waiting, mut later) = (subject.subscribe(1).await, subject.subscribe(1).await);
    let mut take = waiting.take(1);
    assert!(futures::poll!(&mut take).is_pending());
    (subject.close)().await;
    let taken = within("a waiting take ends", take).await;
    assert!(expect("take", taken).is_none());
    let taken = within("a later take ends", later.take(1)).await;
    assert!(expect("take", taken).is_none());
    let envelope = subject.envelope(Lane::Normal, 1);
    if subject.queue.publish(&envelope).await.is_ok() {
        fail("a closed queue accepted an envelope");
    }
}
