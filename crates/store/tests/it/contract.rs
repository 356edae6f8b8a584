use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_store::{EmbeddedStore, StoreConfig};
use assay_test_support::contract::job_store::{
    Offered, Settings, Step, Subject, any_order_of_steps_agrees_with_the_model,
};
use proptest::prelude::*;

async fn make_subject() -> Subject {
    subject(8_192)
}

/// Every job goes through the tables with each commit.
async fn make_subject_without_journal() -> Subject {
    subject(0)
}

fn subject(journal_jobs_max: usize) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Settings::NOW_MS));
    let offered = Arc::new(Offered::default());
    let config = StoreConfig {
        queued_jobs_max: Settings::QUEUED_JOBS_MAX,
        retention_ms: Settings::RETENTION_MS,
        dead_letter_retention_ms: Settings::DEAD_LETTER_RETENTION_MS,
        journal_jobs_max,
        ..StoreConfig::default()
    };
    let store = EmbeddedStore::open(
        folder.path(),
        config,
        Arc::clone(&clock) as _,
        Arc::clone(&offered) as _,
    );
    Subject {
        store: Arc::new(store.unwrap()),
        clock,
        offered,
        keep: Box::new(folder),
    }
}

assay_test_support::job_store_contract! { #[tokio::test] make_subject }

mod without_journal {
    use super::make_subject_without_journal;

    assay_test_support::job_store_contract! { #[tokio::test] make_subject_without_journal }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_store_agrees_with_the_model(
        numbers in prop::collection::vec(any::<u32>(), 0..60),
        journal_jobs_max in 0..6_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let steps = numbers.into_iter().map(Step::from_number).collect();
        let subject = subject(journal_jobs_max);
        runtime.block_on(any_order_of_steps_agrees_with_the_model(subject, steps));
    }
}
