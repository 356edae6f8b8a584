use assay_core::claim::Verdict;
use assay_core::port::{CancelAnswer, Claim, Renewal, StoreError};
use assay_core::retry::Decision;
use assay_core::state::JobState;

use super::{LEASE_MS, Subject, expect, failure, id, tenant};

impl Subject {
    async fn cancel(&self, id: assay_core::id::JobId) -> CancelAnswer {
        let cancelled: Result<_, StoreError> = self.store.cancel(&tenant(), id).await;
        expect("cancel", cancelled)
    }
}

/// Queued, scheduled and retrying jobs have no worker to ask.
pub async fn a_job_that_waits_is_cancelled_at_once(subject: Subject) {
    let queued = subject.queue(1).await;
    let mut later = subject.spec();
    later.due_at_ms = Some(subject.now_ms() + 500);
    let scheduled = subject.submit(id(2), later).await.id;
    let retry = Decision::Retry {
        failure: failure(),
        after_ms: 500,
    };
    let retrying = subject.run(3, retry).await;
    for id in [queued, scheduled, retrying] {
        let answer = subject.cancel(id).await;
        assert!(
            matches!(&answer, CancelAnswer::Cancelled(job) if job.state == JobState::Cancelled),
            "{answer:?}"
        );
        assert_eq!(subject.state(id).await, JobState::Cancelled);
    }
    let claim = subject
        .try_claim(subject.envelope(queued).await, "one")
        .await;
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
    subject.clock.advance(500);
    assert_eq!(subject.promote_due().await, 0, "nothing of it is left");
}

/// Its worker hears of it in the next renewal, and has the last word.
pub async fn a_running_job_is_cancelled_when_its_worker_confirms(subject: Subject) {
    for (number, decision, state) in [
        (1, Decision::Cancel, JobState::Cancelled),
        (2, Decision::Succeed, JobState::Succeeded),
        (
            3,
            Decision::Retry {
                failure: failure(),
                after_ms: 1,
            },
            JobState::Cancelled,
        ),
    ] {
        let id = subject.queue(number).await;
        let lease = subject.claim(id).await.lease;
        for _ in 0..2 {
            let answer = subject.cancel(id).await;
            assert!(matches!(&answer, CancelAnswer::Cancelling(_)), "{answer:?}");
        }
        let renewed = expect("renew", subject.store.renew(&lease, LEASE_MS).await);
        assert_eq!(renewed, Renewal::Cancelling);
        assert_eq!(subject.settle(&lease, decision).await.state, state);
        assert_eq!(subject.offers(id).await.len(), 1, "it is not queued again");
    }
    let id = subject.queue(4).await;
    subject.claim(id).await;
    subject.cancel(id).await;
    subject
        .clock
        .advance(LEASE_MS + assay_core::transition::REAP_GRACE_MS);
    assert_eq!(subject.reap().await, 1);
    assert_eq!(
        subject.state(id).await,
        JobState::Cancelled,
        "its worker died"
    );
}

/// It stays what it was.
pub async fn an_ended_job_is_not_cancelled(subject: Subject) {
    for (number, decision) in [
        (1, Decision::Succeed),
        (2, Decision::Fail(failure())),
        (3, Decision::Cancel),
    ] {
        let id = subject.run(number, decision).await;
        let before = subject.job(id).await;
        assert_eq!(
            subject.cancel(id).await,
            CancelAnswer::Ended(before.clone())
        );
        assert_eq!(subject.job(id).await, before);
    }
}

/// An envelope that is still on its way finds a tombstone.
pub async fn a_cancelled_id_nobody_knows_does_not_run(subject: Subject) {
    assert_eq!(subject.cancel(id(1)).await, CancelAnswer::Unknown);
    let envelope = assay_core::envelope::Envelope::new(id(1), &subject.spec(), subject.now_ms());
    let claim = subject.try_claim(envelope.into(), "one").await;
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
    assert_eq!(subject.find(id(1)).await, None);
    subject.queue(1).await;
    assert_eq!(
        subject.claim(id(1)).await.job.attempt,
        1,
        "a new submit is a new wish"
    );
}
