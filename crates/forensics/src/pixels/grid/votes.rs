//! Each pixel votes for the block grid that it most likely was compressed on.
//!
//! Of the 64 blocks of 8 × 8 that cover a pixel, one lies on each of the 64 possible grids. The pixel votes for the
//! grid of the block with the most AC coefficients that are zero (Nikoukhah et al., IPOL 2021, as in the module above):
//! quantisation makes zeros, and only on the grid that it was done on. With a tie it does not vote, nor if the block of
//! most zeros is flat or saturated: such blocks have zeros without any compression.

use std::ops::BitOr;

use super::zeros::{SIDE, Transform};
use crate::raster::Plane;

/// Grids of blocks: one for each place of the first whole block, `8 y + x`.
pub(super) const GRIDS: u8 = 64;
/// What stands for no vote.
pub(super) const NO_VOTE: u8 = u8::MAX;
/// Samples of a block that may be at an end of the range. With more the block does not vote.
const SATURATED_MAX: u8 = 32;
/// Blocks of a line that are worked on together, so that their 8 rows stay in the cache.
const STRIP_BLOCKS: usize = 512;
/// The row is not the same all along the block.
const VARIES_ALONG: u8 = 1;
/// The row is not the same as the one above.
const VARIES_DOWN: u8 = 2;

/// The vote of each pixel.
#[derive(Debug)]
pub(super) struct Votes {
    plane: Plane,
}

impl Votes {
    /// Nothing if the picture is so small that no pixel is covered by 64 blocks.
    pub(super) fn of(luma: &Plane) -> Option<Self> {
        let (width, height) = (luma.width(), luma.height());
        let blocks = (width + 1).checked_sub(SIDE)?;
        if blocks < SIDE || height < 2 * SIDE - 1 {
            return None;
        }
        let mut votes = vec![NO_VOTE; luma.samples().len()];
        let mut first = 0;
        loop {
            let last = blocks.min(first + STRIP_BLOCKS);
            Strip::new(first, last - first).vote(luma, &mut votes);
            if last == blocks {
                break;
            }
            // The pixels between two strips are covered by blocks of both.
            first = last + 1 - SIDE;
        }
        let plane = Plane::new(width, votes)?;
        Some(Self { plane })
    }

    /// Votes as they are given.
    #[cfg(test)]
    pub(super) fn cast(plane: Plane) -> Self {
        Self { plane }
    }

    /// Grids in rows, or [`NO_VOTE`].
    pub(super) fn plane(&self) -> &Plane {
        &self.plane
    }

    /// The votes for each grid.
    pub(super) fn counts(&self) -> [u64; GRIDS as usize] {
        // The last cell takes what did not vote.
        let mut counts = [0; GRIDS as usize + 1];
        for &vote in self.plane.samples() {
            counts[usize::from(vote.min(GRIDS))] += 1;
        }
        let [counts @ .., _] = counts;
        counts
    }
}

/// The last 8 lines of something.
#[derive(Debug)]
struct Recent<T> {
    len: usize,
    cells: Vec<T>,
}

impl<T: Copy + Default> Recent<T> {
    fn new(len: usize) -> Self {
        Self {
            len,
            cells: vec![T::default(); SIDE * len],
        }
    }

    fn line(&self, y: usize) -> &[T] {
        &self.cells[y % SIDE * self.len..][..self.len]
    }

    fn line_mut(&mut self, y: usize) -> &mut [T] {
        &mut self.cells[y % SIDE * self.len..][..self.len]
    }
}

/// Some columns of the picture, from the top down.
#[derive(Debug)]
struct Strip {
    transform: Transform,
    first: usize,
    blocks: usize,
    /// The row as numbers.
    row: Vec<f32>,
    /// The zeros of a line of blocks.
    zeros: Vec<u32>,
    /// Something of each sample, before it is summed up.
    marks: Vec<u8>,
    spectra: Recent<f32>,
    varies: Recent<u8>,
    saturated: Recent<u8>,
    /// By line of blocks and pixel: the most zeros among the blocks of the line that cover the pixel, and their grid.
    most: Recent<u8>,
    grid: Recent<u8>,
}

impl Strip {
    fn new(first: usize, blocks: usize) -> Self {
        let pixels = blocks + 1 - SIDE;
        Self {
            transform: Transform::new(),
            first,
            blocks,
            row: vec![0.0; blocks + SIDE - 1],
            zeros: vec![0; blocks],
            marks: vec![0; blocks + SIDE - 1],
            spectra: Recent::new(SIDE * blocks),
            varies: Recent::new(blocks),
            saturated: Recent::new(blocks),
            most: Recent::new(pixels),
            grid: Recent::new(pixels),
        }
    }

    /// Fills in the votes of the pixels that blocks of this strip alone cover.
    fn vote(mut self, luma: &Plane, votes: &mut [u8]) {
        let span = self.first..self.first + self.row.len();
        let pixels = self.first + SIDE - 1..self.first + self.blocks;
        let mut lines = votes.chunks_exact_mut(luma.width()).skip(SIDE - 1);
        let mut above: &[u8] = &[];
        for (y, row) in luma.rows().enumerate() {
            let row = &row[span.clone()];
            self.take(y, row, if above.is_empty() { row } else { above });
            above = row;
            let Some(block_y) = (y + 1).checked_sub(SIDE) else {
                continue;
            };
            self.rank(block_y);
            if block_y + 1 < SIDE {
                continue;
            }
            // The lines of blocks up to this one cover the row of pixels that it begins at.
            if let Some(votes) = lines.next() {
                self.decide(&mut votes[pixels.clone()]);
            }
        }
    }

    /// Takes in one row of samples.
    fn take(&mut self, y: usize, row: &[u8], above: &[u8]) {
        for (number, &sample) in self.row.iter_mut().zip(row) {
            *number = f32::from(sample);
        }
        self.transform
            .along_row(&self.row, self.spectra.line_mut(y));

        for (mark, &sample) in self.marks.iter_mut().zip(row) {
            *mark = u8::from(sample == u8::MIN || sample == u8::MAX);
        }
        let saturated = self.saturated.line_mut(y);
        saturated.fill(0);
        gather(&self.marks, SIDE, saturated, |sum, mark| sum + mark);

        let varies = self.varies.line_mut(y);
        varies.fill(0);
        for (mark, (sample, above)) in self.marks.iter_mut().zip(row.iter().zip(above)) {
            *mark = if sample == above { 0 } else { VARIES_DOWN };
        }
        gather(&self.marks, SIDE, varies, BitOr::bitor);
        for (mark, (sample, next)) in self.marks.iter_mut().zip(row.iter().zip(&row[1..])) {
            *mark = if sample == next { 0 } else { VARIES_ALONG };
        }
        gather(&self.marks, SIDE - 1, varies, BitOr::bitor);
    }

    /// Looks at the line of blocks whose rows were taken in last.
    fn rank(&mut self, block_y: usize) {
        self.zeros.fill(0);
        for u in 0..SIDE {
            let lines: [&[f32]; SIDE] = std::array::from_fn(|v| {
                &self.spectra.line(block_y + v)[u * self.blocks..][..self.blocks]
            });
            self.transform.count_zeros(u, lines, &mut self.zeros);
        }
        let silent = self.silent(block_y);
        let zeros: Vec<u8> = self
            .zeros
            .iter()
            .map(|&zeros| u8::try_from(zeros).unwrap_or(u8::MAX))
            .collect();
        let grids: Vec<u8> = silent
            .iter()
            .zip(self.first..)
            .map(|(&silent, x)| if silent { NO_VOTE } else { grid_at(x, block_y) })
            .collect();

        let (most, grid) = (self.most.line_mut(block_y), self.grid.line_mut(block_y));
        most.copy_from_slice(&zeros[..most.len()]);
        grid.copy_from_slice(&grids[..grid.len()]);
        for x in 1..SIDE {
            keep_most(most, grid, &zeros[x..], &grids[x..]);
        }
    }

    /// Which blocks of a line do not vote.
    fn silent(&self, block_y: usize) -> Vec<bool> {
        // What the first row differs in from the one above it is not of these blocks.
        let first = self.varies.line(block_y).iter();
        let mut varies: Vec<u8> = first.map(|row| row & VARIES_ALONG).collect();
        let mut saturated = self.saturated.line(block_y).to_vec();
        for y in block_y + 1..block_y + SIDE {
            gather(self.varies.line(y), 1, &mut varies, BitOr::bitor);
            gather(self.saturated.line(y), 1, &mut saturated, |sum, row| {
                sum + row
            });
        }
        varies
            .iter()
            .zip(&saturated)
            .map(|(&varies, &saturated)| {
                varies != VARIES_ALONG | VARIES_DOWN || saturated > SATURATED_MAX
            })
            .collect()
    }

    /// The votes of the row of pixels that the last 8 lines of blocks cover.
    fn decide(&self, votes: &mut [u8]) {
        let mut most = self.most.line(0).to_vec();
        votes.copy_from_slice(self.grid.line(0));
        for y in 1..SIDE {
            keep_most(&mut most, votes, self.most.line(y), self.grid.line(y));
        }
    }
}

/// The grid that a block at this place lies on.
fn grid_at(x: usize, y: usize) -> u8 {
    // Below 64, so nothing is cut off.
    u8::try_from(x % SIDE + y % SIDE * SIDE).unwrap_or(NO_VOTE)
}

/// Puts the `len` marks from each position on into the cell of that position.
fn gather(marks: &[u8], len: usize, cells: &mut [u8], put: impl Fn(u8, u8) -> u8) {
    for shift in 0..len {
        for (cell, &mark) in cells.iter_mut().zip(&marks[shift..]) {
            *cell = put(*cell, mark);
        }
    }
}

/// Cell by cell: the larger number of zeros with its grid; with the same number no grid.
#[inline(never)]
fn keep_most(most: &mut [u8], grid: &mut [u8], other_most: &[u8], other_grid: &[u8]) {
    let kept = most.iter_mut().zip(grid.iter_mut());
    for ((most, grid), (&other, &other_grid)) in kept.zip(other_most.iter().zip(other_grid)) {
        let tied_or_kept = if other == *most { NO_VOTE } else { *grid };
        *grid = if other > *most {
            other_grid
        } else {
            tied_or_kept
        };
        *most = other.max(*most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::grid::zeros::zeros_of;

    fn plane(width: usize, height: usize, sample: impl Fn(usize, usize) -> u8) -> Plane {
        let samples = (0..width * height)
            .map(|at| sample(at % width, at / width))
            .collect();
        Plane::new(width, samples).expect("whole rows")
    }

    fn noise(x: usize, y: usize) -> u8 {
        let [x, y] = [x, y].map(|place| u64::try_from(place).expect("fits"));
        let mixed = (x << 32 | y).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        u8::try_from(mixed >> 61).expect("three bits")
    }

    /// The definition, block by block.
    fn plain(luma: &Plane, x: usize, y: usize) -> u8 {
        let (mut most, mut grid) = (0, NO_VOTE);
        for block_y in y - 7..=y {
            for block_x in x - 7..=x {
                let block = luma.block(block_x, block_y).expect("inside");
                let zeros = zeros_of(&block);
                let along = block.chunks(8).all(|row| row.iter().all(|&s| s == row[0]));
                let down = block.chunks(8).all(|row| row == &block[..8]);
                let ends = block.iter().filter(|&&s| s == 0 || s == 255).count();
                let vote = if along || down || ends > usize::from(SATURATED_MAX) {
                    NO_VOTE
                } else {
                    grid_at(block_x, block_y)
                };
                if zeros > most || (x - block_x, y - block_y) == (7, 7) {
                    (most, grid) = (zeros, vote);
                } else if zeros == most {
                    grid = NO_VOTE;
                }
            }
        }
        grid
    }

    fn assert_plain(luma: &Plane) {
        let votes = Votes::of(luma).expect("large enough");
        for (y, row) in votes.plane().rows().enumerate() {
            for (x, &vote) in row.iter().enumerate() {
                let edge = |at: usize, len: usize| at < 7 || at + 8 > len;
                let expected = if edge(x, luma.width()) || edge(y, luma.height()) {
                    NO_VOTE
                } else {
                    plain(luma, x, y)
                };
                assert_eq!(vote, expected, "({x}, {y})");
            }
        }
    }

    #[test]
    fn votes_are_those_of_the_definition() {
        // Parts of it are flat along rows, flat along columns, and saturated.
        let luma = plane(75, 41, |x, y| match (x, y) {
            (0..20, 0..20) => 90,
            (20..36, _) => 30 + 5 * u8::try_from(x % 16).expect("small"),
            (60.., ..24) => 255 - noise(x, y) / 5 * 20,
            _ => 100 + 3 * noise(x, y) + u8::try_from(x / 2 + y).expect("small"),
        });
        assert_plain(&luma);
    }

    #[test]
    fn strips_meet_without_a_seam() {
        for extra in [0, 1, SIDE] {
            let luma = plane(STRIP_BLOCKS + SIDE - 1 + extra, 17, |x, y| {
                100 + noise(x, y) + u8::try_from(x % 50).expect("small")
            });
            let votes = Votes::of(&luma).expect("large enough");
            for x in STRIP_BLOCKS - 12..luma.width() - 7 {
                let seen = votes.plane().samples()[8 * luma.width() + x];
                assert_eq!(seen, plain(&luma, x, 8), "{x} of {}", luma.width());
            }
        }
    }

    #[test]
    fn the_smallest_picture_has_one_pixel_that_64_blocks_cover() {
        let luma = plane(15, 15, |x, y| 100 + noise(x, y));
        let votes = Votes::of(&luma).expect("large enough");
        assert!(votes.counts().iter().sum::<u64>() <= 1);
        assert!(Votes::of(&plane(14, 15, noise)).is_none());
        assert!(Votes::of(&plane(15, 14, noise)).is_none());
        assert!(Votes::of(&plane(1, 1, noise)).is_none());
    }

    #[test]
    fn flat_and_saturated_pictures_do_not_vote() {
        let silent = |luma: Plane| {
            let votes = Votes::of(&luma).expect("large enough");
            assert_eq!(votes.counts().iter().sum::<u64>(), 0);
        };
        silent(plane(40, 40, |_, _| 77));
        silent(plane(40, 40, |x, _| 3 * u8::try_from(x).expect("small")));
        silent(plane(40, 40, |_, y| 3 * u8::try_from(y).expect("small")));
        silent(plane(
            40,
            40,
            |x, y| if noise(x, y) == 0 { 250 } else { 255 },
        ));
    }

    #[test]
    fn a_block_votes_up_to_the_bound_of_saturated_samples() {
        let strip = |saturated: u8| {
            let mut strip = Strip::new(0, SIDE);
            for y in 0..SIDE {
                let above = [99; 2 * SIDE - 1];
                let row: Vec<u8> = (0..2 * SIDE - 1)
                    .map(|x| match y * SIDE + x {
                        at if x < SIDE && at < usize::from(saturated) => 255,
                        _ => 100 + noise(x, y),
                    })
                    .collect();
                strip.take(y, &row, &above);
            }
            strip.silent(0)[0]
        };
        assert!(!strip(SATURATED_MAX));
        assert!(strip(SATURATED_MAX + 1));
    }
}
