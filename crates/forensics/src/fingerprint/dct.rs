//! The transform, and bits out of it.

use std::f32::consts::PI;

use super::bits::{BITS, Bits, FREQUENCIES};
use super::luma::{SIDE, Small};

type Basis = [[f32; SIDE]; FREQUENCIES];

/// Coefficients in the order of [`Bits`].
pub(super) type Coefficients = [f32; BITS];

/// Which coefficients are above the median of all.
pub(super) fn above_median(coefficients: &Coefficients) -> Bits {
    let mut sorted = *coefficients;
    sorted.sort_by(f32::total_cmp);
    let (_, upper) = sorted.split_at(BITS / 2);
    let median = upper.first().copied().unwrap_or_default();
    Bits::collect(coefficients.iter().map(|&value| value > median))
}

/// DCT-II in both directions, frequencies 1 to 16.
pub(super) fn transform(small: &Small) -> Coefficients {
    let basis = basis();
    // Rows first: 16 sums for each of the 64 rows.
    let along_rows = small.map(|row| basis.map(|wave| dot(&wave, &row)));
    let mut coefficients = [0.0; BITS];
    let mut cells = coefficients.iter_mut();
    for wave in &basis {
        for column in 0..FREQUENCIES {
            let sum = wave
                .iter()
                .zip(&along_rows)
                .map(|(factor, row)| factor * row.get(column).copied().unwrap_or_default());
            if let Some(cell) = cells.next() {
                *cell = sum.sum();
            }
        }
    }
    coefficients
}

fn basis() -> Basis {
    let mut basis = [[0.0; SIDE]; FREQUENCIES];
    for (number, wave) in basis.iter_mut().enumerate() {
        let frequency = (number + 1) as f32;
        for (place, factor) in wave.iter_mut().enumerate() {
            *factor = (PI / SIDE as f32 * (place as f32 + 0.5) * frequency).cos();
        }
    }
    basis
}

fn dot(left: &[f32; SIDE], right: &[f32; SIDE]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}
