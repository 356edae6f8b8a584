use std::sync::Arc;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::description::tests::wire as described;
use crate::exam::Body;
use crate::task::Modality;

fn exam() -> Exam {
    Exam {
        request_id: String::new(),
        idempotency_key: String::new(),
        body: Body::File {
            file: Arc::new(tempfile::tempfile().unwrap()),
            bytes: 0,
            sha256: String::new(),
        },
        mime: String::new(),
        modality: Modality::Image,
        size: Some((100, 50)),
        tasks: vec![Task::AiGenerated, Task::Splice],
        want_map: true,
        hints: BTreeMap::new(),
    }
}

fn result(task: Task) -> pb::TaskResult {
    pb::TaskResult {
        task: task.as_str().to_owned(),
        status: pb::TaskStatus::Ok.into(),
        score: 0.5,
        ..pb::TaskResult::default()
    }
}

fn good() -> pb::AnalyzeResponse {
    pb::AnalyzeResponse {
        detector: "acme".to_owned(),
        version: "3".to_owned(),
        results: vec![result(Task::AiGenerated), result(Task::Splice)],
        ..pb::AnalyzeResponse::default()
    }
}

fn check(response: pb::AnalyzeResponse) -> Result<Answer, CallError> {
    Answer::check(response, &Description::check(described()).unwrap(), &exam())
}

fn with(change: impl FnOnce(&mut pb::AnalyzeResponse)) -> Result<Answer, CallError> {
    let mut response = good();
    change(&mut response);
    check(response)
}

fn with_first(change: impl FnOnce(&mut pb::TaskResult)) -> Result<Answer, CallError> {
    with(|response| change(&mut response.results[0]))
}

fn png(width: u32, height: u32) -> Bytes {
    [&PNG_BEGIN[..], &width.to_be_bytes(), &height.to_be_bytes()]
        .concat()
        .into()
}

#[test]
fn a_good_answer_is_read() {
    let answer = with(|response| {
        response.model_sha256 = "0a".repeat(32);
        response.results[0].map_png = png(1_024, 1);
        response.results[1].status = pb::TaskStatus::NotApplicable.into();
        // Not looked at: the task has none.
        response.results[1].score = f64::NAN;
    });
    let answer = answer.unwrap();
    assert_eq!(answer.version, "3");
    let generated = &answer.results[&Task::AiGenerated];
    let kind = ScoreKind::Uncalibrated;
    assert_eq!(
        generated.said,
        Said::Score {
            score: 0.5,
            log10_lr: None,
            kind
        }
    );
    assert!(generated.map_png.is_some());
    assert_eq!(answer.results[&Task::Splice].said, Said::NotApplicable);
}

#[test]
fn what_is_not_as_the_interface_says_is_refused() {
    let broken: [fn(&mut pb::AnalyzeResponse); 9] = [
        |response| response.detector = "other".to_owned(),
        |response| response.version.clear(),
        |response| response.model_sha256 = "0A".repeat(32),
        |response| response.results.clear(),
        |response| response.results.truncate(1),
        |response| response.results[1].task = "ai_generated".to_owned(),
        |response| response.results[1].task = "lip_sync".to_owned(),
        |response| response.results[1].task = "palmistry".to_owned(),
        |response| response.results.push(result(Task::LipSync)),
    ];
    for (number, change) in broken.into_iter().enumerate() {
        assert!(
            matches!(with(change), Err(CallError::BadSchema(_))),
            "{number}"
        );
    }
}

#[test]
fn a_result_that_is_not_as_the_interface_says_is_refused() {
    let broken: [fn(&mut pb::TaskResult); 14] = [
        |result| result.status = 0,
        |result| result.status = 99,
        |result| result.kind = 99,
        |result| result.kind = pb::ScoreKind::Llr.into(),
        |result| result.score = f64::NAN,
        |result| result.score = f64::INFINITY,
        |result| result.score = 1.000_001,
        |result| result.score = -0.000_001,
        |result| result.log10_lr = Some(f64::NAN),
        |result| result.log10_lr = Some(f64::INFINITY),
        |result| result.map_png = png(1_025, 1),
        |result| result.map_png = png(1, 0),
        |result| result.map_png = png(1, 1).slice(..20),
        |result| result.confidence_png = Bytes::from_static(b"GIF89a"),
    ];
    for (number, change) in broken.into_iter().enumerate() {
        assert!(
            matches!(with_first(change), Err(CallError::BadSchema(_))),
            "{number}"
        );
    }
}

#[test]
fn lists_hold_at_n_and_not_beyond() {
    let classes = |count| {
        let class = pb::ClassScore::default();
        with_first(|result| result.classes = vec![class; count])
    };
    let segments =
        |count| with_first(|result| result.segments = vec![pb::DetectorSegment::default(); count]);
    let warnings = |count| with_first(|result| result.warnings = vec![String::new(); count]);
    assert!(classes(CLASSES_MAX).is_ok() && classes(CLASSES_MAX + 1).is_err());
    assert!(segments(SEGMENTS_MAX).is_ok() && segments(SEGMENTS_MAX + 1).is_err());
    assert!(warnings(WARNINGS_MAX).is_ok() && warnings(WARNINGS_MAX + 1).is_err());
    let scored = |score| {
        let name = String::new();
        with_first(|result| result.classes = vec![pb::ClassScore { name, score }])
    };
    assert!(scored(1.0).is_ok() && scored(f64::NAN).is_err());
}

#[test]
fn a_segment_lies_inside() {
    let lies = |change: fn(&mut pb::DetectorSegment)| {
        let mut segment = pb::DetectorSegment {
            end_ms: 5,
            w: 100,
            h: 50,
            score: 1.0,
            ..pb::DetectorSegment::default()
        };
        change(&mut segment);
        with_first(|result| result.segments = vec![segment]).is_ok()
    };
    assert!(lies(|_| {}));
    assert!(!lies(|segment| segment.start_ms = 6));
    assert!(!lies(|segment| segment.x = 1));
    assert!(!lies(|segment| segment.y = u32::MAX));
    assert!(!lies(|segment| segment.score = f64::NAN));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..200) {
        let mut message = good().encode_to_vec();
        message.truncate(at);
        message.extend(&bytes);
        if let Ok(response) = pb::AnalyzeResponse::decode(message.as_slice()) {
            drop(check(response));
        }
    }
}
