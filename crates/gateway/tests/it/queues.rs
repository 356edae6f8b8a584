//! Queues that operators hold back.

use assay_api::v1 as pb;
use assay_core::kind::JobKind;
use assay_core::port::QueueControl;
use assay_store::StoreConfig;
use tonic::Status;

use crate::fixture::{Fixture, fields, reason};

const KIND: &str = "content-verification";

async fn pause(fixture: &Fixture, kind: &str) -> Result<(), Status> {
    let kind = kind.to_owned();
    let request = pb::PauseQueueRequest { kind };
    fixture.admin().pause_queue(request).await.map(drop)
}

async fn resume(fixture: &Fixture, kind: &str) -> Result<(), Status> {
    let kind = kind.to_owned();
    let request = pb::ResumeQueueRequest { kind };
    fixture.admin().resume_queue(request).await.map(drop)
}

/// What is paused, and how much waits, lane by lane.
async fn queues(fixture: &Fixture) -> Vec<(String, bool, u64)> {
    let listed = fixture.admin().list_queues(pb::ListQueuesRequest {}).await;
    let queues = listed.unwrap().into_inner().queues.into_iter();
    queues
        .map(|queue| (queue.kind, queue.paused, queue.depth))
        .collect()
}

#[tokio::test]
async fn a_kind_is_paused_in_all_its_lanes_and_jobs_are_still_taken_in() {
    let settings = [("gateway.kinds", "content-verification,batch")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let expected = |is_paused: bool, waiting: u64| {
        let of = |kind: &str, is_paused, depth| (kind.to_owned(), is_paused, depth);
        [
            of(KIND, is_paused, 0),
            of(KIND, is_paused, waiting),
            of(KIND, is_paused, 0),
            of("batch", false, 0),
            of("batch", false, 0),
            of("batch", false, 0),
        ]
    };
    assert_eq!(queues(&fixture).await, expected(false, 0));
    for _ in 0..2 {
        pause(&fixture, KIND).await.unwrap();
        let paused = fixture.store.paused().await.unwrap();
        assert_eq!(paused, [JobKind::ContentVerification].into());
    }
    fixture.submit().await;
    assert_eq!(queues(&fixture).await, expected(true, 1));
    for _ in 0..2 {
        resume(&fixture, KIND).await.unwrap();
        assert_eq!(fixture.store.paused().await.unwrap(), [].into());
    }
    assert_eq!(queues(&fixture).await, expected(false, 1));
}

#[tokio::test]
async fn a_kind_that_nobody_knows_is_refused_with_those_that_are_known() {
    let fixture = Fixture::new().await;
    for unknown in ["", "virus-scan"] {
        for refused in [
            pause(&fixture, unknown).await,
            resume(&fixture, unknown).await,
        ] {
            let status = refused.unwrap_err();
            assert_eq!(fields(&status), ["kind"]);
            let known = "content-verification, batch, ruv-profile";
            assert!(status.message().contains(known), "{status:?}");
        }
    }
    for refused in [
        pause(&fixture, "batch").await,
        resume(&fixture, "batch").await,
    ] {
        assert_eq!(reason(&refused.unwrap_err()), "KIND_NOT_SERVED");
    }
    assert_eq!(fixture.store.paused().await.unwrap(), [].into());
}

#[tokio::test]
async fn nothing_is_paused_where_nothing_can_be_written() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    for refused in [pause(&fixture, KIND).await, resume(&fixture, KIND).await] {
        assert_eq!(reason(&refused.unwrap_err()), "STORE_UNAVAILABLE");
    }
}
