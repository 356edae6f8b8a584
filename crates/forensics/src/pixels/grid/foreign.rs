//! Rectangles that were compressed on another grid than the rest of the picture.
//!
//! What may be one is found on a coarse raster ([`cells`]); then its sides are moved, pixel by pixel, to where the
//! votes are most surprising. What is left must be too good for chance ([`nfa::of_rectangle`]).
//!
//! What was put into a picture was never compressed on the grid of the rest. Where both grids show in the same places
//! the picture was compressed on both, as when somebody crops a JPEG and saves it again in high quality. That is no
//! patch, and neither is what lies on the grid of a picture's corner while the rest lies on another.

mod cells;

use std::ops::Range;

use cells::Candidate;

use super::nfa;
use super::rectangle::{Lines, Rectangle};
use super::votes::Votes;
use super::{CELL, LOG10_NFA_MAX};
use crate::bytes::count;
use crate::raster::Plane;

/// The most rectangles that are looked at closely, and so the most that are found.
const PATCHES_MAX: usize = 16;

/// The grid of whoever saved the picture last as a whole. It may show in parts only, if an older one is seen better.
const LAST_SAVE: u8 = 0;

/// A part of the picture on a grid of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    pub(super) grid: u8,
    /// In pixels.
    pub(super) area: Rectangle,
    pub(super) log10_nfa: f64,
}

/// What is on other grids than the rest.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    /// The least likely by chance first.
    pub(super) patches: Vec<Patch>,
    /// Grids that the picture was compressed on as a whole, too.
    pub(super) mixed: Vec<u8>,
}

impl Foreign {
    /// Looks at all grids but `main`.
    pub(super) fn of(votes: &Votes, main: u8) -> Self {
        let plane = votes.plane();
        let mut candidates = cells::candidates(plane, main);
        candidates.sort_by(|a, b| a.log10_nfa.total_cmp(&b.log10_nfa));
        candidates.truncate(PATCHES_MAX);
        let mut found: Vec<Patch> = candidates
            .into_iter()
            .map(|candidate| refined(candidate, plane))
            .filter(|patch| patch.log10_nfa < LOG10_NFA_MAX)
            .collect();
        found.sort_by(|a, b| a.log10_nfa.total_cmp(&b.log10_nfa));
        let (patches, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|patch| patch.grid != LAST_SAVE && cells::are_pure(plane, patch, main));
        let mut mixed: Vec<u8> = others.iter().map(|patch| patch.grid).collect();
        mixed.sort_unstable();
        mixed.dedup();
        Self { patches, mixed }
    }
}

/// The candidate with its sides moved by pixels.
fn refined(candidate: Candidate, plane: &Plane) -> Patch {
    let grid = candidate.grid;
    let area = candidate.area.tighten(
        CELL,
        |area| columns(plane, grid, &widened(&area.x, plane.width()), &area.y),
        |area| rows(plane, grid, &area.x, &widened(&area.y, plane.height())),
    );
    let rows = rows(plane, grid, &area.x, &area.y);
    let votes = rows.votes.iter().map(|&votes| u64::from(votes)).sum();
    let sides = (plane.width(), plane.height());
    Patch {
        log10_nfa: nfa::of_rectangle(sides, count(area.area()), votes),
        grid,
        area,
    }
}

/// The side with what is within reach of it.
fn widened(side: &Range<usize>, len: usize) -> Range<usize> {
    side.start.saturating_sub(CELL)..(side.end + CELL).min(len)
}

fn columns(plane: &Plane, grid: u8, x: &Range<usize>, y: &Range<usize>) -> Lines {
    let mut votes = vec![0; x.len()];
    for row in plane.rows().skip(y.start).take(y.len()) {
        for (sum, &vote) in votes.iter_mut().zip(&row[x.clone()]) {
            *sum += u32::from(vote == grid);
        }
    }
    Lines::of_pixels(x.start, votes, y.len())
}

fn rows(plane: &Plane, grid: u8, x: &Range<usize>, y: &Range<usize>) -> Lines {
    let votes = plane
        .rows()
        .skip(y.start)
        .take(y.len())
        .map(|row| {
            row[x.clone()]
                .iter()
                .map(|&vote| u32::from(vote == grid))
                .sum()
        })
        .collect();
    Lines::of_pixels(y.start, votes, x.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::grid::votes::NO_VOTE;

    const SIDES: (usize, usize) = (203, 101);

    fn foreign(sides: (usize, usize), main: u8, vote: impl Fn(usize, usize) -> u8) -> Foreign {
        let votes = (0..sides.0 * sides.1).map(|at| vote(at % sides.0, at / sides.0));
        let plane = Plane::new(sides.0, votes.collect()).expect("whole rows");
        Foreign::of(&Votes::cast(plane), main)
    }

    /// Votes for grid 9 where `agrees` says so, else for grid 0.
    fn of_nine(agrees: impl Fn(usize, usize) -> bool) -> Foreign {
        foreign(SIDES, 0, |x, y| if agrees(x, y) { 9 } else { 0 })
    }

    fn areas(foreign: &Foreign) -> Vec<Rectangle> {
        let patches = foreign.patches.iter();
        patches.map(|patch| patch.area.clone()).collect()
    }

    #[test]
    fn patches_are_exact_to_the_pixel() {
        for area in [
            Rectangle {
                x: 13..58,
                y: 9..63,
            },
            Rectangle {
                x: 0..203,
                y: 0..30,
            },
            Rectangle {
                x: 140..203,
                y: 61..101,
            },
        ] {
            let found = of_nine(|x, y| area.contains((x, y)));
            assert_eq!(areas(&found), [area]);
            assert!(found.mixed.is_empty());
        }
    }

    #[test]
    fn two_patches_are_two() {
        let (large, small) = (
            Rectangle {
                x: 10..60,
                y: 10..60,
            },
            Rectangle {
                x: 100..140,
                y: 50..90,
            },
        );
        let found = of_nine(|x, y| large.contains((x, y)) || small.contains((x, y)));
        assert_eq!(areas(&found), [large, small]);
    }

    #[test]
    fn no_more_patches_are_found_than_the_bound() {
        let with = |number: usize| {
            let found = foreign((320, 320), 0, |x, y| {
                let inside = x % 64 < 32 && y % 64 < 32 && y / 64 * 5 + x / 64 < number;
                if inside { 9 } else { 0 }
            });
            found.patches.len()
        };
        assert_eq!(with(PATCHES_MAX), PATCHES_MAX);
        assert_eq!(with(PATCHES_MAX + 1), PATCHES_MAX);
    }

    #[test]
    fn where_both_grids_show_is_no_patch() {
        let area = Rectangle {
            x: 40..120,
            y: 20..84,
        };
        // In each cell 40 votes for the grid of the patch, and some of the others for the main one.
        let with = |for_main: usize| {
            foreign(SIDES, 0, |x, y| match (area.contains((x, y)), x % 8) {
                (false, _) => 0,
                (true, 0..5) => 9,
                (true, column) if (column - 5) * 8 + y % 8 < for_main => 0,
                (true, _) => NO_VOTE,
            })
        };
        let pure = with(4);
        assert_eq!(
            areas(&pure),
            [Rectangle {
                x: 40..117,
                y: 20..84
            }]
        );
        assert!(pure.mixed.is_empty());
        let mixed = with(5);
        assert!(mixed.patches.is_empty());
        assert_eq!(mixed.mixed, [9]);
    }

    #[test]
    fn the_grid_of_the_last_save_is_no_patch() {
        let area = Rectangle {
            x: 40..120,
            y: 20..84,
        };
        let with = |own: u8| foreign(SIDES, 9, |x, y| if area.contains((x, y)) { own } else { 9 });
        assert_eq!(areas(&with(1)), std::slice::from_ref(&area));
        let last = with(0);
        assert!(last.patches.is_empty());
        assert_eq!(last.mixed, [0]);
    }
}
