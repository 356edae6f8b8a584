//! Against a broker: each publish gets its own answer.

use assay_core::id::JobId;
use assay_test_support::rabbit::Prefix;
use assay_test_support::wait::{WAIT_MAX, within};
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::*;
use crate::rabbit::config::RabbitConfig;
use crate::rabbit::link::Role;
use crate::rabbit::supervisor::Supervisor;

const FREE: &str = "free";
const FULL: &str = "full";
const NOWHERE: &str = "nowhere";

/// One channel's owner, and a broker that has room behind one key, none behind another, and no queue behind a third.
struct World {
    exchange: ShortString,
    orders: mpsc::Sender<Order>,
    _stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl World {
    async fn new() -> Self {
        let Prefix { url, name } = Prefix::take();
        let config = RabbitConfig {
            url,
            prefix: name.clone(),
            ..RabbitConfig::default()
        };
        let (link, stop, mut tasks) = (Link::new(), watch::Sender::new(false), JoinSet::new());
        let supervisor = Supervisor {
            role: Role::Publish,
            link: link.clone(),
            addresses: config.addresses().unwrap(),
            roots: None,
            config: config.clone(),
            stop: stop.subscribe(),
        };
        tasks.spawn(supervisor.run());
        let (orders, receiver) = mpsc::channel(WINDOW);
        let owner = ChannelOwner {
            orders: receiver,
            link: link.clone(),
            confirm_timeout: config.confirm_timeout(),
        };
        tasks.spawn(owner.run());
        let exchange = ShortString::from(format!("{name}.exchange"));
        let world = Self {
            exchange: exchange.clone(),
            orders,
            _stop: stop,
            _tasks: tasks,
        };
        let channel = link.live(WAIT_MAX).await.unwrap().channel().await.unwrap();
        let (kind, options) = (ExchangeKind::Direct, ExchangeDeclareOptions::default());
        let declared =
            channel.exchange_declare(exchange.clone(), kind, options, FieldTable::default());
        declared.await.unwrap();
        for (key, length_max) in [(FREE, 1_000_000), (FULL, 1)] {
            let queue = ShortString::from(format!("{name}.{key}"));
            let mut arguments = FieldTable::default();
            arguments.insert(
                "x-queue-type".into(),
                AMQPValue::LongString("quorum".into()),
            );
            arguments.insert(
                "x-overflow".into(),
                AMQPValue::LongString("reject-publish".into()),
            );
            arguments.insert("x-max-length".into(), AMQPValue::LongInt(length_max));
            let durable = QueueDeclareOptions::durable();
            channel
                .queue_declare(queue.clone(), durable, arguments)
                .await
                .unwrap();
            let options = QueueBindOptions::default();
            let bound = channel.queue_bind(
                queue,
                exchange.clone(),
                key.into(),
                options,
                FieldTable::default(),
            );
            bound.await.unwrap();
        }
        world
    }

    async fn publish(&self, key: &str, number: u64) -> Answered {
        self.publish_as(key, MessageId::Envelope(JobId::from_bytes([7; 16]), number))
            .await
    }

    async fn publish_as(&self, key: &str, id: MessageId) -> Answered {
        let (done, answer) = oneshot::channel();
        let order = Order {
            exchange: self.exchange.clone(),
            key: key.into(),
            id,
            marks: Marks::default(),
            body: Bytes::from_static(b"body"),
            done,
        };
        assert!(self.orders.send(order).await.is_ok());
        within("a publish is answered", answer).await.unwrap()
    }

    /// Fills the queue that holds little: it takes some more than it should before it says no.
    async fn fill(&self) {
        for number in 0..1_000 {
            if self.publish(FULL, number).await == Err(Refusal::Nacked) {
                return;
            }
        }
        panic!("the queue is never full");
    }
}

/// A window full of publishes whose fates differ, from four threads, answered one by one and many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_publish_gets_its_own_answer() {
    let world = Arc::new(World::new().await);
    world.fill().await;
    let mut publishes = JoinSet::new();
    for number in 0..4 * WINDOW as u64 {
        let world = Arc::clone(&world);
        let (key, expected) = match number % 5 {
            0 | 3 => (FREE, Ok(())),
            1 | 4 => (NOWHERE, Err(Refusal::Returned)),
            _ => (FULL, Err(Refusal::Nacked)),
        };
        publishes.spawn(async move {
            let answered = world.publish(key, 10_000 + number).await;
            assert_eq!(answered, expected, "publish {number} to {key}");
        });
    }
    while let Some(published) = publishes.join_next().await {
        published.unwrap();
    }
}

/// A few that come back among many that do not, and the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_back_is_never_taken_for_another() {
    let world = Arc::new(World::new().await);
    for rare in [FREE, NOWHERE] {
        let mut publishes = JoinSet::new();
        for number in 0..2 * WINDOW as u64 {
            let world = Arc::clone(&world);
            let free = (number % 17 == 0) == (rare == FREE);
            let (key, expected) =
                [(NOWHERE, Err(Refusal::Returned)), (FREE, Ok(()))][usize::from(free)];
            publishes.spawn(async move {
                assert_eq!(world.publish(key, number).await, expected);
            });
        }
        while let Some(published) = publishes.join_next().await {
            published.unwrap();
        }
    }
}

#[tokio::test]
async fn the_same_message_twice_at_once_is_answered_twice() {
    let world = World::new().await;
    let id = MessageId::Unreadable(1);
    let (here, gone) = futures::join!(world.publish_as(FREE, id), world.publish_as(NOWHERE, id));
    assert_eq!((here, gone), (Ok(()), Err(Refusal::Returned)));
}
