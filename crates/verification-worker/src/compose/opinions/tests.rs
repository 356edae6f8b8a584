//! Detectors that were heard, that were not, and that have nothing to say.

use assay_detectors::{FindingStatus, Task};
use assay_forensics::coverage::unanswered;
use bytes::Bytes;

use super::*;

fn finding(status: FindingStatus, log10_lr: Option<f64>) -> Finding {
    Finding {
        task: Task::AiGenerated,
        status,
        score: Some(0.8),
        log10_lr,
        classes: Vec::new(),
        segments: Vec::new(),
        map_png: None,
        confidence_png: None,
        explanation: String::new(),
        warnings: Vec::new(),
    }
}

fn opinion(status: Status, findings: Vec<Finding>) -> Opinion {
    let is_heard = !findings.is_empty();
    Opinion {
        name: "acme".to_owned(),
        version: if is_heard { "3" } else { "" }.to_owned(),
        model_sha256: None,
        status,
        why: if status == Status::Ok { "" } else { "so" }.to_owned(),
        score: None,
        log10_lr: None,
        cap: 1.0,
        calibration: None,
        latency_ms: 812,
        required: false,
        findings,
    }
}

fn heard() -> Opinion {
    opinion(Status::Ok, vec![finding(FindingStatus::Ok, Some(0.6))])
}

fn away() -> Opinion {
    opinion(Status::Timeout, Vec::new())
}

#[test]
fn what_detectors_tested_takes_the_place_of_what_nobody_did() {
    let mut items = unanswered();
    let before = items.clone();
    cover(&mut items, &[heard(), away()]);
    let stands = |question: &str| {
        let mut all = items.iter().filter(|item| item.question == question);
        let item = all.next().expect(question);
        assert!(all.next().is_none(), "{question} once");
        (item.status, item.why.as_str())
    };
    assert_eq!(
        stands("ai_generated_pixels"),
        (CoverageStatus::Tested, "detector acme 3 has a score")
    );
    assert_eq!(
        stands("detector.acme"),
        (CoverageStatus::NotTested, "detector acme: timeout (so)")
    );
    let unheard = "no detector that was heard looks for it";
    assert_eq!(stands("face_swap"), (CoverageStatus::NotTested, unheard));
    let not_built = before
        .iter()
        .find(|item| item.question == "sensor_noise")
        .unwrap();
    assert_eq!(
        stands("sensor_noise"),
        (not_built.status, not_built.why.as_str())
    );
}

#[test]
fn why_nobody_looked_is_told_as_it_is() {
    let silent = || opinion(Status::NotApplicable, Vec::new());
    let nothing_to_see = opinion(
        Status::NotApplicable,
        vec![finding(FindingStatus::NotApplicable, None)],
    );
    for (opinions, why) in [
        (vec![], "no detector takes this kind of file"),
        (vec![silent(), silent()], "no detector takes this file"),
        (
            vec![silent(), away()],
            "no detector that was heard looks for it",
        ),
        (
            vec![silent(), nothing_to_see],
            "no detector that was heard looks for it",
        ),
    ] {
        let mut items = unanswered();
        cover(&mut items, &opinions);
        let item = items.iter().find(|item| item.question == "face_swap");
        let item = item.expect("stays");
        assert_eq!(
            (item.status, item.why.as_str()),
            (CoverageStatus::NotTested, why)
        );
    }
}

#[test]
fn only_who_was_asked_in_vain_is_a_reason_to_have_no_verdict() {
    let none = Circumstances {
        not_applicable: true,
        ..Circumstances::default()
    };
    let silent = opinion(Status::NotApplicable, Vec::new());
    let abstained = opinion(
        Status::Unavailable,
        vec![finding(FindingStatus::Abstained, None)],
    );
    for (opinion, not_applicable, detectors_unavailable) in [
        (heard(), false, false),
        (away(), true, true),
        (silent, true, false),
        (abstained, true, false),
    ] {
        let after = bear_on(none, std::slice::from_ref(&opinion));
        assert_eq!(
            (after.not_applicable, after.detectors_unavailable),
            (not_applicable, detectors_unavailable),
            "{opinion:?}"
        );
    }
}

#[test]
fn the_map_of_what_weighs_most_is_kept_up_to_the_bound() {
    let with_map = |bytes: usize| {
        let map_png = Some(Bytes::from(vec![0; bytes]));
        let light = finding(FindingStatus::Ok, Some(0.1));
        let heavy = Finding {
            map_png,
            ..finding(FindingStatus::Ok, Some(-0.6))
        };
        maps(&[opinion(Status::Ok, vec![light, heavy]), away()])
    };
    let kept = with_map(MAP_BYTES_MAX);
    assert_eq!(kept["detector.acme"].len(), MAP_BYTES_MAX);
    assert!(with_map(MAP_BYTES_MAX + 1).is_empty());
    assert!(maps(&[heard()]).is_empty());
}

#[test]
fn only_who_was_heard_had_a_part_in_the_result() {
    let opinions = [heard(), away()];
    let versions = versions(&opinions);
    assert_eq!((versions.len(), versions[0].version.as_str()), (1, "3"));
    let listed = list(&opinions);
    assert_eq!((listed.len(), listed[1].why.as_deref()), (2, Some("so")));
    assert_eq!(
        (listed[0].why.as_deref(), listed[0].latency_ms),
        (None, 812)
    );
}

#[test]
fn places_are_listed_up_to_the_bound() {
    let segment = assay_detectors::Segment {
        start_ms: 0,
        end_ms: 1,
        x: 0,
        y: 0,
        w: 0,
        h: 0,
        score: 0.5,
    };
    let listed = |count| {
        let mut found = finding(FindingStatus::Ok, Some(0.6));
        found.segments = vec![segment; count];
        list(&[opinion(Status::Ok, vec![found])])[0].findings[0]
            .segments
            .len()
    };
    assert_eq!(listed(EVIDENCE_ITEMS_MAX), EVIDENCE_ITEMS_MAX);
    assert_eq!(listed(EVIDENCE_ITEMS_MAX + 1), EVIDENCE_ITEMS_MAX);
}
