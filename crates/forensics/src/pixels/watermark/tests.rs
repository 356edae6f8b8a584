use image::Rgb;

use super::code::{Colour, Middle, SCALE};
use super::*;
use crate::pixels::samples::{Random, Sample, photo, saved};

/// The picture with the mark, written as the definition says: colours to luma and two differences in floating point,
/// values of the low band moved, and back.
fn marked(picture: &RgbImage, reading: Reading) -> RgbImage {
    let swap = reading.colour == Colour::Red;
    let middle = reading.middle.level();
    let mut planes: Vec<[f32; 3]> = picture
        .pixels()
        .map(|pixel| {
            let [red, green, blue] = order(pixel.0, swap).map(f32::from);
            let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
            [
                luma,
                0.492 * (blue - luma) + middle,
                0.877 * (red - luma) + middle,
            ]
        })
        .collect();
    mark_plane(
        &mut planes,
        picture.width() as usize,
        picture.height() as usize,
    );
    let mut result = picture.clone();
    for (pixel, [luma, u, v]) in result.pixels_mut().zip(planes) {
        let (u, v) = (u - middle, v - middle);
        let colours = [
            luma + 1.14 * v,
            luma - 0.395 * u - 0.581 * v,
            luma + 2.032 * u,
        ];
        *pixel = Rgb(order(colours.map(byte), swap));
    }
    result
}

fn order([first, second, third]: [u8; 3], swap: bool) -> [u8; 3] {
    if swap {
        [third, second, first]
    } else {
        [first, second, third]
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to a byte")]
fn byte(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

/// Marks the second of three planes.
fn mark_plane(planes: &mut [[f32; 3]], width: usize, height: usize) {
    let (columns, rows) = (width / 8, height / 8);
    for block in 0..columns * rows {
        let (x, y) = (8 * (block % columns), 8 * (block / columns));
        let corners: Vec<usize> = (0..16)
            .map(|at| (y + 2 * (at / 4)) * width + x + 2 * (at % 4))
            .collect();
        let low = |at: usize| -> f32 {
            let four = [at, at + 1, at + width, at + width + 1];
            four.iter().map(|&at| planes[at][1]).sum::<f32>() / 2.0
        };
        let values: Vec<f32> = corners.iter().map(|&at| low(at)).collect();
        let mut largest = 1;
        for at in 2..16 {
            if values[at].abs() > values[largest].abs() {
                largest = at;
            }
        }
        let value = values[largest];
        let bit = (KEY >> (KEY_BITS - 1 - block % KEY_BITS)) & 1;
        let size = ((value.abs() / SCALE).floor() + 0.25 + 0.5 * bit as f32) * SCALE;
        let change = (size.copysign(value) - value) / 2.0;
        for at in [0, 1, width, width + 1] {
            planes[corners[largest] + at][1] += change;
        }
        // The encoder hands the two detail bands back in each other's place, which mirrors every 2 × 2 pixels.
        for corner in corners {
            let (right, below) = (planes[corner + 1][1], planes[corner + width][1]);
            (planes[corner + 1][1], planes[corner + width][1]) = (below, right);
        }
    }
}

fn found(picture: RgbImage) -> Evidence {
    inspect(&Sample::plain(picture).subject()).evidence
}

fn equal_bits(picture: RgbImage) -> f64 {
    found(picture).metrics["equal_bits"]
}

const WRITTEN: [Reading; 4] = Reading::ALL;

#[test]
fn the_mark_is_read_bit_by_bit_however_it_was_written() {
    for seed in 1..=5 {
        let picture = photo(512, 384, seed);
        for reading in WRITTEN {
            let evidence = found(marked(&picture, reading));
            assert_eq!(evidence.metrics["equal_bits"], 48.0, "{seed} {reading:?}");
            assert_eq!(evidence.finding, "marked");
            assert_eq!(evidence.log10_lr(), LogRatios::synthetic(3.0));
        }
    }
}

#[test]
fn the_mark_outlives_weak_compression() {
    for seed in 1..=5 {
        let picture = marked(&photo(512, 384, seed), WRITTEN[0]);
        let equal = equal_bits(saved(&picture, 95));
        assert!(equal >= 44.0, "{seed}: {equal}");
    }
}

#[test]
fn clean_photos_agree_by_chance_only() {
    for seed in 1..=12 {
        let picture = photo(320, 256, seed);
        for picture in [saved(&picture, 85), picture] {
            for read in read(&picture) {
                let equal = read.equal_bits();
                assert!((15..=33).contains(&equal), "{seed}: {equal}");
            }
            let evidence = found(picture);
            assert_eq!(evidence.finding, "none");
            assert_eq!(evidence.log10_lr(), LogRatios::default());
        }
    }
}

/// Drawings are read as photos are: whatever bits they say were not chosen by who made the key.
#[test]
fn flat_drawings_and_noise_agree_by_chance_only() {
    let mut random = Random(9);
    for number in 0..40 {
        let colours: Vec<[u8; 3]> = (0..4)
            .map(|_| {
                let [red, green, blue, ..] = random.next().to_le_bytes();
                [red, green, blue]
            })
            .collect();
        // Widths of whole rows of the key and others.
        let width = 384 + 8 * (number % 7);
        let picture = RgbImage::from_fn(width, 256, |x, y| {
            let stripe = if number % 2 == 0 {
                x / 24 + y / 64
            } else {
                x / 40
            };
            Rgb(colours[(stripe % 4) as usize])
        });
        assert_eq!(found(picture).finding, "none", "{number}");
    }
    let noise = RgbImage::from_fn(400, 300, |_, _| {
        let [red, green, blue, ..] = random.next().to_le_bytes();
        Rgb([red, green, blue])
    });
    assert_eq!(found(noise).finding, "none");
}

#[test]
fn a_picture_must_have_colours_and_the_size_that_encoders_take() {
    let colours = |width, height| RgbImage::from_pixel(width, height, Rgb([200, 90, 10]));
    assert!(found(colours(256, 256)).applicable);
    assert!(!found(colours(257, 255)).applicable);
    let mut grey = RgbImage::from_pixel(300, 300, Rgb([90; 3]));
    assert!(!found(grey.clone()).applicable);
    grey.put_pixel(299, 299, Rgb([90, 90, 91]));
    assert!(found(grey).applicable);
}

#[test]
fn chance_is_binomial() {
    assert_eq!(tail(0), 1.0);
    assert_eq!(tail(48), 2f64.powi(-48));
    assert_eq!(tail(49), 0.0);
    assert!((tail(48).log10() + 14.45).abs() < 0.01);
    assert!(
        (tail(24) + tail(25) - 1.0).abs() < 1e-12,
        "the middle is counted twice"
    );
    // Of 48 bits, 42 in four ways are below the bound, and 41 are not.
    assert!(p_adjusted(42) < P_MAX && p_adjusted(41) > P_MAX);
    assert_eq!(p_adjusted(0), 1.0);
}

#[test]
fn the_bound_divides_marked_from_unmarked() {
    let with_equal = |equal: usize| {
        let mut reads = read(&RgbImage::new(7, 7));
        for bit in 0..KEY_BITS {
            let is_one = (KEY >> (KEY_BITS - 1 - bit)) & 1 == 1;
            reads[2].vote(bit, is_one == (bit < equal));
        }
        describe(&reads)
    };
    assert_eq!(with_equal(42).finding, "marked");
    assert_eq!(with_equal(41).finding, "none");
    assert_eq!(with_equal(41).metrics["equal_bits"], 41.0);
}

#[test]
fn both_middles_are_needed() {
    // Yellow, so that the difference of blue is below its middle.
    let mut picture = photo(512, 384, 3);
    for pixel in picture.pixels_mut() {
        pixel.0[2] /= 3;
    }
    let [float, byte] = [Middle::Float, Middle::Byte].map(|middle| Reading {
        colour: Colour::Blue,
        middle,
    });
    for (written, other) in [(float, 1), (byte, 0)] {
        let reads = read(&marked(&picture, written));
        assert!(reads[other].equal_bits() < 42, "{written:?}");
    }
}
