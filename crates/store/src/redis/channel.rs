//! Events as they happen, from whichever process made them.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_core::event::JobEvent;
use assay_core::port::{EventItem, EventStream, Interest};
use assay_core::state::JobState;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{BoxStream, SelectAll};

use super::keys::Keys;
use super::link::{Heard, Link, LinkError};

/// One listener to the events of all groups.
pub(super) struct Events {
    heard: SelectAll<BoxStream<'static, Heard>>,
    interest: Interest,
    /// Came together, not yet told.
    waiting: VecDeque<EventItem>,
}

impl Events {
    /// Listens from now on.
    pub(super) async fn listen(
        link: &Link,
        keys: &Keys,
        interest: Interest,
    ) -> Result<Self, LinkError> {
        let mut heard = SelectAll::new();
        for group in keys.groups() {
            let channel = match interest {
                Interest::All => &group.events,
                Interest::Cancellations => &group.stops,
            };
            let subscription = link.subscribe(channel).await?;
            let stream = futures::stream::unfold(subscription, async |mut subscription| {
                let heard = subscription.next().await?;
                Some((heard, subscription))
            });
            heard.push(stream.boxed());
        }
        Ok(Self {
            heard,
            interest,
            waiting: VecDeque::new(),
        })
    }

    fn take_in(&mut self, heard: &Heard) {
        let message = match heard {
            Heard::Message(message) => message,
            Heard::Missed => return self.waiting.push_back(EventItem::Missed),
        };
        let mut rest: &[u8] = message;
        while !rest.is_empty() {
            let Ok(event) = rmp_serde::from_read::<_, JobEvent>(&mut rest) else {
                // Of a later version, perhaps: the history tells what this code can read.
                return self.waiting.push_back(EventItem::Missed);
            };
            if self.interest == Interest::All || event.state == JobState::Cancelling {
                self.waiting.push_back(EventItem::Event(Arc::new(event)));
            }
        }
    }
}

#[async_trait]
impl EventStream for Events {
    async fn next(&mut self) -> Option<EventItem> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Some(item);
            }
            let heard = self.heard.next().await?;
            self.take_in(&heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_core::event::EventId;
    use assay_core::id::{JobId, Tenant};

    use super::*;
    use crate::form::encode_into;

    fn event(sequence: u64, state: JobState) -> JobEvent {
        JobEvent {
            tenant: Tenant::default(),
            job_id: JobId::from_bytes([1; 16]),
            id: EventId { token: 0, sequence },
            at_ms: 1,
            state,
            attempt: 1,
            percent: 12.5,
            step: Some("decode".into()),
            eta_ms: None,
            message: "on it".into(),
        }
    }

    fn listener(interest: Interest) -> Events {
        Events {
            heard: SelectAll::new(),
            interest,
            waiting: VecDeque::new(),
        }
    }

    #[test]
    fn a_message_holds_any_number_of_events() {
        let events = [event(1, JobState::Running), event(2, JobState::Cancelling)];
        let mut message = Vec::new();
        events
            .iter()
            .for_each(|event| encode_into(&mut message, event));
        let heard = Heard::Message(message.into());
        let items = events.map(|event| EventItem::Event(Arc::new(event)));
        let mut all = listener(Interest::All);
        all.take_in(&heard);
        assert_eq!(all.waiting, items);
        let mut stops = listener(Interest::Cancellations);
        stops.take_in(&heard);
        assert_eq!(stops.waiting, &items[1..]);
    }

    #[test]
    fn what_cannot_be_read_was_missed() {
        let mut all = listener(Interest::All);
        all.take_in(&Heard::Message([0xc1][..].into()));
        all.take_in(&Heard::Missed);
        assert_eq!(all.waiting, [EventItem::Missed, EventItem::Missed]);
    }
}
