//! What one watcher has not taken yet: bounded, and honest about what did not fit.
//!
//! A mailbox also knows since when its watcher has taken nothing. Flow control keeps a stream from being asked for more
//! while its client takes nothing, so the stream itself cannot find out; the hub looks from outside.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use assay_core::event::JobEvent;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

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
    turn: Turn,
    // Its watcher has lost its place.
    cut: bool,
}

/// For whom the other side waits.
#[derive(Clone, Copy, Debug, Default)]
enum Turn {
    /// The watcher waits for this server.
    #[default]
    Ours,
    /// Nobody waits: nothing has happened that the watcher has not taken.
    Quiet,
    /// There has been something for the watcher to take since then.
    Theirs(Instant),
}

/// What a watcher hears.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Something happened.
    Event(Arc<JobEvent>),
    /// Things happened that are not told here: ask the history.
    Missed,
    /// Nothing more: the watcher took nothing for too long.
    Cut,
}

impl Mailbox {
    /// Adds an event. If there is no room, everything goes: the history holds it.
    pub(super) fn put(&self, event: Arc<JobEvent>, now: Instant) {
        let mut state = self.state.lock();
        state.came(now);
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
    pub(super) fn miss(&self, now: Instant) {
        let mut state = self.state.lock();
        state.came(now);
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
        state.turn = Turn::Ours;
        if state.cut {
            return Some(Heard::Cut);
        }
        if std::mem::take(&mut state.missed) {
            return Some(Heard::Missed);
        }
        let event = state.events.pop_front().map(Heard::Event);
        if event.is_none() {
            state.turn = Turn::Quiet;
        }
        event
    }

    /// The watcher asks for what is next.
    pub(super) fn asked(&self) {
        self.state.lock().turn = Turn::Ours;
    }

    /// The watcher was handed something, and has not asked for more yet.
    pub(super) fn handed(&self, now: Instant) {
        self.state.lock().turn = Turn::Theirs(now);
    }

    /// Whether the watcher has taken nothing for longer than `limit`.
    pub(super) fn is_stuck(&self, limit: Duration, now: Instant) -> bool {
        match self.state.lock().turn {
            Turn::Theirs(since) => now.saturating_duration_since(since) > limit,
            Turn::Ours | Turn::Quiet => false,
        }
    }

    /// Takes the watcher's place away.
    pub(super) fn cut(&self) {
        let mut state = self.state.lock();
        state.events.clear();
        state.cut = true;
        drop(state);
        self.came.notify_one();
    }
}

impl State {
    fn came(&mut self, now: Instant) {
        if matches!(self.turn, Turn::Quiet) {
            self.turn = Turn::Theirs(now);
        }
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
            mailbox.put(event(1, sequence), Instant::now());
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
            mailbox.put(event(1, sequence), Instant::now());
        }
        assert_eq!(mailbox.next().await, Heard::Missed);
        assert_eq!(mailbox.take(), None, "the history holds the rest");
        mailbox.put(event(1, 99), Instant::now());
        assert_eq!(mailbox.next().await, Heard::Event(event(1, 99)));
    }

    #[tokio::test]
    async fn a_waiting_watcher_is_woken() {
        let mailbox = Mailbox::default();
        let (heard, ()) = tokio::join!(mailbox.next(), async { mailbox.miss(Instant::now()) });
        assert_eq!(heard, Heard::Missed);
    }

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_watcher_that_was_handed_something_must_ask_for_more() {
        let (mailbox, now) = (Mailbox::default(), Instant::now());
        let beyond = LIMIT + Duration::from_nanos(1);
        assert!(!mailbox.is_stuck(LIMIT, now + beyond), "we are at work");
        mailbox.handed(now);
        assert!(!mailbox.is_stuck(LIMIT, now + LIMIT));
        assert!(mailbox.is_stuck(LIMIT, now + beyond));
        mailbox.asked();
        assert!(!mailbox.is_stuck(LIMIT, now + beyond));
    }

    #[tokio::test]
    async fn one_that_nothing_happens_for_may_wait_for_ever() {
        let (mailbox, now) = (Mailbox::default(), Instant::now());
        let mut next = Box::pin(mailbox.next());
        assert!(futures::poll!(next.as_mut()).is_pending());
        assert!(!mailbox.is_stuck(LIMIT, now + 100 * LIMIT));
        // Something happens, and nobody comes for it.
        mailbox.put(event(1, 1), now);
        mailbox.put(event(1, 2), now + LIMIT);
        assert!(!mailbox.is_stuck(LIMIT, now + LIMIT));
        assert!(mailbox.is_stuck(LIMIT, now + 2 * LIMIT));
        assert_eq!(next.await, Heard::Event(event(1, 1)));
        assert!(!mailbox.is_stuck(LIMIT, now + 2 * LIMIT), "it was taken");
    }

    #[tokio::test]
    async fn one_that_lost_its_place_hears_so_and_nothing_else() {
        let mailbox = Mailbox::default();
        mailbox.put(event(1, 1), Instant::now());
        mailbox.cut();
        mailbox.put(event(1, 2), Instant::now());
        assert_eq!(mailbox.next().await, Heard::Cut);
        assert_eq!(mailbox.next().await, Heard::Cut);
    }
}
