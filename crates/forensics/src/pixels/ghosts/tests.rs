use super::*;
use crate::pixels::samples::{Sample, photo, saved};

#[test]
fn change_is_the_distance_to_the_nearest_multiples() {
    let mut block = [0; 64];
    (block[0], block[1], block[8]) = (-5, 3, 6);
    let mut steps = [1.0; 64];
    (steps[0], steps[1]) = (4.0, 10.0);
    let steps = Steps {
        steps,
        shares: steps.map(|step| 1.0 / step),
    };
    // 10 is 2 from 8, 6 is 4 from 10.
    assert_eq!(steps.change(&values(&block, &[2; 64])), 4.0 + 16.0);
    let extreme = steps.change(&values(&[i16::MIN; 64], &[u16::MAX; 64]));
    assert!(extreme.is_finite());
}

#[test]
fn the_map_is_bright_where_the_earlier_quality_is_missing() {
    let mut picture = saved(&photo(384, 384, 21), 65);
    image::imageops::replace(&mut picture, &photo(128, 128, 22), 155, 99);
    let found = inspect(&Sample::jpeg(&picture, 92).subject());
    assert_eq!(found.evidence.finding, "ghost");
    assert!((found.evidence.metrics["quality"] - 65.0).abs() <= 1.0);
    let map = found.map.expect("a map");
    assert_eq!((map.cell_pixels, map.columns, map.rows), (8, 48, 48));
    let mean = |inside: bool| {
        let cells = map.cells.iter().enumerate().filter(|(at, _)| {
            let (x, y) = (at % 48, at / 48);
            ((20..35).contains(&x) && (13..28).contains(&y)) == inside
        });
        let values: Vec<u32> = cells.map(|(_, &value)| u32::from(value)).collect();
        values.iter().sum::<u32>() / u32::try_from(values.len()).expect("few")
    };
    assert!(
        mean(true) > 2 * mean(false),
        "{} {}",
        mean(true),
        mean(false)
    );
}

#[test]
fn it_never_votes() {
    let picture = saved(&photo(384, 256, 23), 70);
    let found = inspect(&Sample::jpeg(&picture, 90).subject());
    assert!(found.evidence.applicable && found.facts.is_empty());
    assert_eq!(found.evidence.weight.cap(), 0.0);
}

#[test]
fn without_an_earlier_quality_there_is_nothing_to_look_for() {
    let once = Sample::jpeg(&photo(384, 256, 24), 90);
    let found = inspect(&once.subject());
    assert!(!found.evidence.applicable && found.map.is_none());
    let plain = inspect(&Sample::plain(photo(64, 64, 24)).subject());
    assert!(!plain.evidence.applicable);
}

#[test]
fn a_quality_needs_a_shoulder_below_the_present_one() {
    let levels = Levels::new(1, [1; 64], vec![[7; 64]]).expect("levels");
    assert!(Ghost::at(&levels, 1, 7).is_some());
    assert!(Ghost::at(&levels, 1, 6).is_none());
    assert!(Ghost::deepest(&levels, 90, 1).is_none());
    assert!(Ghost::deepest(&levels, 100, 0).is_none());
}
