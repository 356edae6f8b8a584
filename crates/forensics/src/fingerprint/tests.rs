mod copies;

use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::samples::{self, picture};
use crate::sniff::{Hints, sniff};
use crate::structure::structure;

fn of(bytes: &[u8]) -> Fingerprint {
    let limits = Limits::default();
    let sniff = sniff(bytes, &Hints::default(), &limits).expect("within limits");
    let structure = structure(bytes, &sniff, &limits).expect("intact");
    fingerprint(bytes, &sniff, &structure, &limits)
}

fn perceptual(bytes: &[u8]) -> Perceptual {
    of(bytes).perceptual.expect("decoded")
}

/// Discs that lie over each other, as edges do in photos; another picture for each seed.
fn discs(seed: u32) -> RgbImage {
    let mut state = seed;
    let mut next = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut picture = RgbImage::new(256, 192);
    for _ in 0..300 {
        let (x0, y0, radius, grey) = (next(256), next(192), 4 + next(36), next(256));
        let grey = u8::try_from(grey).expect("below 256");
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            if x.abs_diff(x0).pow(2) + y.abs_diff(y0).pow(2) <= radius.pow(2) {
                *pixel = image::Rgb([grey, grey, grey / 2]);
            }
        }
    }
    picture
}

#[test]
fn digest_is_that_of_the_standard() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn benign_changes_flip_few_bits_and_other_pictures_many() {
    let original = discs(1);
    let base = perceptual(&samples::png_of(&original));
    let smaller = resize(&original, 128, 96, FilterType::Triangle);
    let mut brighter = original.clone();
    for channel in brighter.iter_mut() {
        *channel = channel.saturating_add(12);
    }
    let near = [
        samples::jpeg_of(&original, 70),
        samples::png_of(&smaller),
        samples::png_of(&brighter),
    ];
    for bytes in near {
        let distance = distance(&base, &perceptual(&bytes)).expect("comparable");
        assert!(distance <= 31, "{distance} bits");
    }
    let far = distance(&base, &perceptual(&samples::png_of(&discs(2))));
    assert!(far.expect("comparable") > 80);
}

#[test]
fn half_of_the_bits_are_set() {
    let base = perceptual(&samples::png_of(&discs(3)));
    let bits = Bits::parse(&base.hash).expect("ours");
    assert_eq!(bits.distance(Bits::from_bytes([0; FINGERPRINT_BYTES])), 127);
    assert_eq!(base.hash.len(), 64);
}

#[test]
fn flat_pictures_have_no_quality() {
    let flat = RgbImage::from_pixel(80, 80, image::Rgb([120, 120, 120]));
    let found = of(&samples::png_of(&flat));
    assert_eq!(found.perceptual.expect("decoded").quality, 0);
    let figures = found.picture.expect("decoded");
    assert_eq!((figures.flat_share, figures.grey_levels), (1.0, 1));
    assert!(perceptual(&samples::png_of(&discs(3))).quality >= QUALITY_MIN);
}

#[test]
fn areas_keep_the_mean_at_every_size() {
    for (width, height) in [(1, 1), (3, 200), (63, 65), (64, 64), (1_000, 7)] {
        let luma = GrayImage::from_pixel(width, height, image::Luma([77]));
        let small = luma::reduce(&luma).expect("has pixels");
        for value in small.iter().flatten() {
            assert!((value - 77.0).abs() < 0.05, "{width} x {height}: {value}");
        }
    }
    assert!(luma::reduce(&GrayImage::new(0, 5)).is_none());
}

#[test]
fn formats_that_are_not_decoded_say_so() {
    let missing = of(b"GIF89a\x01\0\x01\0").missing;
    assert_eq!(
        missing,
        Some(Missing::NotDecoded {
            mime: "image/gif".to_owned()
        })
    );
}

#[test]
fn damaged_picture_is_told() {
    let png = samples::png();
    let found = of(&png[..60]);
    assert!(
        matches!(found.missing, Some(Missing::Damaged { .. })),
        "{found:?}"
    );
}

#[test]
fn decoder_is_bounded() {
    let png = samples::png();
    let limits = Limits::default();
    let sniff = sniff(&png, &Hints::default(), &limits).expect("within limits");
    let structure = structure(&png, &sniff, &limits).expect("intact");
    let with = |decode_bytes_max| {
        let limits = Limits {
            decode_bytes_max,
            ..Limits::default()
        };
        fingerprint(&png, &sniff, &structure, &limits).missing
    };
    assert!(matches!(with(1_000), Some(Missing::Limit { .. })));
    assert_eq!(with(1_000_000), None);
}

#[test]
fn file_beyond_a_bound_of_structure_is_not_decoded() {
    let jpeg = samples::jpeg(90);
    let limits = Limits {
        jpeg_markers_max: 6,
        ..Limits::default()
    };
    let sniff = sniff(&jpeg, &Hints::default(), &limits).expect("within limits");
    let structure = structure(&jpeg, &sniff, &limits).expect("has a frame");
    assert!(!structure.limits.is_empty());
    let found = fingerprint(&jpeg, &sniff, &structure, &limits);
    assert!(matches!(found.missing, Some(Missing::Limit { .. })));
}

#[test]
fn only_equal_algorithms_compare() {
    let left = perceptual(&samples::png());
    let right = Perceptual {
        algorithm: "other".to_owned(),
        ..left.clone()
    };
    assert_eq!(distance(&left, &left), Some(0));
    assert_eq!(distance(&left, &right), None);
    let broken = Perceptual {
        hash: "xyz".to_owned(),
        ..left.clone()
    };
    assert_eq!(distance(&left, &broken), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_mutation_makes_it_panic(
        as_jpeg in any::<bool>(),
        changes in prop::collection::vec((0usize..4_000, any::<u8>()), 1..8),
    ) {
        let small = picture(24, 24);
        let mut bytes = if as_jpeg { samples::jpeg_of(&small, 80) } else { samples::png_of(&small) };
        for (at, byte) in changes {
            let len = bytes.len();
            // The first bytes decide the format, which other tests vary.
            bytes[4 + at % (len - 4)] = byte;
        }
        let limits = Limits { pixels_max: 1_000_000, ..Limits::default() };
        let hints = Hints::default();
        if let Ok(sniff) = sniff(&bytes, &hints, &limits)
            && let Ok(structure) = structure(&bytes, &sniff, &limits)
        {
            let _found = fingerprint(&bytes, &sniff, &structure, &limits);
        }
    }
}
