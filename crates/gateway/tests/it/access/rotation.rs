//! The file of tokens changes while the gateway runs.

use assay_api::v1 as pb;
use assay_gateway::NewToken;
use assay_test_support::wait::{wait_until, within};
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Code, Status};

use super::{House, text, token};
use crate::fixture::reason;
use crate::http::request;

const INFO: &str = "/assay.v1.AdminService/GetServerInfo";

impl House {
    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
    }

    async fn knows(&self, token: &NewToken) -> bool {
        let answer: Result<Vec<()>, Status> = self.call(INFO, Some(token), ()).await;
        answer.is_ok()
    }
}

/// The refusal with which a stream ends.
async fn end<T>(mut answers: tonic::Streaming<T>) -> Status {
    let ended = async {
        loop {
            match answers.next().await {
                Some(Ok(_)) => {}
                Some(Err(status)) => return status,
                None => panic!("it ended well"),
            }
        }
    };
    within("the end of a stream", ended).await
}

#[tokio::test]
async fn a_new_token_is_let_in_and_one_that_is_gone_is_not() {
    let (old, new) = (token("acme", "read"), token("acme", "read,submit"));
    let house = House::of(&[&old]).await;
    assert!(house.knows(&old).await && !house.knows(&new).await);
    house.write(&text(&[&new]));
    wait_until("the new token is known", || house.knows(&new)).await;
    assert!(!house.knows(&old).await);
    // What can't be used changes nothing.
    house.write("name=x\n");
    house.write(&text(&[&new]).replace("acme", "NO"));
    let (next, again) = (token("other", "read"), &new);
    assert!(house.knows(again).await);
    house.write(&text(&[&next]));
    wait_until("the next token is known", || house.knows(&next)).await;
    assert!(!house.knows(&new).await);
}

#[tokio::test]
async fn streams_end_with_their_token() {
    let (goes, stays) = (token("acme", "read,submit"), token("acme", "read"));
    let house = House::of(&[&goes, &stays]).await;
    let job_id = house.submit(&goes, "").await;
    let watch = |token: &NewToken| {
        let request = pb::WatchJobRequest {
            job_id: job_id.clone(),
            ..pb::WatchJobRequest::default()
        };
        let mut jobs = house.jobs(token);
        async move { jobs.watch_job(request).await.unwrap().into_inner() }
    };
    let (of_one, mut of_other) = (watch(&goes).await, watch(&stays).await);
    assert!(of_other.next().await.unwrap().is_ok());
    let submits = house.jobs(&goes).submit_jobs(stream::pending()).await;
    let submits = submits.unwrap().into_inner();
    let mut events = TcpStream::connect(house.fixture.http).await.unwrap();
    let shown = format!("Bearer {}", goes.token);
    let line = format!("GET /api/async/jobs/{job_id}/events");
    let asked = request(&line, &[("Authorization", &shown)], b"");
    events.write_all(&asked).await.unwrap();

    house.write(&text(&[&stays]));
    let ends = [end(of_one).await, end(submits).await];
    for status in ends {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(reason(&status), "TOKEN_UNKNOWN");
    }
    let mut told = String::new();
    let read = events.read_to_string(&mut told);
    within("the end of the events", read).await.unwrap();
    assert!(told.contains("TOKEN_UNKNOWN"), "{told}");
    // The other is there still.
    let request = pb::CancelJobRequest { job_id };
    let refused = house.jobs(&stays).cancel_job(request).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_MISSING");
    assert!(house.knows(&stays).await);
}
