//! The client against a server that plays a part.

mod stand_in;

use std::fs;

use super::*;
use crate::progress::Progress;
use stand_in::{Part as Role, StandIn};

const FILE_BYTES: usize = CHUNK_BYTES_MAX + 1;

async fn verified(role: Role) -> (anyhow::Result<Outcome>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera.jpg");
    fs::write(&path, vec![7; FILE_BYTES]).unwrap();
    let server = StandIn::start(role).await;
    let client = Client::connect(&server.url).await.unwrap();
    let outcome = client
        .verify(&path, Progress::Lines.file("camera.jpg"))
        .await;
    (outcome, server.heard())
}

#[tokio::test]
async fn a_file_goes_in_and_its_verdict_comes_out() {
    let (outcome, heard) = verified(Role::Succeed).await;
    let outcome = outcome.unwrap();
    assert_eq!(
        (outcome.verdict().as_str(), outcome.untested),
        ("synthetic", 1)
    );
    assert_eq!(
        heard,
        [
            "metadata camera.jpg image/jpeg 262145".to_owned(),
            format!("chunk of {CHUNK_BYTES_MAX}"),
            "chunk of 1".to_owned(),
            "submit sha256:stored camera.jpg".to_owned(),
            "watch the-job".to_owned(),
            "result of the-job".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_job_that_fails_is_an_outcome_and_its_result_is_not_asked_for() {
    let (outcome, heard) = verified(Role::Fail).await;
    let outcome = outcome.unwrap();
    assert_eq!(
        (outcome.label.as_str(), outcome.reasons[0].as_str()),
        ("failed", "the file is empty")
    );
    assert_eq!(heard.last().map(String::as_str), Some("watch the-job"));
}

#[tokio::test]
async fn a_stream_that_ends_too_early_is_an_error_with_the_files_name() {
    let (outcome, _) = verified(Role::HangUp).await;
    let error = format!("{:#}", outcome.unwrap_err());
    assert!(
        error.contains("camera.jpg: watch the job: the stream ended before"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error() {
    let error = Client::connect("http://127.0.0.1:1").await.err().unwrap();
    assert_eq!(error.to_string(), "connect to http://127.0.0.1:1");
}

#[test]
fn events_are_told_in_words() {
    let event = |step: &str| {
        let state = v1::JobState::DeadLettered.into();
        words_of(&v1::JobEvent {
            state,
            step: step.to_owned(),
            ..v1::JobEvent::default()
        })
    };
    assert_eq!(event(""), "dead lettered");
    assert_eq!(event("look_inside"), "dead lettered: look inside");
}

#[test]
fn names_claim_types() {
    assert_eq!(declared_mime(Path::new("a/renamed.jpg")), "image/jpeg");
    assert_eq!(declared_mime(Path::new("a/generated.png")), "image/png");
    assert_eq!(declared_mime(Path::new("a")), "");
    assert_eq!(name_of(Path::new("a/renamed.jpg")), "renamed.jpg");
}
