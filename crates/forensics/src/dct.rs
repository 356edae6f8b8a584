//! The two-dimensional DCT of 8 × 8 samples, as JPEG defines it (ITU-T T.81, A.3.3).

use std::f32::consts::{FRAC_1_SQRT_2, PI};
use std::sync::LazyLock;

/// `BASIS[u][x] = C(u) / 2 · cos((2 x + 1) u π / 16)`.
static BASIS: LazyLock<[[f32; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|u| {
        let scale = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 } / 2.0;
        std::array::from_fn(|x| scale * ((2 * x + 1) as f32 * u as f32 * PI / 16.0).cos())
    })
});

/// The same, by sample first: `TURNED[x][u] = BASIS[u][x]`.
static TURNED: LazyLock<[[f32; 8]; 8]> =
    LazyLock::new(|| std::array::from_fn(|x| std::array::from_fn(|u| BASIS[u][x])));

/// Coefficients of samples, both row by row; coefficient `(u, v)`, horizontal and vertical, is at `8 v + u`.
#[must_use]
pub fn forward(samples: &[f32; 64]) -> [f32; 64] {
    let (basis, turned) = (&*BASIS, &*TURNED);
    let mut upright = [0.0; 64];
    for (row, factors) in upright.chunks_exact_mut(8).zip(basis) {
        add_up(row, samples.chunks_exact(8), factors);
    }
    let mut coefficients = [0.0; 64];
    for (row, factors) in coefficients
        .chunks_exact_mut(8)
        .zip(upright.chunks_exact(8))
    {
        add_up(row, turned.iter().map(<[f32; 8]>::as_slice), factors);
    }
    coefficients
}

/// The sum of rows, each times its factor: eight columns at a time, which the compiler makes in one go, as it could not
/// if each column were a sum of its own.
fn add_up<'a>(sum: &mut [f32], rows: impl Iterator<Item = &'a [f32]>, factors: &[f32]) {
    let mut sums = [0.0; 8];
    for (row, factor) in rows.zip(factors) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += factor * value;
        }
    }
    sum.copy_from_slice(&sums);
}

/// The coefficients of a block of samples 0 to 255, shifted to be around zero as JPEG does.
#[must_use]
pub fn forward_bytes(block: &[u8; 64]) -> [f32; 64] {
    forward(&block.map(|sample| f32::from(sample) - 128.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_block_has_only_its_mean() {
        let coefficients = forward_bytes(&[138; 64]);
        assert!((coefficients[0] - 80.0).abs() < 1e-3, "{}", coefficients[0]);
        assert!(coefficients[1..].iter().all(|value| value.abs() < 1e-3));
    }

    #[test]
    fn horizontal_waves_lie_in_the_first_row() {
        let wave: [f32; 64] =
            std::array::from_fn(|at| 10.0 * ((2 * (at % 8) + 1) as f32 * 3.0 * PI / 16.0).cos());
        let coefficients = forward(&wave);
        let largest =
            (0..64).max_by(|&a, &b| coefficients[a].abs().total_cmp(&coefficients[b].abs()));
        assert_eq!(largest, Some(3));
    }

    #[test]
    fn energy_is_kept() {
        let samples: [f32; 64] = std::array::from_fn(|at| ((at * 37) % 101) as f32 - 50.0);
        let energy = |values: &[f32; 64]| values.iter().map(|value| value * value).sum::<f32>();
        let (before, after) = (energy(&samples), energy(&forward(&samples)));
        assert!((before - after).abs() / before < 1e-5);
    }
}
