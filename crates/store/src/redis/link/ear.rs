//! The connection that listens. Each channel is subscribed once, while anybody listens to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::LinkError;
use super::slot::pause;
use crate::metric_definitions::redis::{Connection, reconnected};
use crate::redis::config::RedisConfig;

/// Wishes to listen that wait to be granted.
const WISHES_MAX: usize = 64;
/// How often a silent connection is asked whether it still lives.
const PING_PERIOD: Duration = Duration::from_secs(5);

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// What was said on the channel.
    Message(Arc<[u8]>),
    /// The connection was lost and is back, or the listener was too slow: something may have been missed.
    Missed,
}

/// A listener of one channel.
#[derive(Debug)]
pub(crate) struct Subscription(broadcast::Receiver<Heard>);

impl Subscription {
    /// What is heard next; `None` after the link was closed. Safe to drop while waiting.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

struct Wish {
    channel: String,
    granted: oneshot::Sender<broadcast::Receiver<Heard>>,
}

/// Where subscriptions come from.
#[derive(Clone)]
pub(super) struct Ear {
    wishes: mpsc::Sender<Wish>,
    patience: Duration,
}

impl Ear {
    pub(super) fn start(
        client: redis::Client,
        config: &RedisConfig,
        lag_max: usize,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (wishes, receiver) = mpsc::channel(WISHES_MAX);
        let listener = Listener {
            client,
            wishes: receiver,
            channels: HashMap::new(),
            lag_max,
            patience: config.connect_timeout(),
        };
        tasks.spawn(listener.listen());
        Self {
            wishes,
            patience: config.connect_timeout() + config.response_timeout(),
        }
    }

    pub(super) async fn subscribe(&self, channel: &str) -> Result<Subscription, LinkError> {
        let (granted, receiver) = oneshot::channel();
        let wish = Wish {
            channel: channel.to_owned(),
            granted,
        };
        let closed = || LinkError::Unsent("it was closed".into());
        self.wishes.send(wish).await.map_err(|_| closed())?;
        match timeout(self.patience, receiver).await {
            Ok(granted) => granted.map(Subscription).map_err(|_| closed()),
            Err(_) => Err(LinkError::Unsent("it can't be listened to".into())),
        }
    }
}

struct Listener {
    client: redis::Client,
    wishes: mpsc::Receiver<Wish>,
    channels: HashMap<String, broadcast::Sender<Heard>>,
    lag_max: usize,
    patience: Duration,
}

/// Why listening on one connection ended.
enum End {
    Lost,
    Closed,
}

impl Listener {
    /// Listens until nobody can wish anything any more. The first wish makes the connection.
    async fn listen(mut self) {
        let Some(mut first) = self.wishes.recv().await.map(Some) else {
            return;
        };
        let mut failures = 0;
        loop {
            let dialled = timeout(self.patience, self.client.get_async_pubsub()).await;
            if let Ok(Ok(connection)) = dialled {
                let (sink, stream) = connection.split();
                match self
                    .listen_on(sink, stream, first.take(), &mut failures)
                    .await
                {
                    End::Lost => tracing::warn!("lost the connection that listens to Redis"),
                    End::Closed => return,
                }
            }
            tokio::time::sleep(pause(failures)).await;
            failures = failures.saturating_add(1);
        }
    }

    async fn listen_on(
        &mut self,
        mut sink: PubSubSink,
        mut stream: PubSubStream,
        first: Option<Wish>,
        failures: &mut u32,
    ) -> End {
        self.channels
            .retain(|_, listeners| listeners.receiver_count() > 0);
        let channels: Vec<_> = self.channels.keys().cloned().collect();
        if !channels.is_empty() {
            let subscribed = timeout(self.patience, sink.subscribe(channels)).await;
            if !matches!(subscribed, Ok(Ok(()))) {
                return End::Lost;
            }
            reconnected(Connection::Events);
        }
        *failures = 0;
        // Only now: what is asked for from here on is not missed again.
        for listeners in self.channels.values() {
            tell(listeners, Heard::Missed);
        }
        if let Some(wish) = first
            && !self.grant(&mut sink, wish).await
        {
            return End::Lost;
        }
        loop {
            tokio::select! {
                message = stream.next() => {
                    let Some(message) = message else { return End::Lost };
                    self.pass_on(&mut sink, &message).await;
                }
                wish = self.wishes.recv() => {
                    let Some(wish) = wish else { return End::Closed };
                    if !self.grant(&mut sink, wish).await {
                        return End::Lost;
                    }
                }
                () = tokio::time::sleep(PING_PERIOD) => {
                    let pong = timeout(self.patience, sink.ping::<redis::Value>()).await;
                    if !matches!(pong, Ok(Ok(_))) {
                        return End::Lost;
                    }
                }
            }
        }
    }

    /// Subscribes to the channel of a wish; `false` when the connection is lost.
    async fn grant(&mut self, sink: &mut PubSubSink, wish: Wish) -> bool {
        let Wish { channel, granted } = wish;
        let known = self.channels.contains_key(&channel);
        let listeners = self
            .channels
            .entry(channel.clone())
            .or_insert_with(|| broadcast::channel(self.lag_max).0);
        let receiver = listeners.subscribe();
        let subscribed = known
            || matches!(
                timeout(self.patience, sink.subscribe(&channel)).await,
                Ok(Ok(()))
            );
        if subscribed {
            // Whoever gave up waiting does not listen.
            drop(granted.send(receiver));
        }
        subscribed
    }

    async fn pass_on(&mut self, sink: &mut PubSubSink, message: &redis::Msg) {
        let channel = message.get_channel_name();
        let Some(listeners) = self.channels.get(channel) else {
            return;
        };
        if listeners.receiver_count() == 0 {
            // Nobody listens any more. If this fails, the connection ends and the channel is not taken along.
            self.channels.remove(channel);
            drop(timeout(self.patience, sink.unsubscribe(channel)).await);
            return;
        }
        tell(
            listeners,
            Heard::Message(message.get_payload_bytes().into()),
        );
    }
}

fn tell(listeners: &broadcast::Sender<Heard>, heard: Heard) {
    // Nobody listening is not an error.
    drop(listeners.send(heard));
}
