//! One connection to the broker, made again and again.
//!
//! Nothing recovers by itself: who uses a connection that is lost hears of it, and begins again on the next. Every
//! answer of the broker has a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assay_core::port::QueueError;
use lapin::{Channel, Connection};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::topology::Declared;

/// What a process may use a connection for. A broker that runs out of room stops reading from whoever publishes,
/// so acknowledgements need a connection of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Publish,
    Consume,
}

/// A connection as it is now.
#[derive(Clone)]
pub(super) struct LinkState {
    pub(super) live: Option<Arc<Live>>,
    /// The broker takes nothing in for want of memory or disk.
    pub(super) blocked: bool,
    /// Why there is none.
    pub(super) why: Arc<str>,
}

/// The way to the connection of a role.
#[derive(Clone)]
pub(super) struct Link {
    state: Arc<watch::Sender<LinkState>>,
    wanted: Arc<Notify>,
}

/// A connection that was made.
pub(super) struct Live {
    pub(super) connection: Connection,
    pub(super) declared: Declared,
    answer_timeout: Duration,
    /// Of no more use, although it may look well.
    condemned: AtomicBool,
    /// Told when somebody has reason to think that it is lost.
    pub(super) suspected: Notify,
}

impl Link {
    pub(super) fn new() -> Self {
        let state = LinkState {
            live: None,
            blocked: false,
            why: "not connected yet".into(),
        };
        Self {
            state: Arc::new(watch::Sender::new(state)),
            wanted: Arc::new(Notify::new()),
        }
    }

    /// The connection, if there is one that takes everything.
    pub(super) fn now(&self) -> Result<Arc<Live>, QueueError> {
        let state = self.state.borrow();
        match &state.live {
            Some(_) if state.blocked => Err(QueueError::Unavailable {
                why: "the broker takes nothing in: it has no memory or disk left (alarm)".into(),
            }),
            Some(live) => Ok(Arc::clone(live)),
            None => Err(down(&state)),
        }
    }

    /// The connection; waits a while for one to be made.
    pub(super) async fn live(&self, patience: Duration) -> Result<Arc<Live>, QueueError> {
        self.wanted.notify_one();
        let mut states = self.state.subscribe();
        let made = timeout(patience, states.wait_for(|state| state.live.is_some())).await;
        match made {
            Ok(Ok(state)) => state.live.clone().ok_or_else(|| down(&state)),
            Ok(Err(_)) | Err(_) => Err(down(&self.state.borrow())),
        }
    }

    /// Every change from now on.
    pub(super) fn watch(&self) -> watch::Receiver<LinkState> {
        self.wanted.notify_one();
        self.state.subscribe()
    }

    /// Waits until somebody wants the connection.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.state.borrow().blocked
    }

    pub(super) fn set_up(&self, live: Arc<Live>, blocked: bool) {
        self.state.send_modify(|state| {
            state.live = Some(live);
            state.blocked = blocked;
        });
    }

    pub(super) fn set_blocked(&self, blocked: bool) -> bool {
        self.state.send_if_modified(|state| {
            let changed = state.blocked != blocked;
            state.blocked = blocked;
            changed
        })
    }

    pub(super) fn set_down(&self, why: &str) {
        self.state.send_modify(|state| {
            state.live = None;
            state.blocked = false;
            state.why = why.into();
        });
    }
}

fn down(state: &LinkState) -> QueueError {
    QueueError::Unavailable {
        why: state.why.to_string(),
    }
}

impl Live {
    pub(super) fn new(connection: Connection, answer_timeout: Duration) -> Self {
        Self {
            connection,
            declared: Declared::default(),
            answer_timeout,
            condemned: AtomicBool::new(false),
            suspected: Notify::new(),
        }
    }

    /// Ends it: the broker owes an answer for too long.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, Ordering::Release);
        self.suspected.notify_one();
    }

    pub(super) fn is_condemned(&self) -> bool {
        self.condemned.load(Ordering::Acquire)
    }

    pub(super) fn is_up(&self) -> bool {
        !self.is_condemned() && self.connection.status().connected()
    }

    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        self.answered("open a channel", self.connection.create_channel())
            .await
    }

    /// Waits for an answer of the broker.
    pub(super) async fn answered<T>(
        &self,
        what: &'static str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, QueueError> {
        let answered = self.asked(what, answer).await?;
        answered.map_err(|error| unavailable(what, &error))
    }

    /// The same, for who looks at what the broker says against it.
    pub(super) async fn asked<T>(
        &self,
        what: &'static str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<lapin::Result<T>, QueueError> {
        let answered = timeout(self.answer_timeout, answer).await;
        if !matches!(answered, Ok(Ok(_))) {
            self.suspected.notify_one();
        }
        answered.map_err(|_| QueueError::Unavailable {
            why: format!(
                "{what}: no answer for {} ms",
                self.answer_timeout.as_millis()
            ),
        })
    }
}

pub(super) fn unavailable(what: &str, error: &lapin::Error) -> QueueError {
    QueueError::Unavailable {
        why: format!("{what}: {error}"),
    }
}
