//! Who waits for which publish of a channel, and until when. Pure.
//!
//! While a broker takes nothing in, those who wait are soon told that it is not known what became of theirs, and the
//! broker may still answer: it is not left for that. Once it takes something in again it owes those answers like any
//! other. Without that, one that never comes would keep its message from being sent again on this channel, and all that
//! is ordered behind it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long an answer may take that the broker owes while it takes nothing in.
const BLOCKED_PATIENCE: Duration = Duration::from_secs(2);

/// The publishes of one channel that are not answered. `W` is who waits.
#[derive(Debug)]
pub(super) struct Waiting<W> {
    patience: Duration,
    /// By number; the oldest has the least. Nobody waits any longer where there is no `W`.
    publishes: BTreeMap<u64, (Option<W>, Instant)>,
    is_blocked: bool,
    /// When the broker last began to take something in again.
    freed_at: Option<Instant>,
}

impl<W> Waiting<W> {
    /// None yet; an answer may take so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            patience,
            publishes: BTreeMap::new(),
            is_blocked: false,
            freed_at: None,
        }
    }

    /// Notes whether the broker takes something in.
    pub(super) fn note(&mut self, is_blocked: bool, now: Instant) {
        if self.is_blocked && !is_blocked {
            self.freed_at = Some(now);
        }
        self.is_blocked = is_blocked;
    }

    /// One more was published.
    pub(super) fn sent(&mut self, number: u64, who: W, now: Instant) {
        self.publishes.insert(number, (Some(who), now));
    }

    /// Its answer came. Who waits for it, if anybody still does, and since when.
    pub(super) fn answered(&mut self, number: u64) -> Option<(W, Instant)> {
        let (who, since) = self.publishes.remove(&number)?;
        Some((who?, since))
    }

    /// When the next is overdue, if no answer comes.
    pub(super) fn overdue_at(&self) -> Option<Instant> {
        if self.is_blocked {
            let waited_for = |(who, since): &(Option<W>, Instant)| who.is_some().then_some(*since);
            let since = self.publishes.values().find_map(waited_for)?;
            return Some(since + self.patience.min(BLOCKED_PATIENCE));
        }
        let (_, since) = self.publishes.values().next()?;
        Some(self.owed_since(*since) + self.patience)
    }

    /// Those who need not wait any longer.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<W> {
        let mut given_up = Vec::new();
        while self.overdue_at().is_some_and(|at| at <= now) {
            if self.is_blocked {
                let next = self.publishes.values_mut().find_map(|(who, _)| who.take());
                given_up.extend(next);
            } else {
                let next = self.publishes.pop_first();
                given_up.extend(next.and_then(|(_, (who, _))| who));
            }
        }
        given_up
    }

    /// Since when the broker could have answered what was sent then.
    fn owed_since(&self, sent_at: Instant) -> Instant {
        self.freed_at.map_or(sent_at, |at| at.max(sent_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Two publishes, the second a second later.
    fn two() -> (Waiting<&'static str>, Instant) {
        let (mut waiting, start) = (Waiting::new(PATIENCE), Instant::now());
        waiting.sent(0, "first", start);
        waiting.sent(1, "second", start + 1_000 * MS);
        (waiting, start)
    }

    #[test]
    fn each_has_its_time() {
        let (mut waiting, start) = two();
        assert_eq!(waiting.overdue_at(), Some(start + PATIENCE));
        assert!(waiting.give_up(start + PATIENCE - MS).is_empty());
        assert_eq!(waiting.give_up(start + PATIENCE), ["first"]);
        let since = start + 1_000 * MS;
        assert_eq!(waiting.overdue_at(), Some(since + PATIENCE));
        assert_eq!(waiting.answered(0), None);
        assert_eq!(waiting.answered(1), Some(("second", since)));
        assert_eq!(waiting.overdue_at(), None);
    }

    #[test]
    fn nobody_waits_long_for_a_broker_that_takes_nothing_in() {
        let (mut waiting, start) = two();
        waiting.note(true, start);
        assert_eq!(waiting.overdue_at(), Some(start + BLOCKED_PATIENCE));
        assert!(waiting.give_up(start + BLOCKED_PATIENCE - MS).is_empty());
        assert_eq!(waiting.give_up(start + BLOCKED_PATIENCE), ["first"]);
        assert_eq!(waiting.give_up(start + PATIENCE), ["second"]);
        assert_eq!(waiting.overdue_at(), None, "it may stay so for long");
    }

    #[test]
    fn what_nobody_waits_for_is_owed_again_when_the_broker_takes_something_in() {
        let (mut waiting, start) = two();
        waiting.note(true, start);
        assert_eq!(waiting.give_up(start + PATIENCE), ["first", "second"]);
        let freed_at = start + 100 * PATIENCE;
        waiting.note(false, freed_at);
        assert_eq!(waiting.overdue_at(), Some(freed_at + PATIENCE));
        assert_eq!(waiting.answered(0), None, "nobody is told");
        waiting.note(false, freed_at + MS);
        assert_eq!(waiting.overdue_at(), Some(freed_at + PATIENCE));
        assert!(waiting.give_up(freed_at + PATIENCE).is_empty());
        assert_eq!(waiting.overdue_at(), None);
    }
}
