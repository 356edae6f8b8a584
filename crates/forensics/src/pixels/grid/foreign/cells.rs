//! Candidates on a coarse raster: cells with many votes for one grid that touch each other.

use std::ops::Range;

use super::Patch;
use crate::bytes::{count, index};
use crate::pixels::grid::rectangle::{Lines, Rectangle};
use crate::pixels::grid::votes::GRIDS;
use crate::pixels::grid::{CELL, nfa};
use crate::raster::Plane;

/// Votes for a grid that make a cell part of a candidate, of 64: eight times as many as by chance.
const CELL_VOTES_MIN: u8 = 8;
/// Votes for the main grid in the strong cells of a patch, for each vote for its own. Pictures pasted together had at
/// most 0.02; those cropped and saved again in high quality had 0.2 and more.
const MAIN_RATIO_MAX: f64 = 0.1;
/// How much better a candidate may become when its sides move by pixels instead of cells (log10).
const COARSE_SLACK: f64 = 4.0;

/// What may be a patch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) grid: u8,
    /// In pixels, by whole cells.
    pub(super) area: Rectangle,
    /// Of the cells alone.
    pub(super) log10_nfa: f64,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    column: u32,
    row: u32,
    votes: u8,
}

/// All candidates on other grids than `main`.
pub(super) fn candidates(plane: &Plane, main: u8) -> Vec<Candidate> {
    let sides = (plane.width(), plane.height());
    let mut raster = Raster::new(sides.0.div_ceil(CELL), sides.1.div_ceil(CELL));
    let mut candidates = Vec::new();
    for (grid, cells) in (0..).zip(strong_cells(plane, main)) {
        let components = raster.components(&cells);
        candidates.extend(components.iter().filter_map(|component| {
            let (area, log10_nfa) = tightened(component, sides)?;
            Some(Candidate {
                grid,
                area,
                log10_nfa,
            })
        }));
    }
    candidates
}

/// Whether the main grid does not show where that of the patch does.
pub(super) fn are_pure(plane: &Plane, patch: &Patch, main: u8) -> bool {
    let Rectangle { x, y } = &patch.area;
    let (mut own, mut of_main) = (0, 0);
    for top in y.clone().step_by(CELL) {
        // By column of cells: votes for the grid of the patch, and for the main one.
        let mut counts = vec![(0_u32, 0_u32); x.len().div_ceil(CELL)];
        for row in plane.rows().take(y.end).skip(top).take(CELL) {
            for (counts, votes) in counts.iter_mut().zip(row[x.clone()].chunks(CELL)) {
                for &vote in votes {
                    counts.0 += u32::from(vote == patch.grid);
                    counts.1 += u32::from(vote == main);
                }
            }
        }
        for (votes, votes_main) in counts {
            if votes >= u32::from(CELL_VOTES_MIN) {
                own += u64::from(votes);
                of_main += u64::from(votes_main);
            }
        }
    }
    of_main as f64 <= own as f64 * MAIN_RATIO_MAX
}

/// By grid, the cells with many votes for it.
fn strong_cells(plane: &Plane, main: u8) -> Vec<Vec<Cell>> {
    let mut strong = vec![Vec::new(); usize::from(GRIDS)];
    let bands = plane.samples().chunks(CELL * plane.width());
    for (row, band) in (0..).zip(bands) {
        // The last place takes what did not vote.
        let mut counts = vec![[0_u8; GRIDS as usize + 1]; plane.width().div_ceil(CELL)];
        for line in band.chunks_exact(plane.width()) {
            for (counts, votes) in counts.iter_mut().zip(line.chunks(CELL)) {
                for &vote in votes {
                    counts[usize::from(vote.min(GRIDS))] += 1;
                }
            }
        }
        for (column, counts) in (0..).zip(&counts) {
            for ((grid, cells), &votes) in (0..).zip(&mut strong).zip(counts) {
                if votes >= CELL_VOTES_MIN && grid != main {
                    cells.push(Cell { column, row, votes });
                }
            }
        }
    }
    strong
}

/// The rectangle, in pixels, that the cells make the most of, and its log10 NFA; nothing if that is far from enough.
fn tightened(cells: &[Cell], sides: (usize, usize)) -> Option<(Rectangle, f64)> {
    let votes_in = |area: &Rectangle| -> u64 {
        let inside = cells.iter().filter(|cell| area.contains(place(cell)));
        inside.map(|cell| u64::from(cell.votes)).sum()
    };
    let bounds = bounds(cells)?;
    let votes = votes_in(&bounds);
    // In no rectangle can more agree than all.
    if nfa::of_rectangle(sides, votes, votes) > COARSE_SLACK {
        return None;
    }
    let lines = |first: usize, len: usize, across: usize| Lines {
        first,
        votes: vec![0; len],
        // A cell has the size of a block.
        blocks: across as f64,
    };
    let area = bounds.clone().tighten(
        usize::MAX,
        |area| {
            let mut lines = lines(bounds.x.start, bounds.x.len(), area.y.len());
            for cell in cells.iter().filter(|cell| area.y.contains(&place(cell).1)) {
                lines.add(place(cell).0, cell.votes);
            }
            lines
        },
        |area| {
            let mut lines = lines(bounds.y.start, bounds.y.len(), area.x.len());
            for cell in cells.iter().filter(|cell| area.x.contains(&place(cell).0)) {
                lines.add(place(cell).1, cell.votes);
            }
            lines
        },
    );
    let votes = votes_in(&area);
    let area = Rectangle {
        x: in_pixels(&area.x, sides.0),
        y: in_pixels(&area.y, sides.1),
    };
    let log10_nfa = nfa::of_rectangle(sides, count(area.area()), votes);
    (log10_nfa < COARSE_SLACK).then_some((area, log10_nfa))
}

/// Column and row.
fn place(cell: &Cell) -> (usize, usize) {
    (index(cell.column), index(cell.row))
}

/// The smallest rectangle around all cells.
fn bounds(cells: &[Cell]) -> Option<Rectangle> {
    let around = |of: fn(&Cell) -> u32| -> Option<Range<usize>> {
        let (first, last) = (cells.iter().map(of).min()?, cells.iter().map(of).max()?);
        Some(index(first)..index(last) + 1)
    };
    Some(Rectangle {
        x: around(|cell| cell.column)?,
        y: around(|cell| cell.row)?,
    })
}

fn in_pixels(cells: &Range<usize>, len: usize) -> Range<usize> {
    cells.start * CELL..(cells.end * CELL).min(len)
}

/// The votes of the cells that are still to be visited; 0 elsewhere.
#[derive(Debug)]
struct Raster {
    columns: usize,
    rows: usize,
    votes: Vec<u8>,
}

impl Raster {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            votes: vec![0; columns * rows],
        }
    }

    /// The cells in groups that touch, by sides or corners.
    fn components(&mut self, cells: &[Cell]) -> Vec<Vec<Cell>> {
        for cell in cells {
            if let Some(votes) = self.at(cell.column, cell.row) {
                *votes = cell.votes;
            }
        }
        cells
            .iter()
            .map(|cell| self.component(*cell))
            .filter(|component| !component.is_empty())
            .collect()
    }

    /// Takes a cell, and what touches it, off the raster; nothing if it is already gone.
    fn component(&mut self, start: Cell) -> Vec<Cell> {
        let mut component: Vec<Cell> = self.take(start.column, start.row).into_iter().collect();
        let mut next = 0;
        while let Some(&Cell { column, row, .. }) = component.get(next) {
            for row in row.saturating_sub(1)..=row.saturating_add(1) {
                for column in column.saturating_sub(1)..=column.saturating_add(1) {
                    component.extend(self.take(column, row));
                }
            }
            next += 1;
        }
        component
    }

    fn take(&mut self, column: u32, row: u32) -> Option<Cell> {
        let votes = std::mem::take(self.at(column, row)?);
        (votes > 0).then_some(Cell { column, row, votes })
    }

    fn at(&mut self, column: u32, row: u32) -> Option<&mut u8> {
        let (column, row) = (index(column), index(row));
        if column >= self.columns || row >= self.rows {
            return None;
        }
        self.votes.get_mut(row * self.columns + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Votes for grid 9 where `agrees` says so, else for none.
    fn plane(width: usize, height: usize, agrees: impl Fn(usize, usize) -> bool) -> Plane {
        let vote = |at: usize| match agrees(at % width, at / width) {
            true => 9,
            false => u8::MAX,
        };
        Plane::new(width, (0..width * height).map(vote).collect()).expect("whole rows")
    }

    #[test]
    fn cells_that_touch_are_one_candidate() {
        let plane = plane(200, 104, |x, y| {
            matches!(
                (x, y),
                (16..56, 8..48) | (56..64, 48..56) | (136..200, 64..104)
            )
        });
        let found = candidates(&plane, 0);
        assert!(found.iter().all(|candidate| candidate.grid == 9));
        let areas: Vec<&Rectangle> = found.iter().map(|candidate| &candidate.area).collect();
        assert_eq!(
            areas,
            [
                &Rectangle {
                    x: 16..56,
                    y: 8..48
                },
                &Rectangle {
                    x: 136..200,
                    y: 64..104
                }
            ]
        );
        assert!(candidates(&plane, 9).is_empty());
    }

    #[test]
    fn a_cell_counts_from_the_bound_on() {
        let with = |votes: usize| plane(160, 160, |x, y| x % 8 + y % 8 * 8 < votes);
        let bound = usize::from(CELL_VOTES_MIN);
        let found = candidates(&with(bound), 0);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].area,
            Rectangle {
                x: 0..160,
                y: 0..160
            }
        );
        assert!(candidates(&with(bound - 1), 0).is_empty());
    }

    #[test]
    fn a_few_blocks_are_no_candidate() {
        let with = |side: usize| plane(512, 512, |x, y| x < side && y < side);
        assert!(candidates(&with(16), 0).is_empty());
        assert_eq!(candidates(&with(32), 0).len(), 1);
    }
}
