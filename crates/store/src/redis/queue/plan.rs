//! How many entries of each lane a take asks for, and in which order they are handed out. Pure.
//!
//! What the streams hold is known from the take before, so it may have changed. A plan that asks too much
//! of a lane that has run empty is mended by the script, which fills what is left from the others; what was
//! taken in the end is what the lanes' turns are moved by.

use assay_core::kind::Lane;
use assay_core::lanes::{Heads, Turns, WEIGHTS};

use super::entry::EntryId;
use super::streams::{STREAMS, StreamNo};

const LANES: usize = Lane::ALL.len();

/// How much may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Entries in all.
    pub(super) slots: usize,
    /// Of these, entries of the low lane.
    pub(super) low: usize,
}

/// What is known of the first entry of a stream that nobody was given yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Head {
    /// Nothing: the stream was not looked at.
    #[default]
    Unknown,
    /// There was none.
    Empty,
    /// It is this one, or comes behind it.
    At(EntryId),
}

/// One group's streams of a kind, as a subscription knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    heads: [Head; STREAMS],
    turns: Turns,
}

impl Known {
    /// Learns what a take says of a stream; nothing when it did not look there.
    pub(super) fn learn(&mut self, stream: StreamNo, head: Head) {
        if head != Head::Unknown {
            self.heads[stream.place()] = head;
        }
    }

    /// How many entries of each lane to ask for.
    pub(super) fn plan(&self, room: Room, now_ms: u64) -> [usize; LANES] {
        let mut heads = self.lane_heads(now_ms);
        if heads == [None; LANES] {
            heads = [Some(now_ms); LANES];
        }
        let (mut turns, mut plan) = (self.turns, [0; LANES]);
        for _ in 0..room.slots {
            if plan[Lane::Low as usize] >= room.low {
                heads[Lane::Low as usize] = None;
            }
            let Some((lane, after)) = turns.read(&heads, &WEIGHTS, now_ms) else {
                break;
            };
            plan[lane as usize] += 1;
            turns = after;
        }
        plan
    }

    /// Puts what was taken into the order of the lanes' turns, and moves those on.
    pub(super) fn order<T>(&mut self, mut taken: [Vec<T>; LANES], now_ms: u64) -> Vec<T> {
        let known = self.lane_heads(now_ms);
        let count = taken.iter().map(Vec::len).sum();
        let mut ordered = Vec::with_capacity(count);
        taken.iter_mut().for_each(|lane| lane.reverse());
        loop {
            let heads: Heads = Lane::ALL.map(|lane| {
                let left = !taken[lane as usize].is_empty();
                left.then(|| known[lane as usize].unwrap_or(now_ms))
            });
            let Some((lane, after)) = self.turns.read(&heads, &WEIGHTS, now_ms) else {
                return ordered;
            };
            self.turns = after;
            ordered.extend(taken[lane as usize].pop());
        }
    }

    /// When the head of each lane was added; `None` for a lane that was empty.
    fn lane_heads(&self, now_ms: u64) -> Heads {
        Lane::ALL.map(|lane| {
            let of_lane = StreamNo::ALL.into_iter().filter(|no| no.lane() == lane);
            let added = of_lane.filter_map(|no| match self.heads[no.place()] {
                Head::Unknown => Some(now_ms),
                Head::Empty => None,
                Head::At(id) => Some(id.added_at_ms),
            });
            added.min()
        })
    }
}

#[cfg(test)]
mod tests {
    use assay_core::lanes::PROMOTED_AFTER_MS;
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: u64 = 1_000_000;
    const ALL: Room = Room {
        slots: 21,
        low: usize::MAX,
    };

    fn known(ages_ms: [Option<u64>; LANES]) -> Known {
        let mut known = Known::default();
        for (stream, place) in StreamNo::ALL.into_iter().zip(0..) {
            let age_ms = ages_ms[stream.lane() as usize].filter(|_| place % 2 == 1);
            let head = age_ms.map_or(Head::Empty, |age_ms| {
                Head::At(EntryId {
                    added_at_ms: NOW_MS - age_ms,
                    number: 0,
                })
            });
            known.learn(stream, head);
        }
        known
    }

    #[test]
    fn full_lanes_are_asked_by_weight_and_so_are_unknown_ones() {
        assert_eq!(known([Some(0); 3]).plan(ALL, NOW_MS), [1, 4, 16]);
        assert_eq!(Known::default().plan(ALL, NOW_MS), [1, 4, 16]);
        let aged = known([Some(PROMOTED_AFTER_MS), Some(0), Some(0)]);
        assert_eq!(aged.plan(Room { slots: 24, ..ALL }, NOW_MS), [4, 4, 16]);
    }

    #[test]
    fn an_empty_lane_is_not_asked_unless_all_are() {
        assert_eq!(known([None, Some(0), None]).plan(ALL, NOW_MS), [0, 21, 0]);
        assert_eq!(known([None; 3]).plan(ALL, NOW_MS), [1, 4, 16]);
    }

    #[test]
    fn the_low_lane_is_asked_for_what_it_may_have() {
        let room = |low| Room { slots: 5, low };
        let low_only = known([Some(0), None, None]);
        assert_eq!(low_only.plan(room(3), NOW_MS), [3, 0, 0]);
        assert_eq!(low_only.plan(room(0), NOW_MS), [0, 0, 0]);
    }

    #[test]
    fn what_was_not_looked_at_stays_as_it_was_known() {
        let mut known = known([None, Some(7), None]);
        let before = known.lane_heads(NOW_MS);
        for stream in StreamNo::ALL {
            known.learn(stream, Head::Unknown);
        }
        assert_eq!(known.lane_heads(NOW_MS), before);
    }

    proptest! {
        /// Whatever the script brought: nothing is lost, and each lane keeps its order.
        #[test]
        fn ordering_keeps_everything(counts in [0..40_usize, 0..40_usize, 0..40_usize]) {
            let mut known = known([Some(0), None, Some(PROMOTED_AFTER_MS)]);
            let taken = Lane::ALL.map(|lane| (0..counts[lane as usize]).map(|n| (lane, n)).collect::<Vec<_>>());
            let ordered = known.order(taken.clone(), NOW_MS);
            for lane in Lane::ALL {
                let of_lane = ordered.iter().filter(|(of, _)| *of == lane).copied();
                prop_assert_eq!(of_lane.collect::<Vec<_>>(), taken[lane as usize].clone());
            }
        }

        /// Taking one at a time or many at once, the lanes get the same share.
        #[test]
        fn one_by_one_is_as_weighted_as_many_at_once(slots in 1..=8_usize) {
            let (mut known, mut counts) = (known([Some(0); 3]), [0; 3]);
            let rounds = 21 * 8;
            for _ in 0..rounds {
                let plan = known.plan(Room { slots, low: usize::MAX }, NOW_MS);
                known.order(plan.map(|count| vec![(); count]), NOW_MS);
                (0..3).for_each(|lane| counts[lane] += plan[lane]);
            }
            let share = rounds * slots / 21;
            for (count, weight) in counts.into_iter().zip([1, 4, 16]) {
                prop_assert!(count.abs_diff(share * weight) <= weight, "{counts:?}");
            }
        }
    }
}
