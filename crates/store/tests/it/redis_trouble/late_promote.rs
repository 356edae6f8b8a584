use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::port::JobStore as _;
use assay_core::retry::{Decision, InterruptionReason};
use assay_core::state::JobState;
use redis::AsyncCommands as _;

use super::{Bench, claim, id, settlement};
use crate::redis_bench::connection;

/// A promote of the first generation comes when the job runs for the second time: nothing of the second may go.
#[tokio::test]
async fn a_late_promote_touches_nothing() {
    let bench = Bench::new().await;
    let first = bench.submit(1).await;
    let claimed = claim(&bench.store, &first, "one").await;
    let again = Decision::RunAgain {
        reason: InterruptionReason::Drain,
        after_ms: 0,
    };
    let settled = bench.store.settle(&claimed.lease, settlement(again)).await;
    settled.unwrap();
    let before = bench.job(1).await;
    assert_eq!((before.state, before.generation), (JobState::Queued, 2));
    let mut connection = connection(&bench.config).await;
    let snapshot = async |connection: &mut redis::aio::MultiplexedConnection| {
        let mut keys: Vec<String> = connection.keys("*").await.unwrap();
        keys.sort();
        let mut dumps: Vec<(String, Vec<u8>)> = Vec::new();
        for key in keys {
            let mut dump = redis::cmd("DUMP");
            let dump = dump.arg(&key).query_async(connection).await;
            dumps.push((key, dump.unwrap()));
        }
        dumps
    };
    let kept = snapshot(&mut connection).await;
    assert!(kept.iter().any(|(key, _)| key.ends_with(":again")));

    bench.store.promote(id(1), 1).await.unwrap();
    bench.store.promote(id(1), 3).await.unwrap();
    assert_eq!(snapshot(&mut connection).await, kept);
    let second = Envelope {
        generation: 2,
        ..(*first).clone()
    };
    let claimed = claim(&bench.store, &Arc::new(second), "two").await;
    assert_eq!(claimed.job.attempt, 2);
}
