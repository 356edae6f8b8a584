use assay_core::id::Tenant;
use assay_core::port::{CancelAnswer, Claim, JobStore as _, Settled};
use assay_core::retry::Decision;
use assay_core::state::JobState;

use super::{Bench, claim, connect, id, request, settlement};

/// Each store remembers the record as it saw it last, and neither writes on what the other has changed.
#[tokio::test]
async fn two_stores_do_not_write_over_each_other() {
    let bench = Bench::new().await;
    let other = connect(&bench.config).await;
    let envelope = bench.submit(1).await;
    // Reads the record into the other's memory.
    let stale = assay_core::envelope::Envelope {
        generation: 0,
        ..(*envelope).clone()
    };
    let judged = other.claim(request(&stale.into(), "other")).await.unwrap();
    assert!(matches!(judged, Claim::Not(_)), "{judged:?}");

    let claimed = claim(&bench.store, &envelope, "one").await;
    let cancelled = other.cancel(&Tenant::default(), id(1)).await.unwrap();
    assert!(
        matches!(cancelled, CancelAnswer::Cancelling(_)),
        "{cancelled:?}"
    );
    let retry = Decision::RunAgain {
        reason: assay_core::retry::InterruptionReason::Drain,
        after_ms: 0,
    };
    let settled = bench.store.settle(&claimed.lease, settlement(retry)).await;
    let Settled::Recorded { job, .. } = settled.unwrap() else {
        panic!("a held lease settles");
    };
    assert_eq!(job.state, JobState::Cancelled, "the cancel was not lost");
    let late = other.settle(&claimed.lease, settlement(Decision::Succeed));
    assert_eq!(late.await.unwrap(), Settled::Fenced);
    assert_eq!(bench.job(1).await, *job);
}

#[tokio::test]
async fn of_many_claims_from_two_stores_one_runs() {
    let bench = Bench::new().await;
    let other = connect(&bench.config).await;
    let envelope = bench.submit(1).await;
    let names: Vec<_> = (0..32).map(|number| format!("worker-{number}")).collect();
    let claims = names.iter().enumerate().map(|(place, name)| {
        let store = if place % 2 == 0 { &bench.store } else { &other };
        store.claim(request(&envelope, name))
    });
    let claims = futures::future::join_all(claims).await;
    let runs = claims
        .iter()
        .filter(|claim| matches!(claim, Ok(Claim::Run(_))));
    assert_eq!(runs.count(), 1);
    assert_eq!(bench.job(1).await.attempt, 1);
}
