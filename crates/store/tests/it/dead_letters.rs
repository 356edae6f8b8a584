//! Dead letters of the embedded store, from one opening to the next.

use assay_core::claim::Verdict;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::port::{
    Claim, ClaimRequest, EditAnswer, EditWish, ForgetAnswer, JobStore, RedriveAnswer, Settlement,
};
use assay_core::retry::{DeadLetterReason, Decision, Failure, FailureClass};
use assay_core::state::JobState;
use assay_store::EmbeddedStore;

use crate::bench_folder::{BenchFolder, id, spec};

fn death() -> Settlement {
    Settlement {
        decision: Decision::DeadLetter {
            failure: Failure::new(FailureClass::Transient, "no_answer", "nobody answers"),
            reason: DeadLetterReason::AttemptsExhausted,
        },
        result: None,
        progress: None,
    }
}

async fn dead(bench: &BenchFolder, store: &EmbeddedStore, number: u8) -> JobId {
    store.submit(id(number), spec()).await.unwrap();
    let lease = bench.claim(store, id(number)).await.lease;
    store.settle(&lease, death()).await.unwrap();
    id(number)
}

async fn edit(store: &EmbeddedStore, id: JobId, payload: &[u8]) {
    let wish = EditWish {
        payload: payload.to_vec(),
        by: "ann".to_owned(),
        seen: None,
    };
    let edited = store.edit(&Tenant::default(), id, wish).await.unwrap();
    assert!(matches!(edited, EditAnswer::Edited(_)), "{edited:?}");
}

async fn payload(store: &EmbeddedStore, id: JobId) -> Vec<u8> {
    let found = store.get_with_envelope(&Tenant::default(), id).await;
    found.unwrap().unwrap().1.payload
}

/// Whether the letter was in the tables before, and whether the edit is in the journal or in the tables.
async fn check_that_an_edit_comes_back(journal_jobs_max: usize) {
    let mut bench = BenchFolder::new();
    bench.config.journal_jobs_max = journal_jobs_max;
    let store = bench.open();
    let letters = [
        dead(&bench, &store, 1).await,
        dead(&bench, &store, 2).await,
        dead(&bench, &store, 3).await,
    ];
    for id in letters {
        edit(&store, id, b"first").await;
        edit(&store, id, id.as_bytes()).await;
    }
    drop(store);

    let store = bench.open();
    assert!(bench.offered().is_empty());
    for id in letters {
        assert_eq!(payload(&store, id).await, id.as_bytes());
        let job = store.get(&Tenant::default(), id).await.unwrap().unwrap();
        assert_eq!(job.edited.unwrap().by, "ann");
        let redriven = store.redrive(&Tenant::default(), id).await.unwrap();
        assert!(
            matches!(redriven, RedriveAnswer::Queued(..)),
            "{redriven:?}"
        );
    }
    drop(store);

    let store = bench.open();
    for id in letters {
        assert_eq!(bench.envelope(id).payload, id.as_bytes());
        let lease = bench.claim(&store, id).await.lease;
        store.settle(&lease, death()).await.unwrap();
        edit(&store, id, b"last").await;
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.get(spec().kind, JobState::DeadLettered), 3);
    drop(store);
    let store = bench.open();
    for id in letters {
        assert_eq!(payload(&store, id).await, b"last");
    }
}

#[tokio::test]
async fn an_edit_comes_back_from_the_journal() {
    check_that_an_edit_comes_back(8_192).await;
}

#[tokio::test]
async fn an_edit_comes_back_from_the_tables() {
    check_that_an_edit_comes_back(0).await;
}

#[tokio::test]
async fn an_edit_comes_back_from_both() {
    check_that_an_edit_comes_back(2).await;
}

async fn check_that_a_forgotten_letter_does_not_come_back(journal_jobs_max: usize) {
    let mut bench = BenchFolder::new();
    bench.config.journal_jobs_max = journal_jobs_max;
    let store = bench.open();
    let letter = dead(&bench, &store, 1).await;
    let kept = dead(&bench, &store, 2).await;
    edit(&store, letter, b"mended").await;
    let late = bench.envelope(letter);
    let forgotten = store.forget(&Tenant::default(), letter, None).await;
    assert_eq!(forgotten.unwrap(), ForgetAnswer::Forgotten);
    drop(store);

    let store = bench.open();
    assert_eq!(store.get(&Tenant::default(), letter).await.unwrap(), None);
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.get(spec().kind, JobState::DeadLettered), 1);
    assert_eq!(payload(&store, kept).await, spec().payload);
    let request = ClaimRequest {
        envelope: late,
        worker: WorkerId::new("worker").unwrap(),
        lease_ms: 10_000,
    };
    let claim = store.claim(request).await.unwrap();
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
}

#[tokio::test]
async fn a_journaled_letter_that_was_forgotten_does_not_come_back() {
    check_that_a_forgotten_letter_does_not_come_back(8_192).await;
}

#[tokio::test]
async fn a_filed_letter_that_was_forgotten_does_not_come_back() {
    check_that_a_forgotten_letter_does_not_come_back(0).await;
}

/// What is there already is kept by the new setting, also where it was filed under the time of before.
async fn check_that_a_raised_retention_holds(journal_jobs_max: usize) {
    let mut bench = BenchFolder::new();
    bench.config.journal_jobs_max = journal_jobs_max;
    bench.config.retention_ms = 1_000;
    bench.config.dead_letter_retention_ms = 1_000;
    let store = bench.open();
    let letter = dead(&bench, &store, 1).await;
    store.submit(id(2), spec()).await.unwrap();
    store.cancel(&Tenant::default(), id(2)).await.unwrap();
    drop(store);

    bench.config.dead_letter_retention_ms = 5_000;
    let store = bench.open();
    bench.clock.advance(1_000);
    assert_eq!(store.expire(10).await.unwrap().jobs, 1, "not the letter");
    assert_eq!(payload(&store, letter).await, spec().payload);
    assert_eq!(store.expire(10).await.unwrap().jobs, 0);
    drop(store);

    let store = bench.open();
    bench.clock.advance(3_999);
    assert_eq!(store.expire(10).await.unwrap().jobs, 0);
    assert_eq!(payload(&store, letter).await, spec().payload);
    bench.clock.advance(1);
    assert_eq!(store.expire(10).await.unwrap().jobs, 1);
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.get(spec().kind, JobState::DeadLettered), 0);
    assert_eq!(store.get(&Tenant::default(), letter).await.unwrap(), None);
    drop(store);
    let store = bench.open();
    assert_eq!(store.get(&Tenant::default(), letter).await.unwrap(), None);
}

#[tokio::test]
async fn a_raised_retention_holds_for_what_is_journaled() {
    check_that_a_raised_retention_holds(8_192).await;
}

#[tokio::test]
async fn a_raised_retention_holds_for_what_is_filed() {
    check_that_a_raised_retention_holds(0).await;
}
