//! What becomes of one question to one detector.

use std::time::Duration;

use assay_detectors::{
    CHUNK_BYTES_MAX, FindingStatus, MESSAGE_BYTES_MAX, Modality, RESERVE_MS, Status,
};
use prost::Message;
use tonic::Code;

use crate::fixture::{Fixture, ask, at, wait_until};
use crate::scripted::{Act, Scripted, scores};

#[tokio::test]
async fn a_file_goes_out_in_chunks_and_an_opinion_comes_back() {
    let detector = Scripted::start();
    let mut external = at(&detector);
    external.token = "secret".to_owned();
    let fixture = Fixture::one(external);
    let bytes: Vec<u8> = (0..=250).cycle().take(CHUNK_BYTES_MAX * 2 + 1).collect();
    for _ in 0..2 {
        let opinions = fixture.ask(ask(&bytes)).await.unwrap();
        let [opinion] = opinions.try_into().unwrap();
        assert_eq!(opinion.status, Status::Ok, "{}", opinion.why);
        assert_eq!((opinion.version.as_str(), opinion.score), ("3", Some(0.8)));
        assert!((opinion.log10_lr.unwrap() - 4_f64.log10()).abs() < 1e-9);
        assert_eq!(opinion.findings[0].status, FindingStatus::Ok);
    }
    // It is told what it is once, and what to look for each time.
    assert_eq!(detector.state.described(), 1);
    let seen = &detector.state.seen()[1];
    assert_eq!(seen.chunks, [CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 1]);
    assert!(seen.bytes == bytes);
    assert_eq!(seen.header.content_sha256, assay_forensics::sha256(&bytes));
    assert_eq!(seen.header.bytes, bytes.len() as u64);
    assert_eq!(seen.header.tasks, ["ai_generated"]);
    assert_eq!(seen.header.idempotency_key, "job-1/acme/original");
    assert_eq!(seen.authorization.as_deref(), Some("Bearer secret"));
    // What is left of the twenty seconds, in microseconds.
    let timeout = seen.timeout.as_deref().unwrap();
    let left_us: u64 = timeout.strip_suffix('u').unwrap().parse().unwrap();
    assert!((1..=20_000_000).contains(&left_us), "{timeout}");
    assert!(seen.header.budget.unwrap().seconds <= 20);
}

#[tokio::test]
async fn every_code_has_its_status_and_counts_or_does_not() {
    let detector = Scripted::start();
    for (code, status, counts) in [
        (Code::Internal, Status::Unavailable, true),
        (Code::Unknown, Status::Unavailable, true),
        (Code::DataLoss, Status::Unavailable, true),
        (Code::DeadlineExceeded, Status::Timeout, true),
        (Code::InvalidArgument, Status::NotApplicable, false),
        (Code::OutOfRange, Status::NotApplicable, false),
        (Code::NotFound, Status::Unavailable, false),
        (Code::FailedPrecondition, Status::Unavailable, false),
        (Code::Unauthenticated, Status::Misconfigured, false),
        (Code::PermissionDenied, Status::Misconfigured, false),
        (Code::Unimplemented, Status::Misconfigured, false),
    ] {
        let fixture = Fixture::one(at(&detector));
        detector
            .state
            .acts(move |_| Act::Fail(tonic::Status::new(code, "words")));
        let opinion = fixture.opinion().await;
        assert_eq!(opinion.status, status, "{code:?}");
        assert_eq!(
            fixture.breaker().window.failures,
            u64::from(counts),
            "{code:?}"
        );
        assert!(opinion.findings.is_empty() && !opinion.why.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_not_as_it_should_be_counts_as_a_failure() {
    let detector = Scripted::start();
    type Break = fn(&mut assay_api::v1::AnalyzeResponse);
    let broken: [Break; 4] = [
        |response| response.detector = "other".to_owned(),
        |response| response.results[0].score = f64::NAN,
        |response| response.results[0].score = 1.1,
        |response| response.results.clear(),
    ];
    let fixture = Fixture::one(at(&detector));
    for (number, change) in broken.into_iter().enumerate() {
        detector.state.acts(move |seen| {
            let mut response = scores(seen, 0.8);
            change(&mut response);
            Act::Answer(response)
        });
        let opinion = fixture.opinion().await;
        assert_eq!(opinion.status, Status::Unavailable);
        assert!(
            opinion.why.starts_with("its answer is not as it should be"),
            "{}",
            opinion.why
        );
        assert_eq!(fixture.breaker().window.failures, number as u64 + 1);
    }
}

#[tokio::test]
async fn an_answer_is_as_large_as_it_may_be_and_not_larger() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    for (bytes, status) in [
        (MESSAGE_BYTES_MAX, Status::Ok),
        (MESSAGE_BYTES_MAX + 1, Status::Unavailable),
    ] {
        detector.state.acts(move |seen| {
            let mut response = scores(seen, 0.8);
            // The lengths of a text, and of the result that holds it, take as many bytes near the bound.
            response.results[0].explanation = "e".repeat(MESSAGE_BYTES_MAX - 1_000);
            let rest = bytes - response.encoded_len();
            response.results[0].explanation.push_str(&"e".repeat(rest));
            assert_eq!(response.encoded_len(), bytes);
            Act::Answer(response)
        });
        let opinion = fixture.opinion().await;
        assert_eq!(opinion.status, status, "{}", opinion.why);
    }
    assert_eq!(fixture.breaker().window.failures, 1);
}

#[tokio::test]
async fn a_detector_that_is_too_slow_is_left_and_its_call_taken_back() {
    let detector = Scripted::start();
    detector.state.acts(|_| Act::Hang);
    let mut external = at(&detector);
    external.timeout_ms = 200;
    let fixture = Fixture::one(external);
    let opinion = fixture.opinion().await;
    assert_eq!(opinion.status, Status::Timeout);
    assert_eq!(fixture.breaker().window.failures, 1);
    wait_until("the call is taken back", || detector.state.in_flight() == 0).await;
}

#[tokio::test]
async fn the_time_that_is_left_bounds_the_call() {
    let detector = Scripted::start();
    detector.state.acts(|_| Act::Hang);
    let fixture = Fixture::one(at(&detector));
    let mut short = ask(b"bytes");
    short.time_left = Duration::from_millis(RESERVE_MS + 300);
    let opinions = fixture.ask(short.clone()).await.unwrap();
    assert_eq!(opinions[0].status, Status::Timeout);
    assert!(opinions[0].latency_ms < 5_000);
    short.time_left = Duration::from_millis(RESERVE_MS);
    let before = detector.state.seen().len();
    let opinions = fixture.ask(short).await.unwrap();
    assert_eq!(opinions[0].status, Status::Timeout);
    assert_eq!(detector.state.seen().len(), before);
}

#[tokio::test]
async fn what_a_detector_does_not_take_is_not_sent() {
    let detector = Scripted::start();
    detector
        .state
        .describes(|description| description.bytes_max = 4);
    let fixture = Fixture::one(at(&detector));
    let of = |bytes: &'static [u8], modality| {
        let mut ask = ask(bytes);
        ask.modality = modality;
        fixture.ask(ask)
    };
    let status = |opinions: Vec<assay_detectors::Opinion>| opinions[0].status;
    assert_eq!(
        status(of(b"12345", Modality::Image).await.unwrap()),
        Status::NotApplicable
    );
    assert_eq!(
        status(of(b"1234", Modality::Audio).await.unwrap()),
        Status::NotApplicable
    );
    assert!(detector.state.seen().is_empty());
    assert_eq!(
        status(of(b"1234", Modality::Image).await.unwrap()),
        Status::Ok
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_the_detectors_fault() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    let mut shrunk = ask(b"bytes");
    shrunk.bytes += 1;
    let opinions = fixture.ask(shrunk).await.unwrap();
    assert_eq!(opinions[0].status, Status::Unavailable);
    assert!(
        opinions[0].why.starts_with("read the content"),
        "{}",
        opinions[0].why
    );
    assert_eq!(fixture.breaker().window.failures, 0);
}

#[tokio::test]
async fn a_new_version_is_asked_what_it_is() {
    let detector = Scripted::start();
    let fixture = Fixture::one(at(&detector));
    detector.state.acts(|seen| {
        let mut response = scores(seen, 0.8);
        response.version = "4".to_owned();
        Act::Answer(response)
    });
    assert_eq!(fixture.opinion().await.version, "4");
    fixture.opinion().await;
    assert_eq!(detector.state.described(), 2);
}
