//! Pictures whose history is known: saved, cropped, pasted together, saved again.

use image::{DynamicImage, ImageFormat, RgbImage, imageops};

use super::*;
use crate::levels::{Levels, Unread};
use crate::raster;
use crate::samples::jpeg_of;

/// Discs that lie on each other ("dead leaves", as objects do in photos), each with a shade across it, under the noise
/// of a sensor. The same for the same seed.
fn scene(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9) | 1);
    let mut discs = Vec::new();
    for _ in 0..400 {
        let radius = 4.0 / (0.03 + 0.97 * random.unit()).powf(0.8);
        let centre = [random.unit() * width as f32, random.unit() * height as f32];
        let colour = [0; 3].map(|_| 30.0 + 180.0 * random.unit());
        let slope = [0; 2].map(|_| 1.2 * (random.unit() - 0.5));
        discs.push((centre, radius, colour, slope));
    }
    RgbImage::from_fn(width, height, |x, y| {
        let at = [x as f32, y as f32];
        let top = discs.iter().find_map(|(centre, radius, colour, slope)| {
            let [dx, dy] = [at[0] - centre[0], at[1] - centre[1]];
            let shade = dx * slope[0] + dy * slope[1];
            (dx * dx + dy * dy < radius * radius).then(|| colour.map(|level| level + shade))
        });
        let clean = top.unwrap_or([90.0, 110.0, 130.0]);
        image::Rgb(clean.map(|level| {
            let noise = 6.0 * (random.unit() + random.unit() + random.unit() - 1.5);
            byte(level + noise)
        }))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
fn byte(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

/// xorshift32.
struct Random(u32);

impl Random {
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}

/// As it is after having been saved as a JPEG.
fn saved(picture: &RgbImage, quality: u8) -> RgbImage {
    let bytes = jpeg_of(picture, quality);
    let decoded = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg);
    DynamicImage::into_rgb8(decoded.expect("decode"))
}

fn cut(picture: &RgbImage, x: u32, y: u32) -> RgbImage {
    let (width, height) = (picture.width() - x, picture.height() - y);
    imageops::crop_imm(picture, x, y, width, height).to_image()
}

/// `picture` with a square of `other` from `from` at `to`.
fn pasted(
    picture: &RgbImage,
    other: &RgbImage,
    side: u32,
    from: (u32, u32),
    to: (u32, u32),
) -> RgbImage {
    let part = imageops::crop_imm(other, from.0, from.1, side, side).to_image();
    let mut result = picture.clone();
    imageops::replace(&mut result, &part, i64::from(to.0), i64::from(to.1));
    result
}

fn look(picture: &RgbImage) -> Grid {
    look_with(picture, None, None)
}

fn look_with(picture: &RgbImage, levels: Option<&Levels>, unlike_photo: Option<&str>) -> Grid {
    let luma = raster::luma(picture).expect("pixels");
    grid(&Subject {
        picture,
        luma: &luma,
        levels: levels.ok_or(Unread::NoJpeg),
        unlike_photo,
    })
}

fn origin_of(grid: &Grid) -> Option<(f64, f64)> {
    let metric = |name| grid.origin.evidence.metrics.get(name).copied();
    Some((metric("origin_x")?, metric("origin_y")?))
}

fn facts(grid: &Grid) -> Vec<&str> {
    let facts = grid.origin.facts.iter();
    facts.map(|fact| fact.fact.as_str()).collect()
}

#[test]
fn the_grid_of_a_jpeg_begins_at_the_corner() {
    let picture = scene(256, 200, 1);
    for quality in [95, 85, 70] {
        let seen = look(&saved(&picture, quality));
        assert_eq!(origin_of(&seen), Some((0.0, 0.0)), "quality {quality}");
        let log10_nfa = seen.origin.evidence.metrics["log10_nfa"];
        assert!(log10_nfa < -100.0, "{log10_nfa} at quality {quality}");
        assert_eq!(facts(&seen), ["jpeg_grid"]);
        assert_eq!(seen.foreign.evidence.finding, "none", "quality {quality}");
        assert_eq!(seen.origin.evidence.log10_lr(), LogRatios::default());
        assert_eq!(seen.foreign.evidence.log10_lr(), LogRatios::default());
    }
}

#[test]
fn a_crop_moves_the_grid() {
    let picture = saved(&scene(256, 200, 2), 80);
    for (x, y) in [(3, 5), (7, 0), (0, 1), (12, 9)] {
        let seen = look(&cut(&picture, x, y));
        let expected = (f64::from((16 - x) % 8), f64::from((16 - y) % 8));
        assert_eq!(origin_of(&seen), Some(expected));
        assert_eq!(facts(&seen), ["jpeg_grid", "cropped_after_jpeg"]);
    }
    let seen = look(&cut(&picture, 3, 5));
    assert_eq!(origin_of(&seen), Some((5.0, 3.0)));
    let detail = &seen.origin.facts[1].detail;
    assert!(detail.contains("3 columns and 5 rows"), "{detail}");
}

#[test]
fn a_jpeg_on_its_own_grid_has_nothing_to_tell() {
    let levels = Levels::new(1, [1; 64], vec![[0; 64]]).expect("one block");
    let picture = saved(&scene(256, 200, 3), 80);
    let own = look_with(&picture, Some(&levels), None);
    assert_eq!(origin_of(&own), Some((0.0, 0.0)));
    assert!(facts(&own).is_empty());
    let moved = look_with(&cut(&picture, 1, 0), Some(&levels), None);
    assert_eq!(facts(&moved), ["cropped_after_jpeg"]);
}

#[test]
fn pristine_pictures_have_no_grid() {
    for seed in 0..6 {
        let seen = look(&scene(256, 200, seed));
        assert_eq!(seen.origin.evidence.finding, "none");
        assert!(seen.origin.facts.is_empty());
        assert!(!seen.foreign.evidence.applicable);
        assert!(seen.foreign.map.is_none());
    }
}

#[test]
fn a_patch_on_another_grid_is_found_where_it_is() {
    let (a, b) = (scene(384, 320, 4), scene(384, 320, 5));
    for (own, other, to) in [
        (85, 90, (203, 101)),
        (75, 75, (66, 150)),
        (92, 80, (17, 10)),
    ] {
        let picture = pasted(&saved(&a, own), &saved(&b, other), 128, (64, 48), to);
        let seen = look(&picture);
        assert_eq!(origin_of(&seen), Some((0.0, 0.0)));
        let evidence = &seen.foreign.evidence;
        assert_eq!(evidence.finding, "region", "{own} {other}");
        let [region] = evidence.regions.as_slice() else {
            panic!("{:?}", evidence.regions);
        };
        for (seen, expected) in [
            (region.x, to.0),
            (region.y, to.1),
            (region.x + region.w, to.0 + 128),
            (region.y + region.h, to.1 + 128),
        ] {
            assert!(seen.abs_diff(expected) <= 4, "{region:?}, pasted at {to:?}");
        }
        assert!((evidence.log10_lr().manipulated - 5.0_f64.log10()).abs() < 1e-9);
        assert_eq!(evidence.calibration, Some(FOREIGN_CALIBRATION));
        assert_eq!(evidence.caveats.len(), FOREIGN_CAVEATS.len());
    }
}

#[test]
fn the_map_shows_the_patch_and_nothing_else() {
    let (a, b) = (scene(256, 203, 6), scene(256, 203, 7));
    let picture = pasted(&saved(&a, 80), &saved(&b, 80), 96, (32, 32), (83, 61));
    let map = look(&picture).foreign.map.expect("a map");
    assert_eq!((map.cell_pixels, map.columns, map.rows), (8, 32, 26));
    assert_eq!(map.cells.len(), 32 * 26);
    let cell = |x: usize, y: usize| map.cells[y / 8 * 32 + x / 8];
    assert!(cell(130, 110) > 128);
    assert_eq!(cell(20, 20), 0);
    assert_eq!(cell(240, 110), 0);
}

#[test]
fn a_patch_on_the_same_grid_is_not_seen() {
    let (a, b) = (scene(256, 200, 8), scene(256, 200, 9));
    let picture = pasted(&saved(&a, 85), &saved(&b, 85), 96, (32, 32), (80, 64));
    assert_eq!(look(&picture).foreign.evidence.finding, "none");
}

#[test]
fn a_later_save_takes_the_foreign_grid_away() {
    for seed in 10..13 {
        let (a, b) = (scene(256, 200, seed), scene(256, 200, seed + 20));
        let picture = pasted(&saved(&a, 85), &saved(&b, 85), 96, (32, 32), (83, 61));
        let seen = look(&saved(&picture, 95));
        assert_eq!(origin_of(&seen), Some((0.0, 0.0)));
        assert_eq!(seen.foreign.evidence.finding, "none", "seed {seed}");
    }
}

#[test]
fn a_crop_that_was_saved_again_is_no_patch() {
    for seed in 30..33 {
        let picture = scene(256, 200, seed);
        for first in [75, 90] {
            let once = cut(&saved(&picture, first), 3, 5);
            for second in [90, 95, 98, 100] {
                let seen = look(&saved(&once, second));
                let finding = &seen.foreign.evidence.finding;
                let regions = &seen.foreign.evidence.regions;
                assert_ne!(finding, "region", "{first}, {second}: {regions:?}");
                assert!(seen.foreign.map.is_none());
            }
        }
    }
    let once = cut(&saved(&scene(256, 200, 30), 75), 3, 5);
    let twice = look(&saved(&once, 98)).foreign;
    let facts: Vec<&str> = twice.facts.iter().map(|fact| fact.fact.as_str()).collect();
    assert_eq!(facts, ["two_jpeg_grids"]);
}

#[test]
fn what_is_unlike_a_photo_or_tiny_does_not_apply() {
    let picture = saved(&scene(128, 96, 14), 80);
    let seen = look_with(&picture, None, Some("It is flat."));
    for found in [&seen.origin, &seen.foreign] {
        assert!(!found.evidence.applicable);
        assert_eq!(found.evidence.explain, "It is flat.");
        assert!(found.facts.is_empty());
    }
    for (width, height) in [(1, 1), (14, 300), (300, 14)] {
        let seen = look(&RgbImage::new(width, height));
        assert!(!seen.origin.evidence.applicable);
        assert!(!seen.foreign.evidence.applicable);
    }
    assert!(look(&RgbImage::new(15, 15)).origin.evidence.applicable);
}

#[test]
fn pictures_of_any_size_are_looked_at() {
    for width in 1..40 {
        for height in [1, 7, 8, 14, 15, 16, 23, 40] {
            let mut random = Random(width * 64 + height);
            let noise = RgbImage::from_fn(width, height, |_, _| {
                image::Rgb([0; 3].map(|_| byte(255.0 * random.unit())))
            });
            let applicable = look(&noise).origin.evidence.applicable;
            assert_eq!(
                applicable,
                width >= 15 && height >= 15,
                "{width} × {height}"
            );
        }
    }
}
