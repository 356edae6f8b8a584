//! Queues that operators hold back.

use std::sync::Arc;

use assay_api::v1 as pb;
use assay_core::claim::Verdict;
use assay_core::clock::{Clock, SystemClock};
use assay_core::id::WorkerId;
use assay_core::kind::JobKind;
use assay_core::port::{Claim, ClaimRequest, JobQueue, JobStore, QueueControl};
use assay_store::StoreConfig;
use tonic::Status;

use crate::fixture::{Fixture, fields, reason};
use crate::worker::inline;

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

async fn purge(
    fixture: &Fixture,
    change: impl FnOnce(&mut pb::PurgeQueueRequest),
) -> Result<pb::PurgeQueueResponse, Status> {
    let mut request = pb::PurgeQueueRequest {
        kind: KIND.to_owned(),
        ..Default::default()
    };
    change(&mut request);
    let purged = fixture.admin().purge_queue(request).await;
    purged.map(tonic::Response::into_inner)
}

async fn state(fixture: &Fixture, job_id: &str) -> pb::JobState {
    let job_id = job_id.to_owned();
    let job = fixture.jobs().get_job(pb::GetJobRequest { job_id }).await;
    job.unwrap().into_inner().state()
}

#[tokio::test]
async fn a_purge_cancels_what_waits_and_leaves_what_runs() {
    let fixture = Fixture::new().await;
    let running = fixture.submit().await;
    let work = fixture.work().await;
    let mut waiting = Vec::new();
    for lane in [pb::Lane::Low, pb::Lane::High, pb::Lane::High] {
        let request = pb::SubmitJobRequest {
            lane: lane.into(),
            ..fixture.request().await
        };
        let submitted = fixture.jobs().submit_job(request).await.unwrap();
        waiting.push(submitted.into_inner().job.unwrap().id);
    }
    let counted = purge(&fixture, |request| request.dry_run = true)
        .await
        .unwrap();
    assert_eq!(
        (counted.matched, counted.cancelled, counted.more),
        (3, 0, false)
    );
    let low = purge(&fixture, |request| {
        request.lanes = vec![pb::Lane::Low.into()]
    })
    .await;
    let low = low.unwrap();
    assert_eq!((low.matched, low.cancelled, low.skipped), (1, 1, 0));
    let before_all = Some(prost_types::Timestamp::default());
    let none = purge(&fixture, |request| request.created_before = before_all).await;
    assert_eq!(none.unwrap().matched, 0);
    let rest = purge(&fixture, |_| ()).await.unwrap();
    assert_eq!(
        (rest.matched, rest.cancelled, rest.stopped.as_str()),
        (2, 2, "")
    );
    for id in &waiting {
        assert_eq!(state(&fixture, id).await, pb::JobState::Cancelled);
    }
    assert_eq!(state(&fixture, &running.id).await, pb::JobState::Running);
    work.succeed(inline("{}")).await;
    assert_eq!(state(&fixture, &running.id).await, pb::JobState::Succeeded);

    let after = fixture.submit().await;
    let of_before = rest.created_before;
    let continued = purge(&fixture, |request| request.created_before = of_before).await;
    let continued = continued.unwrap();
    assert_eq!(continued.created_before, of_before);
    let at = |time: Option<prost_types::Timestamp>| time.map(|time| (time.seconds, time.nanos));
    let meant = at(after.create_time) < at(of_before);
    assert_eq!(
        continued.matched,
        u64::from(meant),
        "what came later is not touched"
    );
}

/// What a purge left in the queue is let go when a worker comes to it.
#[tokio::test]
async fn what_was_purged_does_not_run() {
    let fixture = Fixture::new().await;
    fixture.submit().await;
    assert_eq!(purge(&fixture, |_| ()).await.unwrap().cancelled, 1);
    let mut subscription = fixture
        .queue
        .subscribe(JobKind::ContentVerification, 1)
        .await
        .unwrap();
    let delivery = subscription.take(1).await.unwrap().unwrap().pop().unwrap();
    let request = ClaimRequest {
        envelope: Arc::clone(&delivery.envelope),
        worker: WorkerId::new("worker").unwrap(),
        lease_ms: 60_000,
    };
    let claim = fixture.store.claim(request).await.unwrap();
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
}

#[tokio::test]
async fn jobs_that_wait_for_their_time_are_purged_if_that_is_said() {
    let fixture = Fixture::new().await;
    let mut request = fixture.request().await;
    let in_an_hour_ms = SystemClock.now_ms() + 60 * 60 * 1000;
    request.due_time = Some(prost_types::Timestamp {
        seconds: i64::try_from(in_an_hour_ms / 1000).unwrap(),
        nanos: 0,
    });
    let submitted = fixture.jobs().submit_job(request).await.unwrap();
    let id = submitted.into_inner().job.unwrap().id;
    assert_eq!(purge(&fixture, |_| ()).await.unwrap().matched, 0);
    let purged = purge(&fixture, |request| request.include_delayed = true).await;
    assert_eq!(purged.unwrap().cancelled, 1);
    assert_eq!(state(&fixture, &id).await, pb::JobState::Cancelled);
}

#[tokio::test]
async fn a_purge_of_what_is_not_served_is_refused() {
    let fixture = Fixture::new().await;
    let of_kind = |kind: &str| {
        let kind = kind.to_owned();
        purge(&fixture, |request| request.kind = kind)
    };
    assert_eq!(fields(&of_kind("virus-scan").await.unwrap_err()), ["kind"]);
    assert_eq!(
        reason(&of_kind("batch").await.unwrap_err()),
        "KIND_NOT_SERVED"
    );
    fixture.submit().await;
    fixture.store.close().await;
    assert_eq!(
        reason(&of_kind(KIND).await.unwrap_err()),
        "STORE_UNAVAILABLE"
    );
}

#[tokio::test]
async fn nothing_is_paused_where_nothing_can_be_written() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    for refused in [pause(&fixture, KIND).await, resume(&fixture, KIND).await] {
        assert_eq!(reason(&refused.unwrap_err()), "STORE_UNAVAILABLE");
    }
}
