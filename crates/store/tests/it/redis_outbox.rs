//! A store whose envelopes are in a queue elsewhere: where its jobs wait, and when they are offered again.

mod steps;
mod upkeep;

use std::sync::Arc;

use assay_core::clock::Clock as _;
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::{FollowUp, Job, JobSpec};
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{
    CancelAnswer, Claim, ClaimRequest, Claimed, JobStore as _, Markers as _, RedriveAnswer,
    RefusalReason, SentJobs as _, Settled, Settlement, StoreError, Submitted,
};
use assay_core::retry::{Decision, Failure, FailureClass, InterruptionReason};
use assay_core::state::JobState;
use assay_store::{Carrier, StoreConfig};
use assay_test_support::contract::job_store::Settings;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use crate::redis_bench::{Parts, connection, settings};

const KIND: JobKind = JobKind::Batch;
const VISIBLE_MS: u64 = 45_000;
const NOW_MS: u64 = Settings::NOW_MS;

struct Bench {
    parts: Parts,
    connection: MultiplexedConnection,
}

impl Bench {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: StoreConfig) -> Self {
        let parts = Parts::open(settings, Carrier::Broker).await;
        let connection = connection(&parts.config).await;
        Self { parts, connection }
    }

    /// Who is in a set, and their times.
    async fn set(&self, name: &str) -> Vec<(JobId, u64)> {
        let key = format!("{}:{{0}}:{name}", self.parts.config.prefix);
        let members: Vec<(Vec<u8>, f64)> = self
            .connection
            .clone()
            .zrange_withscores(key, 0, -1)
            .await
            .unwrap();
        let member = |(id, score): (Vec<u8>, f64)| {
            let id = JobId::from_bytes(id.try_into().unwrap());
            (id, format!("{score:.0}").parse().unwrap())
        };
        members.into_iter().map(member).collect()
    }

    async fn outbox(&self) -> Vec<(JobId, u64)> {
        self.set("outbox").await
    }

    async fn sent(&self) -> Vec<(JobId, u64)> {
        self.set("sent:batch-processing").await
    }

    async fn assert_nowhere(&self) {
        assert_eq!((self.outbox().await, self.sent().await), (vec![], vec![]));
    }

    fn spec(&self) -> JobSpec {
        JobSpec::new(KIND, b"payload".to_vec(), self.parts.clock.now_ms())
    }

    async fn submit(&self, number: u8, spec: JobSpec) -> Envelope {
        let submitted = self.parts.store.submit(id(number), spec).await.unwrap();
        let Submitted::Publish(job, envelope) = submitted else {
            panic!("{submitted:?}");
        };
        assert_eq!(job.generation, envelope.generation);
        envelope
    }

    async fn promote(&self, number: u8, generation: u64) {
        let promoted = self.parts.store.promote(id(number), generation).await;
        promoted.unwrap();
    }

    async fn queue(&self, number: u8) -> Envelope {
        let envelope = self.submit(number, self.spec()).await;
        self.promote(number, 1).await;
        envelope
    }

    async fn try_claim(&self, envelope: &Envelope) -> Claim {
        let request = ClaimRequest {
            envelope: Arc::new(envelope.clone()),
            worker: WorkerId::new("worker").unwrap(),
            lease_ms: 1_000,
        };
        self.parts.store.claim(request).await.unwrap()
    }

    async fn claim(&self, envelope: &Envelope) -> Claimed {
        match self.try_claim(envelope).await {
            Claim::Run(claimed) => *claimed,
            other @ (Claim::Not(_) | Claim::Orphan) => panic!("{other:?}"),
        }
    }

    async fn settle(&self, claimed: &Claimed, decision: Decision) -> (Job, Vec<Envelope>) {
        let settlement = Settlement {
            decision,
            result: None,
            progress: None,
        };
        let settled = self.parts.store.settle(&claimed.lease, settlement).await;
        match settled.unwrap() {
            Settled::Recorded { job, publish } => (*job, publish),
            other @ (Settled::Fenced | Settled::Missing) => panic!("{other:?}"),
        }
    }

    async fn job(&self, number: u8) -> Job {
        let job = self.parts.store.get(&Tenant::default(), id(number)).await;
        job.unwrap().unwrap()
    }

    /// What the sweep of the outbox offers.
    async fn offered(&self) -> Vec<(JobId, u64)> {
        let swept = self.parts.store.sweep_outbox(100).await.unwrap();
        assert_eq!(swept.jobs, swept.publish.len());
        let envelopes = swept.publish.into_iter();
        envelopes.map(|one| (one.job_id, one.generation)).collect()
    }
}

fn id(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

fn failure() -> Failure {
    Failure::new(FailureClass::Transient, "code", "it broke")
}

fn retry() -> Decision {
    Decision::Retry {
        failure: failure(),
        after_ms: 500,
    }
}
