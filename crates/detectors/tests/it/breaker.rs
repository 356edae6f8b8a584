//! Illness: when a detector is left alone, and how it is found to be well again.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_core::breaker::State;
use assay_detectors::Status;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, ask, at, wait_until};
use crate::scripted::{Act, Scripted, scores};

/// How long a breaker of a detector stays open at first, and at most, in milliseconds.
const OPEN_MS: u64 = 30_000;

fn fail(_: &crate::scripted::Seen) -> Act {
    Act::Fail(tonic::Status::internal("ill"))
}

fn well(seen: &crate::scripted::Seen) -> Act {
    Act::Answer(scores(seen, 0.8))
}

/// Nine failures, and the description that was answered: half of ten calls, and more.
async fn make_ill(fixture: &Fixture) {
    for _ in 0..9 {
        assert_eq!(fixture.opinion().await.status, Status::Unavailable);
    }
    assert_eq!(fixture.state(), State::Open);
}

#[tokio::test]
async fn an_ill_detector_is_left_alone_and_asked_how_it_is_before_it_is_sent_a_file() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    detector.state.acts(fail);
    make_ill(&fixture).await;

    // Left alone.
    let opinion = fixture.opinion().await;
    assert_eq!(opinion.status, Status::CircuitOpen);
    assert_eq!(detector.state.seen().len(), 9);

    // Not well yet: no file is sent to find that out.
    detector.state.acts(well);
    detector.state.is_well(false);
    fixture.clock.advance(OPEN_MS);
    assert_eq!(fixture.opinion().await.status, Status::Unavailable);
    assert_eq!(
        (detector.state.health_checks(), fixture.state()),
        (1, State::Open)
    );
    assert_eq!(detector.state.seen().len(), 9);

    // Well: after three files it is trusted. The second rest was twice as long as the first.
    detector.state.is_well(true);
    fixture.clock.advance(OPEN_MS);
    assert_eq!(fixture.opinion().await.status, Status::CircuitOpen);
    fixture.clock.advance(OPEN_MS);
    for _ in 0..3 {
        assert_eq!(fixture.opinion().await.status, Status::Ok);
    }
    assert_eq!(
        (detector.state.health_checks(), fixture.state()),
        (4, State::Closed)
    );
    assert_eq!(fixture.opinion().await.status, Status::Ok);
    assert_eq!(detector.state.health_checks(), 4);
}

#[tokio::test]
async fn a_detector_that_died_is_found_when_it_is_back() {
    let mut detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    assert_eq!(fixture.opinion().await.status, Status::Ok);
    detector.kill();
    let address = detector.address;
    wait_until("it is dead", || TcpStream::connect(address).is_err()).await;
    let mut asked = 0;
    while fixture.state() == State::Closed {
        assert_eq!(fixture.opinion().await.status, Status::Unavailable);
        asked += 1;
        assert!(asked < 10, "the breaker opens");
    }
    detector.back_again();
    fixture.clock.advance(OPEN_MS);
    for _ in 0..3 {
        let opinion = fixture.opinion().await;
        assert_eq!(opinion.status, Status::Ok, "{}", opinion.why);
    }
    assert_eq!(fixture.state(), State::Closed);
}

#[tokio::test]
async fn a_detector_that_never_was_there_is_unavailable() {
    let mut detector = Scripted::start();
    detector.kill();
    let address = detector.address;
    wait_until("it is dead", || TcpStream::connect(address).is_err()).await;
    let opinion = Fixture::one(at(&detector)).opinion().await;
    assert_eq!(opinion.status, Status::Unavailable);
    assert_eq!(opinion.version, "");
}

#[tokio::test]
async fn no_time_mends_a_configuration() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    detector
        .state
        .acts(|_| Act::Fail(tonic::Status::unauthenticated("show a token")));
    assert_eq!(fixture.opinion().await.status, Status::Misconfigured);
    detector.state.acts(well);
    fixture.clock.advance(86_400_000);
    let opinion = fixture.opinion().await;
    assert_eq!(opinion.status, Status::Misconfigured);
    assert!(opinion.why.contains("show a token"), "{}", opinion.why);
    assert_eq!(detector.state.seen().len(), 1);
    assert_eq!(
        fixture.panel.breakers()[0].2.as_deref(),
        Some(opinion.why.as_str())
    );

    assert!(fixture.panel.automatic("acme"));
    assert_eq!(fixture.opinion().await.status, Status::Ok);
}

#[tokio::test]
async fn a_person_can_shut_a_detector_off() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    assert!(fixture.panel.force_open("acme"));
    assert!(!fixture.panel.force_open("nobody"));
    assert_eq!(fixture.opinion().await.status, Status::CircuitOpen);
    assert!(fixture.panel.automatic("acme"));
    assert_eq!(fixture.opinion().await.status, Status::Ok);
}

#[tokio::test]
async fn what_may_pass_is_asked_once_more() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    detector
        .state
        .acts(move |seen| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Act::Fail(tonic::Status::unavailable("busy")),
            _ => Act::Answer(scores(seen, 0.8)),
        });
    assert_eq!(fixture.opinion().await.status, Status::Ok);
    let keys = detector.state.seen();
    let keys: Vec<_> = keys
        .iter()
        .map(|seen| &seen.header.idempotency_key)
        .collect();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]));
}

#[tokio::test]
async fn repetitions_are_few() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    detector
        .state
        .acts(|_| Act::Fail(tonic::Status::unavailable("busy")));
    // One description, one repetition out of the budget, and then none: the tenth call opens the breaker.
    for _ in 0..8 {
        assert_eq!(fixture.opinion().await.status, Status::Unavailable);
    }
    assert_eq!(detector.state.seen().len(), 9);
    assert_eq!(fixture.state(), State::Open);
}

#[tokio::test]
async fn no_more_calls_are_made_at_once_than_there_are_places() {
    const PLACES: usize = 2;
    const ASKED: usize = 5;
    let detector = Scripted::start();
    let mut external = at(&detector);
    external.concurrency = PLACES;
    let fixture = Arc::new(Fixture::one(external));
    let permits = Arc::new(Semaphore::new(0));
    let handed = Arc::clone(&permits);
    detector
        .state
        .acts(move |seen| Act::Wait(Arc::clone(&handed), scores(seen, 0.8)));
    let mut asked = JoinSet::new();
    for _ in 0..ASKED {
        let fixture = Arc::clone(&fixture);
        asked.spawn(async move { fixture.ask(ask(b"bytes")).await.unwrap()[0].status });
    }
    wait_until("the places are taken", || {
        detector.state.seen().len() == PLACES
    })
    .await;
    permits.add_permits(ASKED);
    let statuses = asked.join_all().await;
    assert_eq!(statuses, [Status::Ok; ASKED]);
    assert_eq!(detector.state.in_flight_max(), PLACES);
}
