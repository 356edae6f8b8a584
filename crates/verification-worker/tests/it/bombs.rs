//! Small files that ask for much, through the worker's own children: each stage ends by itself, in little time.

use std::time::{Duration, Instant};

use assay_forensics::Label;
use assay_verification_worker::result::StageStatus;

use crate::child::{alone, none_left};
use crate::desk::Desk;
use crate::files;

/// What a stage may cost on a busy machine, in debug builds. The worker allows 60 s.
const STAGE_MS_MAX: u64 = 5_000;
/// What a file may cost with all that is around its stages.
const FILE_TIME_MAX: Duration = Duration::from_secs(15);

/// Verifies files that get a result, and holds every stage to its time.
async fn defuse(table: &[(&str, Vec<u8>, &str)]) {
    let _alone = alone().await;
    let worker = std::process::id();
    let desk = Desk::new().await;
    for (what, bytes, name) in table {
        let begun = Instant::now();
        let result = desk.verify(bytes.clone(), name).await;
        let result = result.unwrap_or_else(|failure| panic!("{what}: {failure}"));
        assert_eq!(result.verdict.label, Label::Inconclusive, "{what}");
        for stage in &result.stages {
            assert_eq!(stage.status, StageStatus::Ok, "{what}: {stage:?}");
            assert!(stage.cost_ms <= STAGE_MS_MAX, "{what}: {stage:?}");
        }
        let told = !result.limits.hit.is_empty() || !result.history.is_empty();
        assert!(told, "{what} leaves a trace in its result");
        assert!(begun.elapsed() <= FILE_TIME_MAX, "{what}");
    }
    assert_eq!(std::process::id(), worker);
    none_left().await;
    assert!(desk.verify(files::jpeg(), "a.jpg").await.is_ok());
}

#[tokio::test]
async fn documents_that_grow_are_left_unread() {
    let spaces = vec![b' '; 2 * 1024 * 1024];
    let one = files::object_stream(&spaces);
    // Each far below the bound of a stream, and beyond the ratio of a file, alone and together: what comes after the hit
    // is inflated as far as that ratio goes, by every stage, so more of them would cost time and show nothing further.
    defuse(&[
        ("one stream", files::document(&one), "a.pdf"),
        ("many streams", files::document(&one.repeat(8)), "a.pdf"),
    ])
    .await;
}

#[tokio::test]
async fn pictures_whose_text_grows_are_left_unread() {
    defuse(&[("many texts", files::text_bombs_png(500), "a.png")]).await;
}

#[tokio::test]
async fn structures_without_end_are_followed_up_to_their_bounds() {
    defuse(&[
        ("directories", files::directory_bomb_tiff(), "a.tif"),
        (
            "a directory in a circle",
            b"II*\0\x08\0\0\0\0\0\x08\0\0\0".to_vec(),
            "a.tif",
        ),
        ("boxes in boxes", files::nested_boxes(1_000), "a.mp4"),
        ("scans", files::jpeg_of_scans(1_000), "a.jpg"),
        (
            "sections in a circle",
            files::document_in_a_circle(),
            "a.pdf",
        ),
        ("entities", files::jpeg_of_entities(), "a.jpg"),
    ])
    .await;
}

#[tokio::test]
async fn forged_sizes_are_refused() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let riff = |form: &[u8]| {
        [
            b"RIFF\xff\xff\xff\x7f".as_slice(),
            form,
            b"\xff\xff\xff\x7f",
        ]
        .concat()
    };
    let table = [
        (riff(b"WEBPVP8 "), "corrupt_media"),
        (riff(b"WAVEdata"), "corrupt_media"),
        (files::huge_png(), "limit_pixels"),
    ];
    for (bytes, code) in table {
        let begun = Instant::now();
        let failure = desk.verify(bytes, "a.bin").await.unwrap_err();
        assert_eq!(failure.code(), code);
        assert!(begun.elapsed() <= FILE_TIME_MAX, "{code}");
    }
    none_left().await;
}
