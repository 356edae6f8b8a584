//! Puts history and live events together by their sequence, which has no gaps. Pure.

use assay_core::event::EventId;

/// What a watcher has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    seen: Option<EventId>,
}

/// What an event is to a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// The next one; it counts as seen now.
    Next,
    /// Seen before.
    Old,
    /// Others are missing before it.
    Gap,
}

impl Merge {
    /// A watcher that has seen everything up to `seen`.
    pub(crate) fn behind(seen: Option<EventId>) -> Self {
        Self { seen }
    }

    /// The latest that was seen.
    pub(crate) fn seen(&self) -> Option<EventId> {
        self.seen
    }

    /// Whether this one was seen.
    pub(crate) fn has_seen(&self, id: EventId) -> bool {
        id.sequence <= self.sequence()
    }

    /// Says what to do with an event.
    pub(crate) fn offer(&mut self, id: EventId) -> Offer {
        if self.has_seen(id) {
            Offer::Old
        } else if id.sequence == self.sequence() + 1 {
            self.seen = Some(id);
            Offer::Next
        } else {
            Offer::Gap
        }
    }

    fn sequence(&self) -> u64 {
        self.seen.map_or(0, |id| id.sequence)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(sequence: u64) -> EventId {
        // A later attempt has another token; the order is that of the sequence.
        EventId {
            token: sequence / 3,
            sequence,
        }
    }

    #[test]
    fn events_are_next_old_or_behind_a_gap() {
        let mut merge = Merge::behind(Some(id(4)));
        assert_eq!(merge.offer(id(4)), Offer::Old);
        assert_eq!(merge.offer(id(6)), Offer::Gap);
        assert_eq!(merge.seen(), Some(id(4)), "a gap changes nothing");
        assert_eq!(merge.offer(id(5)), Offer::Next);
        assert_eq!(merge.offer(id(6)), Offer::Next);
        assert!(merge.has_seen(id(6)) && !merge.has_seen(id(7)));
        assert_eq!(Merge::behind(None).offer(id(1)), Offer::Next);
    }

    proptest! {
        /// A live feed that loses and repeats events, a history that is read at every gap, and a watcher
        /// that reconnects at random: each event is seen once, in order.
        #[test]
        fn every_event_is_seen_once(
            feed in prop::collection::vec((1_u64..=40, any::<bool>()), 0..200),
        ) {
            let mut merge = Merge::behind(None);
            let mut seen = Vec::new();
            let mut newest = 0;
            for (sequence, reconnects) in feed {
                newest = newest.max(sequence);
                if reconnects {
                    merge = Merge::behind(merge.seen());
                }
                match merge.offer(id(sequence)) {
                    Offer::Next => seen.push(sequence),
                    Offer::Old => {}
                    Offer::Gap => {
                        let from = merge.seen().map_or(0, |id| id.sequence);
                        for missed in from + 1..=newest {
                            prop_assert_eq!(merge.offer(id(missed)), Offer::Next);
                            seen.push(missed);
                        }
                    }
                }
            }
            prop_assert_eq!(seen, (1..=newest).collect::<Vec<_>>());
        }
    }
}
