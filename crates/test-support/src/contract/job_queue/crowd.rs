//! Many at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::kind::Lane;
use assay_core::port::JobQueue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{KIND, Subject, ack, expect, publish, subscribe};
use crate::wait::within;

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
    for publisher in 0..PUBLISHERS {
        let subject = Arc::clone(&subject);
        tasks.spawn(async move {
            for number in publisher * ENVELOPES..(publisher + 1) * ENVELOPES {
                let lane = Lane::ALL[usize::from(number.to_le_bytes()[0]) % Lane::ALL.len()];
                publish(&*subject.queue, &subject.envelope(lane, number)).await;
            }
        });
    }
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
