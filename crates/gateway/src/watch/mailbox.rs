//! What one watcher has not taken yet: bounded, and honest about what did not fit.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_core::event::JobEvent;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::limits::MAILBOX_EVENTS_MAX;

/// Events for one watcher.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    // Holds a permit if something came while nobody waited.
    came: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Arc<JobEvent>>,
    missed: bool,
}

/// What a watcher hears.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Something happened.
    Event(Arc<JobEvent>),
    /// Things happened that are not told here: ask the history.
    Missed,
}

impl Mailbox {
    /// Adds an event. If there is no room, everything goes: the history holds it.
    pub(super) fn put(&self, event: Arc<JobEvent>) {
        let mut state = self.state.lock();
        if state.events.len() >= MAILBOX_EVENTS_MAX {
            state.events.clear();
            state.missed = true;
        }
        // After a miss the history is read, which holds this one too.
        if !state.missed {
            state.events.push_back(event);
        }
        drop(state);
        self.came.notify_one();
    }

    /// Says that there was something to hear that nobody knows.
    pub(super) fn miss(&self) {
        let mut state = self.state.lock();
        state.events.clear();
        state.missed = true;
        drop(state);
        self.came.notify_one();
    }

    /// Waits for the next thing. For one watcher; safe to drop while waiting.
    pub(super) async fn next(&self) -> Heard {
        loop {
            if let Some(heard) = self.take() {
                return heard;
            }
            self.came.notified().await;
        }
    }

    fn take(&self) -> Option<Heard> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.missed) {
            return Some(Heard::Missed);
        }
        state.events.pop_front().map(Heard::Event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hub::tests::event;
    use super::*;

    #[tokio::test]
    async fn as_many_events_as_the_bound_are_kept() {
        let mailbox = Mailbox::default();
        for sequence in 1..=MAILBOX_EVENTS_MAX as u64 {
            mailbox.put(event(1, sequence));
        }
        for sequence in 1..=MAILBOX_EVENTS_MAX as u64 {
            assert_eq!(mailbox.next().await, Heard::Event(event(1, sequence)));
        }
        assert_eq!(mailbox.take(), None);
    }

    #[tokio::test]
    async fn one_event_more_is_one_declared_miss() {
        let mailbox = Mailbox::default();
        for sequence in 1..=MAILBOX_EVENTS_MAX as u64 + 2 {
            mailbox.put(event(1, sequence));
        }
        assert_eq!(mailbox.next().await, Heard::Missed);
        assert_eq!(mailbox.take(), None, "the history holds the rest");
        mailbox.put(event(1, 99));
        assert_eq!(mailbox.next().await, Heard::Event(event(1, 99)));
    }

    #[tokio::test]
    async fn a_waiting_watcher_is_woken() {
        let mailbox = Mailbox::default();
        let (heard, ()) = tokio::join!(mailbox.next(), async { mailbox.miss() });
        assert_eq!(heard, Heard::Missed);
    }
}
