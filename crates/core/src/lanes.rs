//! Which lane of a queue is read next, and how much of a worker the low lane may fill.
//!
//! The rule: each lane has a turn on a common time line. The lane with the earliest turn is read, and
//! its next turn then lies `ROUND / weight` further on: a lane of weight 4 has four turns where one of
//! weight 1 has one. A turn that was not used (the lane was empty, or may not be read) does not pile up:
//! it counts as due now. Equal turns go to the more urgent lane.
//!
//! Ageing: a lane whose oldest was published [`PROMOTED_AFTER_MS`] ago weighs as much as the lane above.
//!
//! So nothing starves: while a lane may be read, at most 34 envelopes of the other two go before its
//! head. Proof: its turn lies at most `ROUND / lightest` ahead, and each other lane gets there in steps
//! of at least `ROUND / heaviest`, which are 16 steps and the one it begins with.

use crate::kind::Lane;

/// How many envelopes of each lane are read while one of the low lane is: low, normal, high.
pub const WEIGHTS: Weights = [1, 4, 16];
/// Waiting this long lifts a lane to the weight of the lane above, in milliseconds.
pub const PROMOTED_AFTER_MS: u64 = 30_000;
/// The way from one turn of a lane of weight 1 to its next; all weights up to 16 divide it.
const ROUND: u64 = 720_720;

/// The weight of each lane in the order of [`Lane::ALL`], at least 1 each.
pub type Weights = [u64; Lane::ALL.len()];
/// When the oldest of each lane was published, in milliseconds since the epoch; `None` for a lane that is
/// empty or may not be read. Resumed envelopes are read first and published late: the oldest may stand
/// behind them.
pub type Heads = [Option<u64>; Lane::ALL.len()];

/// Where the lanes stand on their time line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    now: u64,
    next: [u64; Lane::ALL.len()],
}

impl Turns {
    /// The lane to read, and where the lanes stand after that; `None` when no lane may be read.
    #[must_use]
    pub fn read(self, heads: &Heads, weights: &Weights, now_ms: u64) -> Option<(Lane, Self)> {
        let readable = Lane::ALL
            .into_iter()
            .rev()
            .filter_map(|lane| Some((lane, heads[lane as usize]?)));
        let (lane, published_at_ms) = readable.min_by_key(|(lane, _)| self.turn(*lane))?;
        let age_ms = now_ms.saturating_sub(published_at_ms);
        let mut after = self;
        after.now = self.turn(lane);
        after.next[lane as usize] = after.now + ROUND / weight(lane, weights, age_ms);
        Some((lane, after))
    }

    fn turn(&self, lane: Lane) -> u64 {
        self.next[lane as usize].max(self.now)
    }
}

/// How many envelopes of the low lane a worker of `concurrency` slots may have in hand: all but one, so
/// that something more urgent finds a slot, but at least one.
#[must_use]
pub fn low_slots_max(concurrency: usize) -> usize {
    concurrency.saturating_sub(1).max(1)
}

/// What a lane weighs when its head has waited for `age_ms`.
fn weight(lane: Lane, weights: &Weights, age_ms: u64) -> u64 {
    let counts_as = if age_ms < PROMOTED_AFTER_MS {
        lane
    } else {
        match lane {
            Lane::Low => Lane::Normal,
            Lane::Normal | Lane::High => Lane::High,
        }
    };
    weights[counts_as as usize].max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: u64 = 1_000_000;
    const YOUNG: Option<u64> = Some(NOW_MS);
    const OLD: Option<u64> = Some(NOW_MS - PROMOTED_AFTER_MS);

    /// At most so many envelopes of other lanes are read before the head of a lane that may be read.
    fn takes_before_max(weights: &Weights) -> u64 {
        let heaviest = weights.iter().max().copied().unwrap_or(1);
        let lightest = weights.iter().min().copied().unwrap_or(1);
        let of_each_other_lane = heaviest.div_ceil(lightest) + 1;
        of_each_other_lane * (Lane::ALL.len() as u64 - 1)
    }

    /// Reads `takes` times from lanes whose heads never change; counts low, normal, high.
    fn shares(heads: Heads, takes: usize) -> [usize; 3] {
        let (mut turns, mut counts) = (Turns::default(), [0; 3]);
        for _ in 0..takes {
            let (lane, after) = turns.read(&heads, &WEIGHTS, NOW_MS).unwrap();
            counts[lane as usize] += 1;
            turns = after;
        }
        counts
    }

    #[test]
    fn full_lanes_are_read_by_weight() {
        assert_eq!(shares([YOUNG; 3], 2_100), [100, 400, 1_600]);
        assert_eq!(shares([YOUNG, YOUNG, None], 500), [100, 400, 0]);
        assert_eq!(shares([YOUNG, None, None], 500), [500, 0, 0]);
        assert_eq!(Turns::default().read(&[None; 3], &WEIGHTS, NOW_MS), None);
    }

    #[test]
    fn a_lane_that_waited_long_weighs_as_much_as_the_one_above() {
        assert_eq!(shares([OLD, YOUNG, YOUNG], 2_400), [400, 400, 1_600]);
        assert_eq!(shares([YOUNG, OLD, YOUNG], 3_300), [100, 1_600, 1_600]);
        let almost = Some(NOW_MS - PROMOTED_AFTER_MS + 1);
        assert_eq!(shares([almost, YOUNG, YOUNG], 2_100), [100, 400, 1_600]);
    }

    #[test]
    fn the_most_urgent_lane_is_read_first() {
        let (lane, _) = Turns::default()
            .read(&[OLD, YOUNG, YOUNG], &WEIGHTS, NOW_MS)
            .unwrap();
        assert_eq!(lane, Lane::High);
    }

    #[test]
    fn an_empty_lane_saves_no_turns() {
        let mut turns = Turns::default();
        for _ in 0..10_000 {
            turns = turns
                .read(&[YOUNG, None, None], &WEIGHTS, NOW_MS)
                .unwrap()
                .1;
        }
        // The high lane was empty all the time; it now gets its share, not ten thousand turns.
        let mut low = 0;
        for _ in 0..170 {
            let (lane, after) = turns.read(&[YOUNG, None, YOUNG], &WEIGHTS, NOW_MS).unwrap();
            low += usize::from(lane == Lane::Low);
            turns = after;
        }
        assert!((9..=10).contains(&low), "{low} of 170");
    }

    fn any_head() -> impl Strategy<Value = Option<u64>> {
        prop_oneof![
            Just(None),
            (0..=2 * PROMOTED_AFTER_MS).prop_map(|age_ms| Some(NOW_MS - age_ms))
        ]
    }

    proptest! {
        /// Whatever comes and goes in the other lanes, and however old it is.
        #[test]
        fn no_lane_starves(
            weights in [1..=16_u64, 1..=16_u64, 1..=16_u64],
            before in prop::collection::vec([any_head(), any_head(), any_head()], 0..200),
            waiting in 0..3_usize,
            age_ms in 0..=2 * PROMOTED_AFTER_MS,
            during in prop::collection::vec([any_head(), any_head(), any_head()], 100),
        ) {
            let mut turns = Turns::default();
            for heads in &before {
                turns = turns.read(heads, &weights, NOW_MS).map_or(turns, |(_, after)| after);
            }
            let mut others = 0;
            for mut heads in during {
                heads[waiting] = Some(NOW_MS - age_ms);
                let (lane, after) = turns.read(&heads, &weights, NOW_MS).unwrap();
                if lane as usize == waiting {
                    break;
                }
                others += 1;
                turns = after;
            }
            prop_assert!(others <= takes_before_max(&weights), "{others} went before");
        }

        #[test]
        fn weights_hold_on_average(weights in [1..=16_u64, 1..=16_u64, 1..=16_u64]) {
            let rounds = 50;
            let takes = rounds * weights.iter().sum::<u64>();
            let (mut turns, mut counts) = (Turns::default(), [0_u64; 3]);
            for _ in 0..takes {
                let (lane, after) = turns.read(&[YOUNG; 3], &weights, NOW_MS).unwrap();
                counts[lane as usize] += 1;
                turns = after;
            }
            for (count, weight) in counts.into_iter().zip(weights) {
                prop_assert!(count.abs_diff(rounds * weight) <= weight, "{counts:?} of {weights:?}");
            }
        }
    }

    #[test]
    fn one_slot_is_never_low_unless_it_is_the_only_one() {
        assert_eq!([0, 1, 2, 8].map(low_slots_max), [1, 1, 1, 7]);
    }

    #[test]
    fn the_bound_for_our_weights_is_as_documented() {
        assert_eq!(takes_before_max(&WEIGHTS), 34);
    }
}
