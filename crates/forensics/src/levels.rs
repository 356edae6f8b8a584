//! The quantised luma coefficients of a JPEG, as the file stores them: what traces of an earlier compression lie in.

mod recomputed;

pub(crate) use recomputed::whole;

/// Quantised DCT coefficients ("levels") of the luma blocks. Within a block they lie in rows of rising horizontal
/// frequency: level `(u, v)`, horizontal and vertical, is at `8 v + u`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    columns: usize,
    rows: usize,
    steps: [u16; 64],
    levels: Vec<[i16; 64]>,
}

impl Levels {
    /// Blocks in rows of `columns`, quantised with `steps` (in the same order as the levels of a block); nothing if
    /// they do not fill whole rows, if there are none, or if a step is zero.
    #[must_use]
    pub fn new(columns: usize, steps: [u16; 64], levels: Vec<[i16; 64]>) -> Option<Self> {
        let rows = levels.len().checked_div(columns)?;
        (rows > 0 && columns * rows == levels.len() && !steps.contains(&0)).then_some(Self {
            columns,
            rows,
            steps,
            levels,
        })
    }

    /// Blocks of a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of blocks.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The quantisation steps, in the order of the levels of a block.
    #[must_use]
    pub fn steps(&self) -> &[u16; 64] {
        &self.steps
    }

    /// All blocks, row by row.
    #[must_use]
    pub fn blocks(&self) -> &[[i16; 64]] {
        &self.levels
    }
}
