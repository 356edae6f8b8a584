//! The consumers of a channel: one for each place of a kind, the most urgent first.

use std::pin::Pin;
use std::task::{Context, Poll};

use assay_core::kind::Lane;
use assay_core::lanes::low_slots_max;
use assay_core::port::QueueError;
use futures::future::BoxFuture;
use futures::{FutureExt as _, Stream as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};

use super::link::Live;
use super::names::{KindNames, Place};

/// None of them if the broker sends nothing.
#[derive(Default)]
pub(super) struct Consumers(Vec<(Place, Consumer)>);

/// Most deliveries of a place that a worker of so many slots is sent ahead.
pub(super) fn prefetch(lane: Lane, concurrency: usize) -> u16 {
    let most = match lane {
        Lane::Low => low_slots_max(concurrency),
        Lane::Normal | Lane::High => concurrency.saturating_mul(2).max(1),
    };
    u16::try_from(most).unwrap_or(u16::MAX)
}

impl Consumers {
    /// Has the broker send. All is asked for at once; the broker answers in order.
    pub(super) async fn open(
        live: &Live,
        channel: &Channel,
        names: &KindNames,
        concurrency: usize,
    ) -> Result<Self, QueueError> {
        let mut asked = Vec::<BoxFuture<'_, lapin::Result<Option<(Place, Consumer)>>>>::new();
        let mut bound = 0;
        for place in Place::all() {
            let prefetch = prefetch(place.lane, concurrency);
            if prefetch != bound {
                bound = prefetch;
                let qos = channel.basic_qos(prefetch, BasicQosOptions::default());
                asked.push(Box::pin(async move { qos.await.map(|()| None) }));
            }
            let consume = channel.basic_consume(
                names.of(place).queue.clone(),
                ShortString::default(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            asked.push(Box::pin(async move {
                consume.await.map(|consumer| Some((place, consumer)))
            }));
        }
        let answered = live
            .answered("receive", futures::future::try_join_all(asked))
            .await?;
        Ok(Self(answered.into_iter().flatten().collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for deliveries and puts what there is into `came`, at most `most`. Fails when a consumer has ended.
    pub(super) async fn next(
        &mut self,
        came: &mut Vec<(Place, Delivery)>,
        most: usize,
    ) -> Result<(), String> {
        std::future::poll_fn(|context| {
            for (place, consumer) in &mut self.0 {
                if let Err(why) = take(*place, consumer, context, came, most) {
                    return Poll::Ready(Err(why));
                }
            }
            if came.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(Ok(()))
            }
        })
        .await
    }

    /// Has the broker send no more; the tags of what was on its way and nobody saw. Leaves none.
    pub(super) async fn cancel(
        &mut self,
        live: &Live,
        channel: &Channel,
    ) -> Result<Vec<u64>, QueueError> {
        let cancel = |consumer: &Consumer| {
            channel.basic_cancel(consumer.tag(), BasicCancelOptions::default())
        };
        let cancels = self.0.iter().map(|(_, consumer)| cancel(consumer));
        let cancelled = futures::future::try_join_all(cancels);
        live.answered("receive no more", cancelled).await?;
        let mut tags = Vec::new();
        for (_, mut consumer) in std::mem::take(&mut self.0) {
            while let Some(Some(Ok(delivery))) = consumer.next().now_or_never() {
                tags.push(delivery.delivery_tag);
            }
        }
        Ok(tags)
    }
}

/// Puts what a consumer has into `came`, until that holds `most`. Fails when the consumer has ended.
fn take(
    place: Place,
    consumer: &mut Consumer,
    context: &mut Context<'_>,
    came: &mut Vec<(Place, Delivery)>,
    most: usize,
) -> Result<(), String> {
    while came.len() < most {
        match Pin::new(&mut *consumer).poll_next(context) {
            Poll::Ready(Some(Ok(delivery))) => came.push((place, delivery)),
            Poll::Ready(Some(Err(error))) => return Err(error.to_string()),
            Poll::Ready(None) => {
                return Err("the broker cancelled it, because the queue is gone or moves".into());
            }
            Poll::Pending => break,
        }
    }
    Ok(())
}
