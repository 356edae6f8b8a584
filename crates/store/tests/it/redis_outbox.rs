//! A store whose envelopes are in a queue elsewhere: where its jobs wait, and when they are offered again.

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

#[tokio::test]
async fn a_job_is_in_the_outbox_until_it_was_published_then_sent_until_it_is_claimed() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    assert_eq!(bench.job(1).await.state, JobState::Accepted);
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + VISIBLE_MS)]);
    assert!(bench.sent().await.is_empty());
    bench.parts.clock.advance(7);
    bench.promote(1, 1).await;
    assert_eq!(bench.job(1).await.state, JobState::Queued);
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await, [(id(1), NOW_MS + 7)]);
    let oldest = bench.parts.store.oldest_ms(KIND, Lane::Normal).await;
    assert_eq!(oldest.unwrap(), Some(NOW_MS + 7));
    bench.claim(&envelope).await;
    bench.assert_nowhere().await;
    let oldest = bench.parts.store.oldest_ms(KIND, Lane::Normal).await;
    assert_eq!(oldest.unwrap(), None);
    let streams: Vec<String> = bench.connection.clone().keys("*:s:*").await.unwrap();
    assert!(streams.is_empty(), "{streams:?}");
}

#[tokio::test]
async fn what_nobody_published_is_offered_again_when_its_time_has_come() {
    let bench = Bench::new().await;
    bench.submit(1, bench.spec()).await;
    bench.parts.clock.advance(VISIBLE_MS - 1);
    assert!(bench.offered().await.is_empty());
    bench.parts.clock.advance(1);
    assert_eq!(bench.offered().await, [(id(1), 1)]);
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + 2 * VISIBLE_MS)]);
    assert!(
        bench.offered().await.is_empty(),
        "somebody is publishing it"
    );
    bench.parts.clock.advance(VISIBLE_MS);
    assert_eq!(bench.offered().await, [(id(1), 1)], "or died over it");
    bench.promote(1, 1).await;
    bench.parts.clock.advance(VISIBLE_MS);
    assert!(bench.offered().await.is_empty());
}

#[tokio::test]
async fn a_promote_that_comes_after_the_claim_touches_nothing() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    let claimed = bench.claim(&envelope).await;
    bench.assert_nowhere().await;
    let before = bench.job(1).await;
    bench.promote(1, 1).await;
    assert_eq!(bench.job(1).await, before);
    bench.assert_nowhere().await;
    bench.settle(&claimed, Decision::Succeed).await;
    bench.promote(1, 1).await;
    bench.assert_nowhere().await;
    assert_eq!(bench.job(1).await.state, JobState::Succeeded);
}

/// The entry of the second generation is all that there is of it until it is published.
#[tokio::test]
async fn a_late_promote_of_an_older_generation_touches_nothing() {
    let bench = Bench::new().await;
    let envelope = bench.submit(1, bench.spec()).await;
    let claimed = bench.claim(&envelope).await;
    let (job, publish) = bench.settle(&claimed, retry()).await;
    assert_eq!((job.state, job.generation), (JobState::Retrying, 2));
    let due_at_ms = Some(NOW_MS + 500);
    let [second] = publish.as_slice() else {
        panic!("{publish:?}");
    };
    assert_eq!((second.generation, second.due_at_ms), (2, due_at_ms));
    for generation in [1, 3] {
        bench.promote(1, generation).await;
        assert_eq!(bench.outbox().await, [(id(1), NOW_MS + VISIBLE_MS)]);
        assert!(bench.sent().await.is_empty());
        assert_eq!(bench.job(1).await, job);
    }
    // Its own: it waits elsewhere, and has passed no marker before it is due.
    bench.promote(1, 2).await;
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await, [(id(1), NOW_MS + 500)]);
    assert_eq!(bench.job(1).await.state, JobState::Retrying);
    // The store's own clock is more precise, and has the next generation published.
    bench.parts.clock.advance(500);
    let swept = bench.parts.store.promote_due(10).await.unwrap();
    let [third] = swept.publish.as_slice() else {
        panic!("{swept:?}");
    };
    assert_eq!((third.generation, third.due_at_ms), (3, None));
    assert!(bench.sent().await.is_empty());
    bench.promote(1, 2).await;
    assert_eq!(bench.outbox().await, [(id(1), NOW_MS + 500 + VISIBLE_MS)]);
    assert!(matches!(bench.try_claim(second).await, Claim::Not(_)));
    assert_eq!(bench.claim(third).await.job.attempt, 2);
    bench.assert_nowhere().await;
}

/// Each decision that has a job run again is answered with what is to be published.
#[tokio::test]
async fn every_decision_to_run_again_is_answered_with_its_envelope() {
    let bench = Bench::new().await;
    let reason = InterruptionReason::BreakerOpen;
    let again = [
        retry(),
        Decision::Park {
            until_ms: NOW_MS + 500,
            reason,
        },
        Decision::RunAgain {
            reason: InterruptionReason::Drain,
            after_ms: 0,
        },
    ];
    for (number, decision) in (1..).zip(again) {
        let claimed = bench.claim(&bench.queue(number).await).await;
        let (job, publish) = bench.settle(&claimed, decision.clone()).await;
        assert_eq!(publish.len(), 1, "{decision:?}");
        assert_eq!((job.generation, publish[0].generation), (2, 2));
        // Its answer was lost: the same once more.
        let repeated = bench.settle(&claimed, decision).await;
        assert_eq!(repeated.1, publish);
    }
    let claimed = bench.claim(&bench.queue(4).await).await;
    bench.settle(&claimed, Decision::Fail(failure())).await;
    let redriven = bench.parts.store.redrive(&Tenant::default(), id(4)).await;
    let RedriveAnswer::Queued(job, Some(envelope)) = redriven.unwrap() else {
        panic!("it has no envelope");
    };
    assert_eq!((job.generation, envelope.generation), (2, 2));
    bench.claim(&bench.queue(5).await).await;
    // Leases are looked at again and again, or a gap is seen.
    bench.parts.store.reap(10).await.unwrap();
    bench.parts.clock.advance(4_000);
    let reaped = bench.parts.store.reap(10).await.unwrap();
    assert_eq!((reaped.jobs, reaped.publish.len()), (1, 1));
    assert_eq!(reaped.publish[0].job_id, id(5));
    assert!(reaped.publish[0].resumed);
    assert_eq!(bench.outbox().await.len(), 5);
}

#[tokio::test]
async fn whatever_ends_a_job_leaves_nothing_of_it_behind() {
    let bench = Bench::new().await;
    let tenant = Tenant::default();
    bench.submit(1, bench.spec()).await;
    bench.queue(2).await;
    let claimed = bench.claim(&bench.queue(3).await).await;
    bench.settle(&claimed, retry()).await;
    for number in 1..=3 {
        let cancelled = bench.parts.store.cancel(&tenant, id(number)).await;
        assert!(matches!(cancelled.unwrap(), CancelAnswer::Cancelled(_)));
    }
    bench.assert_nowhere().await;
    let mut spec = bench.spec();
    spec.deadline_at_ms = NOW_MS + 500;
    bench.submit(4, spec.clone()).await;
    bench.submit(5, spec.clone()).await;
    bench.promote(5, 1).await;
    bench.submit(6, spec).await;
    let envelope = bench.queue(6 + 1).await;
    bench.parts.clock.advance(500);
    assert_eq!(bench.parts.store.reap(10).await.unwrap().jobs, 3);
    assert_eq!(
        (bench.outbox().await, bench.sent().await.len()),
        (vec![], 1)
    );
    let claimed = bench.claim(&envelope).await;
    bench.settle(&claimed, Decision::Succeed).await;
    let mut spec = bench.spec();
    spec.due_at_ms = Some(NOW_MS + 10_000);
    bench.submit(8, spec).await;
    assert!(bench.parts.store.withdraw(id(8), 1).await.unwrap());
    bench.assert_nowhere().await;
}

/// The answer to a settlement says what is to be published; to a cancel it can't, so the sweep does at once.
#[tokio::test]
async fn jobs_that_follow_an_end_are_published() {
    let bench = Bench::new().await;
    let mut spec = bench.spec();
    spec.follow_ups.push(FollowUp {
        kind: JobKind::RuvProfile,
        lane: Lane::Low,
        payload: b"profile".to_vec(),
    });
    let envelope = bench.submit(1, spec.clone()).await;
    let claimed = bench.claim(&envelope).await;
    let (_, publish) = bench.settle(&claimed, Decision::Succeed).await;
    let [follow_up] = publish.as_slice() else {
        panic!("{publish:?}");
    };
    let job = |envelope: &Envelope| {
        let id = envelope.job_id;
        let store = Arc::clone(&bench.parts.store);
        async move { store.get(&Tenant::default(), id).await.unwrap().unwrap() }
    };
    assert_eq!(job(follow_up).await.state, JobState::Accepted);
    assert_eq!(
        bench.outbox().await,
        [(follow_up.job_id, NOW_MS + VISIBLE_MS)]
    );
    let promoted = bench.parts.store.promote(follow_up.job_id, 1).await;
    promoted.unwrap();
    assert_eq!(job(follow_up).await.state, JobState::Queued);
    bench.submit(2, spec).await;
    let cancelled = bench.parts.store.cancel(&Tenant::default(), id(2)).await;
    cancelled.unwrap();
    let swept = bench.parts.store.sweep_outbox(10).await.unwrap();
    let [follow_up] = swept.publish.as_slice() else {
        panic!("{swept:?}");
    };
    assert_eq!(job(follow_up).await.parent, Some(id(2)));
}

/// Those that were sent before, and no other; once.
#[tokio::test]
async fn what_was_sent_before_a_time_is_sent_again() {
    let bench = Bench::new().await;
    for number in 1..=3 {
        bench.queue(number).await;
        bench.parts.clock.advance(10);
    }
    let mut spec = bench.spec();
    spec.lane = Lane::High;
    bench.submit(4, spec).await;
    bench.promote(4, 1).await;
    let again = async |before_ms, limit| {
        let store = &bench.parts.store;
        let again = store.send_again(KIND, Lane::Normal, before_ms, limit).await;
        again.unwrap()
    };
    assert_eq!(again(NOW_MS, 10).await, 0);
    assert_eq!(again(NOW_MS + 11, 1).await, 1, "the limit");
    assert_eq!(bench.offered().await, [(id(1), 1)], "the oldest first");
    assert_eq!(again(NOW_MS + 11, 10).await, 1);
    assert_eq!(again(NOW_MS + 20, 10).await, 0, "not at the time itself");
    assert_eq!(bench.sent().await, [(id(3), NOW_MS + 20)]);
    assert_eq!(bench.offered().await, [(id(2), 1)]);
    assert!(bench.offered().await.is_empty());
    bench.promote(2, 1).await;
    let sent_at_ms = bench.parts.clock.now_ms();
    let sent = [(id(3), NOW_MS + 20), (id(2), sent_at_ms)];
    assert_eq!(bench.sent().await, sent);
    assert_eq!(bench.job(2).await.generation, 1);
}

/// One that is being published is not disturbed, and what is not needed any more is dropped.
#[tokio::test]
async fn the_outbox_is_put_right() {
    let bench = Bench::new().await;
    let claimed = bench.claim(&bench.queue(1).await).await;
    bench.submit(2, bench.spec()).await;
    let mut connection = bench.connection.clone();
    let key = |name: &str| format!("{}:{{0}}:{name}", bench.parts.config.prefix);
    for number in [1_u8, 2, 9] {
        let member = [number; 16];
        let sent = key("sent:batch-processing");
        let added: u64 = connection.zadd(sent, &member, 5).await.unwrap();
        assert_eq!(added, 1);
    }
    let again = bench.parts.store.send_again(KIND, Lane::Normal, 6, 10);
    assert_eq!(again.await.unwrap(), 3);
    assert!(bench.offered().await.is_empty());
    assert_eq!(bench.outbox().await, [(id(2), NOW_MS + VISIBLE_MS)]);
    bench.settle(&claimed, Decision::Succeed).await;
}

/// As many as the bound, one more is refused, and one that is published makes room. Jobs that were promised
/// are refused by nothing.
#[tokio::test]
async fn the_bound_on_the_outbox_holds() {
    let bench = Bench::with(StoreConfig {
        outbox_max: 3,
        ..settings()
    })
    .await;
    let spec = bench.spec();
    let calls = (1..=5).map(|number| bench.parts.store.submit(id(number), spec.clone()));
    let answers = futures::future::join_all(calls).await;
    let refused = answers.iter().filter(|answer| {
        let Err(StoreError::Refused { reason, .. }) = answer else {
            return false;
        };
        *reason == RefusalReason::OutboxFull { limit: 3 }
    });
    assert_eq!(refused.count(), 2);
    let outbox = bench.outbox().await;
    assert_eq!(outbox.len(), 3);
    let counts = bench.parts.store.counts().await.unwrap();
    assert_eq!(counts.live(KIND), 3);
    let repeated = bench.parts.store.submit(outbox[0].0, spec.clone()).await;
    assert!(
        matches!(repeated, Ok(Submitted::Publish(..))),
        "{repeated:?}"
    );
    let promoted = bench.parts.store.promote(outbox[0].0, 1).await;
    promoted.unwrap();
    bench.submit(6, spec.clone()).await;
    assert!(bench.parts.store.submit(id(7), spec).await.is_err());
}

#[tokio::test]
async fn the_latest_marker_of_a_lane_is_known() {
    let bench = Bench::new().await;
    let store = &bench.parts.store;
    assert_eq!(store.latest(KIND, Lane::High).await.unwrap(), None);
    for published_at_ms in [NOW_MS, NOW_MS + 9, NOW_MS + 3] {
        store
            .passed(KIND, Lane::High, published_at_ms)
            .await
            .unwrap();
    }
    assert_eq!(
        store.latest(KIND, Lane::High).await.unwrap(),
        Some(NOW_MS + 9)
    );
    assert_eq!(store.latest(KIND, Lane::Low).await.unwrap(), None);
}

/// Whoever deletes the sets has the jobs that were in them published again, and no others.
#[tokio::test]
async fn a_job_that_waits_nowhere_is_offered() {
    let bench = Bench::new().await;
    let running = bench.queue(1).await;
    bench.claim(&running).await;
    let ended = bench.claim(&bench.queue(2).await).await;
    bench.settle(&ended, Decision::Succeed).await;
    bench.queue(3).await;
    bench.submit(4, bench.spec()).await;
    for name in ["outbox", "sent:batch-processing"] {
        let key = format!("{}:{{0}}:{name}", bench.parts.config.prefix);
        let deleted: u64 = bench.connection.clone().del(key).await.unwrap();
        assert_eq!(deleted, 1, "{name}");
    }
    let mut offered = bench.offered().await;
    offered.sort();
    assert_eq!(offered, [(id(3), 1), (id(4), 1)]);
    for number in 3..=4 {
        bench.promote(number, 1).await;
        assert_eq!(bench.job(number).await.state, JobState::Queued);
    }
    assert!(bench.outbox().await.is_empty());
    assert_eq!(bench.sent().await.len(), 2);
}

/// More than a page of them, with one deadline and with many.
#[tokio::test]
async fn every_job_that_waits_nowhere_is_found() {
    let bench = Bench::with(StoreConfig {
        queued_jobs_max: 2_000,
        ..settings()
    })
    .await;
    let ids: Vec<_> = (0..1_200_u32)
        .map(|number| {
            let mut id = [7; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            (number, JobId::from_bytes(id))
        })
        .collect();
    let submits = ids.iter().map(|(number, id)| {
        let mut spec = bench.spec();
        spec.deadline_at_ms += u64::from(*number / 700) * u64::from(*number);
        bench.parts.store.submit(*id, spec)
    });
    for submitted in futures::future::join_all(submits).await {
        submitted.unwrap();
    }
    let key = format!("{}:{{0}}:outbox", bench.parts.config.prefix);
    let deleted: u64 = bench.connection.clone().del(key).await.unwrap();
    assert_eq!(deleted, 1);
    let mut offered = std::collections::BTreeSet::new();
    let swept = bench.parts.store.sweep_outbox(10_000).await.unwrap();
    offered.extend(swept.publish.iter().map(|one| one.job_id));
    assert_eq!(offered, ids.iter().map(|(_, id)| *id).collect());
    assert_eq!(swept.jobs, ids.len());
}
