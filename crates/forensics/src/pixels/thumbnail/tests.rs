use image::imageops::{crop_imm, replace, rotate90, thumbnail as small_of};

use super::*;
use crate::pixels::samples::{Sample, photo, saved};
use crate::samples::{jpeg_of, png_of};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 360;

fn photograph(seed: u64) -> RgbImage {
    photo(WIDTH, HEIGHT, seed)
}

/// What a camera embeds.
fn small(picture: &RgbImage) -> RgbImage {
    let scale = f64::from(160) / f64::from(picture.width().max(picture.height()));
    let side = |pixels: u32| pixel(f64::from(pixels) * scale, usize::MAX);
    saved(
        &small_of(picture, side(picture.width()), side(picture.height())),
        80,
    )
}

fn compared(picture: &RgbImage, thumbnail: &RgbImage, orientation: Option<u32>) -> Found {
    let sample = Sample::plain(picture.clone());
    inspect(
        &sample.subject(),
        thumbnail,
        orientation,
        ThumbnailOrigin::Exif,
    )
}

/// What was found, and what it weighs.
fn outcome(found: &Found) -> (&str, f64) {
    let evidence = &found.evidence;
    (&evidence.finding, evidence.log10_lr().manipulated)
}

fn facts(found: &Found) -> Vec<&str> {
    found.facts.iter().map(|fact| fact.fact.as_str()).collect()
}

/// A picture with a rectangle of another one.
fn with_patch(picture: &RgbImage, region: Region) -> RgbImage {
    let mut changed = picture.clone();
    // The negative differs everywhere but in the middle greys.
    let mut patch = crop_imm(picture, region.x, region.y, region.w, region.h).to_image();
    for sample in patch.iter_mut() {
        *sample = if *sample < 128 { 250 } else { 5 };
    }
    replace(&mut changed, &patch, region.x.into(), region.y.into());
    changed
}

#[test]
fn thumbnails_of_the_picture_itself_say_nothing() {
    for seed in 1..=6 {
        let picture = photograph(seed);
        for shown in [saved(&picture, 75), picture.clone()] {
            let found = compared(&shown, &small(&picture), None);
            assert_eq!(outcome(&found), ("none", 0.0), "{seed}");
            assert!(
                found.evidence.metrics["ncc"] > 0.97,
                "{:?}",
                found.evidence.metrics
            );
            assert!(found.facts.is_empty(), "{:?}", found.facts);
            assert_eq!(found.map, None);
        }
    }
}

#[test]
fn an_area_that_was_changed_since_is_found_in_its_place() {
    let picture = photograph(1);
    let [x, y, w, h] = [150, 90, 90, 75];
    let changed = with_patch(&picture, Region { x, y, w, h });
    let found = compared(&changed, &small(&picture), Some(1));
    assert_eq!(outcome(&found), ("area", 1.0));
    let [region] = found.evidence.regions[..] else {
        panic!("one region: {:?}", found.evidence.regions);
    };
    // A pixel of the thumbnail is three of the picture.
    assert!(
        region.x.abs_diff(150) <= 6 && region.y.abs_diff(90) <= 6,
        "{region:?}"
    );
    assert!(
        region.w.abs_diff(90) <= 12 && region.h.abs_diff(75) <= 12,
        "{region:?}"
    );
    let map = found.map.as_ref().expect("a map");
    assert_eq!((map.cell_pixels, map.columns, map.rows), (3, 160, 120));
    let cell = |x: u32, y: u32| map.cells[(y / 3 * map.columns + x / 3) as usize];
    assert!(cell(195, 127) > 127 && cell(20, 300) < 80);
}

#[test]
fn an_area_counts_from_its_share_on() {
    let picture = photograph(2);
    let outcome_of = |w: u32, h: u32| {
        let [x, y] = [60, 120];
        let changed = with_patch(&picture, Region { x, y, w, h });
        let found = compared(&changed, &small(&picture), None);
        (
            outcome(&found).0.to_owned(),
            found.evidence.metrics["area_share"],
        )
    };
    let (finding, share) = outcome_of(51, 48);
    assert!(finding == "none" && share > 0.008, "{finding} {share}");
    let (finding, share) = outcome_of(84, 75);
    assert!(finding == "area" && share < 0.05, "{finding} {share}");
}

#[test]
fn another_picture_is_unlike() {
    let found = compared(&photograph(1), &small(&photograph(2)), None);
    assert_eq!(outcome(&found), ("unlike", 1.0));
    assert!(found.evidence.metrics["ncc"] < 0.6);
    assert!(found.facts.is_empty());
}

#[test]
fn a_turned_thumbnail_is_laid_as_the_orientation_says() {
    let picture = photograph(3);
    let upright = small(&rotate90(&picture));
    let found = compared(&picture, &upright, Some(6));
    assert_eq!(outcome(&found), ("none", 0.0));
    assert!(found.facts.is_empty());
    // The same without the orientation: somebody turned the picture and left the thumbnail, or the other way round.
    let found = compared(&picture, &upright, Some(1));
    assert_eq!(outcome(&found), ("none", 0.0));
    assert_eq!(facts(&found), ["turned_since_thumbnail"]);
}

#[test]
fn black_bars_are_no_part_of_the_picture() {
    let picture = photo(480, 320, 4);
    let mut barred = RgbImage::new(160, 120);
    replace(&mut barred, &small(&picture), 0, 7);
    let found = compared(&picture, &saved(&barred, 80), None);
    assert_eq!(
        outcome(&found),
        ("none", 0.0),
        "{:?}",
        found.evidence.metrics
    );
    assert!(found.facts.is_empty());
    let upright = rotate90(&picture);
    let found = compared(&upright, &rotate90(&saved(&barred, 80)), None);
    assert_eq!(outcome(&found), ("none", 0.0));
}

#[test]
fn bars_of_another_tone_are_none_either() {
    let picture = photo(480, 320, 4);
    for level in [128, 255] {
        let mut barred = RgbImage::from_pixel(160, 120, image::Rgb([level; 3]));
        replace(&mut barred, &small(&picture), 0, 7);
        let found = compared(&picture, &saved(&barred, 80), None);
        assert_eq!(outcome(&found), ("none", 0.0), "{level}");
        assert!(found.facts.is_empty(), "{level} {:?}", found.facts);
    }
}

#[test]
fn a_negative_is_a_change_of_tones() {
    let original = photograph(6);
    let mut negative = original.clone();
    image::imageops::invert(&mut negative);
    let found = compared(&negative, &small(&original), None);
    assert_eq!(outcome(&found), ("none", 0.0));
    assert_eq!(facts(&found), ["negative_since_thumbnail"]);
    let other = compared(&negative, &small(&photograph(2)), None);
    assert_eq!(outcome(&other), ("unlike", 1.0));
}

#[test]
fn a_thumbnail_of_the_middle_is_laid_there() {
    let picture = photo(480, 320, 5);
    let middle = crop_imm(&picture, 80, 0, 320, 320).to_image();
    let found = compared(&picture, &small(&middle), None);
    assert_eq!(
        outcome(&found),
        ("none", 0.0),
        "{:?}",
        found.evidence.metrics
    );
    assert!(found.facts.is_empty());
}

#[test]
fn a_crop_is_a_fact_and_a_change_in_it_is_found() {
    for (seed, [x, y, w, h]) in [
        (1, [70, 40, 320, 240]),
        (2, [0, 100, 300, 260]),
        (3, [190, 20, 240, 320]),
    ] {
        let whole = photograph(seed);
        let picture = crop_imm(&whole, x, y, w, h).to_image();
        let found = compared(&picture, &small(&whole), None);
        assert_eq!(
            outcome(&found),
            ("none", 0.0),
            "{seed} {:?}",
            found.evidence
        );
        assert_eq!(facts(&found), ["cropped_since_thumbnail"]);
        let [x, y, w, h] = [100, 120, 70, 60];
        let changed = with_patch(&picture, Region { x, y, w, h });
        let found = compared(&changed, &small(&whole), None);
        assert!(
            matches!(outcome(&found), ("area" | "unlike", 1.0)),
            "{seed} {:?}",
            found.evidence
        );
    }
}

#[test]
fn a_change_of_tones_is_a_fact() {
    let original = photograph(6);
    let mut brighter = original.clone();
    for sample in brighter.iter_mut() {
        *sample = sample.saturating_sub(*sample / 4).saturating_add(50);
    }
    let found = compared(&brighter, &small(&original), None);
    assert_eq!(
        outcome(&found),
        ("none", 0.0),
        "{:?}",
        found.evidence.metrics
    );
    assert_eq!(facts(&found), ["tones_changed_since_thumbnail"]);
    assert!((found.evidence.metrics["gain"] - 4.0 / 3.0).abs() < 0.1);
}

#[test]
fn thumbnails_too_small_or_plain_are_not_compared() {
    let picture = photograph(1);
    let of_side = |side: u32| compared(&picture, &small_of(&picture, 64, side), None).evidence;
    let side_min = u32::try_from(SIDE_MIN).expect("small");
    assert!(of_side(side_min).applicable);
    assert!(!of_side(side_min - 1).applicable);
    let plain = RgbImage::from_pixel(160, 120, image::Rgb([40; 3]));
    let found = compared(&picture, &plain, None);
    assert!(!found.evidence.applicable && found.map.is_none());
}

#[test]
fn a_thumbnail_that_shows_something_is_unlike_a_plain_picture() {
    let plain = RgbImage::from_pixel(WIDTH, HEIGHT, image::Rgb([40; 3]));
    let found = compared(&plain, &small(&photograph(1)), None);
    assert_eq!(outcome(&found), ("unlike", 1.0));
}

#[test]
fn shapes_without_anything_in_common_are_not_compared() {
    let line = Sample::plain(photo(4_000, 1, 1));
    let small = small(&photograph(1));
    let found = inspect(&line.subject(), &small, None, ThumbnailOrigin::Exif);
    assert!(!found.evidence.applicable || found.evidence.finding == "unlike");
    let column = Sample::plain(photo(3, 3_000, 1));
    let found = inspect(&column.subject(), &small, Some(8), ThumbnailOrigin::Exif);
    assert!(!found.evidence.applicable || found.evidence.finding == "unlike");
}

#[test]
fn the_origin_is_part_of_the_name() {
    let sample = Sample::plain(photograph(1));
    let large = sample.picture.clone();
    let found = inspect(&sample.subject(), &large, None, ThumbnailOrigin::Credential);
    assert_eq!(found.evidence.id, "thumbnail.credential");
    assert_eq!(outcome(&found), ("none", 0.0));
}

#[test]
fn thumbnails_are_decoded_within_bounds() {
    let picture = photo(64, 48, 1);
    assert_eq!(decode(&png_of(&picture)).as_ref(), Some(&picture));
    assert!(decode(&jpeg_of(&picture, 80)).is_some());
    assert_eq!(decode(b""), None);
    assert_eq!(decode(b"\xff\xd8\xff\xd9"), None);
    let line = |width: u32| decode(&png_of(&RgbImage::new(width, 1)));
    assert!(line(SIDE_MAX).is_some());
    assert_eq!(line(SIDE_MAX + 1), None);
}
