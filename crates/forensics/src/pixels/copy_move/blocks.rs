//! The lowest frequencies of every overlapping block, rounded, as one number that equal blocks share.
//!
//! Equal pixels give bit-equal coefficients, wherever they are: each coefficient is computed anew, by the same
//! operations in the same order. Running sums would be quicker, and would drift.

use std::array;
use std::f32::consts::PI;
use std::sync::LazyLock;

use crate::raster::Plane;

/// Side of a block in pixels.
pub(super) const SIDE: usize = 16;
/// Frequencies per direction that are looked at.
const LOW: usize = 4;
/// Quantisation step of the coefficients (orthonormal DCT of samples 0 to 255).
const STEP: f32 = 16.0;
/// Sum of squares of the looked-at coefficients but the mean, below which a block is too smooth to tell it from others.
const ENERGY_MIN: f32 = 40.0 * 40.0;
/// More than any level is below zero, and a half to round; what a byte's mean or any wave can reach is far less.
const LEVEL_OFFSET: f32 = 1024.5;

/// `WAVES[k][u]`: how samples `k` and `15 - k` of a line count for frequency `u`. Even frequencies take their sum, odd
/// ones their difference.
static WAVES: LazyLock<[[f32; LOW]; SIDE / 2]> = LazyLock::new(|| {
    let side = SIDE as f32;
    array::from_fn(|k| {
        array::from_fn(|u| {
            let scale = if u == 0 { 1.0 / side } else { 2.0 / side };
            scale.sqrt() * ((2 * k + 1) as f32 * u as f32 * PI / (2.0 * side)).cos()
        })
    })
});

/// One value per block of a row, for each frequency of one direction.
type Bands = [Vec<f32>; LOW];

/// Calls `visit(x, y, key)` for each block that is not smooth, row by row; `(x, y)` is its upper left pixel.
pub(super) fn each(luma: &Plane, mut visit: impl FnMut(usize, usize, u64)) {
    let Some(columns) = (luma.width() + 1).checked_sub(SIDE) else {
        return;
    };
    let mut stripe = Stripe::new(columns);
    for (y, row) in luma.rows().enumerate() {
        stripe.take(row);
        if let Some(top) = (y + 1).checked_sub(SIDE) {
            stripe.transform();
            for (x, key) in stripe.found() {
                visit(x, top, key);
            }
        }
    }
}

/// The last 16 rows, transformed along themselves, and what follows from them.
struct Stripe {
    samples: Vec<f32>,
    /// A ring: the oldest row is at `oldest`, once it is full.
    rows: [Bands; SIDE],
    oldest: usize,
    bands: Bands,
    keys: Vec<u64>,
    energy: Vec<f32>,
}

impl Stripe {
    fn new(columns: usize) -> Self {
        let bands = || array::from_fn(|_| vec![0.0; columns]);
        Self {
            samples: Vec::new(),
            rows: array::from_fn(|_| bands()),
            oldest: 0,
            bands: bands(),
            keys: vec![0; columns],
            energy: vec![0.0; columns],
        }
    }

    /// Takes the next row in place of the oldest.
    fn take(&mut self, row: &[u8]) {
        self.samples.clear();
        self.samples
            .extend(row.iter().map(|&sample| f32::from(sample)));
        let slot = &mut self.rows[self.oldest];
        clear(slot);
        for (k, waves) in WAVES.iter().enumerate() {
            let near = self.samples.get(k..).unwrap_or_default();
            let far = self.samples.get(SIDE - 1 - k..).unwrap_or_default();
            add_pair(slot, near, far, waves);
        }
        self.oldest = (self.oldest + 1) % SIDE;
    }

    /// Transforms the rows across, and makes keys and energy of the coefficients.
    fn transform(&mut self) {
        self.keys.fill(0);
        self.energy.fill(0.0);
        for u in 0..LOW {
            clear(&mut self.bands);
            for (k, waves) in WAVES.iter().enumerate() {
                let near = &self.rows[(self.oldest + k) % SIDE][u];
                let far = &self.rows[(self.oldest + SIDE - 1 - k) % SIDE][u];
                add_pair(&mut self.bands, near, far, waves);
            }
            for (v, band) in self.bands.iter().enumerate() {
                add_to_keys(&mut self.keys, band);
                if (u, v) != (0, 0) {
                    add_to_energy(&mut self.energy, band);
                }
            }
        }
    }

    /// Columns and keys of the blocks that are not smooth.
    fn found(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.keys
            .iter()
            .zip(&self.energy)
            .enumerate()
            .filter(|(_, (_, energy))| **energy >= ENERGY_MIN)
            .map(|(x, (&key, _))| (x, finish(key)))
    }
}

fn clear(bands: &mut Bands) {
    for band in bands {
        band.fill(0.0);
    }
}

/// Adds what two samples, as far from the two ends of their blocks, give to the frequencies.
fn add_pair(bands: &mut Bands, near: &[f32], far: &[f32], waves: &[f32; LOW]) {
    let [zeroth, first, second, third] = bands;
    let even = zeroth.iter_mut().zip(second);
    let odd = first.iter_mut().zip(third);
    let samples = near.iter().zip(far);
    for (((zeroth, second), (first, third)), (near, far)) in even.zip(odd).zip(samples) {
        let (sum, difference) = (near + far, near - far);
        *zeroth += waves[0] * sum;
        *second += waves[2] * sum;
        *first += waves[1] * difference;
        *third += waves[3] * difference;
    }
}

fn add_to_energy(energy: &mut [f32], band: &[f32]) {
    for (energy, value) in energy.iter_mut().zip(band) {
        *energy += value * value;
    }
}

fn add_to_keys(keys: &mut [u64], band: &[f32]) {
    // An odd number with its bits well spread (the golden ratio), as in multiplicative hashing.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    for (key, &value) in keys.iter_mut().zip(band) {
        *key = (key.rotate_left(5) ^ level(value)).wrapping_mul(MULTIPLIER);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the integer part is wanted, and the offset makes it positive and small"
)]
fn level(coefficient: f32) -> u64 {
    u64::from((coefficient * (1.0 / STEP) + LEVEL_OFFSET) as u32)
}

/// Spreads all bits over all others, so that any part of a key will do for it.
fn finish(key: u64) -> u64 {
    let key = (key ^ (key >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let key = (key ^ (key >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    key ^ (key >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(width: usize, height: usize, sample: impl Fn(usize, usize) -> u8) -> Plane {
        let samples = (0..width * height)
            .map(|at| sample(at % width, at / width))
            .collect();
        Plane::new(width, samples).expect("whole rows")
    }

    fn noise(x: usize, y: usize) -> u8 {
        finish((x * 1_000 + y) as u64).to_le_bytes()[0]
    }

    fn keys(plane: &Plane) -> Vec<(usize, usize, u64)> {
        let mut keys = Vec::new();
        each(plane, |x, y, key| keys.push((x, y, key)));
        keys
    }

    #[test]
    fn every_place_of_a_block_is_visited_once() {
        let places: Vec<_> = keys(&plane(18, 17, noise))
            .iter()
            .map(|&(x, y, _)| (x, y))
            .collect();
        assert_eq!(places, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn a_picture_smaller_than_a_block_has_none() {
        assert_eq!(keys(&plane(15, 40, noise)), []);
        assert_eq!(keys(&plane(40, 15, noise)), []);
        assert_eq!(keys(&plane(16, 16, noise)).len(), 1);
    }

    #[test]
    fn smooth_blocks_are_left_out() {
        assert_eq!(keys(&plane(40, 40, |_, _| 90)), []);
        let ramp = |level: usize| u8::try_from(level).expect("a short ramp");
        // A ramp of half a level per pixel has an energy of about 37 squared, one of a level about 74 squared.
        assert_eq!(keys(&plane(20, 20, |x, _| ramp(x / 2))), []);
        assert!(!keys(&plane(20, 20, |x, _| ramp(x))).is_empty());
    }

    #[test]
    fn equal_blocks_have_equal_keys_wherever_they_are() {
        let plane = plane(150, 60, |x, y| noise(x % 50, y % 19));
        let keys = keys(&plane);
        let key_at = |x, y| {
            keys.iter()
                .find(|key| (key.0, key.1) == (x, y))
                .expect("there")
                .2
        };
        assert_eq!(key_at(3, 4), key_at(53, 4));
        assert_eq!(key_at(3, 4), key_at(103, 42));
        assert_ne!(key_at(3, 4), key_at(4, 4));
    }

    #[test]
    fn the_coefficients_are_those_of_the_definition() {
        let plane = plane(16, 16, noise);
        let mut stripe = Stripe::new(1);
        for row in plane.rows() {
            stripe.take(row);
        }
        stripe.transform();
        let mut energy = 0.0;
        for (u, v) in (0..16).map(|at| (at % 4, at / 4)).skip(1) {
            let wave = |k: usize, f: usize| {
                let scale = if f == 0 { 1.0 / 16.0 } else { 2.0 / 16.0f64 };
                scale.sqrt() * ((2 * k + 1) as f64 * f as f64 * std::f64::consts::PI / 32.0).cos()
            };
            let coefficient: f64 = plane
                .rows()
                .enumerate()
                .flat_map(|(y, row)| row.iter().enumerate().map(move |(x, &s)| (x, y, s)))
                .map(|(x, y, sample)| f64::from(sample) * wave(x, u) * wave(y, v))
                .sum();
            energy += coefficient * coefficient;
        }
        let found = f64::from(stripe.energy[0]);
        assert!((found - energy).abs() < energy * 1e-4, "{found} {energy}");
    }

    #[test]
    fn brightness_is_part_of_the_key() {
        let key = |by| keys(&plane(16, 16, |x, y| noise(x, y) / 2 + by))[0].2;
        assert_ne!(key(0), key(1));
        assert_eq!(key(1), key(1));
    }
}
