//! The quantised luma coefficients of a JPEG, as the file stores them: what traces of an earlier compression lie in.
//!
//! Not here: samples; levels are read or recomputed, and never turned back into a picture.

mod bits;
mod frame;
mod header;
mod huffman;
mod progressive;
mod reader;
mod recomputed;
mod scan;
mod sequential;
mod unread;

pub(crate) use recomputed::whole;
pub use unread::Unread;

use crate::limits::Limits;

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

    /// The levels that a JPEG stores for its first component: luma, or in the rare JPEG without one, red or cyan. Only
    /// blocks that cover the picture are kept.
    ///
    /// Reads baseline, extended and progressive Huffman coding with 8 bits per sample. The work is linear in the
    /// bytes of the file times its scans.
    ///
    /// # Errors
    /// The file is no such JPEG, is damaged so that levels would be guessed, or is beyond `pixels_max`,
    /// `side_pixels_max`, `jpeg_scans_max` or `jpeg_markers_max`.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Unread> {
        reader::read(bytes, limits)
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

#[cfg(test)]
mod tests;
