//! A figure per block of a picture.

/// Blocks in rows; nothing where a block has no say.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pixels) struct Field {
    columns: usize,
    cells: Vec<Option<f32>>,
}

/// Blocks to each side whose mean a block takes.
const RADIUS: usize = 2;
/// Blocks with a say that a mean needs: as many as there are around a corner.
const NEIGHBOURS_MIN: usize = 9;

impl Field {
    /// Cells in rows of `columns`; what does not fill a row is left out.
    pub(in crate::pixels) fn new(columns: usize, mut cells: Vec<Option<f32>>) -> Self {
        let columns = columns.max(1);
        cells.truncate(cells.len() / columns * columns);
        Self { columns, cells }
    }

    pub(in crate::pixels) fn columns(&self) -> usize {
        self.columns
    }

    pub(in crate::pixels) fn rows(&self) -> usize {
        self.cells.len() / self.columns
    }

    pub(in crate::pixels) fn cells(&self) -> &[Option<f32>] {
        &self.cells
    }

    /// Means over 5 × 5 blocks, where the block itself has a say.
    pub(in crate::pixels) fn smoothed(&self) -> Self {
        let cells = self.cells.iter().enumerate().map(|(at, cell)| {
            let (x, y) = (at % self.columns, at / self.columns);
            (*cell).and_then(|_| self.mean_around(x, y))
        });
        Self {
            columns: self.columns,
            cells: cells.collect(),
        }
    }

    fn mean_around(&self, x: usize, y: usize) -> Option<f32> {
        let (left, right) = (x.saturating_sub(RADIUS), (x + RADIUS + 1).min(self.columns));
        let (mut sum, mut count) = (0.0, 0);
        for row in y.saturating_sub(RADIUS)..(y + RADIUS + 1).min(self.rows()) {
            let start = row * self.columns;
            for value in self
                .cells
                .get(start + left..start + right)?
                .iter()
                .flatten()
            {
                sum += value;
                count += 1;
            }
        }
        (count >= NEIGHBOURS_MIN).then(|| sum / count as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_blocks_that_have_a_say() {
        let mut cells = vec![Some(1.0); 35];
        cells[17] = None;
        cells[16] = Some(25.0);
        let smoothed = Field::new(7, cells).smoothed();
        assert_eq!(smoothed.cells()[17], None);
        // 24 of 25 blocks around the middle.
        assert_eq!(smoothed.cells()[16], Some(2.0));
        assert_eq!(smoothed.cells()[6], Some(1.0));
        assert_eq!((smoothed.columns(), smoothed.rows()), (7, 5));
    }

    #[test]
    fn too_few_neighbours_make_no_mean() {
        let corner = |missing: usize| {
            let mut cells = vec![Some(1.0); 9];
            cells[9 - missing..].fill(None);
            Field::new(3, cells).smoothed().cells()[0]
        };
        assert_eq!(corner(0), Some(1.0));
        assert_eq!(corner(1), None);
    }

    #[test]
    fn rows_are_whole() {
        assert_eq!(Field::new(3, vec![Some(0.0); 8]).rows(), 2);
        assert_eq!(Field::new(0, vec![None; 2]).columns(), 1);
    }
}
