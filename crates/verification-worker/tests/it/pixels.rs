//! Pictures in which something was done, through the whole pipeline.

use assay_blob::ContentId;
use assay_core::id::Tenant;
use assay_corpus::edit::paste::{copy_within, paste};
use assay_corpus::{camera, jpeg, png};
use assay_forensics::{CoverageStatus, Evidence, Label};
use assay_verification_worker::VerificationResult;
use image::RgbImage;
use image::imageops::crop_imm;

use crate::child::{alone, none_left};
use crate::desk::Desk;

const SIDE: u32 = 160;

fn photograph(seed: u64) -> RgbImage {
    let taken = camera::FIRST.develop(seed).unwrap();
    crop_imm(&taken, 320, 160, 800, 640).to_image()
}

fn evidence<'r>(result: &'r VerificationResult, id: &str) -> &'r Evidence {
    let mut all = result.evidence.iter();
    all.find(|evidence| evidence.id == id).expect(id)
}

#[tokio::test]
async fn a_part_put_in_is_found_with_a_map_that_is_kept() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let mut picture = jpeg::through(&photograph(3), 75).unwrap();
    let part = crop_imm(&photograph(4), 11, 13, SIDE, SIDE).to_image();
    paste(&mut picture, &part, 301, 203);
    let file = jpeg::encode(&picture, 95).unwrap();
    let result = desk.verify(file, "a.jpg").await.unwrap();

    // A caption would look the same to this test, and it is the only one that speaks.
    assert_eq!(result.verdict.label, Label::Inconclusive);
    let headline = &result.verdict.headline;
    assert!(
        headline.ends_with("That does not carry a verdict."),
        "{headline}"
    );
    let found = evidence(&result, "jpeg.dq_local");
    assert!(found.log10_lr().manipulated > 0.9);
    let region = found.regions[0];
    let (x, y) = (region.x + region.w / 2, region.y + region.h / 2);
    assert!((301..301 + SIDE).contains(&x) && (203..203 + SIDE).contains(&y));
    let map: ContentId = found.artifact.as_ref().unwrap().parse().unwrap();
    let kept = desk
        .blobs
        .get(&Tenant::default(), &map, u64::MAX)
        .await
        .unwrap();
    let map = image::load_from_memory(&kept.unwrap()).unwrap();
    assert_eq!((map.width(), map.height()), (100, 80));
    none_left().await;
}

#[tokio::test]
async fn a_part_copied_within_a_picture_is_found() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let mut picture = photograph(5);
    copy_within(&mut picture, SIDE / 2, (250, 130)).unwrap();
    let result = desk
        .verify(png::encode(&picture).unwrap(), "a.png")
        .await
        .unwrap();
    assert_eq!(result.verdict.label, Label::Manipulated);
    assert_eq!(evidence(&result, "copy_move").regions.len(), 2);
}

#[tokio::test]
async fn a_picture_to_which_nothing_was_done_is_tested_and_not_accused() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let file = jpeg::encode(&photograph(6), 90).unwrap();
    let result = desk.verify(file, "a.jpg").await.unwrap();
    assert_eq!(result.verdict.label, Label::Inconclusive);
    for question in ["local_manipulation_pixels", "jpeg_grid_origin", "copy_move"] {
        let mut all = result.coverage.iter();
        let item = all.find(|item| item.question == question).unwrap();
        assert_eq!(item.status, CoverageStatus::Tested, "{question}");
    }
}
