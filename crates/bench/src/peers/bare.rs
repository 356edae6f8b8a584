//! The bare loop on RabbitMQ: confirmed publishes by the producer, acknowledgements by the worker, nothing around.
//!
//! The queue is of the kind that ours are, publishes take as many channels as ours do, and the worker is sent as much
//! ahead. With a connection to Redis it is the ceiling of full mode: a record is set before the publish, a result
//! before the acknowledgement.

use std::cell::Cell;

use anyhow::Context;
use futures::future::try_join_all;
use futures::stream::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
};
use redis::aio::MultiplexedConnection;

use super::role::{self, Add, Notes, Orders, Role};

/// Channels that are published over, as many as ours.
const PUBLISH_CHANNELS: usize = 4;
/// Deliveries that the worker is sent ahead for each job that runs at once, as ours is.
const PREFETCH_OF_EACH: usize = 2;
/// How often a message may be delivered: the bound of our queues.
const DELIVERY_LIMIT: i32 = 1_000;
/// The bound of our lanes.
const LENGTH_MAX: i64 = 1_000_000;
/// On disk.
const PERSISTENT: u8 = 2;
/// What is stored of each job.
const RESULT: &str = r#"{"attempt":1,"token":1}"#;

/// Plays the role that the orders name. Records are kept where `records` leads, if anywhere.
///
/// # Errors
/// When a server fails, or refuses.
pub async fn run(orders: &Orders, records: Option<MultiplexedConnection>) -> anyhow::Result<()> {
    let url = orders.broker.as_deref().context("find the broker's URL")?;
    let connection = Connection::connect(url, ConnectionProperties::default());
    let connection = connection.await.context("connect to RabbitMQ")?;
    declare(&connection, &orders.queue).await?;
    let notes = Notes::new(orders.journal.clone());
    match orders.role {
        Role::Producer => {
            let producer = Producer::new(orders, &connection, records, &notes).await?;
            role::wait_for_go().await?;
            orders.submit_all(|jobs| producer.submit(jobs)).await?;
            notes.write()?;
            role::say(role::SUBMITTED);
            role::hear().await?;
        }
        Role::Worker => {
            let mut ended = std::pin::pin!(role::hear());
            let worker = Worker::new(orders, &connection, records, &notes).await?;
            tokio::select! {
                line = &mut ended => drop(line?),
                worked = worker.run() => {
                    worked?;
                    ended.await?;
                }
            }
            notes.write()?;
        }
    }
    Ok(())
}

/// Declares an exchange and a quorum queue of this name, with the arguments of our lanes.
async fn declare(connection: &Connection, name: &str) -> anyhow::Result<()> {
    let channel = connection
        .create_channel()
        .await
        .context("open a channel")?;
    let name = ShortString::from(name);
    let text = |text: &str| AMQPValue::LongString(text.into());
    let mut arguments = FieldTable::default();
    for (argument, value) in [
        ("x-queue-type", text("quorum")),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-exchange", text("dead")),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
        ("x-max-length", AMQPValue::LongLongInt(LENGTH_MAX)),
    ] {
        arguments.insert(argument.into(), value);
    }
    let exchange = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let queue = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let none = FieldTable::default();
    let declared =
        channel.exchange_declare(name.clone(), ExchangeKind::Direct, exchange, none.clone());
    declared.await.context("declare the exchange")?;
    let declared = channel.queue_declare(name.clone(), queue, arguments);
    declared.await.context("declare the queue")?;
    let bound = QueueBindOptions::default();
    let bound = channel.queue_bind(name.clone(), name.clone(), name, bound, none);
    bound.await.context("bind the queue")
}

/// Publishes. All of it is polled by one task, so the publishes of a channel keep their order.
struct Producer<'o> {
    channels: Vec<Channel>,
    queue: ShortString,
    payload: Vec<u8>,
    /// The number of the next message.
    next: Cell<usize>,
    records: Option<MultiplexedConnection>,
    notes: &'o Notes,
}

impl<'o> Producer<'o> {
    async fn new(
        orders: &Orders,
        connection: &Connection,
        records: Option<MultiplexedConnection>,
        notes: &'o Notes,
    ) -> anyhow::Result<Self> {
        let mut channels = Vec::new();
        for _ in 0..PUBLISH_CHANNELS {
            let channel = connection
                .create_channel()
                .await
                .context("open a channel")?;
            let confirmed = channel.confirm_select(ConfirmSelectOptions::default());
            confirmed.await.context("have publishes confirmed")?;
            channels.push(channel);
        }
        Ok(Self {
            channels,
            queue: orders.queue.as_str().into(),
            payload: vec![b'x'; orders.payload_bytes],
            next: Cell::new(0),
            records,
            notes,
        })
    }

    /// Publishes so many messages, and waits until each is confirmed.
    async fn submit(&self, jobs: usize) -> anyhow::Result<()> {
        let first = self.next.get();
        self.next.set(first + jobs);
        let ids: Vec<usize> = (first..first + jobs).collect();
        if let Some(records) = &self.records {
            let mut pipe = redis::pipe();
            for id in &ids {
                let key = format!("j:{id}");
                pipe.cmd("SET").arg(key).arg(&self.payload).ignore();
            }
            let mut records = records.clone();
            let kept = pipe.query_async::<()>(&mut records);
            kept.await.context("keep records")?;
        }
        let published = ids.into_iter().map(|id| self.publish(id));
        try_join_all(published).await?;
        Ok(())
    }

    async fn publish(&self, id: usize) -> anyhow::Result<()> {
        let place = id % PUBLISH_CHANNELS;
        let channel = self.channels.get(place).context("find a channel")?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let id = id.to_string();
        self.notes.note(role::SENT, &id, role::now_us());
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_message_id(id.into());
        let (exchange, key) = (self.queue.clone(), self.queue.clone());
        let published = channel.basic_publish(exchange, key, options, &self.payload, properties);
        let confirm = published.await.context("publish")?;
        let confirmed = confirm.await.context("wait for a confirm")?;
        anyhow::ensure!(
            confirmed == Confirmation::Ack(None),
            "a publish was not confirmed: {confirmed:?}"
        );
        Ok(())
    }
}

/// Acknowledges whatever comes.
struct Worker<'o> {
    channel: Channel,
    consumer: lapin::Consumer,
    orders: &'o Orders,
    records: Option<MultiplexedConnection>,
    notes: &'o Notes,
}

impl<'o> Worker<'o> {
    async fn new(
        orders: &'o Orders,
        connection: &Connection,
        records: Option<MultiplexedConnection>,
        notes: &'o Notes,
    ) -> anyhow::Result<Self> {
        let channel = connection
            .create_channel()
            .await
            .context("open a channel")?;
        let bounded = channel.basic_qos(prefetch(orders)?, BasicQosOptions::default());
        bounded.await.context("bound what is sent ahead")?;
        let consumer = channel.basic_consume(
            orders.queue.as_str().into(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = consumer.await.context("receive")?;
        role::say(role::READY);
        Ok(Self {
            channel,
            consumer,
            orders,
            records,
            notes,
        })
    }

    /// Ends when the broker has the acknowledgement of every job.
    async fn run(mut self) -> anyhow::Result<()> {
        let most = usize::from(prefetch(self.orders)?);
        let mut came = self.consumer.clone().ready_chunks(most);
        let mut ended = 0;
        while ended < self.orders.jobs {
            let deliveries = came.next().await.context("the broker ended the loop")?;
            let deliveries: Result<Vec<Delivery>, _> = deliveries.into_iter().collect();
            let deliveries = deliveries.context("receive a delivery")?;
            self.end(&deliveries).await?;
            ended += deliveries.len();
        }
        // The broker answers in order, so it has seen what was sent before.
        let asked = self
            .channel
            .basic_qos(prefetch(self.orders)?, BasicQosOptions::default());
        asked.await.context("wait for the broker")?;
        role::say(role::ENDED);
        Ok(())
    }

    async fn end(&mut self, deliveries: &[Delivery]) -> anyhow::Result<()> {
        let mut pipe = redis::pipe();
        for delivery in deliveries {
            let id = delivery.properties.message_id().as_ref();
            let id = id.map_or("", ShortString::as_str);
            self.notes.note(role::STARTED, id, role::now_us());
            pipe.cmd("SET").arg(format!("r:{id}")).arg(RESULT).ignore();
        }
        if let Some(records) = &mut self.records {
            let recorded = pipe.query_async::<()>(records);
            recorded.await.context("record results")?;
        }
        let mut tags = deliveries.iter().map(|delivery| delivery.delivery_tag);
        let (tags, multiple) = match self.orders.add {
            Add::Single => (tags.collect(), false),
            Add::Bulk => (tags.next_back().into_iter().collect::<Vec<_>>(), true),
        };
        let options = BasicAckOptions { multiple };
        let acks = tags
            .into_iter()
            .map(|tag| self.channel.basic_ack(tag, options));
        try_join_all(acks).await.context("acknowledge")?;
        Ok(())
    }
}

fn prefetch(orders: &Orders) -> anyhow::Result<u16> {
    u16::try_from(PREFETCH_OF_EACH * orders.concurrency).context("bound what is sent ahead")
}
