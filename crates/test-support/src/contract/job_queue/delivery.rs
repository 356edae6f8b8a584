//! One envelope at a time: delivered, forgotten, brought back.

use std::time::Duration;

use assay_core::kind::{JobKind, Lane};
use assay_core::retry::DeadLetterReason;
use tokio::time::Instant;

use super::{Subject, expect, publish, subscribe, take, take_and_ack, take_one};

/// What was published is what is delivered, field for field.
pub async fn a_published_envelope_is_delivered_whole(subject: Subject) {
    let mut envelope = subject.envelope(Lane::High, 1);
    envelope.metadata.insert("ticket".into(), "A-17".into());
    envelope.due_at_ms = Some(1);
    publish(&*subject.queue, &envelope).await;
    let mut subscription = subject.subscribe(1).await;
    assert_eq!(*take_and_ack(&mut *subscription).await, envelope);
}

/// An acknowledged envelope does not come again; the next one does.
pub async fn an_acknowledged_envelope_is_forgotten(subject: Subject) {
    let mut subscription = subject.subscribe(1).await;
    for number in 1..=20 {
        subject.publish(Lane::Normal, [number]).await;
        assert_eq!(take_and_ack(&mut *subscription).await.generation, number);
    }
}

/// Whatever a worker drops is delivered again, to whoever asks.
pub async fn a_dropped_delivery_comes_back(subject: Subject) {
    subject.publish(Lane::Normal, [1]).await;
    let mut first = subject.subscribe(1).await;
    drop(take_one(&mut *first).await);
    drop(take_one(&mut *first).await);
    drop(first);
    let mut second = subject.subscribe(1).await;
    assert_eq!(take_and_ack(&mut *second).await.generation, 1);
    assert_eq!(subject.ready().await, [0; 3]);
}

/// A delivery put back for a time comes again when it has passed, and holds nobody up before.
pub async fn a_retried_delivery_waits_its_time(subject: Subject) {
    const AFTER: Duration = Duration::from_millis(300);
    let mut subscription = subject.subscribe(2).await;
    subject.publish(Lane::Normal, [1, 2]).await;
    let delivery = take_one(&mut *subscription).await;
    let (number, asked_at) = (delivery.envelope.generation, Instant::now());
    expect("retry", delivery.retry(AFTER).await);
    let other = take_and_ack(&mut *subscription).await.generation;
    assert_ne!(other, number, "it came back at once");
    assert_eq!(take_and_ack(&mut *subscription).await.generation, number);
    assert!(asked_at.elapsed() >= AFTER, "it came back too soon");
}

/// A dead letter is out of the way; the next one is delivered.
pub async fn a_dead_letter_does_not_come_back(subject: Subject) {
    let mut subscription = subject.subscribe(1).await;
    subject.publish(Lane::Normal, [1]).await;
    let delivery = take_one(&mut *subscription).await;
    let buried = delivery.dead_letter(DeadLetterReason::Orphan).await;
    expect("dead-letter", buried);
    subject.publish(Lane::Normal, [2]).await;
    assert_eq!(take_and_ack(&mut *subscription).await.generation, 2);
    assert_eq!(subject.ready().await, [0; 3]);
}

/// A worker of one kind never sees an envelope of another.
pub async fn kinds_do_not_mix(subject: Subject) {
    for kind in JobKind::ALL {
        let mut envelope = subject.envelope(Lane::Normal, 1);
        envelope.kind = kind;
        publish(&*subject.queue, &envelope).await;
    }
    for kind in JobKind::ALL {
        let mut subscription = subscribe(&*subject.queue, kind, 8).await;
        let deliveries = take(&mut *subscription, 8).await;
        assert!(deliveries.iter().all(|got| got.envelope.kind == kind));
    }
}

/// A take answers with as many as there are, up to its slots.
pub async fn slots_bound_a_take(subject: Subject) {
    let mut subscription = subject.subscribe(10).await;
    subject.publish(Lane::Normal, 1..=7).await;
    let mut in_hand = Vec::new();
    while in_hand.len() < 7 {
        // `take` checks the bound.
        in_hand.extend(take(&mut *subscription, 3).await);
    }
    assert_eq!(subject.ready().await, [0; 3]);
}
