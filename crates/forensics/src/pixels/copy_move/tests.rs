use image::imageops::{crop_imm, replace};
use image::{GenericImageView, Rgb, RgbImage};

use super::*;
use crate::pixels::samples::{Random, Sample, photo, saved};

const SHIFT: (u32, u32) = (61, 150);

/// A photo in which a square was copied, to the right and down by [`SHIFT`].
fn forged(seed: u64, side: u32) -> RgbImage {
    let mut picture = photo(480, 400, seed);
    copy(&mut picture, (120, 90), side, SHIFT);
    picture
}

fn copy(picture: &mut RgbImage, (x, y): (u32, u32), side: u32, (dx, dy): (u32, u32)) {
    let square = picture.view(x, y, side, side).to_image();
    replace(picture, &square, i64::from(x + dx), i64::from(y + dy));
}

fn found(picture: RgbImage) -> Found {
    inspect(&Sample::plain(picture).subject())
}

fn shift(evidence: &Evidence) -> (f64, f64) {
    (evidence.metrics["shift_x"], evidence.metrics["shift_y"])
}

#[test]
fn a_copied_square_is_found_with_its_exact_shift_and_place() {
    let Found { evidence, map, .. } = found(forged(1, 80));
    assert_eq!(evidence.finding, "copied");
    assert_eq!(shift(&evidence), (61.0, 150.0));
    assert_eq!(evidence.log10_lr(), LogRatios::manipulated(1.0));
    assert!(evidence.metrics["votes"] > 600.0, "{:?}", evidence.metrics);
    let [first, second] = evidence.regions[..] else {
        panic!("two regions: {:?}", evidence.regions);
    };
    // Blocks that chance makes equal beside the square may add a pixel.
    assert!(
        first.x.abs_diff(120) <= 2 && first.y.abs_diff(90) <= 2,
        "{first:?}"
    );
    assert!(
        first.w.abs_diff(80) <= 2 && first.h.abs_diff(80) <= 2,
        "{first:?}"
    );
    assert_eq!((second.x - first.x, second.y - first.y), SHIFT);
    assert_eq!((second.w, second.h), (first.w, first.h));
    let map = map.expect("a map");
    let cell = |x: u32, y: u32| map.cells[(y / 16 * map.columns + x / 16) as usize];
    assert!(cell(160, 130) > 100 && cell(220, 280) > 100);
    assert_eq!(cell(20, 20), 0);
}

#[test]
fn the_shift_is_exact_after_compression() {
    for seed in [1, 2, 3] {
        let picture = forged(seed, 80);
        for quality in [95, 85, 75] {
            let Found { evidence, .. } = found(saved(&picture, quality));
            let metrics = &evidence.metrics;
            assert_eq!(evidence.finding, "copied", "{seed} {quality} {metrics:?}");
            assert_eq!(shift(&evidence), (61.0, 150.0), "{seed} {quality}");
        }
    }
}

#[test]
fn clean_photos_have_few_votes() {
    for seed in 1..=4 {
        let picture = photo(480, 400, seed);
        for picture in [saved(&picture, 90), saved(&picture, 75), picture] {
            let Found { evidence, map, .. } = found(picture);
            assert_eq!(evidence.finding, "none");
            assert_eq!(evidence.log10_lr(), LogRatios::default());
            let votes = evidence.metrics["votes_max"];
            assert!(votes <= 7.0, "{seed}: {votes}");
            assert_eq!(map, None);
        }
    }
}

#[test]
fn several_copies_are_told_apart() {
    let mut picture = photo(480, 400, 5);
    copy(&mut picture, (20, 20), 70, (200, 10));
    copy(&mut picture, (30, 300), 60, (250, 20));
    let Found { evidence, .. } = found(picture);
    assert_eq!(evidence.finding, "copied");
    assert_eq!(evidence.metrics["copies"], 2.0);
    assert_eq!(evidence.regions.len(), 4);
}

#[test]
fn a_pattern_that_repeats_weighs_nothing() {
    let mut picture = photo(480, 400, 6);
    let tile = crop_imm(&picture, 10, 10, 48, 40).to_image();
    for (row, column) in (0..5).flat_map(|row| (0..5).map(move |column| (row, column))) {
        replace(&mut picture, &tile, 100 + 48 * column, 100 + 40 * row);
    }
    let Found { evidence, map, .. } = found(picture);
    assert_eq!(evidence.finding, "pattern");
    assert_eq!(evidence.log10_lr(), LogRatios::default());
    assert!(map.is_some());
}

/// A line of letters of five by seven dots, two pixels a dot, the same each time.
fn write_line(picture: &mut RgbImage, (left, top): (u32, u32)) {
    let mut random = Random(3);
    for letter in 0..30 {
        let dots = random.next() & random.next();
        for dot in (0..35).filter(|dot| (dots >> dot) & 1 == 1) {
            let (x, y) = (left + (letter * 6 + dot % 5) * 2, top + dot / 5 * 2);
            for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                picture.put_pixel(x, y, Rgb([40, 42, 46]));
            }
        }
    }
}

#[test]
fn text_on_a_page_of_photos_weighs_nothing() {
    let mut page = RgbImage::from_pixel(460, 700, Rgb([246, 246, 244]));
    for (seed, top) in [(8, 20), (9, 370)] {
        replace(&mut page, &photo(420, 260, seed), 20, i64::from(top));
        for line in 0..3 {
            write_line(&mut page, (22, top + 275 + 18 * line));
        }
    }
    for page in [saved(&page, 90), saved(&page, 75), page.clone()] {
        let Found { evidence, .. } = found(page);
        assert_eq!(evidence.finding, "drawn", "{:?}", evidence.metrics);
        assert_eq!(evidence.log10_lr(), LogRatios::default());
    }
    // And does not hide a copy beside it.
    copy(&mut page, (60, 50), 70, (200, 100));
    let Found { evidence, .. } = found(page);
    assert_eq!(evidence.finding, "copied");
    assert_eq!(shift(&evidence), (200.0, 100.0));
}

#[test]
fn one_copy_more_than_are_told_alike_is_a_pattern() {
    let with_copies = |copies: u32| {
        let mut picture = photo(640, 480, 7);
        for number in 0..copies {
            copy(
                &mut picture,
                (10, 10 + 90 * number),
                60,
                (200 + 50 * number, 13),
            );
        }
        judge_picture(&picture)
    };
    let most = u32::try_from(ALIKE_MAX).expect("small");
    assert!(matches!(with_copies(most), Judgement::Copied(copies) if copies.len() == ALIKE_MAX));
    assert!(matches!(with_copies(most + 1), Judgement::Pattern(_)));
}

fn judge_picture(picture: &RgbImage) -> Judgement {
    let sample = Sample::plain(picture.clone());
    let matches = compare(&sample.luma, BLOCKS_MAX);
    judge_matches(&matches, &sample.luma)
}

fn judge_matches(matches: &Matches, plane: &Plane) -> Judgement {
    judge(
        matches,
        plane,
        &mut Grid::new(plane.width(), plane.height()),
    )
}

/// Blocks that each equal another one, ten in a row, `step` pixels apart.
fn judge_votes(votes: usize, step: usize) -> Judgement {
    let mut all = Blocks::new(2_000, BLOCKS_MAX);
    for number in 0..votes {
        let (x, y) = (step * (number % 10), step * (number / 10));
        let key = (1 << 63) | ((number as u64 + 1) << 26);
        all.push(x, y, key);
        all.push(x + 700, y + 100, key);
    }
    let noise = |at: usize| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56).to_le_bytes()[0];
    let samples = (0..2_000 * 1_000).map(noise).collect();
    judge_matches(
        &all.matches(),
        &Plane::new(2_000, samples).expect("whole rows"),
    )
}

#[test]
fn a_copy_needs_its_votes_and_in_one_area() {
    let votes = usize::try_from(VOTES_MIN).expect("small");
    assert!(matches!(judge_votes(votes, 3), Judgement::Copied(_)));
    assert_eq!(judge_votes(votes - 1, 3), Judgement::Nothing);
    assert_eq!(judge_votes(votes, 50), Judgement::Nothing);
}

#[test]
fn a_share_of_the_blocks_finds_a_large_copy() {
    let sample = Sample::plain(forged(8, 160));
    let matches = compare(&sample.luma, 20_000);
    assert!(matches.thinning >= 2 && matches.blocks <= 20_000);
    let judgement = judge_matches(&matches, &sample.luma);
    let Judgement::Copied(copies) = &judgement else {
        panic!("{judgement:?}");
    };
    assert_eq!((copies[0].dx, copies[0].dy), (61, 150));
    let evidence = describe(&judgement, &matches);
    assert!(evidence.metrics["compared_one_in"] >= 4.0);
}

#[test]
fn what_is_no_photo_is_not_looked_at() {
    let sample = Sample::plain(forged(1, 80));
    let subject = Subject {
        unlike_photo: Some("It is a drawing."),
        ..sample.subject()
    };
    let Found { evidence, .. } = inspect(&subject);
    assert!(!evidence.applicable);
    assert_eq!(evidence.explain, "It is a drawing.");
}

#[test]
fn sizes_are_bounded_either_way() {
    assert!(unfit(16, 16).is_none());
    assert!(unfit(15, 400).is_some());
    assert!(unfit(400, 15).is_some());
    assert!(unfit(PIXELS_MAX / 64, 64).is_none());
    assert!(unfit(PIXELS_MAX / 64 + 1, 64).is_some());
    assert!(unfit(usize::MAX, usize::MAX).is_some());
    assert!(found(photo(16, 16, 1)).evidence.applicable);
    assert!(!found(photo(15, 16, 1)).evidence.applicable);
}
