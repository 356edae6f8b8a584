//! Maps: where in a picture an analysis speaks.

use std::io::Cursor;

use image::{GrayImage, ImageFormat};
use serde::{Deserialize, Serialize};

use crate::bytes::index;

/// Cells along one side of a map that is handed out.
pub const MAP_SIDE_MAX: u32 = 1_024;

/// A picture of how strongly an analysis speaks at each place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Pixels of the picture along each side of one cell.
    pub cell_pixels: u32,
    /// Cells of a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// 0 (nothing) to 255 (most), row by row.
    pub cells: Vec<u8>,
}

impl Map {
    /// The map as a grey PNG of at most [`MAP_SIDE_MAX`] cells a side; nothing if its cells do not fill its rows.
    #[must_use]
    pub fn png(&self) -> Option<Vec<u8>> {
        let small = self.reduced(MAP_SIDE_MAX)?;
        let picture = GrayImage::from_raw(small.columns, small.rows, small.cells)?;
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).ok()?;
        Some(png.into_inner())
    }

    /// The same with whole numbers of cells drawn together until no side is longer than `side_max`. What was the most
    /// of several cells stays: a small place that speaks must not be averaged away.
    #[must_use]
    pub fn reduced(&self, side_max: u32) -> Option<Self> {
        let (columns, rows) = (index(self.columns), index(self.rows));
        if columns == 0 || rows == 0 || columns.checked_mul(rows)? != self.cells.len() {
            return None;
        }
        let together = self.columns.max(self.rows).div_ceil(side_max.max(1));
        let step = index(together);
        let (narrow, short) = (columns.div_ceil(step), rows.div_ceil(step));
        let mut cells = vec![0; narrow * short];
        for (y, row) in self.cells.chunks_exact(columns).enumerate() {
            let line = cells.chunks_exact_mut(narrow).nth(y / step)?;
            for (cells, most) in row.chunks(step).zip(line) {
                *most = cells.iter().copied().fold(*most, u8::max);
            }
        }
        Some(Self {
            cell_pixels: self.cell_pixels.saturating_mul(together),
            columns: self.columns.div_ceil(together),
            rows: self.rows.div_ceil(together),
            cells,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(columns: u32, rows: u32) -> Map {
        Map {
            cell_pixels: 8,
            columns,
            rows,
            cells: vec![0; index(columns) * index(rows)],
        }
    }

    #[test]
    fn a_map_as_large_as_may_be_stays_and_a_larger_one_is_halved() {
        let fits = map(MAP_SIDE_MAX, 3);
        assert_eq!(fits.reduced(MAP_SIDE_MAX), Some(fits));
        let mut wide = map(MAP_SIDE_MAX + 1, 3);
        wide.cells[index(MAP_SIDE_MAX)] = 200;
        let small = wide.reduced(MAP_SIDE_MAX).expect("whole rows");
        assert_eq!((small.cell_pixels, small.columns, small.rows), (16, 513, 2));
        assert_eq!(small.cells[512], 200);
        assert_eq!(small.cells.iter().filter(|cell| **cell > 0).count(), 1);
    }

    #[test]
    fn the_png_reads_back() {
        let mut map = map(5, 4);
        map.cells[7] = 9;
        let png = image::load_from_memory(&map.png().expect("whole rows")).expect("a PNG");
        assert_eq!(png.into_luma8().into_raw(), map.cells);
    }

    #[test]
    fn cells_that_fill_no_whole_rows_are_no_map() {
        let mut short = map(5, 4);
        short.cells.pop();
        assert_eq!(short.png(), None);
        assert_eq!(map(0, 0).png(), None);
    }
}
