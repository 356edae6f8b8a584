//! Files that are damaged or mean harm. None costs more than its own stage or its own job.

use std::time::Duration;

use assay_forensics::{Label, Reason};
use assay_verification_worker::analyst::AbortReason;
use assay_verification_worker::result::StageStatus;

use crate::child::{alone, living, none_left, until};
use crate::desk::Desk;
use crate::files::{self, BOMB};

#[tokio::test]
async fn a_bomb_costs_its_stage_and_the_job_completes_in_the_same_worker() {
    let _alone = alone().await;
    let worker = std::process::id();
    let desk = Desk::with(&[("child_cpu_s_max", "1")]).await;
    let result = desk
        .verify(files::jpeg_with_comment(BOMB), "a.jpg")
        .await
        .unwrap();
    let summary: Vec<_> = result
        .stages
        .iter()
        .map(|stage| (stage.stage, stage.status, stage.reason))
        .collect();
    let (ok, aborted) = (StageStatus::Ok, StageStatus::Aborted);
    assert_eq!(
        summary,
        [
            ("sniff", ok, None),
            ("structure", ok, None),
            ("metadata", aborted, Some(AbortReason::ResourceLimit)),
            ("provenance", ok, None),
            ("fingerprint", ok, None),
            ("double_quantisation", ok, None),
            ("grid", ok, None),
            ("copy_move", ok, None),
            ("thumbnail", ok, None),
            ("watermark", ok, None),
        ]
    );
    assert_eq!(result.verdict.label, Label::Inconclusive);
    assert!(result.content.fingerprint.is_some());
    let gap = result
        .coverage
        .iter()
        .find(|item| item.question == "declared_markers")
        .unwrap();
    assert_eq!(
        gap.why,
        "the analysis was stopped on this file: resource_limit"
    );
    assert!(
        desk.diary
            .lines()
            .contains(&"fail metadata: stopped: resource_limit".to_owned())
    );
    assert_eq!(std::process::id(), worker);
    none_left().await;
    // And it goes on working.
    assert!(desk.verify(files::jpeg(), "a.jpg").await.is_ok());
}

/// Looked at while the verification runs: afterwards its child may be gone at any moment.
fn reads_the_bomb(desk: &Desk) -> bool {
    desk.diary.lines().contains(&"+metadata".to_owned()) && living().len() == 1
}

#[tokio::test]
async fn a_cancelled_verification_kills_its_child() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let subject = desk.subject(files::jpeg_with_comment(BOMB), "a.jpg").await;
    tokio::select! {
        result = desk.run(subject) => panic!("it ended by itself: {result:?}"),
        () = until("a child reads the bomb", || reads_the_bomb(&desk)) => {}
    }
    none_left().await;
}

#[tokio::test]
async fn files_that_cannot_be_looked_at_are_refused_for_good_in_one_sentence() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let table = [
        (
            Vec::new(),
            "empty_input",
            "read media: the file is empty; send the media itself",
        ),
        (
            files::huge_png(),
            "limit_pixels",
            "decode picture of 60000 x 60000 pixels: at most 64000000 pixels and 20000 along a side are allowed; \
             send a smaller picture",
        ),
    ];
    for (bytes, code, sentence) in table {
        let failure = desk.verify(bytes, "a.png").await.unwrap_err();
        assert_eq!(
            (failure.code(), failure.to_string().as_str()),
            (code, sentence)
        );
    }
    none_left().await;
}

#[tokio::test]
async fn a_file_over_its_bound_is_refused_at_n_plus_one() {
    let _alone = alone().await;
    let bytes = files::jpeg();
    let len = bytes.len();
    for (bytes_max, fits) in [(len, true), (len - 1, false)] {
        let desk = Desk::with(&[("limits.image_bytes_max", &bytes_max.to_string())]).await;
        let verified = desk.verify(bytes.clone(), "a.jpg").await;
        assert_eq!(
            verified.err().map(|failure| failure.code()),
            (!fits).then_some("limit_bytes")
        );
    }
}

#[tokio::test]
async fn damaged_and_hostile_files_get_a_result_without_a_verdict() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let table = [
        ("truncated", files::truncated_jpeg(), "a.jpg"),
        ("text bomb", files::text_bomb_png(), "a.png"),
        ("directory bomb", files::directory_bomb_tiff(), "a.tif"),
    ];
    for (what, bytes, name) in table {
        let begun = std::time::Instant::now();
        let result = desk.verify(bytes, name).await.unwrap();
        assert_eq!(result.verdict.label, Label::Inconclusive, "{what}");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{what} took {:?}",
            begun.elapsed()
        );
        let told = !result.limits.hit.is_empty() || !result.history.is_empty();
        assert!(told, "{what}: {result:#?}");
    }
    none_left().await;
}

#[tokio::test]
async fn bytes_without_sense_are_inconclusive() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    for seed in 0..12_u64 {
        let len = 1 + usize::try_from(seed).unwrap() * 997;
        match desk.verify(files::noise(seed, len), "noise.bin").await {
            Ok(result) => {
                assert_eq!(result.verdict.label, Label::Inconclusive);
                assert_eq!(
                    result.verdict.reason,
                    Some(Reason::NotApplicable),
                    "seed {seed}"
                );
            }
            Err(failure) => panic!("seed {seed}: {failure}"),
        }
    }
    none_left().await;
}

#[tokio::test]
async fn no_damage_stops_a_stage() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let intact = [
        files::jpeg(),
        files::generated_png(),
        files::directory_bomb_tiff(),
    ];
    for (seed, bytes) in (0..10).flat_map(|seed| intact.iter().map(move |bytes| (seed, bytes))) {
        match desk.verify(files::damaged(bytes, seed), "damaged").await {
            Ok(result) => {
                let stopped = result.stages.iter().find(|stage| stage.reason.is_some());
                assert_eq!(stopped, None, "seed {seed}, {}", result.content.mime);
            }
            Err(failure) => {
                let own = ["corrupt_media", "limit_pixels"];
                assert!(own.contains(&failure.code()), "seed {seed}: {failure}");
            }
        }
    }
    none_left().await;
}
