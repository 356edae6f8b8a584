//! Hears when a kind's streams get an entry.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinSet;

use super::streams::KindStreams;
use crate::redis::link::{Link, LinkError, Subscription};

/// What is heard of one kind, from the first time that somebody wants to know.
pub(super) struct News {
    /// Counts what was heard.
    heard: Arc<watch::Sender<u64>>,
    listening: OnceCell<()>,
    listeners: Mutex<JoinSet<()>>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            heard: Arc::new(watch::Sender::new(0)),
            listening: OnceCell::new(),
            listeners: Mutex::default(),
        }
    }
}

impl News {
    /// Listens to every group; what comes from now on is heard.
    pub(super) async fn listen(
        &self,
        link: &Link,
        groups: &[Arc<KindStreams>],
    ) -> Result<watch::Receiver<u64>, LinkError> {
        let receiver = self.heard.subscribe();
        self.listening
            .get_or_try_init(|| self.start(link, groups))
            .await?;
        Ok(receiver)
    }

    async fn start(&self, link: &Link, groups: &[Arc<KindStreams>]) -> Result<(), LinkError> {
        let mut subscriptions = Vec::with_capacity(groups.len());
        for streams in groups {
            subscriptions.push(link.subscribe(&streams.ready).await?);
        }
        let mut listeners = self.listeners.lock();
        for subscription in subscriptions {
            listeners.spawn(hear(subscription, Arc::clone(&self.heard)));
        }
        Ok(())
    }
}

/// Counts until the link is closed. That something may have been missed is news, too.
async fn hear(mut subscription: Subscription, heard: Arc<watch::Sender<u64>>) {
    while subscription.next().await.is_some() {
        heard.send_modify(|count| *count = count.wrapping_add(1));
    }
}
