//! Documents with pictures in them, through the whole pipeline.

use assay_blob::ContentId;
use assay_core::id::Tenant;
use assay_corpus::edit::paste::copy_within;
use assay_corpus::{camera, jpeg};
use assay_forensics::{CoverageStatus, Label};
use image::RgbImage;
use image::imageops::crop_imm;

use crate::child::{alone, none_left};
use crate::desk::Desk;

fn photograph(seed: u64) -> RgbImage {
    let taken = camera::FIRST.develop(seed).unwrap();
    crop_imm(&taken, 320, 160, 640, 480).to_image()
}

/// A document that holds one picture as it is, as object 4.
fn document(jpeg: &[u8]) -> Vec<u8> {
    let head = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</XObject<</I 4 0 R>>>>>>endobj\n\
         4 0 obj<</Type/XObject/Subtype/Image/Filter/DCTDecode/Length {}>>stream\n",
        jpeg.len()
    );
    let tail = b"\nendstream endobj\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n";
    [head.as_bytes(), jpeg, tail].concat()
}

#[tokio::test]
async fn a_change_in_a_picture_of_a_document_is_found_with_its_place_and_map() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let mut picture = photograph(5);
    copy_within(&mut picture, 96, (250, 130)).unwrap();
    let file = document(&jpeg::encode(&picture, 92).unwrap());
    let result = desk.verify(file, "a.pdf").await.unwrap();

    assert_eq!(result.content.mime, "application/pdf");
    assert_eq!(result.verdict.label, Label::Manipulated);
    let mut evidence = result.evidence.iter();
    let found = evidence
        .find(|evidence| evidence.id.starts_with("copy_move@"))
        .unwrap();
    assert_eq!(found.picture.unwrap().object, 4);
    assert_eq!(found.regions.len(), 2);
    let stage = result.stages.iter().find(|it| it.stage == "copy_move");
    assert_eq!(found.cost_ms, stage.unwrap().cost_ms);
    let map: ContentId = found.artifact.as_ref().unwrap().parse().unwrap();
    let kept = desk.blobs.get(&Tenant::default(), &map, u64::MAX).await;
    assert!(image::load_from_memory(&kept.unwrap().unwrap()).is_ok());
    none_left().await;
}

#[tokio::test]
async fn a_picture_in_a_document_to_which_nothing_was_done_is_tested_and_not_accused() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let file = document(&jpeg::encode(&photograph(6), 90).unwrap());
    let result = desk.verify(file, "a.pdf").await.unwrap();
    assert_eq!(result.verdict.label, Label::Inconclusive);
    for question in ["local_manipulation_pixels", "jpeg_grid_origin", "copy_move"] {
        let mut all = result.coverage.iter();
        let item = all.find(|item| item.question == question).unwrap();
        assert_eq!(item.status, CoverageStatus::Tested, "{question}");
        assert!(item.why.contains("the picture in JPEG"), "{}", item.why);
    }
}
