use std::sync::Arc;

use assay_core::claim::Verdict;
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, Tenant};
use assay_core::port::{CancelAnswer, Claim, RedriveAnswer};
use assay_core::retry::{DeadLetterReason, Decision, InterruptionReason};
use assay_core::state::JobState;

use super::{LEASE_MS, Settings, Subject, expect, failure, id, tenant};

impl Subject {
    /// What a worker is told of the job's latest envelope, as if it were of another generation.
    async fn verdict(&self, id: JobId, offset: i64) -> Option<Verdict> {
        let mut envelope = Envelope::clone(&*self.envelope(id).await);
        envelope.generation = self.job(id).await.generation.saturating_add_signed(offset);
        match self.try_claim(Arc::new(envelope), "two").await {
            Claim::Not(verdict) => Some(verdict),
            Claim::Run(_) | Claim::Orphan => None,
        }
    }
}

/// The table of claims, through the store.
pub async fn a_claim_answers_by_state_and_generation(subject: Subject) {
    let queued = subject.queue(1).await;
    assert_eq!(subject.verdict(queued, -1).await, Some(Verdict::Stale));
    assert_eq!(subject.verdict(queued, 0).await, None, "it runs");

    let reason = InterruptionReason::BreakerOpen;
    let until_ms = subject.now_ms() + 50;
    let parked = subject.run(2, Decision::Park { until_ms, reason }).await;
    assert_eq!(subject.verdict(parked, -1).await, Some(Verdict::Stale));
    assert_eq!(
        subject.verdict(parked, 0).await,
        Some(Verdict::Early { for_ms: 50 })
    );
    subject.clock.advance(50);
    assert_eq!(subject.verdict(parked, 0).await, None, "it is due and runs");

    let ended = [
        (Decision::Succeed, Verdict::Done),
        (Decision::Fail(failure()), Verdict::Done),
        (
            Decision::DeadLetter {
                failure: failure(),
                reason: DeadLetterReason::AttemptsExhausted,
            },
            Verdict::Done,
        ),
        (
            Decision::DeadLetter {
                failure: failure(),
                reason: DeadLetterReason::CrashLoop,
            },
            Verdict::Quarantined,
        ),
        (Decision::Cancel, Verdict::Cancelled),
    ];
    for (number, (decision, verdict)) in (10_u8..).zip(ended) {
        let id = subject.run(number, decision.clone()).await;
        let events = subject.events(id).await.len();
        assert_eq!(subject.verdict(id, 0).await, Some(verdict), "{decision:?}");
        assert_eq!(subject.verdict(id, -1).await, Some(verdict), "{decision:?}");
        assert_eq!(
            subject.events(id).await.len(),
            events,
            "a judged claim is no event"
        );
    }
}

/// Whatever the generation: while a lease is live nobody else gets one.
pub async fn a_live_lease_is_busy(subject: Subject) {
    let id = subject.queue(1).await;
    subject.claim(id).await;
    subject.clock.advance(LEASE_MS - 1);
    for offset in [-1, 0, 1] {
        assert_eq!(
            subject.verdict(id, offset).await,
            Some(Verdict::Busy { for_ms: 1 })
        );
    }
    subject.clock.advance(1);
    assert_eq!(subject.verdict(id, 0).await, None, "the lease lapsed");
    let job = subject.job(id).await;
    assert_eq!(
        job.holder
            .map(|holder| holder.worker.to_string())
            .as_deref(),
        Some("two")
    );
    assert_eq!((job.counters.interruptions, job.counters.crashes), (1, 0));
}

/// Each lease has a higher token than the one before, even in the same millisecond.
pub async fn tokens_rise(subject: Subject) {
    let id = subject.queue(1).await;
    let mut last = 0;
    for _ in 0..5 {
        let claimed = subject.claim(id).await;
        assert!(claimed.lease.token > last);
        assert_eq!(claimed.job.token, claimed.lease.token);
        last = claimed.lease.token;
        let again = Decision::RunAgain {
            reason: InterruptionReason::Drain,
            after_ms: 0,
        };
        subject.settle(&claimed.lease, again).await;
    }
    let failed = subject.run(2, Decision::Fail(failure())).await;
    let before = subject.job(failed).await.token;
    let answer = subject.redrive(failed).await;
    assert!(matches!(answer, RedriveAnswer::Queued(..)), "{answer:?}");
    assert!(subject.claim(failed).await.lease.token > before);
}

/// An envelope alone brings a young job back; one that may have ended and expired is not run.
pub async fn a_lost_record_is_rebuilt(subject: Subject) {
    let young = Envelope::new(id(1), &subject.spec(), subject.now_ms());
    let claim = subject.try_claim(Arc::new(young.clone()), "one").await;
    assert!(
        matches!(&claim, Claim::Run(claimed) if claimed.job.attempt == 1),
        "{claim:?}"
    );
    let job = subject.job(id(1)).await;
    assert_eq!(
        (job.state, job.fingerprint),
        (JobState::Running, young.fingerprint)
    );

    let old = Envelope::new(id(2), &subject.spec(), subject.now_ms());
    subject.clock.advance(Settings::RETENTION_MS);
    assert_eq!(subject.try_claim(Arc::new(old), "one").await, Claim::Orphan);
    assert_eq!(subject.find(id(2)).await, None);
}

/// Reading, cancelling and redriving under another name find nothing.
pub async fn another_tenants_job_looks_absent(subject: Subject) {
    let id = subject.run(1, Decision::Fail(failure())).await;
    let other = expect("make a tenant", Tenant::new("other"));
    assert_eq!(expect("get", subject.store.get(&other, id).await), None);
    assert_eq!(
        expect(
            "tell a history",
            subject.store.history(&other, id, None).await
        ),
        None
    );
    let cancelled = expect("cancel", subject.store.cancel(&other, id).await);
    assert_eq!(cancelled, CancelAnswer::Unknown);
    let redriven = expect("redrive", subject.store.redrive(&other, id).await);
    assert_eq!(redriven, RedriveAnswer::Unknown);
    assert_eq!(subject.state(id).await, JobState::Failed);
    assert!(expect("get", subject.store.get(&tenant(), id).await).is_some());
}
