//! Ordinary files through the whole pipeline: real blobs, real children, real analyses.

use std::path::Path;

use assay_core::id::Tenant;
use assay_forensics::{CoverageStatus, Label, Reason};
use assay_provenance::USER_FILE;
use assay_provenance::test_signer::{Declaration, Media, TestAuthority};
use assay_verification_worker::result::StageStatus;
use assay_verification_worker::{Failure, VerificationResult, WITHOUT};

use crate::child::{alone, none_left};
use crate::desk::Desk;
use crate::files;

fn assert_inconclusive(result: &VerificationResult, reason: Reason) {
    assert_eq!(
        result.verdict.label,
        Label::Inconclusive,
        "{}",
        result.verdict.headline
    );
    assert_eq!(result.verdict.reason, Some(reason));
    assert!(!result.coverage.is_empty());
}

fn media(bytes: Vec<u8>) -> Media {
    Media {
        mime: "image/jpeg".to_owned(),
        bytes,
    }
}

/// A folder of trust lists that holds this authority as the operator's own.
fn trust_folder(authority: &TestAuthority) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join(USER_FILE),
        &authority.authority_pem().unwrap(),
    );
    folder
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn ordinary_pictures_are_inconclusive_and_say_what_was_not_tested() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    for (bytes, name, mime) in [
        (files::jpeg(), "a.jpg", "image/jpeg"),
        (files::png(), "a.png", "image/png"),
    ] {
        let result = desk.verify(bytes, name).await.unwrap();
        assert_inconclusive(&result, Reason::NoEvidence);
        assert_eq!(result.content.mime, mime);
        assert_eq!(
            (result.content.width, result.content.height),
            (Some(160), Some(120))
        );
        assert!(result.content.fingerprint.is_some());
        assert!(
            result
                .stages
                .iter()
                .all(|stage| stage.status == StageStatus::Ok)
        );
        assert_eq!(result.provenance.c2pa.state.as_deref(), Some("absent"));
        assert!(
            result
                .coverage
                .iter()
                .any(|item| item.status == CoverageStatus::NotTested)
        );
    }
    none_left().await;
}

#[tokio::test]
async fn steps_are_told_as_they_happen() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    desk.verify(files::jpeg(), "a.jpg").await.unwrap();
    let steps = [
        "fetch",
        "sniff",
        "structure",
        "metadata",
        "provenance",
        "fingerprint",
        "double_quantisation",
        "grid",
        "copy_move",
        "thumbnail",
        "watermark",
        "fuse",
    ];
    let mut told: Vec<String> = steps
        .iter()
        .flat_map(|step| [format!("+{step}"), format!("-{step}")])
        .collect();
    // Recorded by who runs the handler.
    told.push("+persist".to_owned());
    assert_eq!(desk.diary.lines(), told);
}

#[tokio::test]
async fn a_generators_mark_is_evidence() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let result = desk.verify(files::generated_png(), "a.png").await.unwrap();
    assert_eq!(
        result.verdict.label,
        Label::Synthetic,
        "{:?}",
        result.evidence
    );
    let declared = &result.provenance.declared;
    assert!(
        declared
            .iter()
            .any(|it| it.location == "png.parameters" && !it.signed),
        "{declared:?}"
    );
}

#[tokio::test]
async fn a_text_called_jpg_is_told_and_no_test_applies() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let result = desk
        .verify(
            b"Just words, whatever the name says.\n".to_vec(),
            "holiday.jpg",
        )
        .await
        .unwrap();
    assert_inconclusive(&result, Reason::NotApplicable);
    assert_eq!(result.content.mime, "text/plain");
    let fact = result
        .history
        .iter()
        .find(|fact| fact.fact == "mislabelled")
        .unwrap();
    assert_eq!(
        fact.detail,
        "the name ends in .jpg, the bytes are text/plain"
    );
}

#[tokio::test]
async fn a_trusted_capture_is_authentic_and_a_trusted_generator_synthetic() {
    let _alone = alone().await;
    let authority = TestAuthority::new("camera.test").unwrap();
    let folder = trust_folder(&authority);
    let desk = Desk::trusting(folder.path()).await;
    let table = [
        (Declaration::capture(), Label::Authentic),
        (Declaration::generated(), Label::Synthetic),
    ];
    for (declaration, label) in table {
        let signed = authority.sign(&media(files::jpeg()), &declaration).unwrap();
        let result = desk.verify(signed, "a.jpg").await.unwrap();
        assert_eq!(result.verdict.label, label, "{:#?}", result.provenance.c2pa);
        let c2pa = &result.provenance.c2pa;
        assert_eq!(c2pa.state.as_deref(), Some("trusted"));
        assert_eq!(c2pa.trust_lists[0].label, "user@undated");
        assert!(
            result
                .provenance
                .declared
                .iter()
                .any(|declared| declared.signed)
        );
    }
}

#[tokio::test]
async fn without_a_trust_list_a_capture_claim_proves_nothing() {
    let _alone = alone().await;
    let authority = TestAuthority::new("camera.test").unwrap();
    let signed = authority
        .sign(&media(files::jpeg()), &Declaration::capture())
        .unwrap();
    let result = Desk::new().await.verify(signed, "a.jpg").await.unwrap();
    assert_inconclusive(&result, Reason::NoEvidence);
    assert_eq!(result.provenance.c2pa.state.as_deref(), Some("valid"));
    let reason = result.provenance.c2pa.reason.unwrap();
    assert_eq!(reason, "signer not checked: no trust list is loaded");
}

#[tokio::test]
async fn one_changed_byte_is_altered_after_signing() {
    let _alone = alone().await;
    let authority = TestAuthority::new("camera.test").unwrap();
    let folder = trust_folder(&authority);
    let mut signed = authority
        .sign(&media(files::jpeg()), &Declaration::capture())
        .unwrap();
    // In the picture's data: near the end, but before the end marker.
    let at = signed.len() - 200;
    signed[at] ^= 1;
    let result = Desk::trusting(folder.path())
        .await
        .verify(signed, "a.jpg")
        .await
        .unwrap();
    assert_eq!(
        result.verdict.label,
        Label::AlteredAfterSigning,
        "{:#?}",
        result.provenance.c2pa
    );
    assert!(
        result
            .history
            .iter()
            .any(|fact| fact.fact == "altered_after_signing")
    );
}

#[tokio::test]
async fn stages_can_be_left_out() {
    let _alone = alone().await;
    let desk = Desk::new().await;
    let mut subject = desk.subject(files::jpeg(), "a.jpg").await;
    subject
        .payload
        .options
        .insert(WITHOUT.to_owned(), "provenance".to_owned());
    let result = desk.run(subject).await.unwrap();
    assert_eq!(result.provenance.c2pa.state, None);
    let skipped = result
        .stages
        .iter()
        .find(|stage| stage.status == StageStatus::Skipped)
        .unwrap();
    assert_eq!(skipped.stage, "provenance");
    assert!(
        desk.diary
            .lines()
            .contains(&"skip provenance: left out, as the job asked".to_owned())
    );
}

#[tokio::test]
async fn what_a_job_cannot_mean_is_refused_without_a_child() {
    let desk = Desk::new().await;
    let mut subject = desk.subject(files::jpeg(), "a.jpg").await;
    subject
        .payload
        .options
        .insert("speed".to_owned(), "high".to_owned());
    let failure = desk.run(subject).await.unwrap_err();
    assert_eq!(failure.code(), "invalid_parameters");
    let mut subject = desk.subject(files::jpeg(), "a.jpg").await;
    subject.payload.content_id = "sha256:short".to_owned();
    let failure = desk.run(subject).await.unwrap_err();
    assert_eq!(failure.code(), "invalid_parameters");
    let text = "read field content_id of the payload: it must be 'sha256:' and 64 lower-case hexadecimal digits, \
                as an upload answers it";
    assert_eq!(failure.to_string(), text);
    let mut subject = desk.subject(files::jpeg(), "a.jpg").await;
    subject.tenant = Tenant::new("somebody-else").unwrap();
    assert!(matches!(
        desk.run(subject).await,
        Err(Failure::SourceNotFound { .. })
    ));
}
