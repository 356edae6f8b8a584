//! Events as they happen.

use std::sync::Arc;

use assay_core::event::JobEvent;
use assay_core::port::{EventItem, EventStream, Interest};
use assay_core::state::JobState;
use async_trait::async_trait;
use tokio::sync::broadcast::{self, Receiver, Sender, WeakSender, error::RecvError};

/// Where the writer tells of what was committed. Cancellations have their own channel: workers listen to
/// them always, and should not be slowed down by everything else.
pub(super) struct Announcer {
    all: Sender<Arc<JobEvent>>,
    cancellations: Sender<Arc<JobEvent>>,
}

/// Where listeners come from. Does not keep the channels open.
#[derive(Clone)]
pub(super) struct Listeners {
    all: WeakSender<Arc<JobEvent>>,
    cancellations: WeakSender<Arc<JobEvent>>,
}

impl Announcer {
    pub(super) fn new(lag_max: usize) -> (Self, Listeners) {
        let (all, _) = broadcast::channel(lag_max);
        let (cancellations, _) = broadcast::channel(lag_max);
        let listeners = Listeners {
            all: all.downgrade(),
            cancellations: cancellations.downgrade(),
        };
        (Self { all, cancellations }, listeners)
    }

    pub(super) fn announce(&self, events: Vec<JobEvent>) {
        for event in events {
            let stops = event.state == JobState::Cancelling;
            let listened = self.all.receiver_count() > 0;
            if !(stops || listened) {
                continue;
            }
            let event = Arc::new(event);
            // Nobody listening is not an error.
            if stops {
                drop(self.cancellations.send(Arc::clone(&event)));
            }
            if listened {
                drop(self.all.send(event));
            }
        }
    }
}

impl Listeners {
    pub(super) fn listen(&self, interest: Interest) -> Stream {
        let sender = match interest {
            Interest::All => &self.all,
            Interest::Cancellations => &self.cancellations,
        };
        Stream(sender.upgrade().map(|sender| sender.subscribe()))
    }
}

/// One listener; `None` when the store was closed before.
pub(super) struct Stream(Option<Receiver<Arc<JobEvent>>>);

#[async_trait]
impl EventStream for Stream {
    async fn next(&mut self) -> Option<EventItem> {
        match self.0.as_mut()?.recv().await {
            Ok(event) => Some(EventItem::Event(event)),
            Err(RecvError::Lagged(_)) => Some(EventItem::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}
