//! Files that nobody meant to deceive with: whatever they look like, there is no verdict about them.

use image::imageops::{FilterType, blur, crop_imm, flip_horizontal, replace, resize, rotate90};
use image::{Rgb, RgbImage};

use crate::pixels::samples::{Random, photo, saved};
use crate::samples::{jpeg_of, png_of};
use crate::verdict::judge;
use crate::{Hints, Label, Limits, Priors, analyze};

const WIDTH: u32 = 384;
const HEIGHT: u32 = 272;

/// What is said against a file, if there is a verdict on it.
fn accused(bytes: &[u8]) -> Option<String> {
    let analysis = analyze(bytes, &Hints::default(), &Limits::default());
    let verdict = judge(
        &analysis.evidence,
        Priors::default(),
        analysis.circumstances(),
    );
    if verdict.label == Label::Inconclusive {
        return None;
    }
    let weighs = |it: &&crate::Evidence| it.log10_lr() != crate::LogRatios::default();
    let reasons = analysis.evidence.iter().filter(weighs);
    let reasons = reasons.map(|it| format!("{} {} {:?}", it.id, it.finding, it.metrics));
    Some(format!(
        "{:?}: {}",
        verdict.label,
        reasons.collect::<Vec<_>>().join("; ")
    ))
}

/// As a PNG, and as a JPEG.
fn assert_harmless(pictures: &[(&str, RgbImage)]) {
    let mut accusations = Vec::new();
    for (name, picture) in pictures {
        let files = [("png", png_of(picture)), ("jpeg", jpeg_of(picture, 85))];
        let accuse = |(kind, bytes): (&str, Vec<u8>)| {
            accused(&bytes).map(|why| format!("{name} as {kind} is {why}"))
        };
        accusations.extend(files.into_iter().filter_map(accuse));
    }
    assert!(accusations.is_empty(), "{}", accusations.join("\n"));
}

fn drawn(width: u32, height: u32, level: impl Fn(u32, u32) -> [u32; 3]) -> RgbImage {
    let byte = |level: u32| u8::try_from(level.min(255)).unwrap_or(u8::MAX);
    RgbImage::from_fn(width, height, |x, y| Rgb(level(x, y).map(byte)))
}

#[test]
fn plain_and_tiny_and_long_pictures_have_no_verdict() {
    assert_harmless(&[
        ("black", drawn(WIDTH, HEIGHT, |_, _| [0; 3])),
        ("white", drawn(WIDTH, HEIGHT, |_, _| [255; 3])),
        ("red", drawn(WIDTH, HEIGHT, |_, _| [255, 0, 0])),
        ("one pixel", drawn(1, 1, |_, _| [90, 10, 200])),
        ("a line", drawn(4_000, 1, |x, _| [x % 256; 3])),
        ("a column", drawn(1, 4_000, |_, y| [y % 256; 3])),
        ("a ribbon", photo(8_000, 16, 1)),
        (
            "a slope",
            drawn(WIDTH, HEIGHT, |x, y| [x / 2, y / 2, (x + y) / 4]),
        ),
    ]);
}

#[test]
fn patterns_and_noise_have_no_verdict() {
    let mut random = Random(7);
    let mut noise = RgbImage::new(WIDTH, HEIGHT);
    for sample in noise.iter_mut() {
        [*sample, ..] = random.next().to_le_bytes();
    }
    let tile = photo(96, 68, 2);
    let mut tiled = RgbImage::new(WIDTH, HEIGHT);
    for at in 0..16 {
        let (x, y) = (i64::from(at % 4 * 96), i64::from(at / 4 * 68));
        replace(&mut tiled, &tile, x, y);
    }
    let mut stars = RgbImage::new(WIDTH, HEIGHT);
    for _ in 0..150 {
        let [a, b, c, d, ..] = random.next().to_le_bytes();
        let [x, y] = [[a, b], [c, d]].map(|place| u32::from(u16::from_le_bytes(place)));
        stars.put_pixel(4 + x % 376, 4 + y % 264, Rgb([255; 3]));
    }
    let board = |side: u32| {
        drawn(WIDTH, HEIGHT, move |x, y| {
            [(x / side + y / side) % 2 * 200; 3]
        })
    };
    let stripes = drawn(WIDTH, HEIGHT, |x, y| {
        [128 + (x % 8) * 6, 128, 100 + (y % 16) * 8 + (x % 4) * 3]
    });
    assert_harmless(&[
        ("noise", noise.clone()),
        ("soft noise", blur(&noise, 1.5)),
        ("tiles", tiled),
        ("stars", blur(&stars, 1.2)),
        ("board of 8", board(8)),
        ("board of 7", board(7)),
        ("stripes of colour", stripes),
    ]);
}

#[test]
fn photos_that_were_only_worked_on_as_a_whole_have_no_verdict() {
    let original = photo(WIDTH, HEIGHT, 3);
    let half = crop_imm(&original, 0, 0, WIDTH / 2, HEIGHT).to_image();
    let mut mirrored = original.clone();
    replace(
        &mut mirrored,
        &flip_horizontal(&half),
        i64::from(WIDTH / 2),
        0,
    );
    let small = crop_imm(&original, 0, 0, WIDTH / 2, HEIGHT / 2).to_image();
    let larger = |filter| resize(&small, WIDTH, HEIGHT, filter);
    let mut barred = RgbImage::new(WIDTH, HEIGHT + 80);
    replace(&mut barred, &original, 0, 40);
    let mut bright = original.clone();
    for sample in bright.iter_mut() {
        *sample = sample.saturating_mul(2);
    }
    let grey = drawn(WIDTH, HEIGHT, |x, y| {
        [original.get_pixel(x, y)[1].into(); 3]
    });
    assert_harmless(&[
        ("as it is", original.clone()),
        ("mirrored", mirrored),
        (
            "twice as large, pixel by pixel",
            larger(FilterType::Nearest),
        ),
        ("twice as large, smooth", larger(FilterType::CatmullRom)),
        ("with bars", barred),
        ("too bright", bright),
        ("grey", grey),
        ("blurred", blur(&original, 2.0)),
    ]);
}

#[test]
fn photos_that_were_saved_again_have_no_verdict() {
    let original = photo(WIDTH, HEIGHT, 4);
    let low = saved(&original, 60);
    let mut bright = original.clone();
    for sample in bright.iter_mut() {
        *sample = sample.saturating_mul(3);
    }
    assert_harmless(&[
        ("saved low", low.clone()),
        ("saved low and high", saved(&low, 85)),
        ("turned", rotate90(&low)),
        (
            "cut along blocks",
            crop_imm(&low, 8, 8, 376, 264).to_image(),
        ),
        (
            "cut across blocks",
            crop_imm(&low, 3, 5, 380, 267).to_image(),
        ),
        ("smaller", resize(&low, 380, 269, FilterType::Triangle)),
        ("too bright, saved low", saved(&bright, 60)),
        ("saved very low", saved(&original, 15)),
    ]);
}
