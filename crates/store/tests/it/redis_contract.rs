use assay_store::StoreConfig;
use assay_test_support::contract::job_store::{
    Step, Subject, any_order_of_steps_agrees_with_the_model,
};
use proptest::prelude::*;

use crate::redis_bench::{settings, subject, subject_of_broker};

async fn make_subject() -> Subject {
    subject(settings()).await
}

/// Each step is a call of its own, and jobs are in different groups.
async fn make_subject_apart() -> Subject {
    subject(apart()).await
}

fn apart() -> StoreConfig {
    StoreConfig {
        redis_batch_max: 1,
        redis_groups: 4,
        ..settings()
    }
}

/// Nothing is remembered between two steps.
async fn make_subject_without_memory() -> Subject {
    subject(StoreConfig {
        cache_bytes: 0,
        ..settings()
    })
    .await
}

async fn make_subject_of_broker() -> Subject {
    subject_of_broker(settings()).await
}

async fn make_subject_of_broker_apart() -> Subject {
    subject_of_broker(apart()).await
}

assay_test_support::job_store_contract! { #[tokio::test] make_subject }

mod apart {
    use super::make_subject_apart;

    assay_test_support::job_store_contract! { #[tokio::test] make_subject_apart }
}

mod of_broker {
    use super::make_subject_of_broker;

    assay_test_support::job_store_contract! { #[tokio::test] make_subject_of_broker }
}

mod of_broker_apart {
    use super::make_subject_of_broker_apart;

    assay_test_support::job_store_contract! { #[tokio::test] make_subject_of_broker_apart }
}

mod without_memory {
    use super::make_subject_without_memory;

    assay_test_support::job_store_contract! { #[tokio::test] make_subject_without_memory }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_store_agrees_with_the_model(
        numbers in prop::collection::vec(any::<u32>(), 0..60),
        cache_bytes in prop::sample::select(vec![0, 16 * 1024 * 1024]),
        elsewhere in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let steps = numbers.into_iter().map(Step::from_number).collect();
        runtime.block_on(async {
            let settings = StoreConfig { cache_bytes, ..settings() };
            let subject = match elsewhere {
                false => subject(settings).await,
                true => subject_of_broker(settings).await,
            };
            any_order_of_steps_agrees_with_the_model(subject, steps).await;
        });
    }
}
