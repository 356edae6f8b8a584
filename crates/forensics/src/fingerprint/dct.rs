//! The transform, and bits out of it.

use std::f32::consts::PI;

use super::luma::{SIDE, Small};

/// Frequencies per direction that become bits.
const FREQUENCIES: usize = 16;
const BITS: usize = FREQUENCIES * FREQUENCIES;
const HASH_BYTES: usize = BITS / 8;

type Basis = [[f32; SIDE]; FREQUENCIES];

/// The fingerprint in hex.
pub(super) fn hash(small: &Small) -> String {
    let coefficients = transform(small);
    let mut sorted = coefficients;
    sorted.sort_by(f32::total_cmp);
    let (_, upper) = sorted.split_at(BITS / 2);
    let median = upper.first().copied().unwrap_or_default();
    let mut hex = String::with_capacity(2 * HASH_BYTES);
    for group in coefficients.chunks_exact(4) {
        let nibble = group
            .iter()
            .fold(0, |bits, &value| bits << 1 | u32::from(value > median));
        hex.extend(char::from_digit(nibble, 16));
    }
    hex
}

/// The bits of a fingerprint in hex.
pub(super) fn parse(hash: &str) -> Option<Vec<u8>> {
    if hash.len() != 2 * HASH_BYTES {
        return None;
    }
    let nibbles: Option<Vec<u32>> = hash.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes = nibbles?;
    bytes
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, nibble| byte << 4 | nibble)).ok())
        .collect()
}

/// DCT-II in both directions, frequencies 1 to 16.
fn transform(small: &Small) -> [f32; BITS] {
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
