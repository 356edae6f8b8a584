use assay_core::id::JobId;
use assay_core::retry::{CRASHES_MAX, DeadLetterReason, Decision};
use assay_core::state::JobState;
use assay_core::transition::{DUE_RETENTION_MS, REAP_GRACE_MS};

use super::{LEASE_MS, OUTBOX_MS, Settings, Subject, expect, failure, id, tenant};

impl Subject {
    pub(super) async fn expire(&self) -> usize {
        self.swept(self.store.expire(100).await).await
    }

    /// Moves on in small enough steps that no gap is seen, and reaps at each.
    async fn lapse(&self) -> usize {
        self.reap().await;
        self.clock.advance(LEASE_MS + REAP_GRACE_MS - 1);
        assert_eq!(self.reap().await, 0, "the grace time is not over");
        self.clock.advance(1);
        self.reap().await
    }
}

/// A silent worker is not proven dead: however often a lease lapses, the job runs again.
pub async fn a_lapsed_lease_is_reaped_and_spends_nothing(subject: Subject) {
    let id = subject.queue(1).await;
    for lapse in 1..=CRASHES_MAX {
        let lease = subject.claim(id).await.lease;
        assert_eq!(subject.lapse().await, 1);
        let job = subject.job(id).await;
        assert_eq!(job.state, JobState::Queued);
        assert_eq!(job.counters.interruptions, lapse);
        assert_eq!((job.counters.crashes, job.counters.errors), (0, 0));
        assert_eq!(job.holder, None);
        let late = subject
            .try_settle(&lease, super::settlement(Decision::Succeed))
            .await;
        assert_eq!(late, assay_core::port::Settled::Fenced);
    }
    assert_eq!(subject.lapse().await, 0);
    subject.claim(id).await;
}

/// Waiting or running: what has not ended by its deadline is a dead letter.
pub async fn a_deadline_ends_a_job(subject: Subject) {
    let mut spec = subject.spec();
    spec.deadline_at_ms = subject.now_ms() + 500;
    for number in 1..=2 {
        subject.submit(id(number), spec.clone()).await;
    }
    let lease = subject.claim(id(2)).await.lease;
    subject.clock.advance(499);
    assert_eq!(subject.reap().await, 0);
    subject.clock.advance(1);
    assert_eq!(subject.reap().await, 2);
    for number in 1..=2 {
        let job = subject.job(id(number)).await;
        assert_eq!(job.state, JobState::DeadLettered);
        assert_eq!(job.dead_letter, Some(DeadLetterReason::DeadlineExceeded));
    }
    let renewed = expect("renew", subject.store.renew(&lease, LEASE_MS).await);
    assert_eq!(renewed, assay_core::port::Renewal::Fenced);
    subject.submit(id(3), spec).await;
    let claim = subject
        .try_claim(subject.envelope(id(3)).await, "one")
        .await;
    assert!(
        matches!(claim, assay_core::port::Claim::Not(_)),
        "{claim:?}"
    );
    assert_eq!(subject.state(id(3)).await, JobState::DeadLettered);
}

/// An envelope that got lost between store and queue comes again; one that was claimed does not.
pub async fn a_passed_over_envelope_is_offered_again(subject: Subject) {
    let lost = subject.queue(1).await;
    subject.offered.lose(lost).await;
    subject.clock.advance(OUTBOX_MS);
    let claimed = subject.queue(2).await;
    subject.claim(claimed).await;
    let offers = subject.offers(lost).await.len();
    let swept = subject.store.sweep_outbox(100).await;
    subject.swept(swept).await;
    let again = subject.offers(lost).await;
    assert_eq!(again.len(), offers + 1);
    assert_eq!(
        again.first().map(|e| e.generation),
        again.last().map(|e| e.generation)
    );
    assert_eq!(subject.offers(claimed).await.len(), 1);
    let swept = subject.store.sweep_outbox(100).await;
    assert_eq!(subject.swept(swept).await, 0, "not at once again");
    assert_eq!(subject.claim(lost).await.job.attempt, 1);
}

/// Times before and after do not compare then; nothing may be offered again for that, over and over.
pub async fn a_clock_set_back_floods_no_queue(subject: Subject) {
    let claimed = subject.queue(1).await;
    let waiting = subject.queue(2).await;
    subject.claim(claimed).await;
    subject.clock.set_back(10 * OUTBOX_MS);
    let later = subject.queue(3).await;
    for _ in 0..5 {
        subject.clock.advance(OUTBOX_MS);
        let swept = subject.store.sweep_outbox(100).await;
        assert_eq!(subject.swept(swept).await, 0);
    }
    assert_eq!(subject.offers(later).await.len(), 1);
    // As soon as a later one is claimed, the order of times is known again.
    subject.offered.lose(later).await;
    let overtaker = subject.queue(4).await;
    subject.claim(overtaker).await;
    let swept = subject.store.sweep_outbox(100).await;
    assert_eq!(subject.swept(swept).await, 1);
    assert_eq!(subject.offers(later).await.len(), 2);
    assert_eq!(subject.offers(waiting).await.len(), 1);
}

/// Retention counts from the end; a job that has not ended is kept.
pub async fn an_ended_job_is_forgotten(subject: Subject) {
    let live = subject.queue(1).await;
    let ended = subject.run(2, Decision::Succeed).await;
    let redriven = subject.run(3, Decision::Fail(failure())).await;
    subject.redrive(redriven).await;
    subject.clock.advance(Settings::RETENTION_MS - 1);
    assert_eq!(subject.expire().await, 0);
    subject.clock.advance(1);
    assert_eq!(subject.expire().await, 1);
    assert_eq!(subject.find(ended).await, None);
    assert!(subject.events(ended).await.is_empty());
    assert_eq!(subject.state(live).await, JobState::Queued);
    assert_eq!(subject.state(redriven).await, JobState::Queued);
    let counts = expect("count", subject.store.counts().await);
    assert_eq!(counts.get(subject.spec().kind, JobState::Succeeded), 0);
    subject.queue(2).await;
    assert_eq!(
        subject.state(ended).await,
        JobState::Queued,
        "the id is free again"
    );
}

/// A delayed copy of the envelope may come until then.
pub async fn an_ended_job_outlives_its_due_time(subject: Subject) {
    let mut spec = subject.spec();
    spec.due_at_ms = Some(subject.now_ms() + 10 * Settings::RETENTION_MS);
    subject.submit(id(1), spec).await;
    expect("cancel", subject.store.cancel(&tenant(), id(1)).await);
    subject
        .clock
        .advance(10 * Settings::RETENTION_MS + DUE_RETENTION_MS - 1);
    assert_eq!(subject.expire().await, 0);
    subject.clock.advance(1);
    assert_eq!(subject.expire().await, 1);
    assert_eq!(subject.find(id(1)).await, None);
}

/// As many as the limit means that there may be more.
pub async fn a_sweep_keeps_its_limit(subject: Subject) {
    let mut spec = subject.spec();
    spec.due_at_ms = Some(subject.now_ms() + 1);
    let ids: Vec<JobId> = (1..=5).map(id).collect();
    for id in &ids {
        subject.submit(*id, spec.clone()).await;
    }
    subject.clock.advance(1);
    for expected in [2, 2, 1, 0] {
        let swept = subject.store.promote_due(2).await;
        assert_eq!(subject.swept(swept).await, expected);
    }
    for id in ids {
        assert_eq!(subject.state(id).await, JobState::Queued);
    }
}
