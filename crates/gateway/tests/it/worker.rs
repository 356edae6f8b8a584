//! A worker's side of a job, step by step.

use std::sync::Arc;

use assay_api::v1 as pb;
use assay_core::envelope::Envelope;
use assay_core::id::WorkerId;
use assay_core::kind::JobKind;
use assay_core::port::{
    Claim, ClaimRequest, JobQueue, JobStore, Lease, ResultBody, Settled, Settlement, Written,
};
use assay_core::progress::{Progress, StepPlan};
use assay_core::retry::{DeadLetterReason, Decision, Failure, FailureClass};

use prost::Message as _;

use crate::fixture::Fixture;

/// A job in a worker's hands.
pub(crate) struct Work<'a> {
    fixture: &'a Fixture,
    lease: Lease,
    envelope: Arc<Envelope>,
}

impl Fixture {
    /// Takes the next job from its queue.
    pub(crate) async fn work(&self) -> Work<'_> {
        let kind = JobKind::ContentVerification;
        let mut subscription = self.queue.subscribe(kind, 1).await.unwrap();
        let mut deliveries = subscription.take(1).await.unwrap().unwrap();
        let delivery = deliveries.pop().unwrap();
        let envelope = Arc::clone(&delivery.envelope);
        let request = ClaimRequest {
            envelope: Arc::clone(&envelope),
            worker: WorkerId::new("worker").unwrap(),
            lease_ms: 60_000,
        };
        let Claim::Run(claimed) = self.store.claim(request).await.unwrap() else {
            panic!("the job may not run");
        };
        delivery.ack().await.unwrap();
        Work {
            fixture: self,
            lease: claimed.lease,
            envelope,
        }
    }
}

impl Work<'_> {
    /// What the job works on.
    pub(crate) fn payload(&self) -> pb::ContentVerification {
        pb::ContentVerification::decode(self.envelope.payload.as_slice()).unwrap()
    }

    /// Reports `count` times.
    pub(crate) async fn report(&self, count: u16) {
        let plan = StepPlan::new([("step", 1)]).unwrap();
        let mut progress = Progress::new(&plan, 1);
        for number in 1..=count {
            progress.basis_points = number;
            let written = self.fixture.store.report(&self.lease, progress.clone());
            assert_eq!(written.await.unwrap(), Written::Recorded);
        }
    }

    pub(crate) async fn succeed(self, result: ResultBody) {
        self.settle(Decision::Succeed, Some(result)).await;
    }

    pub(crate) async fn fail(self) {
        let failure = Failure::new(FailureClass::Permanent, "corrupt_media", "it is corrupt");
        self.settle(Decision::Fail(failure), None).await;
    }

    /// Becomes a dead letter.
    pub(crate) async fn die(self, reason: DeadLetterReason) {
        let failure = Failure::new(FailureClass::Transient, "no_answer", "nobody answers");
        self.settle(Decision::DeadLetter { failure, reason }, None)
            .await;
    }

    async fn settle(self, decision: Decision, result: Option<ResultBody>) {
        let settlement = Settlement {
            decision,
            result,
            progress: None,
        };
        let settled = self.fixture.store.settle(&self.lease, settlement).await;
        assert!(matches!(settled.unwrap(), Settled::Recorded { .. }));
    }
}

pub(crate) fn inline(json: &str) -> ResultBody {
    ResultBody::Inline(json.as_bytes().to_vec())
}
