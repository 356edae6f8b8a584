//! Grey pictures: reduction by area, and figures.

use image::GrayImage;

use super::Picture;
use crate::raster::Plane;

/// Columns and rows of the reduced picture.
pub(super) const SIDE: usize = 64;
/// Divisor of the sum of differences, in hundredths of the range, that makes 100 of a well-textured picture.
const QUALITY_DIVISOR: u32 = 90;

/// Rows of the reduced picture, 0 to 255.
pub(super) type Small = [[f32; SIDE]; SIDE];

/// Averages over areas, first along rows, then along columns; nothing if there are no pixels.
pub(super) fn reduce(luma: &GrayImage) -> Option<Small> {
    let (width, height) = (usize_of(luma.width()), usize_of(luma.height()));
    if width == 0 || height == 0 {
        return None;
    }
    let columns = weights(width);
    let rows = weights(height);
    let mut small = [[0.0; SIDE]; SIDE];
    for (line, spread) in luma.as_raw().chunks_exact(width).zip(&rows) {
        let mut reduced = [0.0f32; SIDE];
        for (&pixel, spread) in line.iter().zip(&columns) {
            spread.add(&mut reduced, f32::from(pixel));
        }
        for (column, value) in reduced.into_iter().enumerate() {
            for (row, share) in spread.parts() {
                if let Some(cell) = small.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell += value * share;
                }
            }
        }
    }
    Some(small)
}

/// Where one line of the source goes: to consecutive lines from `first` on, each with a share.
struct Spread {
    first: usize,
    shares: Vec<f32>,
}

impl Spread {
    fn add(&self, line: &mut [f32; SIDE], value: f32) {
        for (at, share) in self.parts() {
            if let Some(cell) = line.get_mut(at) {
                *cell += value * share;
            }
        }
    }

    fn parts(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        self.shares
            .iter()
            .enumerate()
            .map(|(index, &share)| (self.first + index, share))
    }
}

/// How `len` lines cover [`SIDE`] lines; the shares that arrive at each line sum to one.
fn weights(len: usize) -> Vec<Spread> {
    let scale = SIDE as f64 / len as f64;
    (0..len)
        .map(|index| {
            let (start, end) = (index as f64 * scale, (index + 1) as f64 * scale);
            let covered = |line: usize| {
                let line = line as f64;
                (end.min(line + 1.0) - start.max(line)).max(0.0)
            };
            // Integers, so that rounding cannot leave a line out.
            let first = index * SIDE / len;
            let last = ((index + 1) * SIDE).div_ceil(len).min(SIDE);
            let shares = (first..last).map(|line| narrow(covered(line))).collect();
            Spread { first, shares }
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
fn narrow(share: f64) -> f32 {
    share as f32
}

/// The quality of a fingerprint made of this picture, 0 to 100.
pub(super) fn quality(small: &Small) -> u32 {
    let mut sum = 0;
    for (y, row) in small.iter().enumerate() {
        for (x, &value) in row.iter().enumerate() {
            let right = row.get(x + 1);
            let below = small.get(y + 1).and_then(|row| row.get(x));
            for &neighbour in [right, below].into_iter().flatten() {
                sum += hundredths(value - neighbour);
            }
        }
    }
    (sum / QUALITY_DIVISOR).min(100)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number between 0 and 100"
)]
fn hundredths(difference: f32) -> u32 {
    (difference.abs() * 100.0 / 255.0).clamp(0.0, 100.0) as u32
}

/// Figures of the picture in full size.
pub(crate) fn describe(luma: &Plane) -> Picture {
    let mut levels = [false; 256];
    let mut flat = 0u64;
    let mut looked_at = 0u64;
    let mut above: Option<&[u8]> = None;
    for line in luma.rows() {
        for &pixel in line {
            levels[usize::from(pixel)] = true;
        }
        if let Some(above) = above {
            looked_at += crate::bytes::count(luma.width() - 1);
            flat += crate::bytes::count(flat_pixels(above, line));
        }
        above = Some(line);
    }
    let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
    Picture {
        width: side(luma.width()),
        height: side(luma.height()),
        flat_share: flat as f64 / looked_at.max(1) as f64,
        grey_levels: levels.iter().map(|&seen| u32::from(seen)).sum(),
    }
}

/// Pixels of `line` that equal their right and lower neighbours.
fn flat_pixels(line: &[u8], below: &[u8]) -> usize {
    let right = line.iter().skip(1);
    line.iter()
        .zip(right)
        .zip(below)
        .filter(|((pixel, right), below)| pixel == right && pixel == below)
        .count()
}

fn usize_of(side: u32) -> usize {
    crate::bytes::index(side)
}
