//! Many at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use assay_core::kind::Lane;
use assay_core::port::{Delivery, JobQueue};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::{KIND, Subject, ack, expect, publish, subscribe};
use crate::wait::{wait_until, within};

const PUBLISHERS: u64 = 4;
const CONSUMERS: usize = 3;
/// Envelopes of each publisher.
const ENVELOPES: u64 = 250;

/// While nothing is dropped, every published envelope is acknowledged exactly once.
pub async fn many_publishers_and_consumers_lose_nothing(subject: Subject) {
    let subject = Arc::new(subject);
    let (acknowledged, mut ledger) = mpsc::channel(64);
    let mut tasks = JoinSet::new();
    for _ in 0..CONSUMERS {
        tasks.spawn(consume(Arc::clone(&subject.queue), acknowledged.clone()));
    }
    drop(acknowledged);
    spawn_publishers(&subject, &mut tasks);
    let mut times = BTreeMap::<u64, u32>::new();
    for _ in 0..PUBLISHERS * ENVELOPES {
        let number = within("every envelope is acknowledged", ledger.recv()).await;
        *times.entry(number.unwrap_or(u64::MAX)).or_default() += 1;
    }
    (subject.close)().await;
    while let Some(ended) = within("publishers and consumers end", tasks.join_next()).await {
        expect("serve a task", ended);
    }
    assert!(
        ledger.recv().await.is_none(),
        "more came than was published"
    );
    let expected = (0..PUBLISHERS * ENVELOPES).map(|number| (number, 1));
    assert_eq!(times, expected.collect());
}

async fn consume(queue: Arc<dyn JobQueue>, acknowledged: mpsc::Sender<u64>) {
    let mut subscription = subscribe(&*queue, KIND, 8).await;
    while let Some(deliveries) = expect("take", subscription.take(8).await) {
        for delivery in deliveries {
            let number = delivery.envelope.generation;
            ack(delivery).await;
            expect("tell the ledger", acknowledged.send(number).await);
        }
    }
}

/// Takes that are cancelled, deliveries that are dropped or put back: all are acknowledged in the end.
pub async fn troubled_consumers_lose_nothing(subject: Subject) {
    let subject = Arc::new(subject);
    let ledger = Arc::new(Mutex::new(BTreeMap::<u64, Life>::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..CONSUMERS {
        tasks.spawn(stumble(Arc::clone(&subject.queue), Arc::clone(&ledger)));
    }
    spawn_publishers(&subject, &mut tasks);
    wait_until("every envelope is acknowledged", || async {
        let ledger = ledger.lock().await;
        let acknowledged = ledger.values().filter(|life| life.acknowledged > 0);
        acknowledged.count() as u64 == PUBLISHERS * ENVELOPES
    })
    .await;
    (subject.close)().await;
    while let Some(ended) = within("publishers and consumers end", tasks.join_next()).await {
        expect("serve a task", ended);
    }
}

/// What became of an envelope.
#[derive(Default)]
struct Life {
    delivered: u32,
    acknowledged: u32,
}

/// Consumes as if it were interrupted all the time.
async fn stumble(queue: Arc<dyn JobQueue>, ledger: Arc<Mutex<BTreeMap<u64, Life>>>) {
    let mut subscription = subscribe(&*queue, KIND, 8).await;
    for turn in 1_u64.. {
        let mut take = subscription.take(8);
        let taken = if turn % 3 == 0 {
            match futures::poll!(&mut take) {
                Poll::Ready(taken) => taken,
                // Dropped while it waits.
                Poll::Pending => continue,
            }
        } else {
            take.await
        };
        let Some(deliveries) = expect("take", taken) else {
            return;
        };
        for delivery in deliveries {
            settle_in_the_end(delivery, &ledger).await;
        }
    }
}

/// Drops or puts back some deliveries the first two times; acknowledges the third.
async fn settle_in_the_end(delivery: Delivery, ledger: &Mutex<BTreeMap<u64, Life>>) {
    let number = delivery.envelope.generation;
    let mut ledger = ledger.lock().await;
    let life = ledger.entry(number).or_default();
    life.delivered += 1;
    match number % 4 {
        0 if life.delivered < 3 => drop(delivery),
        1 if life.delivered < 3 => {
            expect(
                "retry",
                delivery.retry(Duration::from_millis(number % 7)).await,
            );
        }
        _ => {
            ack(delivery).await;
            life.acknowledged += 1;
        }
    }
}

fn spawn_publishers(subject: &Arc<Subject>, tasks: &mut JoinSet<()>) {
    for publisher in 0..PUBLISHERS {
        let subject = Arc::clone(subject);
        tasks.spawn(async move {
            for number in publisher * ENVELOPES..(publisher + 1) * ENVELOPES {
                let lane = Lane::ALL[usize::from(number.to_le_bytes()[0]) % Lane::ALL.len()];
                publish(&*subject.queue, &subject.envelope(lane, number)).await;
            }
        });
    }
}
