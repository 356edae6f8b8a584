use image::imageops::{FilterType, crop_imm, resize};
use proptest::prelude::*;

use super::*;
use crate::evidence::LogRatios;
use crate::pixels::samples::{Sample, photo, saved};

const SIDE: u32 = 384;

fn twice(seed: u64, first: u8, second: u8) -> Found {
    inspect(&Sample::jpeg(&saved(&photo(SIDE, SIDE, seed), first), second).subject())
}

fn score(found: &Found) -> f64 {
    assert!(found.evidence.applicable, "{}", found.evidence.explain);
    found.evidence.metrics["score"]
}

#[test]
fn a_picture_compressed_once_shows_no_earlier_compression() {
    for (seed, quality) in [(1, 60), (2, 75), (3, 85), (4, 90), (5, 95)] {
        let found = inspect(&Sample::jpeg(&photo(SIDE, SIDE, seed), quality).subject());
        assert!(score(&found) < 0.3, "{quality}: {}", score(&found));
        assert_eq!(found.evidence.finding, "none");
        assert!(found.facts.is_empty());
    }
}

#[test]
fn a_picture_saved_again_at_a_higher_quality_shows_the_lower_one() {
    for (seed, first, second) in [(1, 60, 90), (2, 75, 90), (3, 75, 95), (4, 85, 95)] {
        let found = twice(seed, first, second);
        assert!(score(&found) > 0.5, "{first} {second}: {}", score(&found));
        assert_eq!(found.evidence.finding, "re_saved");
        let estimate = found.evidence.metrics["q1_est"];
        let off = (estimate - f64::from(first)).abs();
        assert!(off <= 2.0, "{first} {second}: {estimate}");
        let fact = &found.facts[0];
        assert_eq!(fact.fact, "re_saved");
        assert!(fact.detail.contains("about"), "{}", fact.detail);
    }
}

#[test]
fn being_saved_again_weighs_nothing() {
    let found = twice(6, 70, 95);
    assert_eq!(found.evidence.id, "jpeg.dq_global");
    assert_eq!(found.evidence.log10_lr(), LogRatios::default());
    assert_eq!(found.evidence.weight.cap(), 0.0);
    assert!(found.map.is_none());
}

#[test]
fn a_lower_second_quality_hides_the_first() {
    assert!(score(&twice(7, 85, 70)) < SCORE_MIN);
}

#[test]
fn another_grid_hides_the_first_compression() {
    let before = saved(&photo(SIDE, SIDE, 8), 75);
    let cropped = crop_imm(&before, 3, 5, SIDE - 3, SIDE - 5).to_image();
    let smaller = resize(
        &before,
        SIDE * 9 / 10,
        SIDE * 9 / 10,
        FilterType::CatmullRom,
    );
    for picture in [cropped, smaller] {
        let found = inspect(&Sample::jpeg(&picture, 95).subject());
        assert!(score(&found) < 0.3, "{}", score(&found));
    }
}

#[test]
fn it_says_why_it_does_not_apply() {
    let sample = Sample::jpeg(&photo(64, 64, 9), 90);
    let why = |subject: &Subject<'_>| {
        let found = inspect(subject);
        assert!(!found.evidence.applicable);
        found.evidence.explain
    };
    assert!(why(&sample.subject()).contains("too small"));
    let plain = Sample::plain(photo(64, 64, 9));
    assert!(why(&plain.subject()).contains("no JPEG"));
    let graphic = Subject {
        unlike_photo: Some("It is a drawing."),
        ..sample.subject()
    };
    assert_eq!(why(&graphic), "It is a drawing.");
}

#[test]
fn levels_that_cannot_be_read_leave_the_question_open() {
    let photo = Sample::plain(photo(64, 48, 1));
    let with = |unread| {
        let subject = Subject {
            levels: Err(unread),
            ..photo.subject()
        };
        let all = [
            inspect(&subject),
            local::inspect(&subject),
            crate::pixels::ghosts::inspect(&subject),
        ];
        all.map(|found| (found.evidence.finding, found.evidence.explain))
    };
    let damaged = Unread::Damaged {
        at: 7,
        why: "a scan header is cut off",
    };
    for (finding, explain) in with(damaged) {
        assert_eq!(finding, "unread");
        let why =
            "The coefficients of the JPEG were not read: near byte 7, a scan header is cut off.";
        assert_eq!(explain, why);
    }
    for (finding, explain) in with(Unread::NoJpeg) {
        assert_eq!(finding, "not_applicable");
        assert!(explain.contains("no JPEG"), "{explain}");
    }
}

fn any_levels() -> impl Strategy<Value = Sample> {
    let block = prop::array::uniform32(any::<i16>());
    let blocks = prop::collection::vec(block, 1..8);
    (blocks, 1..=u16::MAX, 0..=255u8).prop_map(|(blocks, step, grey)| {
        let picture = RgbImage::from_pixel(64, 24, image::Rgb([grey; 3]));
        // Repeated, so that there are enough of them.
        let blocks = blocks
            .iter()
            .cycle()
            .take(600)
            .map(|half| std::array::from_fn(|at| half[at % 32]));
        let mut sample = Sample::plain(picture);
        sample.levels = Levels::new(30, [step; 64], blocks.collect());
        sample
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_levels_make_it_panic(sample in any_levels()) {
        let subject = sample.subject();
        for found in [inspect(&subject), local::inspect(&subject), crate::pixels::ghosts::inspect(&subject)] {
            let said = found.evidence.log10_lr();
            prop_assert!(said.synthetic == 0.0 && said.manipulated <= 1.0);
        }
    }
}
