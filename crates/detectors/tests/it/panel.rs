//! Several detectors, and what a job is told of them.

use assay_core::breaker::State;
use assay_detectors::{External, Modality, Parked, Status, Told, coverage};
use assay_forensics::CoverageStatus;

use crate::fixture::{BEGIN_MS, Fixture, ask, at, wait_until};
use crate::scripted::{Act, Scripted};

fn required(external: External) -> External {
    External {
        required: true,
        ..external
    }
}

#[tokio::test]
async fn all_are_asked_and_each_is_told_of_as_it_answers() {
    let (one, other) = (Scripted::start(), Scripted::start());
    other
        .state
        .acts(|_| Act::Fail(tonic::Status::internal("ill")));
    let fixture = Fixture::of([("b-well", at(&one)), ("a-ill", at(&other))]);
    let mut told = Vec::new();
    let mut note = |one: Told<'_>| {
        told.push((one.opinion.name.clone(), one.current, one.total));
    };
    let opinions = fixture.panel.ask(ask(b"bytes"), &mut note).await.unwrap();
    let stands: Vec<_> = opinions
        .iter()
        .map(|one| (one.name.as_str(), one.status))
        .collect();
    assert_eq!(
        stands,
        [("a-ill", Status::Unavailable), ("b-well", Status::Ok)]
    );
    assert_eq!((told[0].1, told[1].1, told[1].2), (1, 2, 2));
    told.sort();
    assert_eq!(
        (told[0].0.as_str(), told[1].0.as_str()),
        ("a-ill", "b-well")
    );

    let items = coverage(&opinions);
    let stands: Vec<_> = items
        .iter()
        .map(|item| (item.question.as_str(), item.status))
        .collect();
    assert_eq!(
        stands,
        [
            ("ai_generated_pixels", CoverageStatus::Tested),
            ("detector.a-ill", CoverageStatus::NotTested)
        ]
    );
    let evidence = opinions.iter().filter_map(|opinion| opinion.evidence());
    assert_eq!(evidence.count(), 1);
}

#[tokio::test]
async fn a_job_is_parked_before_anybody_is_asked_in_vain() {
    let (one, other) = (Scripted::start(), Scripted::start());
    let fixture = Fixture::of([("a", at(&one)), ("b", required(at(&other)))]);
    assert!(fixture.panel.force_open("b"));
    let parked = fixture.ask(ask(b"bytes")).await.unwrap_err();
    let after_ms = 300_000;
    assert_eq!(
        parked,
        Parked {
            detector: "b".to_owned(),
            until_ms: BEGIN_MS + after_ms,
            after_ms
        }
    );
    assert!(one.state.seen().is_empty());

    assert!(fixture.panel.automatic("b"));
    assert_eq!(fixture.ask(ask(b"bytes")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_job_is_parked_when_its_call_is_the_one_that_opens_the_breaker() {
    let detector = Scripted::start();
    detector
        .state
        .acts(|_| Act::Fail(tonic::Status::internal("ill")));
    let fixture = Fixture::one(required(at(&detector)));
    for _ in 0..8 {
        let opinion = fixture.opinion().await;
        assert!(opinion.required && opinion.status.is_lacking());
    }
    let parked = fixture.ask(ask(b"bytes")).await.unwrap_err();
    assert_eq!(
        (parked.detector.as_str(), parked.after_ms),
        ("acme", 30_000)
    );
    assert_eq!(fixture.state(), State::Open);
}

#[tokio::test]
async fn a_job_waits_for_no_detector_that_has_no_part_in_it() {
    let detector = Scripted::start();
    let mut external = required(at(&detector));
    external.modalities = vec![Modality::Video];
    let fixture = Fixture::one(external);
    assert!(fixture.panel.force_open("acme"));
    assert_eq!(fixture.opinion().await.status, Status::NotApplicable);
    let mut video = ask(b"bytes");
    video.modality = Modality::Video;
    assert!(fixture.ask(video).await.is_err());
}

#[tokio::test]
async fn a_job_that_is_given_up_takes_its_calls_back() {
    let detector = Scripted::start();
    detector.state.acts(|_| Act::Hang);
    let fixture = Fixture::one(at(&detector));
    let asked = fixture.ask(ask(b"bytes"));
    tokio::select! {
        opinions = asked => panic!("{opinions:?}"),
        () = wait_until("it is asked", || detector.state.seen().len() == 1) => {}
    }
    wait_until("the call is taken back", || detector.state.in_flight() == 0).await;
    assert_eq!(fixture.breaker().window.failures, 0);
}

#[tokio::test]
async fn a_detector_that_cannot_be_spoken_to_does_not_stop_the_others() {
    let detector = Scripted::start();
    let external = External {
        token: "two\nlines".to_owned(),
        ..at(&detector)
    };
    let fixture = Fixture::of([("a", external), ("b", at(&detector))]);
    let opinions = fixture.ask(ask(b"bytes")).await.unwrap();
    assert_eq!(opinions[0].status, Status::Misconfigured);
    assert_eq!(opinions[1].status, Status::Ok);
}

#[tokio::test]
async fn without_detectors_there_are_no_opinions() {
    let fixture = Fixture::of([]);
    assert!(fixture.panel.is_empty());
    assert_eq!(fixture.ask(ask(b"bytes")).await.unwrap(), []);
}
