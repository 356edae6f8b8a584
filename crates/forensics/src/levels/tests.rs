use image::{DynamicImage, GrayImage};

use super::*;
use crate::dct;
use crate::raster::{Plane, luma};
use crate::samples;
use writer::{Component, Drawing, GREY_PASSES, USUAL_PASSES, jpeg, whole};

mod damaged;
mod writer;

const BASELINE: u8 = 0xc0;
const PROGRESSIVE: u8 = 0xc2;
const QUARTERED: [(usize, usize); 3] = [(2, 2), (1, 1), (1, 1)];

fn read(bytes: &[u8]) -> Result<Levels, Unread> {
    Levels::read(bytes, &Limits::default())
}

/// Numbers without pattern, the same for the same seed.
struct Chance(u32);

impl Chance {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % end
    }

    fn level(&mut self, most: u32) -> i16 {
        let level = i16::try_from(self.below(2 * most + 1)).expect("small");
        level - i16::try_from(most).expect("small")
    }
}

/// Few levels in each block, some blocks with none, all of them at most `most`.
fn drawing(width: usize, height: usize, factors: &[(usize, usize)], most: u32) -> Drawing {
    let mut chance = Chance(0x9e37_79b9);
    let largest = |factor: fn(&(usize, usize)) -> usize| factors.iter().map(factor).max();
    let across_max = largest(|factor| factor.0).expect("has components");
    let down_max = largest(|factor| factor.1).expect("has components");
    let component = |&(across, down): &(usize, usize)| {
        let stride = width.div_ceil(8 * across_max) * across;
        let rows = height.div_ceil(8 * down_max) * down;
        let mut block = || {
            let mut block = [0; 64];
            block[0] = chance.level(40);
            for _ in 0..chance.below(9) {
                let reach = 1 + chance.below(63);
                block[usize::try_from(1 + chance.below(reach)).expect("small")] =
                    chance.level(most);
            }
            block
        };
        Component {
            across,
            down,
            stride,
            blocks: (0..stride * rows).map(|_| block()).collect(),
        }
    };
    Drawing {
        width,
        height,
        components: factors.iter().map(component).collect(),
        steps: std::array::from_fn(|at| {
            if at == 0 {
                8
            } else {
                10 + u16::try_from(at).expect("small") / 8
            }
        }),
        interval: 0,
    }
}

/// What should be read of it.
fn expected(drawing: &Drawing) -> Levels {
    let first = &drawing.components[0];
    let (columns, rows) = (drawing.width.div_ceil(8), drawing.height.div_ceil(8));
    let blocks = first.blocks.chunks_exact(first.stride).take(rows);
    let levels = blocks.flat_map(|row| row[..columns].to_vec()).collect();
    Levels::new(columns, drawing.steps, levels).expect("whole rows")
}

#[test]
fn levels_come_back_from_every_sampling() {
    let samplings: [&[(usize, usize)]; 8] = [
        &[(1, 1)],
        &[(2, 2)],
        &[(1, 1), (1, 1), (1, 1)],
        &[(2, 1), (1, 1), (1, 1)],
        &[(1, 2), (1, 1), (1, 1)],
        &QUARTERED,
        &[(4, 1), (1, 1), (1, 1)],
        &[(2, 2), (1, 1), (1, 1), (2, 2)],
    ];
    for factors in samplings {
        for (width, height) in [(64, 32), (1, 1), (17, 9), (33, 50)] {
            let drawing = drawing(width, height, factors, 1_023);
            let all: &[usize] = &[0, 1, 2, 3];
            let scan = match factors.len() {
                1 => whole(&[0]),
                3 => whole(&[0, 1, 2]),
                _ => whole(all),
            };
            let read = read(&jpeg(&drawing, BASELINE, &[scan]));
            assert_eq!(
                read,
                Ok(expected(&drawing)),
                "{factors:?} {width} x {height}"
            );
        }
    }
}

#[test]
fn components_may_come_one_by_one() {
    let drawing = drawing(33, 50, &QUARTERED, 100);
    for scans in [
        [whole(&[0]), whole(&[1]), whole(&[2])],
        [whole(&[2]), whole(&[1]), whole(&[0])],
    ] {
        assert_eq!(
            read(&jpeg(&drawing, BASELINE, &scans)),
            Ok(expected(&drawing))
        );
    }
    let scans = [whole(&[1]), whole(&[0, 2])];
    assert_eq!(read(&jpeg(&drawing, 0xc1, &scans)), Ok(expected(&drawing)));
}

#[test]
fn levels_come_back_from_passes() {
    for (width, height) in [(64, 32), (1, 1), (17, 9), (33, 50)] {
        for most in [1, 7, 1_023] {
            let drawing = drawing(width, height, &QUARTERED, most);
            let read = read(&jpeg(&drawing, PROGRESSIVE, &USUAL_PASSES));
            assert_eq!(read, Ok(expected(&drawing)), "{width} x {height}, {most}");
        }
    }
}

#[test]
fn runs_of_empty_blocks_are_gone_over() {
    let mut drawing = drawing(512, 512, &[(1, 1)], 3);
    let blocks = &mut drawing.components[0].blocks;
    for (number, block) in blocks.iter_mut().enumerate() {
        if number % 601 > 3 {
            block[1..].fill(0);
        }
    }
    let read = read(&jpeg(&drawing, PROGRESSIVE, &GREY_PASSES));
    assert_eq!(read, Ok(expected(&drawing)));
}

#[test]
fn restarts_are_gone_over() {
    for interval in [1, 3, 7, 1_000] {
        let mut drawing = drawing(120, 90, &QUARTERED, 20);
        drawing.interval = interval;
        let baseline = jpeg(&drawing, BASELINE, &[whole(&[0, 1, 2])]);
        assert_eq!(read(&baseline), Ok(expected(&drawing)), "every {interval}");
        let passes = jpeg(&drawing, PROGRESSIVE, &USUAL_PASSES);
        assert_eq!(read(&passes), Ok(expected(&drawing)), "every {interval}");
    }
}

/// Another decoder sees the same in what the test writes: rounding to whole samples costs less than half a step.
#[test]
fn another_decoder_agrees() {
    let mut with_restarts = drawing(70, 41, &[(1, 1)], 2);
    with_restarts.interval = 5;
    let plain = drawing(70, 41, &[(1, 1)], 2);
    for bytes in [
        jpeg(&plain, BASELINE, &[whole(&[0])]),
        jpeg(&with_restarts, BASELINE, &[whole(&[0])]),
        jpeg(&plain, PROGRESSIVE, &GREY_PASSES),
    ] {
        let picture = image::load_from_memory(&bytes)
            .expect("decode")
            .into_luma8();
        let levels = read(&bytes).expect("levels");
        // Edge blocks reach beyond the picture.
        let (columns, rows) = (70 / 8, 41 / 8);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let samples = plane(&picture).block(8 * column, 8 * row).expect("inside");
            let found = quantised(&dct::forward_bytes(&samples), levels.steps());
            assert_eq!(
                found,
                levels.blocks()[row * levels.columns() + column],
                "{row} {column}"
            );
        }
    }
}

fn plane(picture: &GrayImage) -> Plane {
    let width = usize::try_from(picture.width()).expect("small");
    Plane::new(width, picture.as_raw().clone()).expect("whole rows")
}

fn quantised(coefficients: &[f32; 64], steps: &[u16; 64]) -> [i16; 64] {
    std::array::from_fn(|at| {
        #[expect(clippy::cast_possible_truncation, reason = "levels are small")]
        let level = (coefficients[at] / f32::from(steps[at])).round() as i16;
        level
    })
}

/// It cuts coefficients to whole numbers before it quantises them, and its transform knows but eighths, so that a level
/// on the edge may fall to the other side.
#[test]
fn levels_of_another_encoder_are_those_of_its_samples() {
    for (width, height) in [(96, 64), (93, 61)] {
        let picture = samples::picture(width, height);
        let plane = luma(&picture).expect("has pixels");
        for quality in [50, 75, 90, 95] {
            let levels = read(&samples::jpeg_of(&picture, quality)).expect("levels");
            assert_eq!((levels.columns(), levels.rows()), (12, 8));
            assert_eq!(levels.steps()[63], read_step(&picture, quality));
            let whole =
                (0..plane.height() / 8).flat_map(|y| (0..plane.width() / 8).map(move |x| (x, y)));
            let mut apart = 0;
            for (x, y) in whole.clone() {
                let samples = plane.block(8 * x, 8 * y).expect("inside");
                let coefficients = dct::forward_bytes(&samples).map(f32::trunc);
                let expected = quantised(&coefficients, levels.steps());
                let found = levels.blocks()[y * levels.columns() + x];
                for (found, expected) in found.into_iter().zip(expected) {
                    assert!(found.abs_diff(expected) <= 1, "{found} {expected}");
                    apart += usize::from(found != expected);
                }
            }
            let share = apart as f64 / (64 * whole.count()) as f64;
            assert!(share < 0.05, "quality {quality}: {share}");
        }
    }
}

/// The last step as the structure reads it.
fn read_step(picture: &image::RgbImage, quality: u8) -> u16 {
    use crate::sniff::{Hints, sniff};
    use crate::structure::{Layout, structure};

    let bytes = samples::jpeg_of(picture, quality);
    let limits = Limits::default();
    let sniff = sniff(&bytes, &Hints::default(), &limits).expect("a JPEG");
    match structure(&bytes, &sniff, &limits)
        .expect("has a frame")
        .layout
    {
        Some(Layout::Jpeg(layout)) => layout.tables[0].steps[63],
        other => panic!("{other:?}"),
    }
}

#[test]
fn grey_pictures_of_another_encoder_are_read() {
    let grey = DynamicImage::ImageRgb8(samples::picture(40, 24)).into_luma8();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 80)
        .encode_image(&grey)
        .expect("encode");
    let levels = read(&bytes).expect("levels");
    assert_eq!((levels.columns(), levels.rows()), (5, 3));
    assert!(levels.blocks().iter().any(|block| block[1] != 0));
}
