//! Blocks with equal keys, and how far they are apart.
//!
//! A block is eight bytes, 38 bits of its key and 26 of its place, and so is a pair of equal blocks. The bound on blocks
//! is kept by content: when it is reached, the blocks whose keys begin with one more zero bit stay. Equal blocks have
//! equal keys and stay or go together, wherever they are; a grid of places would lose most copies instead.

use crate::bytes::count;

/// Bits that hold a place.
const PLACE_BITS: u32 = 26;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
/// Pixels of a picture whose places fit.
pub(super) const PIXELS_MAX: usize = 1 << PLACE_BITS;
/// Blocks that are compared, 128 MiB of them. A picture of up to as many pixels is compared in full.
pub(super) const BLOCKS_MAX: usize = 1 << 24;
/// Leading bits of keys that may be asked to be zero. What fills the bound even then is one pattern all over.
const THINNING_MAX: u32 = 16;
/// Pixels that equal blocks must be apart: nearer ones overlap, or are the same edge.
pub(super) const DISTANCE_MIN: i64 = 32;
/// Pixels along either side within which a shift only echoes a stronger one.
const ECHO: i64 = 8;

/// Blocks to be compared.
pub(super) struct Blocks {
    width: u64,
    blocks_max: usize,
    thinning: u32,
    /// Upper bits of the key, then the place.
    entries: Vec<u64>,
}

/// Pairs of equal blocks, sorted by their shift.
pub(super) struct Matches {
    width: u64,
    /// Blocks that were compared.
    pub(super) blocks: usize,
    /// One in two to the power of this was compared.
    pub(super) thinning: u32,
    /// Code of the shift, then the place of the upper block.
    pairs: Vec<u64>,
}

/// All pairs that lie equally far apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift<'a> {
    /// Pixels to the right, from the first to the second block of a pair. May be negative.
    pub(super) dx: i64,
    /// Pixels down. Never negative.
    pub(super) dy: i64,
    width: u64,
    pairs: &'a [u64],
}

impl Blocks {
    /// No blocks yet, of a picture so wide.
    pub(super) fn new(width: usize, blocks_max: usize) -> Self {
        Self {
            width: count(width),
            blocks_max,
            thinning: 0,
            entries: Vec::new(),
        }
    }

    /// Takes a block, unless its key is among those that are left out.
    pub(super) fn push(&mut self, x: usize, y: usize, key: u64) {
        if self.entries.len() >= self.blocks_max {
            self.thin();
        }
        if key.leading_zeros() >= self.thinning && self.entries.len() < self.blocks_max {
            let place = count(y) * self.width + count(x);
            self.entries
                .push((key & !PLACE_MASK) | (place & PLACE_MASK));
        }
    }

    fn thin(&mut self) {
        while self.entries.len() >= self.blocks_max && self.thinning < THINNING_MAX {
            self.thinning += 1;
            let thinning = self.thinning;
            self.entries
                .retain(|entry| entry.leading_zeros() >= thinning);
        }
    }

    /// Pairs each block with the next of the same key, in the order of their places.
    pub(super) fn matches(mut self) -> Matches {
        self.entries.sort_unstable();
        let width = self.width;
        let mut pairs: Vec<u64> = self
            .entries
            .windows(2)
            .filter_map(|two| match *two {
                [first, second] if (first ^ second) & !PLACE_MASK == 0 => {
                    pair(first & PLACE_MASK, second & PLACE_MASK, width)
                }
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        Matches {
            width,
            blocks: self.entries.len(),
            thinning: self.thinning,
            pairs,
        }
    }
}

/// The code of a pair of places, the first above or left of the second; nothing if they are too near.
fn pair(first: u64, second: u64, width: u64) -> Option<u64> {
    let row = |place: u64| place.checked_div(width);
    let down = row(second)? - row(first)?;
    // At least one and less than two widths, so that it never reads as a row more.
    let right = width + second % width - first % width;
    let (dx, dy) = (signed(right) - signed(width), signed(down));
    let is_apart = dx * dx + dy * dy > DISTANCE_MIN * DISTANCE_MIN;
    is_apart.then_some(((down * 2 * width + right) << PLACE_BITS) | first)
}

/// Numbers here are below 2²⁸.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Matches {
    /// The most votes that any shift has.
    pub(super) fn votes_max(&self) -> usize {
        self.shifts().map(|shift| shift.votes()).max().unwrap_or(0)
    }

    /// Shifts with at least `votes_min` votes, the one with the most first, at most `shifts_max`. Those that only echo
    /// one before them are left out.
    pub(super) fn strongest(&self, votes_min: usize, shifts_max: usize) -> Vec<Shift<'_>> {
        let mut candidates: Vec<_> = self
            .shifts()
            .filter(|shift| shift.votes() >= votes_min)
            .collect();
        candidates.sort_by_key(|shift| std::cmp::Reverse(shift.votes()));
        let mut strongest: Vec<Shift<'_>> = Vec::new();
        for shift in candidates {
            if strongest.len() == shifts_max {
                break;
            }
            if strongest.iter().all(|known| !shift.echoes(known)) {
                strongest.push(shift);
            }
        }
        strongest
    }

    fn shifts(&self) -> impl Iterator<Item = Shift<'_>> {
        let same = |left: &u64, right: &u64| left >> PLACE_BITS == right >> PLACE_BITS;
        self.pairs.chunk_by(same).filter_map(move |pairs| {
            let code = pairs.first()? >> PLACE_BITS;
            let turn = 2 * self.width;
            Some(Shift {
                dx: signed(code.checked_rem(turn)?) - signed(self.width),
                dy: signed(code.checked_div(turn)?),
                width: self.width,
                pairs,
            })
        })
    }
}

impl Shift<'_> {
    /// Pairs that lie so far apart.
    pub(super) fn votes(&self) -> usize {
        self.pairs.len()
    }

    /// Upper left pixels of the upper block of each pair, row by row.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let width = self.width.max(1);
        self.pairs.iter().map(move |pair| {
            let place = pair & PLACE_MASK;
            (place % width, place / width)
        })
    }

    /// Pairs whose second block is the first of another: a pattern that goes on, and no single copy.
    pub(super) fn chained(&self) -> usize {
        let step = self.dy * signed(self.width) + self.dx;
        let firsts = || self.pairs.iter().map(|pair| signed(pair & PLACE_MASK));
        let mut others = firsts().peekable();
        firsts()
            .filter(|first| {
                while others.next_if(|other| *other < first + step).is_some() {}
                others.peek() == Some(&(first + step))
            })
            .count()
    }

    /// Whether the other shift is about the same.
    fn echoes(&self, other: &Shift<'_>) -> bool {
        (self.dx - other.dx).abs() <= ECHO && (self.dy - other.dy).abs() <= ECHO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys whose upper bits differ, none with leading zeros.
    fn key(number: u64) -> u64 {
        (1 << 63) | (number << PLACE_BITS)
    }

    fn matches(width: usize, blocks: &[(usize, usize, u64)]) -> Matches {
        let mut all = Blocks::new(width, BLOCKS_MAX);
        for &(x, y, key) in blocks {
            all.push(x, y, key);
        }
        all.matches()
    }

    fn only_shift(matches: &Matches) -> (i64, i64, usize) {
        let all = matches.strongest(1, 8);
        assert_eq!(all.len(), 1);
        (all[0].dx, all[0].dy, all[0].votes())
    }

    #[test]
    fn equal_blocks_vote_for_their_shift_in_either_direction() {
        let right = matches(
            500,
            &[
                (10, 20, key(1)),
                (71, 170, key(1)),
                (12, 20, key(2)),
                (73, 170, key(2)),
            ],
        );
        assert_eq!(only_shift(&right), (61, 150, 2));
        let left = matches(500, &[(471, 0, key(1)), (10, 1, key(1))]);
        assert_eq!(only_shift(&left), (-461, 1, 1));
        let shift = left.strongest(1, 1)[0];
        assert_eq!(shift.places().collect::<Vec<_>>(), [(471, 0)]);
    }

    #[test]
    fn the_corners_of_the_largest_picture_make_a_pair() {
        let side = 1 << (PLACE_BITS / 2);
        let far = matches(side, &[(0, 0, key(7)), (side - 1, side - 1, key(7))]);
        let last = signed(count(side - 1));
        assert_eq!(only_shift(&far), (last, last, 1));
        let across = matches(side, &[(side - 1, 0, key(7)), (0, side - 1, key(7))]);
        assert_eq!(only_shift(&across), (-last, last, 1));
    }

    #[test]
    fn blocks_must_be_more_than_the_distance_apart() {
        assert_eq!(
            matches(99, &[(0, 0, key(1)), (32, 0, key(1))]).votes_max(),
            0
        );
        assert_eq!(
            matches(99, &[(0, 0, key(1)), (33, 0, key(1))]).votes_max(),
            1
        );
        assert_eq!(
            matches(99, &[(0, 0, key(1)), (1, 32, key(1))]).votes_max(),
            1
        );
    }

    #[test]
    fn a_near_shift_is_an_echo_and_a_far_one_is_not() {
        let at = |dx: usize| {
            let blocks = [
                (0, 0, key(1)),
                (50, 0, key(1)),
                (0, 1, key(2)),
                (50 + dx, 1, key(2)),
            ];
            matches(200, &blocks).strongest(1, 8).len()
        };
        assert_eq!((at(8), at(9)), (1, 2));
    }

    #[test]
    fn blocks_are_thinned_by_their_keys_when_the_bound_is_passed() {
        let fill = |blocks: usize| {
            let mut all = Blocks::new(100, 8);
            for number in 0..blocks {
                // Every other key begins with a zero.
                let key = key(count(number)) ^ ((count(number) % 2) << 63);
                all.push(number, 0, key);
            }
            (all.entries.len(), all.thinning)
        };
        assert_eq!(fill(8), (8, 0));
        assert_eq!(fill(9), (4, 1));
    }

    #[test]
    fn one_key_everywhere_stays_within_the_bound() {
        let mut all = Blocks::new(100, 8);
        for x in 0..50 {
            all.push(x, 0, 0);
        }
        assert_eq!((all.entries.len(), all.thinning), (8, THINNING_MAX));
    }

    #[test]
    fn a_pattern_that_goes_on_is_chained() {
        let at = |x: usize| (x, 0, key(1));
        let row = matches(400, &[at(0), at(40), at(80), at(120)]);
        assert_eq!(row.strongest(1, 1)[0].chained(), 2);
        let two = matches(400, &[at(0), at(40)]);
        assert_eq!(two.strongest(1, 1)[0].chained(), 0);
    }

    #[test]
    fn no_blocks_no_shifts() {
        assert_eq!(matches(10, &[]).votes_max(), 0);
        assert!(matches(0, &[]).strongest(0, 8).is_empty());
    }
}
