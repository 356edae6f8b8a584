use image::RgbImage;
use image::imageops::{crop_imm, replace};

use super::gathered::MAPS_MAX;
use super::*;
use crate::analysis::{Analysis, analyze};
use crate::coverage::CoverageStatus;
use crate::evidence::{Evidence, Fact, Family, LogRatios, Region};
use crate::fusion::Priors;
use crate::pixels::Map;
use crate::pixels::samples::photo;
use crate::samples::{self, Field, Pdf};
use crate::verdict::{Label, judge};

const IMAGE: &str = "/Type/XObject/Subtype/Image/Filter/DCTDecode";

fn with_pictures(pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut pdf = Pdf::page();
    for (object, jpeg) in (20..).zip(pictures) {
        pdf = pdf.stream(object, IMAGE, jpeg);
    }
    pdf.end("").bytes
}

fn jpeg(seed: u64) -> Vec<u8> {
    samples::jpeg_of(&photo(400, 300, seed), 92)
}

/// A photograph in which a part was copied to another place.
fn copied(seed: u64) -> RgbImage {
    let mut picture = photo(400, 300, seed);
    let part = crop_imm(&picture, 40, 40, 96, 96).to_image();
    replace(&mut picture, &part, 240, 150);
    picture
}

fn see(bytes: &[u8]) -> Analysis {
    analyze(bytes, &Hints::default(), &Limits::default())
}

fn label(analysis: &Analysis) -> Label {
    let circumstances = analysis.circumstances();
    judge(&analysis.evidence, Priors::default(), circumstances).label
}

fn starting_with<'a>(analysis: &'a Analysis, id: &str) -> Vec<&'a Evidence> {
    let all = analysis.evidence.iter();
    all.filter(|evidence| evidence.id.starts_with(id)).collect()
}

fn standing(analysis: &Analysis, question: &str) -> (CoverageStatus, String) {
    let mut items = analysis.coverage.iter();
    let item = items.find(|item| item.question == question);
    let item = item.expect(question);
    (item.status, item.why.clone())
}

#[test]
fn a_picture_of_a_document_is_tested_like_one_that_came_alone() {
    let analysis = see(&with_pictures(&[samples::jpeg_of(&copied(1), 92)]));
    let [found] = starting_with(&analysis, "copy_move@")[..] else {
        panic!("{:?}", analysis.evidence)
    };
    let place = found.picture.expect("is about a picture");
    assert_eq!(place.object, 20);
    assert_eq!(found.id, format!("copy_move@{}", place.offset));
    assert!(found.explain.starts_with("In the picture of object 20: "));
    assert_eq!(found.regions.len(), 2);
    let alone = see(&samples::jpeg_of(&copied(1), 92));
    let [same] = starting_with(&alone, "copy_move")[..] else {
        panic!("{:?}", alone.evidence)
    };
    assert_eq!((&found.regions, found.weight), (&same.regions, same.weight));
    assert_eq!(label(&analysis), Label::Manipulated);
}

#[test]
fn more_pictures_are_more_chances_of_a_false_alarm() {
    let pictures = [samples::jpeg_of(&copied(1), 92), jpeg(2), jpeg(3)];
    let analysis = see(&with_pictures(&pictures));
    let [found] = starting_with(&analysis, "copy_move@")[..] else {
        panic!("{:?}", analysis.evidence)
    };
    let alone = see(&with_pictures(&pictures[..1]));
    let weight = |of: &Evidence| of.log10_lr().manipulated;
    let [same] = starting_with(&alone, "copy_move@")[..] else {
        panic!("{:?}", alone.evidence)
    };
    let lost = same.weight.cap() - found.weight.cap();
    assert!((lost - 3f64.log10()).abs() < 1e-9, "{lost}");
    assert!(weight(found) < weight(same));
    assert_eq!(label(&analysis), Label::Inconclusive);
}

#[test]
fn pictures_that_show_nothing_are_told_together_and_accused_of_nothing() {
    let analysis = see(&with_pictures(&[jpeg(2), jpeg(3)]));
    assert_eq!(label(&analysis), Label::Inconclusive);
    let none = starting_with(&analysis, "copy_move");
    assert_eq!(none.len(), 1);
    assert!(
        none[0]
            .explain
            .starts_with("In 2 pictures (objects 20, 21): ")
    );
    assert_eq!(none[0].metrics["pictures"], 2.0);
    let facts = analysis.history.iter().filter(|it| it.fact == "ijg_tables");
    assert_eq!(facts.count(), 1);
    for question in ["local_manipulation_pixels", "copy_move", "jpeg_grid_origin"] {
        let (status, why) = standing(&analysis, question);
        assert_eq!(status, CoverageStatus::Tested, "{question}");
        assert!(why.contains("2 pictures in JPEG"), "{why}");
    }
    let (status, _) = standing(&analysis, "metadata_consistency");
    assert_eq!(status, CoverageStatus::Tested);
}

#[test]
fn a_scanned_page_is_no_accusation() {
    // Dark strokes on white paper, with a little noise: as a scanner sees a printed page.
    let noise = photo(700, 500, 5);
    let page = RgbImage::from_fn(700, 500, |x, y| {
        let is_ink = y % 24 < 12 && x % 11 < 3 && (x / 11 + y / 24) % 5 != 0;
        let grain = noise.get_pixel(x, y)[0] / 64;
        image::Rgb([if is_ink { 30 + grain } else { 250 + grain }; 3])
    });
    let scan = samples::jpeg_of(&page, 75);
    let analysis = see(&with_pictures(&[scan, samples::jpeg_of(&page, 60)]));
    assert_eq!(
        label(&analysis),
        Label::Inconclusive,
        "{:?}",
        analysis.evidence
    );
    assert!(
        analysis
            .evidence
            .iter()
            .all(|it| it.log10_lr() == LogRatios::default())
    );
}

#[test]
fn what_a_picture_says_of_itself_is_told_with_its_place() {
    let exif = samples::tiff(&[
        Field::Text(0x010f, "Acme"),
        Field::Text(0x0110, "A1"),
        Field::Text(0x0131, "Stable Diffusion"),
    ]);
    let marked = samples::with_segments(&jpeg(2), &[samples::exif_segment(&exif)]);
    let analysis = see(&with_pictures(&[jpeg(3), marked]));
    let hit = analysis
        .markers
        .hits
        .iter()
        .find(|hit| hit.location.contains("Software"));
    assert!(
        hit.expect("a mark")
            .location
            .starts_with("object 21: exif.")
    );
    let [said] = starting_with(&analysis, "marker")[..] else {
        panic!("{:?}", analysis.evidence)
    };
    assert!(said.log10_lr().synthetic > 0.0 && said.picture.is_some());
    let camera = analysis
        .history
        .iter()
        .find(|fact| fact.fact == "camera_claim");
    let camera = &camera.expect("a camera").detail;
    assert!(
        camera.starts_with("in the picture of object 21: "),
        "{camera}"
    );
}

#[test]
fn what_is_left_out_is_named() {
    let large = samples::jpeg_of(&samples::picture(64, 48), 80);
    let small = samples::jpeg_of(&samples::picture(48, 32), 80);
    let bytes = with_pictures(&[small, large]);
    let limits = Limits {
        pixels_max: 64 * 48,
        ..Limits::default()
    };
    let analysis = analyze(&bytes, &Hints::default(), &limits);
    let (status, why) = standing(&analysis, "copy_move");
    assert_eq!(status, CoverageStatus::Aborted);
    assert!(why.starts_with("1 of 2 pictures in JPEG"), "{why}");
}

#[test]
fn pictures_beyond_those_that_are_noted_are_named_too() {
    let of = |count: usize| see(&with_pictures(&vec![b"x".to_vec(); count]));
    let (status, why) = standing(&of(257), "copy_move");
    assert_eq!(status, CoverageStatus::Aborted);
    assert!(why.starts_with("0 of 257 pictures in JPEG"), "{why}");
    let (status, why) = standing(&of(257), "declared_markers");
    assert_eq!(status, CoverageStatus::Aborted);
    assert!(why.starts_with("pdf_jpeg_streams_max: "), "{why}");
    let (status, _) = standing(&of(256), "declared_markers");
    assert_eq!(status, CoverageStatus::Tested);
}

#[test]
fn a_document_without_pictures_and_one_with_damaged_ones_stand_apart() {
    let plain = see(&Pdf::page().end("").bytes);
    assert_eq!(
        standing(&plain, "copy_move").0,
        CoverageStatus::NotApplicable
    );
    let damaged = see(&with_pictures(&[b"\xff\xd8\xff\xe0no picture".to_vec()]));
    let (status, why) = standing(&damaged, "copy_move");
    assert_eq!(status, CoverageStatus::Aborted);
    assert!(why.starts_with("0 of 1 pictures"), "{why}");
    assert_eq!(label(&damaged), Label::Inconclusive);
}

#[test]
fn maps_are_bounded_and_findings_are_not() {
    let place = |offset| PicturePlace { object: 1, offset };
    let found = || {
        let evidence = Evidence::neutral("a", Family::JpegHistory, "region", "Something is there.");
        let mut evidence = evidence.weighing(LogRatios::manipulated(1.0), 1.0);
        evidence.regions = vec![Region {
            x: 0,
            y: 0,
            w: 1,
            h: 1,
        }];
        Found {
            evidence,
            facts: vec![Fact::new("b", "the same")],
            map: Some(Map {
                cell_pixels: 8,
                columns: 1,
                rows: 1,
                cells: vec![255],
            }),
        }
    };
    let mut gathered = Gathered::default();
    let all = MAPS_MAX as u64 + 1;
    for offset in 0..all {
        gathered.take(&place(offset), vec![found()]);
    }
    let told = gathered.finish();
    assert_eq!(told.len() as u64, all);
    assert_eq!(
        told.iter().filter(|found| found.map.is_some()).count(),
        MAPS_MAX
    );
    let facts: Vec<&Fact> = told.iter().flat_map(|found| &found.facts).collect();
    assert_eq!(facts.len(), 1);
    assert!(
        facts[0]
            .detail
            .starts_with("in 5 pictures (objects 1, 1, 1, 1, 1): ")
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_in_a_document_make_it_panic(
        body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        cut in 0usize..2_000,
    ) {
        let whole = samples::jpeg(80);
        let damaged = [&whole[..cut.min(whole.len())], &body].concat();
        let analysis = see(&with_pictures(&[damaged, body]));
        proptest::prop_assert!(!analysis.evidence.is_empty());
    }
}
