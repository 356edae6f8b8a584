//! What the other tests of the queue on RabbitMQ begin with.

use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{Delivery, JobQueue, Markers, StoreError, Subscription};
use assay_queue::{Outside, RabbitConfig, RabbitQueue};
use assay_test_support::rabbit::Prefix;
use assay_test_support::wait::within;
use async_trait::async_trait;
use parking_lot::Mutex;

pub(crate) const KIND: JobKind = JobKind::Batch;
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// Remembers the markers that came out.
#[derive(Default)]
pub(crate) struct Remembered(pub(crate) Mutex<Vec<(JobKind, Lane, u64)>>);

#[async_trait]
impl Markers for Remembered {
    async fn passed(&self, kind: JobKind, lane: Lane, at_ms: u64) -> Result<(), StoreError> {
        self.0.lock().push((kind, lane, at_ms));
        Ok(())
    }

    async fn latest(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError> {
        let markers = self.0.lock();
        let of_lane = markers
            .iter()
            .filter(|marker| (marker.0, marker.1) == (kind, lane));
        Ok(of_lane.map(|marker| marker.2).max())
    }
}

/// Settings for a test of its own.
pub(crate) fn config() -> RabbitConfig {
    let Prefix { url, name } = Prefix::take();
    RabbitConfig {
        url,
        prefix: name,
        ..RabbitConfig::default()
    }
}

pub(crate) fn outside(markers: &Arc<Remembered>) -> Outside {
    let markers: Arc<dyn Markers> = Arc::<Remembered>::clone(markers);
    Outside {
        clock: Arc::new(SystemClock),
        markers,
        sent: None,
    }
}

pub(crate) async fn start(config: &RabbitConfig) -> RabbitQueue {
    let queue = RabbitQueue::start(config, outside(&Arc::default())).unwrap();
    queue
        .connected(assay_test_support::wait::WAIT_MAX)
        .await
        .unwrap();
    queue
}

pub(crate) fn envelope(lane: Lane, number: u64) -> Envelope {
    let mut spec = JobSpec::new(KIND, format!("payload {number}").into_bytes(), NOW_MS);
    spec.lane = lane;
    let id = JobId::from_bytes([1; 16]).child("envelope", number);
    let mut envelope = Envelope::new(id, &spec, NOW_MS);
    envelope.generation = number;
    envelope
}

pub(crate) async fn subscribe(queue: &RabbitQueue, concurrency: usize) -> Box<dyn Subscription> {
    let subscribed = within("a worker subscribed", queue.subscribe(KIND, concurrency)).await;
    subscribed.unwrap()
}

/// Takes one; a broker that is lost for a while is no failure.
pub(crate) async fn take_one(subscription: &mut Box<dyn Subscription>) -> Delivery {
    let taken = async {
        loop {
            if let Ok(taken) = subscription.take(1).await {
                return taken.unwrap().remove(0);
            }
        }
    };
    within("there is something to take", taken).await
}

/// Takes one, settles it, answers with its number.
pub(crate) async fn take_and_ack(subscription: &mut Box<dyn Subscription>) -> u64 {
    let delivery = take_one(subscription).await;
    let number = delivery.envelope.generation;
    delivery.ack().await.unwrap();
    number
}
