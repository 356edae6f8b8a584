//! Results of stages that ended in every way.

use assay_forensics::{Format, Label, Metadata, Reason, Size, Sniff, Structure};
use serde_json::{Value, json};

use super::*;
use crate::analyst::{Abort, AbortReason, StageOutcome};
use crate::result::SCHEMA;
use crate::stages::MetadataFound;

fn known() -> Known {
    Known {
        job_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        sha256: "ab".repeat(32),
        bytes: 1_000,
        priors: Priors::default(),
        has_detectors: false,
        opinions: Vec::new(),
        calibration: None,
        now_s: 0,
        duration_ms: 7,
    }
}

fn ended(stage: &str, output: Value) -> StageReport {
    StageReport {
        stage: stage.to_owned(),
        outcome: StageOutcome::Ok(output),
        cost_ms: 3,
    }
}

fn aborted(stage: &str, reason: AbortReason) -> StageReport {
    let abort = Abort {
        reason,
        detail: String::new(),
    };
    StageReport {
        stage: stage.to_owned(),
        outcome: StageOutcome::Aborted(abort),
        cost_ms: 3,
    }
}

fn sniffed() -> StageReport {
    let sniff = Sniff {
        format: Format::Jpeg,
        mime: "image/jpeg".to_owned(),
        bytes: 1_000,
        size: Some(Size {
            width: 4,
            height: 3,
        }),
        facts: Vec::new(),
    };
    ended(stages::SNIFF, json!(Ok::<_, ()>(sniff)))
}

fn structured() -> StageReport {
    ended(stages::STRUCTURE, json!(Ok::<_, ()>(Structure::default())))
}

fn composed(reports: &[StageReport]) -> VerificationResult {
    let result = compose(known(), reports, &Options::default())
        .unwrap()
        .result;
    assert_schema(&result);
    result
}

fn assert_schema(result: &VerificationResult) {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::draft202012::new(&schema)
        .unwrap()
        .validate(&json!(result))
        .unwrap();
}

fn coverage_of<'a>(result: &'a VerificationResult, question: &str) -> &'a CoverageItem {
    result
        .coverage
        .iter()
        .find(|item| item.question == question)
        .unwrap()
}

#[test]
fn stages_that_were_given_up_are_named_and_the_rest_stands() {
    let result = composed(&[
        sniffed(),
        structured(),
        aborted(stages::METADATA, AbortReason::ResourceLimit),
        aborted(stages::PROVENANCE, AbortReason::Timeout),
        aborted(stages::FINGERPRINT, AbortReason::Crashed),
    ]);
    assert_eq!(
        (result.verdict.label, result.verdict.reason),
        (Label::Inconclusive, Some(Reason::NoEvidence))
    );
    let words = [
        (METADATA_CONSISTENCY, "resource_limit"),
        (DECLARED_MARKERS, "resource_limit"),
        (rules::credential::CONTENT_CREDENTIALS, "timeout"),
        (PERCEPTUAL_FINGERPRINT, "crashed"),
    ];
    for (question, reason) in words {
        let item = coverage_of(&result, question);
        assert_eq!(item.status, CoverageStatus::Aborted);
        assert!(item.why.ends_with(reason), "{}", item.why);
    }
    assert_eq!(
        coverage_of(&result, FILE_STRUCTURE).status,
        CoverageStatus::Tested
    );
    assert_eq!(
        (result.content.width, result.content.bytes),
        (Some(4), 1_000)
    );
    assert!(result.stages.iter().all(|stage| stage.cost_ms == 3));
}

#[test]
fn a_stage_left_out_is_not_tested() {
    let without = [(
        "without".to_owned(),
        "provenance,metadata,fingerprint".to_owned(),
    )];
    let options = Options::read(&without.into()).unwrap();
    let result = compose(known(), &[sniffed(), structured()], &options)
        .unwrap()
        .result;
    for question in [
        METADATA_CONSISTENCY,
        PERCEPTUAL_FINGERPRINT,
        rules::credential::CONTENT_CREDENTIALS,
    ] {
        assert_eq!(
            coverage_of(&result, question).status,
            CoverageStatus::NotTested,
            "{question}"
        );
    }
    let skipped = result
        .stages
        .iter()
        .filter(|stage| stage.status == StageStatus::Skipped);
    assert_eq!(skipped.count(), 3);
}

#[test]
fn how_a_picture_is_turned_is_told_if_the_file_says_something_that_exists() {
    let turned = |orientation| {
        let metadata = Metadata {
            exif: Some(Exif {
                orientation,
                ..Exif::default()
            }),
            ..Metadata::default()
        };
        let found = MetadataFound {
            metadata,
            markers: Markers::default(),
        };
        let result = composed(&[
            sniffed(),
            structured(),
            ended(stages::METADATA, json!(Some(found))),
        ]);
        let content = json!(result.content);
        assert_eq!(
            content.get("orientation").is_some(),
            result.content.orientation.is_some()
        );
        result.content.orientation
    };
    for said in 1..=8 {
        assert_eq!(turned(Some(said)), Some(said));
    }
    for nothing in [None, Some(0), Some(9), Some(u32::MAX)] {
        assert_eq!(turned(nothing), None);
    }
}

#[test]
fn a_refusal_ends_the_job_and_an_aborted_first_look_its_attempt() {
    let refusal = |stage| {
        ended(
            stage,
            json!(Err::<(), _>(assay_forensics::Refusal::EmptyInput)),
        )
    };
    let code = |reports: &[StageReport]| {
        compose(known(), reports, &Options::default())
            .unwrap_err()
            .code()
    };
    assert_eq!(code(&[refusal(stages::SNIFF)]), "empty_input");
    assert_eq!(
        code(&[sniffed(), refusal(stages::STRUCTURE)]),
        "empty_input"
    );
    assert_eq!(
        code(&[aborted(stages::SNIFF, AbortReason::Timeout)]),
        "analyst_aborted"
    );
    assert_eq!(
        code(&[ended(stages::SNIFF, Value::Null)]),
        "analyst_disagrees"
    );
}

#[test]
fn a_form_that_no_stage_has_is_not_believed() {
    let nonsense = [
        sniffed(),
        structured(),
        ended(stages::PROVENANCE, json!({ "report": 1 })),
    ];
    let failure = compose(known(), &nonsense, &Options::default()).unwrap_err();
    assert!(matches!(
        failure,
        Failure::StageForm {
            stage: stages::PROVENANCE,
            ..
        }
    ));
}

#[test]
fn a_source_type_is_read_by_its_last_part() {
    let iptc = "http://cv.iptc.org/newscodes/digitalsourcetype/";
    let implied = |term: &str| implied_by(&format!("{iptc}{term}"));
    assert_eq!(implied("trainedAlgorithmicMedia"), Some(Implies::Generated));
    assert_eq!(
        implied("compositeWithTrainedAlgorithmicMedia"),
        Some(Implies::PartlyGenerated)
    );
    assert_eq!(implied("digitalCapture"), Some(Implies::Camera));
    assert_eq!(implied("humanEdits"), Some(Implies::Edited));
    assert_eq!(implied("negativeFilm"), None);
}

#[test]
fn findings_weigh_by_the_calibration_in_force_and_the_result_names_it() {
    use crate::calibrated::tests::{copied, document, file};

    let found = json!([{ "evidence": copied(), "facts": [], "map": null }]);
    let reports = [sniffed(), structured(), ended(stages::COPY_MOVE, found)];
    let weight = |result: &VerificationResult| {
        let mut all = result.evidence.iter();
        let found = all.find(|found| found.id == "copy_move").unwrap();
        (found.log10_lr().manipulated, found.calibration)
    };
    let built_in = composed(&reports);
    assert_eq!(built_in.engine.calibration, None);
    assert_eq!(weight(&built_in).0, 1.0);

    let calibrated = Calibrated::load(file(&document(RULESET)).path()).unwrap();
    let known = Known {
        calibration: Some(Arc::new(calibrated.clone())),
        ..known()
    };
    let result = compose(known, &reports, &Options::default())
        .unwrap()
        .result;
    assert_schema(&result);
    assert_eq!(result.engine.calibration, Some(calibrated.summary()));
    let (log10_lr, counts) = weight(&result);
    assert!((log10_lr - 2.246).abs() < 1e-3, "{log10_lr}");
    assert_eq!(counts.map(|counts| counts.n_clean), Some(600));
    assert_eq!(result.verdict.manipulated.log10_lr, log10_lr);
}
