//! Keeps one connection: makes it, watches it, makes the next.

use std::sync::Arc;
use std::time::Duration;

use assay_tls::Roots;
use futures::StreamExt as _;
use lapin::{ConnectionProperties, Event};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::address::Address;
use super::backoff;
use super::config::RabbitConfig;
use super::dial::{dial, why};
use super::link::{Link, Live, Role};
use crate::metric_definitions as metrics;

/// How often a connection is looked at that says nothing.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// A connection that lived so long was a good one: the next is tried at once.
const GOOD_AFTER: Duration = Duration::from_secs(5);
/// How long the broker may take to say good-bye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Who keeps the connection of a role.
pub(super) struct Supervisor {
    pub(super) role: Role,
    pub(super) link: Link,
    pub(super) addresses: Vec<Address>,
    /// Who is trusted to be one of them; `None` where what is sent is not encrypted.
    pub(super) roots: Option<Roots>,
    pub(super) config: RabbitConfig,
    pub(super) stop: watch::Receiver<bool>,
}

impl Supervisor {
    /// Ends when it is told to, or when who told is gone.
    pub(super) async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = self.link.wanted() => {}
        }
        let (mut tries, mut connected_before) = (0, false);
        for address in self.addresses.clone().into_iter().cycle() {
            let made = tokio::select! {
                () = stopped(&mut stop) => return,
                made = self.connect(&address) => made,
            };
            match made {
                Ok(live) => {
                    metrics::connected(self.role, connected_before);
                    connected_before = true;
                    let since = Instant::now();
                    if self.keep(&live, &address).await {
                        return;
                    }
                    tries = if since.elapsed() >= GOOD_AFTER {
                        0
                    } else {
                        tries + 1
                    };
                }
                Err(why) => {
                    self.link.set_down(&format!("connect to {address}: {why}"));
                    tracing::warn!(broker = %address, role = ?self.role, "could not connect to the broker {address}: {why}");
                    tries += 1;
                }
            }
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                () = tokio::time::sleep(backoff::wait(tries, rand::random())) => {}
            }
        }
    }

    /// Makes one connection.
    pub(super) async fn connect(&self, address: &Address) -> Result<Arc<Live>, String> {
        let limit = self.config.connect_timeout();
        let properties = ConnectionProperties::default()
            .with_client_property("product".into(), "assay".into())
            .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
            .with_connection_name(format!("assay {:?}", self.role).into());
        let uri = address.uri(self.config.heartbeat_s());
        let roots = self.roots.as_ref();
        match timeout(limit, dial(uri, properties, roots, limit)).await {
            Ok(Ok(connection)) => Ok(Arc::new(Live::new(
                connection,
                self.config.answer_timeout(),
            ))),
            Ok(Err(error)) => Err(why(&error, roots.is_some())),
            Err(_) => Err(format!("no answer for {} ms", limit.as_millis())),
        }
    }

    /// Shows a connection until it is lost; whether it was ended on purpose.
    async fn keep(&mut self, live: &Arc<Live>, address: &Address) -> bool {
        let events = live.connection.events_listener();
        self.link
            .set_up(Arc::clone(live), live.connection.status().blocked());
        let role = self.role;
        let encrypted = self.roots.is_some();
        tracing::info!(broker = %address, ?role, encrypted, "connected to the broker {address} to {role:?}");
        let (why, on_purpose) = self.watch(live, events).await;
        self.link.set_down(&why);
        metrics::disconnected(role);
        if on_purpose {
            tracing::debug!(?role, "left the broker {address}");
        } else {
            tracing::warn!(broker = %address, ?role, "lost the broker {address}: {why}");
        }
        let goodbye = live.connection.close(200, "good-bye".into());
        // Whoever used it is told by its end, whether the broker says good-bye or not.
        drop(timeout(GOODBYE, goodbye).await);
        on_purpose
    }

    /// Watches a connection until it is lost; why, and whether it was ended on purpose.
    async fn watch(
        &mut self,
        live: &Live,
        events: impl futures::Stream<Item = Event> + Send,
    ) -> (String, bool) {
        let mut events = std::pin::pin!(events);
        let mut said = None;
        loop {
            tokio::select! {
                () = stopped(&mut self.stop) => return ("the queue was closed".into(), true),
                event = events.next() => match event {
                    Some(Event::Error(error)) => said = Some(error.to_string()),
                    Some(_) => {}
                    None => return ("it ended".into(), false),
                },
                () = live.suspected.notified() => {}
                () = tokio::time::sleep(LOOK_PERIOD) => {}
            }
            if live.is_condemned() {
                return ("an answer is overdue".into(), false);
            }
            // Errors of a single channel are told here, too.
            if !live.is_up() {
                return (said.unwrap_or_else(|| "it was closed".into()), false);
            }
            self.show_blocked(live.connection.status().blocked());
        }
    }

    fn show_blocked(&self, blocked: bool) {
        if !self.link.set_blocked(blocked) {
            return;
        }
        metrics::blocked(self.role, blocked);
        if blocked {
            tracing::warn!("the broker takes nothing in: it has no memory or disk left (alarm)");
        } else {
            tracing::info!("the broker takes envelopes in again");
        }
    }
}

/// Waits until the queue is closed. One that is gone is closed.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
