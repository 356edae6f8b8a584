//! Where the blocks lie that vote for a shift: in one area if somebody copied one, scattered if by chance.

use super::blocks::SIDE;
use super::matches::Shift;
use crate::bytes::{count, index};
use crate::evidence::Region;
use crate::pixels::Map;

/// Pixels along a side of a cell, in which votes are counted.
const CELL: u32 = 16;
/// Half a block, as a vote lies in the middle of its block.
const HALF: u64 = SIDE as u64 / 2;

/// Cells of a grid, with their votes.
type Cells = Vec<(usize, u32)>;

/// An area of blocks that vote for the same shift, and the area that it equals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    /// Blocks that vote.
    pub(super) votes: u32,
    /// The upper area.
    pub(super) first: Region,
    /// The lower one, of the same size.
    pub(super) second: Region,
    /// The cells of the upper area.
    cells: Cells,
    /// Cells from the upper to the lower area, to the right and down.
    step: (i64, i64),
}

impl Area {
    /// Its cells, each with the step to the lower area.
    fn stepping(&self) -> impl Iterator<Item = ((i64, i64), &(usize, u32))> {
        self.cells.iter().map(|cell| (self.step, cell))
    }
}

/// Votes of a shift by cell. One grid serves all shifts of a picture.
pub(super) struct Grid {
    columns: usize,
    rows: usize,
    votes: Vec<u32>,
    labels: Vec<u32>,
}

impl Grid {
    /// A grid over a picture of this size in pixels.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (columns, rows) = (width.div_ceil(index(CELL)), height.div_ceil(index(CELL)));
        Self {
            columns,
            rows,
            votes: vec![0; columns * rows],
            labels: vec![0; columns * rows],
        }
    }

    /// The largest area of cells that touch and have votes for the shift.
    pub(super) fn largest(&mut self, shift: &Shift<'_>) -> Option<Area> {
        self.votes.fill(0);
        self.labels.fill(0);
        for place in shift.places() {
            let cell = self.cell(place);
            if let Some(votes) = self.votes.get_mut(cell) {
                *votes += 1;
            }
        }
        let (label, cells) = self.label()?;
        let inside = shift
            .places()
            .filter(|&place| self.labels.get(self.cell(place)) == Some(&label));
        let (first, second) = boxes(inside, shift)?;
        let cell = i64::from(CELL);
        Some(Area {
            votes: cells.iter().map(|(_, votes)| votes).sum(),
            first,
            second,
            cells,
            step: (rounded(shift.dx, cell), rounded(shift.dy, cell)),
        })
    }

    fn cell(&self, (x, y): (u64, u64)) -> usize {
        let along = |pixel: u64| usize::try_from((pixel + HALF) / u64::from(CELL)).unwrap_or(0);
        along(y) * self.columns + along(x)
    }

    /// Labels all areas; answers the label of the one with the most votes, and its cells.
    fn label(&mut self) -> Option<(u32, Cells)> {
        let mut best: Option<(u32, (u32, Cells))> = None;
        let mut label = 0;
        for start in 0..self.votes.len() {
            if self.votes.get(start) == Some(&0) {
                continue;
            }
            label += 1;
            let cells = self.flood(start, label);
            let votes: u32 = cells.iter().map(|(_, votes)| votes).sum();
            if votes > best.as_ref().map_or(0, |(votes, _)| *votes) {
                best = Some((votes, (label, cells)));
            }
        }
        best.map(|(_, area)| area)
    }

    /// The cells with votes that hang together with this one and have no label yet; none if it has no votes itself.
    fn flood(&mut self, start: usize, label: u32) -> Cells {
        let mut cells = Vec::new();
        let mut pending = vec![start];
        while let Some(cell) = pending.pop() {
            let votes = self.votes.get(cell).copied().unwrap_or(0);
            let Some(known) = self.labels.get_mut(cell) else {
                continue;
            };
            if votes == 0 || *known != 0 {
                continue;
            }
            *known = label;
            cells.push((cell, votes));
            pending.extend(neighbours(cell, self.columns, self.rows));
        }
        cells
    }

    /// Both areas of all copies, the cell with the most votes as 255.
    pub(super) fn map<'a>(&self, areas: impl Iterator<Item = &'a Area>) -> Option<Map> {
        let mut votes = vec![0u32; self.votes.len()];
        for (step, &(cell, here)) in areas.flat_map(Area::stepping) {
            let both = [Some(cell), self.moved(cell, step)];
            for cell in both.into_iter().flatten() {
                if let Some(votes) = votes.get_mut(cell) {
                    *votes = (*votes).max(here);
                }
            }
        }
        let most = votes.iter().copied().max().filter(|&most| most > 0)?;
        let shade = |votes: u32| u8::try_from(votes * 255 / most).unwrap_or(u8::MAX);
        Some(Map {
            cell_pixels: CELL,
            columns: u32::try_from(self.columns).ok()?,
            rows: u32::try_from(self.rows).ok()?,
            cells: votes.into_iter().map(shade).collect(),
        })
    }

    fn moved(&self, cell: usize, step: (i64, i64)) -> Option<usize> {
        let column = cell.checked_rem(self.columns)?;
        let row = cell.checked_div(self.columns)?;
        let column = column.checked_add_signed(isize::try_from(step.0).ok()?)?;
        let row = row.checked_add_signed(isize::try_from(step.1).ok()?)?;
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }
}

/// The eight cells around one, as far as they are inside.
fn neighbours(cell: usize, columns: usize, rows: usize) -> impl Iterator<Item = usize> {
    let columns = columns.max(1);
    let (column, row) = (cell % columns, cell / columns);
    let across = column.saturating_sub(1)..(column + 2).min(columns);
    let down = row.saturating_sub(1)..(row + 2).min(rows);
    down.flat_map(move |row| across.clone().map(move |column| row * columns + column))
        .filter(move |&other| other != cell)
}

/// Whole units in a number of either sign, to the nearest.
fn rounded(number: i64, unit: i64) -> i64 {
    (number + unit / 2).div_euclid(unit)
}

/// The smallest boxes around blocks and around those that they equal.
fn boxes(places: impl Iterator<Item = (u64, u64)>, shift: &Shift<'_>) -> Option<(Region, Region)> {
    let (left, top, right, bottom) = places.fold((u64::MAX, u64::MAX, 0, 0), |edges, (x, y)| {
        let (left, top, right, bottom) = edges;
        (x.min(left), y.min(top), x.max(right), y.max(bottom))
    });
    let side = |near: u64, far: u64| u32::try_from(far.checked_sub(near)? + count(SIDE)).ok();
    let first = Region {
        x: u32::try_from(left).ok()?,
        y: u32::try_from(top).ok()?,
        w: side(left, right)?,
        h: side(top, bottom)?,
    };
    let second = Region {
        x: u32::try_from(i64::from(first.x) + shift.dx).ok()?,
        y: u32::try_from(i64::from(first.y) + shift.dy).ok()?,
        ..first
    };
    Some((first, second))
}

#[cfg(test)]
mod tests {
    use super::super::matches::{BLOCKS_MAX, Blocks};
    use super::*;

    /// The largest area of blocks at these places, each equal to the one `(60, 40)` further.
    fn largest(places: &[(usize, usize)]) -> (Option<Area>, Grid) {
        let mut blocks = Blocks::new(300, BLOCKS_MAX);
        for (number, &(x, y)) in places.iter().enumerate() {
            let key = (1 << 63) | ((count(number) + 1) << 26);
            blocks.push(x, y, key);
            blocks.push(x + 60, y + 40, key);
        }
        let matches = blocks.matches();
        let mut grid = Grid::new(300, 200);
        let area = matches
            .strongest(1, 1)
            .first()
            .and_then(|shift| grid.largest(shift));
        (area, grid)
    }

    #[test]
    fn the_largest_area_has_its_boxes_and_leaves_out_strays() {
        let near = [(20, 30), (36, 30), (40, 52), (52, 61)];
        let (area, _) = largest(&[near.as_slice(), &[(200, 100), (210, 100)]].concat());
        let area = area.expect("an area");
        assert_eq!(area.votes, 4);
        let [x, y, w, h] = [20, 30, 48, 47];
        assert_eq!(area.first, Region { x, y, w, h });
        let [x, y, w, h] = [80, 70, 48, 47];
        assert_eq!(area.second, Region { x, y, w, h });
    }

    #[test]
    fn cells_that_touch_at_a_corner_hang_together() {
        let (area, _) = largest(&[(8, 8), (24, 24), (56, 56)]);
        assert_eq!(area.map(|area| area.votes), Some(2));
    }

    #[test]
    fn the_map_shows_both_areas() {
        let (area, grid) = largest(&[(8, 8), (9, 8)]);
        let map = grid.map(area.iter()).expect("a map");
        assert_eq!((map.columns, map.rows, map.cell_pixels), (19, 13, 16));
        let shown: Vec<usize> = (0..map.cells.len())
            .filter(|&at| map.cells[at] == 255)
            .collect();
        // 60 and 40 pixels are about four and three cells.
        assert_eq!(shown, [20, 20 + 3 * 19 + 4]);
        assert_eq!(map.cells.iter().filter(|cell| **cell > 0).count(), 2);
    }

    #[test]
    fn without_votes_there_is_no_area_and_no_map() {
        let (area, grid) = largest(&[]);
        assert_eq!(area, None);
        assert_eq!(grid.map(std::iter::empty()), None);
    }

    #[test]
    fn halves_are_rounded_up_and_signs_kept() {
        assert_eq!(
            [-9, -8, 7, 8].map(|pixels| rounded(pixels, 16)),
            [-1, 0, 0, 1]
        );
    }
}
