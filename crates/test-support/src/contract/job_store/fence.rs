use std::sync::Arc;

use assay_core::port::{Claim, Renewal, ResultBody, Settled, Settlement, Written};
use assay_core::progress::{Progress, StepPlan};
use assay_core::retry::{Decision, InterruptionReason};

use super::{LEASE_MS, Subject, expect, id, settlement};

/// A progress of one step, `done` of a hundred.
pub(super) fn progress(done: u64, now_ms: u64) -> Progress {
    let plan = expect("plan", StepPlan::new([("only", 1)]));
    let mut progress = Progress::new(&plan, now_ms);
    expect("report", progress.advance("only", done, 100, "", now_ms));
    progress
}

/// No write under an older token, or after the attempt has ended, leaves a trace.
pub async fn a_stale_lease_changes_nothing(subject: Subject) {
    let id = subject.queue(1).await;
    let stale = subject.claim(id).await.lease;
    let again = Decision::RunAgain {
        reason: InterruptionReason::Drain,
        after_ms: 0,
    };
    subject.settle(&stale, again).await;
    check_fenced(&subject, &stale, id).await;
    let current = subject.claim(id).await.lease;
    check_fenced(&subject, &stale, id).await;
    subject.settle(&current, Decision::Succeed).await;
    check_fenced(&subject, &stale, id).await;
}

async fn check_fenced(
    subject: &Subject,
    stale: &assay_core::port::Lease,
    id: assay_core::id::JobId,
) {
    let before = (subject.job(id).await, subject.events(id).await);
    let store = &subject.store;
    let renewed = expect("renew", store.renew(stale, LEASE_MS).await);
    assert_eq!(renewed, Renewal::Fenced);
    let reported = store.report(stale, progress(50, subject.now_ms())).await;
    assert_eq!(expect("report", reported), Written::Fenced);
    let kept = expect("keep", store.checkpoint(stale, b"stale".to_vec()).await);
    assert_eq!(kept, Written::Fenced);
    let late = Settlement {
        result: Some(ResultBody::Inline(b"stale".to_vec())),
        ..settlement(Decision::Succeed)
    };
    if before.0.token != stale.token || !before.0.state.is_terminal() {
        assert_eq!(subject.try_settle(stale, late).await, Settled::Fenced);
    }
    let result = store.inline_result(&before.0.tenant, id).await;
    assert_eq!(expect("read a result", result), None);
    assert_eq!((subject.job(id).await, subject.events(id).await), before);
}

/// Renewals keep a lease for as long as they come, and an unknown job has none.
pub async fn a_renewed_lease_is_held(subject: Subject) {
    let queued = subject.queue(1).await;
    let mut lease = subject.claim(queued).await.lease;
    for _ in 0..5 {
        subject.clock.advance(LEASE_MS - 1);
        let renewed = expect("renew", subject.store.renew(&lease, LEASE_MS).await);
        assert_eq!(renewed, Renewal::Held);
        assert_eq!(subject.reap().await, 0);
    }
    lease.job_id = id(9);
    let renewed = expect("renew", subject.store.renew(&lease, LEASE_MS).await);
    assert_eq!(renewed, Renewal::Missing);
    let settled = subject
        .try_settle(&lease, settlement(Decision::Succeed))
        .await;
    assert_eq!(settled, Settled::Missing);
}

/// Of many workers with the same delivery, one runs it.
pub async fn only_one_claim_wins(subject: Subject) {
    let id = subject.queue(1).await;
    let subject = Arc::new(subject);
    let envelope = subject.envelope(id).await;
    let names: Vec<String> = (0..32).map(|number| format!("worker-{number}")).collect();
    let claims = names
        .iter()
        .map(|name| subject.try_claim(Arc::clone(&envelope), name));
    let claims = futures::future::join_all(claims).await;
    let runs = claims.iter().filter(|claim| matches!(claim, Claim::Run(_)));
    assert_eq!(runs.count(), 1);
    assert_eq!(subject.job(id).await.attempt, 1);
}
