//! Rectangles, and how their sides move to where the votes inside are the most surprising.

use std::ops::Range;

/// The share of votes that a grid gets by chance.
const CHANCE: f64 = 1.0 / 64.0;
/// Pixels of a block, which count as one vote.
const BLOCK_PIXELS: f64 = 64.0;
/// How often all sides are moved. They hardly ever move more than three times.
const ROUNDS_MAX: usize = 8;

/// Columns and rows, of pixels or of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: Range<usize>,
    pub(super) y: Range<usize>,
}

/// Votes by columns or by rows.
#[derive(Debug)]
pub(super) struct Lines {
    /// The place of the first line.
    pub(super) first: usize,
    /// The votes of each line.
    pub(super) votes: Vec<u32>,
    /// Blocks that a line has room for.
    pub(super) blocks: f64,
}

impl Rectangle {
    pub(super) fn area(&self) -> usize {
        self.x.len() * self.y.len()
    }

    pub(super) fn contains(&self, (x, y): (usize, usize)) -> bool {
        self.x.contains(&x) && self.y.contains(&y)
    }

    /// Moves the sides, by at most `reach` at once. `columns` and `rows` tell the votes by lines, also of those that
    /// are within reach, for a rectangle whose other two sides stay.
    pub(super) fn tighten(
        mut self,
        reach: usize,
        columns: impl Fn(&Self) -> Lines,
        rows: impl Fn(&Self) -> Lines,
    ) -> Self {
        for _ in 0..ROUNDS_MAX {
            let before = self.clone();
            self.x = columns(&self).fit(self.x, reach);
            self.y = rows(&self).fit(self.y, reach);
            if self == before {
                break;
            }
        }
        self
    }
}

impl Lines {
    /// Votes of lines of single pixels, each `across` long.
    pub(super) fn of_pixels(first: usize, votes: Vec<u32>, across: usize) -> Self {
        Self {
            first,
            votes,
            blocks: across as f64 / BLOCK_PIXELS,
        }
    }

    /// Adds votes to the line at `place`, if it is one of these.
    pub(super) fn add(&mut self, place: usize, votes: u8) {
        let line = place.checked_sub(self.first);
        if let Some(sum) = line.and_then(|line| self.votes.get_mut(line)) {
            *sum += u32::from(votes);
        }
    }

    /// One end, then the other, where it makes the votes between most surprising.
    fn fit(&self, side: Range<usize>, reach: usize) -> Range<usize> {
        let mut sums = vec![0];
        sums.extend(self.votes.iter().scan(0_u64, |sum, &votes| {
            *sum += u64::from(votes);
            Some(*sum)
        }));
        let sum = |place: usize| sums.get(place - self.first).copied().unwrap_or_default();
        let score = |start: usize, end: usize| {
            let votes = sum(end).saturating_sub(sum(start)) as f64;
            surprise((end - start) as f64 * self.blocks, votes / BLOCK_PIXELS)
        };
        let last = self.first + self.votes.len();
        let starts = side.start.saturating_sub(reach).max(self.first)
            ..=side.start.saturating_add(reach).min(side.end - 1);
        let start = best(starts, side.start, |start| score(start, side.end));
        let ends = side.end.saturating_sub(reach).max(start + 1)
            ..=side.end.saturating_add(reach).min(last);
        let end = best(ends, side.end, |end| score(start, end));
        start..end
    }
}

/// The place with the highest score: the one given if none is better.
fn best(places: impl Iterator<Item = usize>, given: usize, score: impl Fn(usize) -> f64) -> usize {
    let first = (given, score(given));
    places
        .map(|place| (place, score(place)))
        .fold(
            first,
            |best, next| if next.1 > best.1 { next } else { best },
        )
        .0
}

/// How little chance explains that `agree` of `blocks` agree: the exponent of the bound of Hoeffding on the tail of
/// the binomial distribution ("Probability inequalities for sums of bounded random variables", 1963, theorem 1), and
/// so nearly `-ln` of the tail. Nothing if they do not agree more than by chance.
fn surprise(blocks: f64, agree: f64) -> f64 {
    let share = (agree / blocks).min(1.0);
    if blocks <= 0.0 || share <= CHANCE {
        return 0.0;
    }
    let part = |share: f64, chance: f64| {
        if share > 0.0 {
            share * (share / chance).ln()
        } else {
            0.0
        }
    };
    blocks * (part(share, CHANCE) + part(1.0 - share, 1.0 - CHANCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Votes of a picture of `side` pixels, all of those in `inside`.
    fn lines(side: usize, inside: &Range<usize>, across: usize, agreeing: usize) -> Lines {
        let agreeing = u32::try_from(agreeing).expect("small");
        let votes = |line| if inside.contains(&line) { agreeing } else { 0 };
        Lines::of_pixels(0, (0..side).map(votes).collect(), across)
    }

    #[test]
    fn sides_move_to_where_the_votes_are() {
        let (x, y) = (30..70, 11..64);
        for start in [
            Rectangle {
                x: 0..100,
                y: 0..90,
            },
            Rectangle {
                x: 40..50,
                y: 20..30,
            },
            Rectangle {
                x: 10..50,
                y: 50..80,
            },
        ] {
            let overlap = |a: &Range<usize>, b: &Range<usize>| {
                a.end.min(b.end).saturating_sub(a.start.max(b.start))
            };
            let tight = start.tighten(
                100,
                |area| lines(100, &x, area.y.len(), overlap(&area.y, &y)),
                |area| lines(90, &y, area.x.len(), overlap(&area.x, &x)),
            );
            assert_eq!(
                tight,
                Rectangle {
                    x: x.clone(),
                    y: y.clone()
                }
            );
        }
    }

    #[test]
    fn a_side_does_not_move_beyond_its_reach() {
        let fit = |reach| lines(100, &(30..70), 10, 10).fit(20..90, reach);
        assert_eq!(fit(0), 20..90);
        assert_eq!(fit(9), 29..81);
        assert_eq!(fit(10), 30..80);
        assert_eq!(fit(11), 30..79);
        assert_eq!(fit(usize::MAX), 30..70);
    }

    #[test]
    fn chance_is_no_surprise() {
        assert_eq!(surprise(64.0, 1.0), 0.0);
        assert_eq!(surprise(64.0, 0.0), 0.0);
        assert_eq!(surprise(0.0, 0.0), 0.0);
        assert!(surprise(64.0, 2.0) > 0.0);
        assert!((surprise(9.0, 9.0) - 9.0 * 64.0_f64.ln()).abs() < 1e-9);
    }
}
