use image::RgbImage;
use image::imageops::replace;

use super::*;
use crate::pixels::samples::{Sample, photo, saved};

const SIDE: u32 = 384;

/// A picture saved twice.
fn clean(seed: u64, first: u8, second: u8) -> Sample {
    Sample::jpeg(&saved(&photo(SIDE, SIDE, seed), first), second)
}

/// The same with a piece of another picture put in between the two.
fn pasted(seed: u64, first: u8, second: u8) -> Sample {
    let mut picture = saved(&photo(SIDE, SIDE, seed), first);
    replace(&mut picture, &photo(128, 128, seed + 1000), 203, 155);
    Sample::jpeg(&picture, second)
}

/// The share of one rectangle that lies in another.
fn overlap(region: Region, left: u32, top: u32, side: u32) -> f64 {
    let across = (region.x + region.w)
        .min(left + side)
        .saturating_sub(region.x.max(left));
    let down = (region.y + region.h)
        .min(top + side)
        .saturating_sub(region.y.max(top));
    f64::from(across * down) / f64::from(side * side)
}

#[test]
fn a_pasted_piece_is_found_where_it_is() {
    for (seed, first, second) in [(1, 60, 90), (2, 75, 90), (3, 75, 95), (4, 85, 95)] {
        let found = inspect(&pasted(seed, first, second).subject());
        let evidence = &found.evidence;
        assert_eq!(evidence.finding, "region", "{first} {second}: {evidence:?}");
        assert_eq!(
            evidence.log10_lr(),
            LogRatios::manipulated(CALIBRATION.cap())
        );
        let region = evidence.regions[0];
        assert!(overlap(region, 203, 155, 128) > 0.6, "{region:?}");
        assert!(region.w <= 144 && region.h <= 144, "{region:?}");
    }
}

#[test]
fn pictures_saved_twice_and_not_changed_have_no_region() {
    for (seed, first, second) in [(11, 60, 90), (12, 75, 90), (13, 75, 95), (14, 85, 95)] {
        let found = inspect(&clean(seed, first, second).subject());
        let evidence = &found.evidence;
        assert!(evidence.applicable);
        assert_eq!(evidence.finding, "none", "{first} {second}: {evidence:?}");
        assert_eq!(evidence.log10_lr(), LogRatios::default());
        assert!(evidence.regions.is_empty() && found.map.is_none());
    }
}

#[test]
fn what_is_found_can_be_seen_and_has_its_caveats() {
    let found = inspect(&pasted(5, 70, 90).subject());
    let map = found.map.expect("a map");
    assert_eq!((map.cell_pixels, map.columns, map.rows), (8, 48, 48));
    let cell = |x: usize, y: usize| map.cells[48 * y + x];
    assert!(cell(33, 27) > 64, "inside: {}", cell(33, 27));
    assert!(cell(5, 5) < 32, "outside: {}", cell(5, 5));
    let caveats = found.evidence.caveats.concat();
    for word in ["caption", "logo", "date stamp", "retouching"] {
        assert!(caveats.contains(word), "{word}");
    }
    assert_eq!(found.evidence.calibration, Some(CALIBRATION));
    assert!(found.evidence.weight.cap() < 1.2);
}

#[test]
fn it_says_why_it_does_not_apply() {
    let why = |subject: &Subject<'_>| {
        let found = inspect(subject);
        assert!(!found.evidence.applicable && found.map.is_none());
        found.evidence.explain
    };
    let once = Sample::jpeg(&photo(256, 256, 6), 90);
    assert!(why(&once.subject()).contains("no earlier compression"));
    let plain = Sample::plain(photo(64, 64, 6));
    assert!(why(&plain.subject()).contains("no JPEG"));
    let graphic = Subject {
        unlike_photo: Some("It is a drawing."),
        ..once.subject()
    };
    assert_eq!(why(&graphic), "It is a drawing.");
}

#[test]
fn white_and_dark_surfaces_are_not_foreign() {
    let mut picture = photo(SIDE, SIDE, 7);
    let surface = |grey| RgbImage::from_pixel(150, 150, image::Rgb([grey; 3]));
    replace(&mut picture, &surface(255), 43, 51);
    replace(&mut picture, &surface(6), 211, 219);
    let found = inspect(&Sample::jpeg(&saved(&picture, 75), 92).subject());
    assert_eq!(found.evidence.finding, "none", "{:?}", found.evidence);
}

#[test]
fn regions_end_with_the_picture() {
    let component = Component {
        blocks: 4,
        left: 1,
        top: 0,
        right: 2,
        bottom: 1,
    };
    let region = component.region((20, 16));
    assert_eq!((region.x, region.y, region.w, region.h), (8, 0, 12, 16));
}
