//! Submits and redrives where the queue is not the store.

use std::sync::Arc;

use assay_api::v1 as pb;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::port::{Claim, ClaimRequest, JobStore as _, Settlement};
use assay_core::retry::{Decision, Failure, FailureClass};
use assay_store::StoreConfig;
use parking_lot::Mutex;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::fixture::{Fixture, detail, reason};
use crate::scripted::{Noted, Script, ScriptedStore};
use crate::scripted_queue::{Answer, STAND_IN, ScriptedQueue};

struct Bench {
    fixture: Fixture,
    queue: Arc<ScriptedQueue>,
    noted: Arc<Mutex<Vec<Noted>>>,
}

impl Bench {
    async fn new(script: Script, answer: Answer) -> Self {
        let queue = Arc::new(ScriptedQueue::answering(answer));
        let noted = Arc::<Mutex<Vec<Noted>>>::default();
        let noting = Arc::clone(&noted);
        let wrap = move |inner| {
            Arc::new(ScriptedStore {
                script,
                inner,
                noted: noting,
            }) as _
        };
        let beside = Arc::clone(&queue);
        let wrap_queue = move |_| beside as _;
        let config = StoreConfig::default();
        Self {
            fixture: Fixture::beside(&[], config, wrap, wrap_queue).await,
            queue,
            noted,
        }
    }

    async fn submit(&self) -> Result<pb::SubmitJobResponse, Status> {
        let request = pb::SubmitJobRequest {
            request_id: "order-1".to_owned(),
            ..self.fixture.request().await
        };
        let submitted = self.fixture.jobs().submit_job(request).await?;
        Ok(submitted.into_inner())
    }

    fn noted(&self) -> Vec<Noted> {
        std::mem::take(&mut self.noted.lock())
    }

    fn published(&self) -> Vec<(JobId, u64)> {
        std::mem::take(&mut self.queue.published.lock())
    }
}

fn assert_refused(refused: &Status, code: Code, why: &str) {
    assert_eq!((refused.code(), reason(refused).as_str()), (code, why));
    assert!(refused.get_details_retry_info().is_some());
}

#[tokio::test]
async fn what_is_recorded_is_published_then_promoted_then_answered() {
    let bench = Bench::new(Script::Publish, Answer::Takes).await;
    let submitted = bench.submit().await.unwrap();
    assert!(!submitted.already_existed);
    assert_eq!(submitted.carrier, STAND_IN);
    let id: JobId = submitted.job.unwrap().id.parse().unwrap();
    assert_eq!(bench.published(), [(id, 1)]);
    assert_eq!(bench.noted(), [Noted::Promoted(id, 1)]);
    let again = bench.submit().await.unwrap();
    assert!(again.already_existed);
    assert_eq!(bench.published(), [(id, 1)], "nobody knew that it was");
    assert_eq!(bench.noted(), [Noted::Promoted(id, 1)]);
}

#[tokio::test]
async fn a_queue_that_is_known_to_take_nothing_has_nothing_recorded() {
    let bench = Bench::new(Script::Publish, Answer::Takes).await;
    *bench.queue.accepts.lock() = false;
    let refused = bench.submit().await.unwrap_err();
    assert_refused(&refused, Code::Unavailable, "QUEUE_UNAVAILABLE");
    let counts = bench.fixture.store.counts().await.unwrap();
    assert_eq!(counts, assay_core::port::Counts::default());
    assert!(bench.published().is_empty());
    *bench.queue.accepts.lock() = true;
    bench.submit().await.unwrap();
}

#[tokio::test]
async fn what_the_queue_refuses_is_withdrawn_and_refused() {
    let bench = Bench::new(Script::Publish, Answer::Refuses).await;
    let refused = bench.submit().await.unwrap_err();
    assert_refused(&refused, Code::ResourceExhausted, "QUEUE_FULL");
    assert!(refused.message().contains("the lane is full"), "{refused}");
    let (id, generation) = bench.published()[0];
    assert_eq!(bench.noted(), [Noted::Withdrawn(id, generation)]);
}

#[tokio::test]
async fn what_can_not_be_withdrawn_is_of_unknown_outcome() {
    for script in [Script::PublishElsewhere, Script::PublishAndVanish] {
        let bench = Bench::new(script, Answer::Refuses).await;
        let open = bench.submit().await.unwrap_err();
        let (id, generation) = bench.published()[0];
        assert_eq!(
            (open.code(), detail(&open, "job_id")),
            (Code::Unknown, id.to_string())
        );
        assert_eq!(bench.noted(), [Noted::Withdrawn(id, generation)]);
    }
}

#[tokio::test]
async fn an_envelope_that_may_be_in_the_queue_is_not_withdrawn() {
    for answer in [Answer::SaysNothing, Answer::IsAway] {
        let bench = Bench::new(Script::Publish, answer).await;
        let open = bench.submit().await.unwrap_err();
        assert_eq!(
            (open.code(), reason(&open).as_str()),
            (Code::Unknown, "OUTCOME_UNKNOWN")
        );
        let id: JobId = detail(&open, "job_id").parse().unwrap();
        assert!(bench.noted().is_empty());
        *bench.queue.answer.lock() = Answer::Takes;
        assert!(bench.submit().await.unwrap().already_existed);
        assert_eq!(bench.published(), [(id, 1), (id, 1)]);
        assert_eq!(bench.noted(), [Noted::Promoted(id, 1)]);
    }
}

/// The call before may have put it into the queue: then "refused" would be a lie.
#[tokio::test]
async fn what_an_earlier_call_recorded_is_not_withdrawn() {
    let bench = Bench::new(Script::Publish, Answer::SaysNothing).await;
    bench.submit().await.unwrap_err();
    *bench.queue.answer.lock() = Answer::Refuses;
    let open = bench.submit().await.unwrap_err();
    assert_eq!(
        (open.code(), reason(&open).as_str()),
        (Code::Unknown, "OUTCOME_UNKNOWN")
    );
    assert!(bench.noted().is_empty());
}

/// It is put back whatever the queue says: the sweep of the outbox publishes it.
#[tokio::test]
async fn a_job_that_is_put_back_is_published() {
    for answer in [Answer::Takes, Answer::Refuses, Answer::SaysNothing] {
        let bench = Bench::new(Script::Publish, Answer::Takes).await;
        let id: JobId = bench
            .submit()
            .await
            .unwrap()
            .job
            .unwrap()
            .id
            .parse()
            .unwrap();
        fail(&bench, id).await;
        drop((bench.published(), bench.noted()));
        *bench.queue.answer.lock() = answer;
        let retry = pb::RetryJobRequest {
            job_id: id.to_string(),
        };
        *bench.queue.accepts.lock() = false;
        let refused = bench.fixture.jobs().retry_job(retry.clone()).await;
        assert_refused(
            &refused.unwrap_err(),
            Code::Unavailable,
            "QUEUE_UNAVAILABLE",
        );
        *bench.queue.accepts.lock() = true;
        let job = bench.fixture.jobs().retry_job(retry).await.unwrap();
        assert_eq!(job.into_inner().state, pb::JobState::Queued as i32);
        assert_eq!(bench.published(), [(id, 2)]);
        let promoted = (answer == Answer::Takes).then_some(Noted::Promoted(id, 2));
        assert_eq!(bench.noted(), Vec::from_iter(promoted));
    }
}

async fn fail(bench: &Bench, id: JobId) {
    let store = &bench.fixture.store;
    let found = store.get_with_envelope(&Tenant::default(), id).await;
    let (_, envelope) = found.unwrap().unwrap();
    let claim = store.claim(ClaimRequest {
        envelope: Arc::new(envelope),
        worker: WorkerId::new("worker").unwrap(),
        lease_ms: 10_000,
    });
    let Claim::Run(claimed) = claim.await.unwrap() else {
        panic!("it does not run");
    };
    let failure = Failure::new(FailureClass::Permanent, "code", "it broke");
    let settlement = Settlement {
        decision: Decision::Fail(failure),
        result: None,
        progress: None,
    };
    store.settle(&claimed.lease, settlement).await.unwrap();
}
