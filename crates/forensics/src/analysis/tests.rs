use proptest::prelude::*;

use super::*;
use crate::bytes::index_u64;
use crate::coverage::CoverageStatus;
use crate::fusion::Priors;
use crate::limits::TEXT_BYTES_MAX;
use crate::samples::{self, Field};
use crate::verdict::{Label, Reason, Verdict, judge};

const PARAMETERS: &str = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1";

fn see(bytes: &[u8], name: &str) -> (Analysis, Verdict) {
    let hints = Hints {
        file_name: Some(name.to_owned()),
        declared_mime: None,
    };
    let analysis = analyze(bytes, &hints, &Limits::default());
    let verdict = judge(
        &analysis.evidence,
        Priors::default(),
        analysis.circumstances(),
    );
    (analysis, verdict)
}

fn status(analysis: &Analysis, question: &str) -> CoverageStatus {
    let item = analysis
        .coverage
        .iter()
        .find(|item| item.question == question);
    item.expect(question).status
}

fn has_fact(analysis: &Analysis, fact: &str) -> bool {
    analysis.history.iter().any(|known| known.fact == fact)
}

#[test]
fn plain_photo_is_inconclusive_and_covered() {
    let (analysis, verdict) = see(&samples::jpeg(90), "photo.jpg");
    assert_eq!(verdict.label, Label::Inconclusive);
    assert_eq!(verdict.reason, Some(Reason::NoEvidence));
    assert_eq!(analysis.content.mime, "image/jpeg");
    assert_eq!(
        (analysis.content.width, analysis.content.height),
        (Some(96), Some(64))
    );
    assert_eq!(analysis.content.sha256.len(), 64);
    assert!(analysis.refusal.is_none() && analysis.limits.is_empty());
    for question in [
        "file_structure",
        "declared_markers",
        "perceptual_fingerprint",
    ] {
        assert_eq!(
            status(&analysis, question),
            CoverageStatus::Tested,
            "{question}"
        );
    }
    for question in [
        "face_swap",
        "voice_clone",
        "ai_generated_pixels",
        "sensor_noise",
    ] {
        assert_eq!(
            status(&analysis, question),
            CoverageStatus::NotTested,
            "{question}"
        );
    }
}

#[test]
fn generator_parameters_are_synthetic() {
    let png = samples::with_chunks(
        &samples::png(),
        &[samples::text_chunk("parameters", PARAMETERS)],
    );
    let (analysis, verdict) = see(&png, "cat.png");
    assert_eq!(verdict.label, Label::Synthetic);
    assert_eq!(analysis.markers.hits[0].location, "png.parameters");
    assert!(
        verdict
            .headline
            .starts_with("The findings are about 100 times more probable")
    );
}

#[test]
fn document_changed_after_signing_is_manipulated() {
    let signed = samples::Pdf::page().signed(7, "");
    let (_, verdict) = see(&signed.bytes, "contract.pdf");
    assert_eq!(verdict.label, Label::Inconclusive);
    let changed = signed.stream(4, "", b"BT (999 EUR) Tj ET").end("");
    let (analysis, verdict) = see(&changed.bytes, "contract.pdf");
    assert_eq!(verdict.label, Label::Manipulated);
    assert_eq!(status(&analysis, "file_structure"), CoverageStatus::Tested);
    assert_eq!(
        status(&analysis, "metadata_consistency"),
        CoverageStatus::NotApplicable
    );
}

#[test]
fn video_is_walked_and_its_fields_are_searched_for_marks() {
    let data = [b"\0\0\0\x01\0\0\0\0".as_slice(), PARAMETERS.as_bytes()].concat();
    let text = samples::iso_box(b"\xa9cmt", &samples::iso_box(b"data", &data));
    let list = samples::iso_box(b"ilst", &text);
    let meta = samples::full_box(b"meta", 0, 0, &[samples::hdlr(b"mdir", ""), list].concat());
    let (analysis, verdict) = see(&samples::movie("VideoHandler", &meta), "clip.mp4");
    assert_eq!(verdict.label, Label::Synthetic);
    assert_eq!(analysis.markers.hits[0].location, "container.Comment");
    assert!(has_fact(&analysis, "written_by_ffmpeg"));
    assert_eq!(status(&analysis, "file_structure"), CoverageStatus::Tested);
    assert_eq!(
        status(&analysis, "declared_markers"),
        CoverageStatus::Tested
    );
    assert_eq!(
        status(&analysis, "metadata_consistency"),
        CoverageStatus::NotTested
    );
}

#[test]
fn text_renamed_to_picture_is_not_applicable() {
    let (analysis, verdict) = see(b"These are words, not a picture.\n", "holiday.jpg");
    assert_eq!(analysis.content.mime, "text/plain");
    assert!(has_fact(&analysis, "mislabelled"));
    assert!(
        analysis
            .evidence
            .iter()
            .all(|evidence| !evidence.applicable)
    );
    assert_eq!(verdict.reason, Some(Reason::NotApplicable));
    assert!(
        analysis
            .coverage
            .iter()
            .all(|item| item.status != CoverageStatus::Tested)
    );
    assert_eq!(status(&analysis, "face_swap"), CoverageStatus::NotTested);
}

#[test]
fn refusals_name_their_class_and_abort_the_coverage() {
    let table: [(Vec<u8>, &str); 3] = [
        (Vec::new(), "empty_input"),
        (samples::png_header(60_000, 60_000), "limit_pixels"),
        (b"\xff\xd8\xff\xe0".to_vec(), "corrupt_media"),
    ];
    for (bytes, class) in table {
        let (analysis, verdict) = see(&bytes, "a");
        assert_eq!(analysis.refusal.as_ref().map(Refusal::class), Some(class));
        assert_eq!(verdict.label, Label::Inconclusive, "{class}");
        assert!(!analysis.coverage.is_empty());
    }
}

#[test]
fn sub_directory_bomb_is_a_limit_hit_and_nothing_worse() {
    let bomb = samples::tiff(&[Field::Longs(0x014a, vec![8; 9_000])]);
    let (analysis, verdict) = see(&bomb, "a.tif");
    assert_eq!(analysis.limits[0].class, "limit_structure");
    assert_eq!(
        status(&analysis, "metadata_consistency"),
        CoverageStatus::Aborted
    );
    assert_eq!(verdict.label, Label::Inconclusive);
}

#[test]
fn text_bomb_is_a_limit_hit_and_the_rest_goes_on() {
    let text = vec![0; 2 * index_u64(TEXT_BYTES_MAX)];
    let bomb = samples::compressed_text_chunk("Comment", &text);
    let png = samples::with_chunks(&samples::png(), &[bomb]);
    let (analysis, _) = see(&png, "a.png");
    assert_eq!(analysis.limits[0].class, "limit_bytes");
    assert_eq!(
        status(&analysis, "perceptual_fingerprint"),
        CoverageStatus::Tested
    );
    assert_eq!(
        status(&analysis, "declared_markers"),
        CoverageStatus::Aborted
    );
}

#[test]
fn truncated_photo_keeps_its_history() {
    let jpeg = samples::jpeg(90);
    let (analysis, verdict) = see(&jpeg[..jpeg.len() / 2], "a.jpg");
    assert!(has_fact(&analysis, "truncated"));
    assert!(analysis.refusal.is_none());
    assert_eq!(verdict.label, Label::Inconclusive);
}

#[test]
fn a_jpeg_of_a_kind_that_is_not_read_is_not_tested_and_the_kind_is_named() {
    let plain = samples::jpeg(90);
    let frame = plain.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let frame = frame.expect("a baseline frame");
    // Behind the marker and the length stands the precision.
    for (at, byte, what) in [
        (frame + 1, 0xc9, "arithmetic coding"),
        (frame + 4, 12, "a precision of 12 bits"),
    ] {
        let mut jpeg = plain.clone();
        jpeg[at] = byte;
        let (analysis, verdict) = see(&jpeg, "a.jpg");
        assert_eq!(verdict.label, Label::Inconclusive);
        // Nobody knows whether it is damaged.
        assert_eq!(verdict.reason, Some(Reason::NoEvidence), "{what}");
        let fingerprint = status(&analysis, "perceptual_fingerprint");
        assert_eq!(fingerprint, CoverageStatus::NotTested, "{what}");
        for question in ["local_manipulation_pixels", "jpeg_grid_origin"] {
            assert_eq!(status(&analysis, question), CoverageStatus::NotTested);
            let mut items = analysis.coverage.iter();
            let item = items.find(|item| item.question == question).expect(what);
            let why = format!("The picture was not decoded: {what} is not supported.");
            assert_eq!(item.why, why, "{question}");
        }
    }
}

#[test]
fn stages_that_were_not_reached_are_aborted() {
    let jpeg = samples::jpeg(90);
    let sniff = sniff(&jpeg, &Hints::default(), &Limits::default()).expect("within limits");
    let content = Content {
        sha256: sha256(&jpeg),
        bytes: sniff.bytes,
        mime: sniff.mime.clone(),
        width: None,
        height: None,
    };
    let format = sniff.format;
    let stages = Stages {
        sniff: Some(sniff),
        ..Stages::default()
    };
    let analysis = Analysis::assemble(content, format, stages);
    for question in [
        "file_structure",
        "declared_markers",
        "perceptual_fingerprint",
    ] {
        assert_eq!(
            status(&analysis, question),
            CoverageStatus::Aborted,
            "{question}"
        );
    }
}

#[test]
fn every_output_crosses_a_process_boundary() {
    let files = [
        samples::with_segments(
            &samples::jpeg(90),
            &[
                samples::exif_segment(&samples::exif(&[Field::Text(0x010f, "Acme")], &[])),
                samples::xmp_segment(&samples::xmp("xmp:CreatorTool='T'", "")),
            ],
        ),
        samples::with_chunks(
            &samples::png(),
            &[samples::text_chunk("parameters", PARAMETERS)],
        ),
        samples::tiff(&[Field::Short(0x100, 1), Field::Short(0x101, 1)]),
        samples::png_header(60_000, 60_000),
        samples::movie("VideoHandler", &[]),
        samples::Pdf::page()
            .signed(7, "")
            .object(8, "1")
            .end("")
            .bytes,
        b"words".to_vec(),
        Vec::new(),
    ];
    for bytes in files {
        let (analysis, verdict) = see(&bytes, "a.bin");
        let json = serde_json::to_string(&analysis).expect("serialise");
        assert_eq!(
            serde_json::from_str::<Analysis>(&json).expect("deserialise"),
            analysis
        );
        let json = serde_json::to_string(&verdict).expect("serialise");
        let read: Verdict = serde_json::from_str(&json).expect("deserialise");
        assert_eq!(
            (read.label, read.headline),
            (verdict.label, verdict.headline)
        );
    }
}

proptest! {
    #[test]
    fn random_bytes_are_inconclusive_and_covered(bytes in prop::collection::vec(any::<u8>(), 1..600)) {
        let (analysis, verdict) = see(&bytes, "a.bin");
        prop_assert_eq!(verdict.label, Label::Inconclusive);
        prop_assert!(!analysis.coverage.is_empty());
    }
}
