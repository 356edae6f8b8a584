//! Pictures made for tests of pixels. They show nothing, and have the statistics of photographs: edges and textures at
//! all scales (dead leaves: Lee, Mumford and Huang, 2001), a lens, and noise that grows with light.

#![expect(
    clippy::cast_possible_truncation,
    reason = "places inside of a picture, and light inside of its range"
)]

use std::f32::consts::PI;

use image::{RgbImage, load_from_memory};

use super::Subject;
use crate::levels::{Levels, Unread};
use crate::raster::{Plane, luma};
use crate::samples::jpeg_of;
use crate::structure::jpeg::luma_steps;

const RADIUS_MIN: f32 = 4.0;
const RADIUS_MAX: f32 = 90.0;
/// How often a place is covered on average, so that hardly any ground is left to see.
const LAYERS: f32 = 6.0;
/// Sides of the cells of the texture, one per octave.
const TEXTURE_CELLS: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Most contrast of a leaf's texture, relative to its light.
const TEXTURE_MAX: f32 = 0.35;
/// Variance of the noise is `SHOT * light + READ`, with white at 1.
const SHOT: f32 = 0.000_25;
const READ: f32 = 0.000_004;

/// A picture and what an analysis is given of it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) picture: RgbImage,
    pub(crate) luma: Plane,
    pub(crate) levels: Option<Levels>,
}

impl Sample {
    /// A picture of a file that is no JPEG.
    pub(crate) fn plain(picture: RgbImage) -> Self {
        Self {
            luma: luma(&picture).expect("pixels"),
            levels: None,
            picture,
        }
    }

    /// What a JPEG of this picture decodes to, with the levels that it stores.
    pub(crate) fn jpeg(picture: &RgbImage, quality: u8) -> Self {
        let encoded = luma(picture).expect("pixels");
        Self {
            levels: Levels::of_luma(&encoded, luma_steps(quality)),
            ..Self::plain(saved(picture, quality))
        }
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            picture: &self.picture,
            luma: &self.luma,
            levels: self.levels.as_ref().ok_or(Unread::NoJpeg),
            unlike_photo: None,
        }
    }
}

/// The picture after it was saved as a JPEG and opened again.
pub(crate) fn saved(picture: &RgbImage, quality: u8) -> RgbImage {
    load_from_memory(&jpeg_of(picture, quality))
        .expect("decode")
        .into_rgb8()
}

/// A photograph of nothing: never compressed, the same for the same size and seed.
pub(crate) fn photo(width: u32, height: u32, seed: u64) -> RgbImage {
    let mut random = Random(seed);
    let mut scene = Scene::ground(width, height, &mut random);
    let area = width as f32 * height as f32;
    let mut covered = 0.0;
    while covered < area * LAYERS {
        let leaf = Leaf::random(width as f32, height as f32, &mut random);
        covered += PI * leaf.radius * leaf.radius;
        scene.drop_leaf(&leaf);
    }
    scene.expose(&mut random)
}

/// Numbers from a seed: `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly spread between two values.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / 16_777_216.0)
    }

    /// Mean 0, deviation 1: the sum of four even numbers, which has a variance of a third.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: f32 = [0, 16, 32, 48]
            .map(|shift| ((bits >> shift) & 0xffff) as f32)
            .iter()
            .sum();
        (sum / 65_536.0 - 2.0) * 3f32.sqrt()
    }
}

/// A disc with a tint, a slope of brightness and a texture.
struct Leaf {
    x: f32,
    y: f32,
    radius: f32,
    tint: [f32; 3],
    slope: [f32; 2],
    contrast: f32,
    texture_at: usize,
}

impl Leaf {
    fn random(width: f32, height: f32, random: &mut Random) -> Self {
        // Radii by the inverse cube: every scale covers about the same area.
        let small = 1.0 / (RADIUS_MIN * RADIUS_MIN);
        let large = 1.0 / (RADIUS_MAX * RADIUS_MAX);
        let radius = 1.0 / random.between(large, small).sqrt();
        let light = random.between(0.05, 0.6);
        Self {
            x: random.between(-radius, width + radius),
            y: random.between(-radius, height + radius),
            radius,
            tint: [(); 3].map(|()| light * random.between(0.8, 1.2)),
            slope: [(); 2].map(|()| random.between(-0.3, 0.3) / radius),
            contrast: random.between(0.0, TEXTURE_MAX),
            texture_at: random.between(0.0, width * height) as usize,
        }
    }

    /// How bright the leaf is at a place, or nothing beside it.
    fn shade(&self, x: usize, y: usize) -> Option<f32> {
        let (dx, dy) = (x as f32 - self.x, y as f32 - self.y);
        let inside = dx * dx + dy * dy < self.radius * self.radius;
        inside.then(|| 1.0 + dx * self.slope[0] + dy * self.slope[1])
    }
}

/// Light as it falls on the sensor: linear, one plane per colour.
struct Scene {
    width: usize,
    height: usize,
    planes: [Vec<f32>; 3],
    texture: Vec<f32>,
}

impl Scene {
    fn ground(width: u32, height: u32, random: &mut Random) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self {
            width,
            height,
            planes: [(); 3].map(|()| vec![0.2; width * height]),
            texture: texture(width, height, random),
        }
    }

    fn drop_leaf(&mut self, leaf: &Leaf) {
        let span = |centre: f32, end: usize| {
            let first = (centre - leaf.radius).max(0.0) as usize;
            first..((centre + leaf.radius).max(0.0) as usize + 1).min(end)
        };
        for y in span(leaf.y, self.height) {
            for x in span(leaf.x, self.width) {
                let Some(shade) = leaf.shade(x, y) else {
                    continue;
                };
                let at = y * self.width + x;
                let texture = self.texture[(at + leaf.texture_at) % self.texture.len()];
                let shade = (shade + leaf.contrast * texture).max(0.1);
                for (plane, tint) in self.planes.iter_mut().zip(leaf.tint) {
                    plane[at] = tint * shade;
                }
            }
        }
    }

    fn expose(&self, random: &mut Random) -> RgbImage {
        RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
            image::Rgb([0, 1, 2].map(|colour| {
                let light = self.through_lens(colour, x as usize, y as usize);
                let noise = (SHOT * light + READ).sqrt() * random.normal();
                ((light + noise).max(0.0).sqrt() * 255.0 + 0.5) as u8
            }))
        })
    }

    /// Half of the light comes from the four neighbours.
    fn through_lens(&self, colour: usize, x: usize, y: usize) -> f32 {
        let light = |x: usize, y: usize| self.planes[colour][y * self.width + x];
        let beside = light(x.saturating_sub(1), y) + light((x + 1).min(self.width - 1), y);
        let upright = light(x, y.saturating_sub(1)) + light(x, (y + 1).min(self.height - 1));
        0.5 * light(x, y) + 0.125 * (beside + upright)
    }
}

/// Noise of all scales around 0: the sum of octaves of random values, each with its own raster, and smooth in between.
fn texture(width: usize, height: usize, random: &mut Random) -> Vec<f32> {
    let mut sum = vec![0.0; width * height];
    for cell in TEXTURE_CELLS {
        let columns = width / cell + 2;
        let raster: Vec<f32> = (0..columns * (height / cell + 2))
            .map(|_| random.between(-1.0, 1.0))
            .collect();
        for (at, value) in sum.iter_mut().enumerate() {
            let (x, y) = (at % width, at / width);
            let corner = y / cell * columns + x / cell;
            let [right, down] = [x, y].map(|place| (place % cell) as f32 / cell as f32);
            let along = |at: usize| raster[at] + (raster[at + 1] - raster[at]) * right;
            *value += along(corner) + (along(corner + columns) - along(corner)) * down;
        }
    }
    sum
}

#[test]
fn a_photo_follows_from_its_seed_and_fills_the_range() {
    let first = photo(96, 64, 1);
    assert_eq!(first, photo(96, 64, 1));
    assert_ne!(first, photo(96, 64, 2));
    let (low, high) = (first.iter().min(), first.iter().max());
    assert!(low < Some(&70) && high > Some(&180), "{low:?} {high:?}");
}
