use super::*;
use crate::answer::ScoreKind;

fn score(score: f64) -> Said {
    Said::Score {
        score,
        log10_lr: None,
        kind: ScoreKind::Uncalibrated,
    }
}

fn answer(said: Said) -> TaskAnswer {
    TaskAnswer {
        said,
        ..TaskAnswer::default()
    }
}

/// What is found when the original is said to be so, and its variants so, each or not at all.
fn found(original: Said, variants: [Result<Said, &str>; 2]) -> Finding {
    let changed = Variant::CHANGED
        .into_iter()
        .zip(variants)
        .map(|(variant, said)| {
            let results = |said| [(Task::Splice, answer(said))].into();
            let answer = said.map(|said| Answer {
                version: "3".to_owned(),
                model_sha256: None,
                results: results(said),
            });
            (variant, answer.map_err(str::to_owned))
        });
    let changed: Vec<_> = changed.collect();
    finding(Task::Splice, answer(original), &changed, Scale::Untried)
}

#[test]
fn what_all_variants_say_counts() {
    let found = found(score(0.8), [Ok(score(0.7)), Ok(score(0.9))]);
    assert_eq!((found.status, found.score), (FindingStatus::Ok, Some(0.8)));
    assert!((found.log10_lr.unwrap() - 4_f64.log10()).abs() < 1e-9);
    assert!(found.warnings.is_empty());
}

#[test]
fn what_variants_contradict_does_not_weigh() {
    for variants in [[0.8, 0.45], [0.45, 0.8], [0.8, 0.2]] {
        let found = found(score(0.7), variants.map(|one| Ok(score(one))));
        assert_eq!(found.status, FindingStatus::Unstable, "{variants:?}");
        assert_eq!((found.score, found.log10_lr), (Some(0.7), None));
        assert_eq!(found.warnings.len(), 1);
    }
}

#[test]
fn what_could_not_be_tried_is_said() {
    let found = found(score(0.8), [Err("no answer in time"), Ok(Said::Abstained)]);
    assert_eq!(found.status, FindingStatus::Ok);
    assert_eq!(
        found.warnings,
        [
            "not tried on the picture saved_again: no answer in time",
            "not tried on the picture smaller: it does not want to say"
        ]
    );
}

#[test]
fn without_a_score_there_is_nothing_to_weigh() {
    for (said, status) in [
        (Said::Abstained, FindingStatus::Abstained),
        (Said::NotApplicable, FindingStatus::NotApplicable),
    ] {
        let found = found(said, [Ok(score(0.9)), Ok(score(0.1))]);
        assert_eq!((found.status, found.log10_lr), (status, None));
    }
}

#[test]
fn every_miss_has_a_word() {
    let failed = |error| Missed::Failed(error);
    let why = || "why".to_owned();
    for (missed, status) in [
        (Missed::Late, Status::Timeout),
        (
            Missed::Barred(Barred::Open { retry_after_ms: 1 }),
            Status::CircuitOpen,
        ),
        (Missed::Barred(Barred::Bolted(why())), Status::Misconfigured),
        (failed(CallError::TimedOut), Status::Timeout),
        (failed(CallError::BadSchema(why())), Status::Unavailable),
        (failed(CallError::Refused(why())), Status::NotApplicable),
        (failed(CallError::Absent(why())), Status::Unavailable),
        (failed(CallError::Ours(why())), Status::Unavailable),
        (
            failed(CallError::Misconfigured(why())),
            Status::Misconfigured,
        ),
    ] {
        let (found, words) = silence(&missed);
        assert_eq!(found, status, "{missed:?}");
        assert!(!words.is_empty());
    }
}
