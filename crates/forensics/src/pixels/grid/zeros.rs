//! How many AC coefficients are zero, for 8 × 8 blocks that begin at every position of a line.
//!
//! The DCT of ITU-T T.81, A.3.3, along rows once for all blocks that share a row, then along columns. The factors of
//! each frequency are left out and put into what a coefficient is compared with, so that coefficients which are plain
//! sums of samples are exact.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Samples along one side of a block, and frequencies of each direction.
pub(super) const SIDE: usize = 8;
/// A coefficient below this counts as zero: half of the finest quantisation step.
const ZERO_BELOW: f64 = 0.5;

/// The transform, with what a coefficient counts as zero below.
#[derive(Debug)]
pub(super) struct Transform {
    /// `waves[u][x] = cos((2 x + 1) u π / 16) / cos(u π / 16)` for the first half of the samples. The second half
    /// mirrors it, with the other sign for odd `u`.
    waves: [[f32; 4]; SIDE],
    /// By frequency along rows, then along columns. Nothing is below the one of the mean.
    zero_below: [[f32; SIDE]; SIDE],
}

impl Transform {
    pub(super) fn new() -> Self {
        let angle = |u: usize, x: usize| (2 * x + 1) as f64 * u as f64 * PI / 16.0;
        let scale = |u: usize| match u {
            0 => FRAC_1_SQRT_2 / 2.0,
            _ => angle(u, 0).cos() / 2.0,
        };
        Self {
            waves: std::array::from_fn(|u| {
                std::array::from_fn(|x| narrow(angle(u, x).cos() / angle(u, 0).cos()))
            }),
            zero_below: std::array::from_fn(|u| {
                std::array::from_fn(|v| match (u, v) {
                    (0, 0) => 0.0,
                    _ => narrow(ZERO_BELOW / (scale(u) * scale(v))),
                })
            }),
        }
    }

    /// Transforms the 8 samples from each position of a row on. `spectra` gets one line per frequency; each is 7
    /// shorter than the row.
    pub(super) fn along_row(&self, row: &[f32], spectra: &mut [f32]) {
        let positions = row.len() + 1 - SIDE;
        let lines = spectra.chunks_exact_mut(positions);
        for (u, (line, wave)) in lines.zip(&self.waves).enumerate() {
            if u % 2 == 0 {
                mirrored(row, wave, line);
            } else {
                opposed(row, wave, line);
            }
        }
    }

    /// Adds to `zeros`, for each position of a line, how many of the coefficients of frequency `u` along rows are
    /// zero. `rows` are what [`Self::along_row`] made of the 8 rows of the blocks for this frequency.
    pub(super) fn count_zeros(&self, u: usize, rows: [&[f32]; SIDE], zeros: &mut [u32]) {
        count(&self.waves, &self.zero_below[u], rows, zeros);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "figures of a few digits, rounded on purpose"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// One even frequency along a row.
#[inline(never)]
fn mirrored(row: &[f32], wave: &[f32; 4], line: &mut [f32]) {
    for (cell, s) in line.iter_mut().zip(row.windows(SIDE)) {
        let [a, b, c, d] = [s[0] + s[7], s[1] + s[6], s[2] + s[5], s[3] + s[4]];
        *cell = (a + wave[1] * b) + (wave[2] * c + wave[3] * d);
    }
}

/// One odd frequency along a row.
#[inline(never)]
fn opposed(row: &[f32], wave: &[f32; 4], line: &mut [f32]) {
    for (cell, s) in line.iter_mut().zip(row.windows(SIDE)) {
        let [a, b, c, d] = [s[0] - s[7], s[1] - s[6], s[2] - s[5], s[3] - s[4]];
        *cell = (a + wave[1] * b) + (wave[2] * c + wave[3] * d);
    }
}

/// All frequencies along columns. Kept apart and plain, so that the compiler works on many positions at once.
#[inline(never)]
fn count(
    waves: &[[f32; 4]; SIDE],
    zero_below: &[f32; SIDE],
    rows: [&[f32]; SIDE],
    zeros: &mut [u32],
) {
    let positions = zeros.len();
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows.map(|row| &row[..positions]);
    let [_, w1, w2, w3, _, w5, w6, w7] = *waves;
    let zero = |u: usize, value: f32| u32::from(value.abs() < zero_below[u]);
    for x in 0..positions {
        let (s0, d0) = (r0[x] + r7[x], r0[x] - r7[x]);
        let (s1, d1) = (r1[x] + r6[x], r1[x] - r6[x]);
        let (s2, d2) = (r2[x] + r5[x], r2[x] - r5[x]);
        let (s3, d3) = (r3[x] + r4[x], r3[x] - r4[x]);
        let (e0, e1, e2, e3) = (s0 + s3, s1 + s2, s0 - s3, s1 - s2);
        let odd = |wave: &[f32; 4]| (d0 + wave[1] * d1) + (wave[2] * d2 + wave[3] * d3);
        let even = zero(0, e0 + e1)
            + zero(2, e2 + w2[1] * e3)
            + zero(4, e0 - e1)
            + zero(6, e2 + w6[1] * e3);
        let odd = zero(1, odd(&w1)) + zero(3, odd(&w3)) + zero(5, odd(&w5)) + zero(7, odd(&w7));
        zeros[x] += even + odd;
    }
}

/// The zeros of one block.
#[cfg(test)]
pub(super) fn zeros_of(block: &[u8; 64]) -> u32 {
    let transform = Transform::new();
    let mut spectra = [[0.0; SIDE]; SIDE];
    for (spectrum, row) in spectra.iter_mut().zip(block.chunks_exact(SIDE)) {
        let row: Vec<f32> = row.iter().map(|&sample| f32::from(sample)).collect();
        transform.along_row(&row, spectrum);
    }
    let mut zeros = [0];
    for u in 0..SIDE {
        let rows = spectra.each_ref();
        transform.count_zeros(u, rows.map(|row| std::slice::from_ref(&row[u])), &mut zeros);
    }
    zeros[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The AC coefficients by the definition.
    fn coefficients(block: &[u8; 64]) -> Vec<f64> {
        let wave = |u: usize, x: usize| {
            let scale = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            scale / 2.0 * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos()
        };
        let coefficient = |at: usize| {
            let samples = block.iter().enumerate();
            let parts = samples.map(|(place, &sample)| {
                wave(at % 8, place % 8) * wave(at / 8, place / 8) * f64::from(sample)
            });
            parts.sum()
        };
        (1..64).map(coefficient).collect()
    }

    #[test]
    fn zeros_are_those_of_the_definition() {
        let mut compared = 0;
        for number in 0..300_u32 {
            let mut state = number;
            let block = std::array::from_fn(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let slope = at % 8 + at / 8;
                // From nearly a plain slope to much noise.
                let noise = (state >> 16) % (1 + number % 11);
                u8::try_from(4 * slope).expect("small") + u8::try_from(noise).expect("small")
            });
            let values = coefficients(&block);
            // With real numbers that are nearly at the bound rounding decides; plain sums may be right on it.
            let off = |value: &f64| (value.abs() - ZERO_BELOW).abs();
            if values
                .iter()
                .any(|value| (1e-9..1e-4).contains(&off(value)))
            {
                continue;
            }
            let zeros = values
                .iter()
                .filter(|&value| off(value) >= 1e-9 && value.abs() < ZERO_BELOW);
            assert_eq!(zeros_of(&block) as usize, zeros.count(), "block {number}");
            compared += 1;
        }
        assert!(compared > 200, "{compared}");
    }

    #[test]
    fn plain_sums_are_compared_exactly() {
        let transform = Transform::new();
        assert_eq!(transform.waves[0], [1.0; 4]);
        assert_eq!(transform.waves[4], [1.0, -1.0, -1.0, 1.0]);
        for (u, v) in [(0, 4), (4, 0), (4, 4)] {
            assert_eq!(transform.zero_below[u][v], 4.0, "({u}, {v})");
        }
    }

    #[test]
    fn the_mean_does_not_count() {
        assert_eq!(zeros_of(&[0; 64]), 63);
        assert_eq!(zeros_of(&[200; 64]), 63);
    }
}
