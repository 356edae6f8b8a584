//! Many jobs in over one stream.

use std::collections::BTreeMap;

use assay_api::v1 as pb;
use futures::{StreamExt, stream};
use pb::submit_jobs_result::Outcome;

use crate::fixture::{Fixture, reason};

#[tokio::test]
async fn every_request_has_one_result_and_a_bad_one_ends_nothing() {
    const COUNT: u64 = 500;
    let fixture = Fixture::new().await;
    let good = fixture.request().await;
    let requests = (0..COUNT).map(move |sequence| {
        let request = match sequence {
            7 => None,
            8 => Some(pb::SubmitJobRequest::default()),
            _ => Some(good.clone()),
        };
        pb::SubmitJobsRequest { sequence, request }
    });
    let answers = fixture.jobs().submit_jobs(stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut outcomes = BTreeMap::new();
    while let Some(message) = answers.next().await {
        let results = message.unwrap().results;
        assert!(!results.is_empty());
        for result in results {
            let twice = outcomes.insert(result.sequence, result.outcome.unwrap());
            assert!(twice.is_none(), "sequence {}", result.sequence);
        }
    }
    assert_eq!(outcomes.len() as u64, COUNT);
    for (sequence, outcome) in outcomes {
        match (sequence, outcome) {
            (7 | 8, Outcome::Error(error)) => {
                assert_eq!(error.reason, "INVALID_FIELD");
                assert_eq!(error.code, i32::from(tonic::Code::InvalidArgument));
                let field = if sequence == 7 { "request" } else { "payload" };
                assert_eq!(error.field_violations[0].field, field);
            }
            (_, Outcome::Submitted(response)) => {
                assert_eq!(response.job.unwrap().state(), pb::JobState::Queued);
            }
            (_, outcome) => panic!("{sequence}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_over_the_bound_ends_the_stream_after_the_results_before_it() {
    let fixture = Fixture::new().await;
    let good = fixture.request().await;
    let large = pb::SubmitJobRequest {
        request_id: "k".repeat(1024 * 1024 + 1),
        ..pb::SubmitJobRequest::default()
    };
    let requests = [good.clone(), good, large].into_iter().zip(0..);
    let requests = requests.map(|(request, sequence)| pb::SubmitJobsRequest {
        sequence,
        request: Some(request),
    });
    let answers = fixture.jobs().submit_jobs(stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut results = 0;
    let end = loop {
        match answers
            .next()
            .await
            .expect("it does not end as if all was read")
        {
            Ok(message) => results += message.results.len(),
            Err(end) => break end,
        }
    };
    assert_eq!(results, 2);
    assert_eq!(end.code(), tonic::Code::OutOfRange);
    assert_eq!(reason(&end), "MESSAGE_TOO_LARGE");
}
