use std::sync::Arc;

use assay_core::port::{JobStore, Settlement};
use assay_core::retry::{Decision, InterruptionReason};

use super::memory_disk::MemoryDisk;
use super::{claim, id, open_at, spec};
use crate::StoreConfig;
use crate::embedded::clockwork::PASSED_OVER_MS;

/// A resumed job that is claimed at once would make a whole backlog look as if it had been lost.
#[tokio::test]
async fn a_resumed_job_does_not_pass_anybody_over() {
    let disk = Arc::new(MemoryDisk::default());
    let (store, offered, clock) = open_at(&disk, &StoreConfig::default());
    let swept = || async { store.sweep_outbox(10).await.unwrap().jobs };
    for number in 1..=4 {
        store.submit(id(number), spec(number)).await.unwrap();
    }
    let lease = claim(&store, &offered, id(2)).await.lease;
    clock.advance(PASSED_OVER_MS);
    let interrupted = Settlement {
        decision: Decision::RunAgain {
            reason: InterruptionReason::Drain,
            after_ms: 0,
        },
        result: None,
        progress: None,
    };
    store.settle(&lease, interrupted).await.unwrap();
    claim(&store, &offered, id(2)).await;
    assert_eq!(swept().await, 0);
    store.submit(id(5), spec(5)).await.unwrap();
    claim(&store, &offered, id(5)).await;
    assert_eq!(swept().await, 3);
}
