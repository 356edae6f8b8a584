//! Which deliveries of a channel one frame may acknowledge. Pure.
//!
//! A frame may name a tag and mean every delivery up to it. That is only safe where each of them was seen and is settled:
//! deliveries of several consumers share the tags of their channel and may be seen out of order, so a tag that was
//! not seen yet stands for an envelope that nobody has worked on.

use std::collections::VecDeque;

/// The deliveries of one channel from the first that is not settled.
#[derive(Debug, Default)]
pub(super) struct AckWindow {
    /// The tags up to this one are settled; the first of a channel is 1.
    settled_to: u64,
    /// What is known of those behind it.
    tags: VecDeque<Tag>,
    /// Acknowledged, and the broker is to be told.
    to_tell: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Unseen,
    Held,
    Settled,
}

/// What to tell the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ack {
    One(u64),
    UpTo(u64),
}

impl AckWindow {
    /// A delivery came.
    pub(super) fn seen(&mut self, tag: u64) {
        self.set(tag, Tag::Held);
    }

    /// A delivery is done with; the broker hears it with the next [`AckWindow::frames`].
    pub(super) fn acked(&mut self, tag: u64) {
        self.set(tag, Tag::Settled);
        self.to_tell.push(tag);
    }

    /// The broker was told of a delivery by other means.
    pub(super) fn given_back(&mut self, tag: u64) {
        self.set(tag, Tag::Settled);
    }

    /// How many were acknowledged since the broker was last told.
    pub(super) fn untold(&self) -> usize {
        self.to_tell.len()
    }

    /// The fewest frames that tell what was acknowledged since the last call.
    pub(super) fn frames(&mut self) -> Vec<Ack> {
        while self.tags.front() == Some(&Tag::Settled) {
            self.tags.pop_front();
            self.settled_to += 1;
        }
        let mut tags = std::mem::take(&mut self.to_tell);
        tags.sort_unstable();
        let covered = tags.partition_point(|tag| *tag <= self.settled_to);
        let (below, above) = tags.split_at(covered);
        let first = below.last().map(|last| match below {
            [only] => Ack::One(*only),
            _ => Ack::UpTo(*last),
        });
        first
            .into_iter()
            .chain(above.iter().map(|tag| Ack::One(*tag)))
            .collect()
    }

    fn set(&mut self, tag: u64, is: Tag) {
        let Some(behind) = tag.checked_sub(self.settled_to + 1) else {
            return;
        };
        let place = usize::try_from(behind).unwrap_or(usize::MAX);
        if place >= self.tags.len() {
            self.tags.resize(place + 1, Tag::Unseen);
        }
        self.tags[place] = is;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lies_together_is_told_at_once() {
        let mut window = AckWindow::default();
        (1..=5).for_each(|tag| window.seen(tag));
        for tag in [2, 1, 3] {
            window.acked(tag);
        }
        assert_eq!(window.frames(), [Ack::UpTo(3)]);
        window.acked(5);
        assert_eq!(window.frames(), [Ack::One(5)]);
        window.acked(4);
        assert_eq!(window.frames(), [Ack::One(4)]);
        assert_eq!(window.frames(), []);
    }

    #[test]
    fn a_delivery_that_was_not_seen_yet_is_not_acknowledged_with_others() {
        let mut window = AckWindow::default();
        for tag in [1, 3, 4] {
            window.seen(tag);
            window.acked(tag);
        }
        assert_eq!(window.frames(), [Ack::One(1), Ack::One(3), Ack::One(4)]);
        window.seen(2);
        assert_eq!(window.frames(), []);
        window.given_back(2);
        window.seen(5);
        window.seen(6);
        window.acked(5);
        window.acked(6);
        assert_eq!(window.frames(), [Ack::UpTo(6)]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Seen,
        Acked(usize),
        GivenBack(usize),
        Told,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Seen),
            4 => any::<usize>().prop_map(Step::Acked),
            1 => any::<usize>().prop_map(Step::GivenBack),
            2 => Just(Step::Told),
        ]
    }

    proptest! {
        /// Whatever the order, the broker hears of each acknowledged delivery once, and of no other.
        #[test]
        fn nothing_is_acknowledged_that_was_not(
            order in Just((1..=60_u64).collect::<Vec<_>>()).prop_shuffle(),
            steps in prop::collection::vec(step(), 0..300),
        ) {
            let mut window = AckWindow::default();
            let mut coming = order.into_iter();
            let (mut held, mut acked) = (Vec::new(), BTreeSet::new());
            // What the broker still waits for.
            let mut open: BTreeSet<u64> = (1..=60).collect();
            for step in steps.into_iter().chain([Step::Told]) {
                match step {
                    Step::Seen => if let Some(tag) = coming.next() {
                        window.seen(tag);
                        held.push(tag);
                    },
                    Step::Acked(place) if !held.is_empty() => {
                        let tag = held.swap_remove(place % held.len());
                        window.acked(tag);
                        acked.insert(tag);
                    }
                    Step::GivenBack(place) if !held.is_empty() => {
                        let tag = held.swap_remove(place % held.len());
                        window.given_back(tag);
                        open.remove(&tag);
                    }
                    Step::Acked(_) | Step::GivenBack(_) => {}
                    Step::Told => for frame in window.frames() {
                        let told: Vec<u64> = match frame {
                            Ack::One(tag) => vec![tag],
                            Ack::UpTo(last) => open.range(..=last).copied().collect(),
                        };
                        for tag in told {
                            prop_assert!(open.remove(&tag), "{tag} was told twice");
                            prop_assert!(acked.remove(&tag), "{tag} was not acknowledged");
                        }
                    }
                }
            }
            prop_assert!(acked.is_empty(), "never told: {acked:?}");
        }
    }
}
