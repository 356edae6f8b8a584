use assay_core::port::{JobStore as _, Renewal, Settled};
use assay_core::retry::Decision;
use assay_core::state::JobState;
use assay_test_support::redis::{Appendfsync, RedisOptions};
use redis::AsyncCommands as _;

use super::{Bench, claim, id, server, settlement};
use crate::redis_bench::connection;

/// Redis loses what came behind its last sync, a claim among it. The next lease must not get the token of the
/// lost one, nor its record the revision: who still holds the lost lease writes nothing.
#[tokio::test]
async fn no_token_and_no_revision_comes_twice() {
    // Its file holds what was answered, so that the cut is exactly behind the submit.
    let (mut server, config) = server(RedisOptions::new(Appendfsync::Always)).await;
    let bench = Bench::over(config).await;
    let envelope = bench.submit(1).await;
    let synced = server.aof_bytes().unwrap();
    let lost = claim(&bench.store, &envelope, "lost").await;
    let lost_revision = revision(&bench).await;
    server.kill().await.unwrap();
    server.truncate_aof(synced).unwrap();
    server.restart().await.unwrap();

    // Still remembers the record as it was with the lost claim.
    let renewed = bench.store.renew(&lost.lease, super::LEASE_MS).await;
    assert_eq!(renewed.unwrap(), Renewal::Fenced);
    assert_eq!(bench.job(1).await.state, JobState::Queued, "it is lost");
    let next = claim(&bench.store, &envelope, "next").await;
    assert!(next.lease.token > lost.lease.token);
    assert!(revision(&bench).await > lost_revision);
    for decision in [Decision::Succeed, Decision::Cancel] {
        let late = bench.store.settle(&lost.lease, settlement(decision)).await;
        assert_eq!(late.unwrap(), Settled::Fenced);
    }
    let settled = bench
        .store
        .settle(&next.lease, settlement(Decision::Succeed));
    assert!(matches!(settled.await.unwrap(), Settled::Recorded { .. }));
}

async fn revision(bench: &Bench) -> u64 {
    let id = id(1).to_string().replace('-', "");
    let key = format!("{}:{{0}}:j:{id}", bench.config.prefix);
    let mut connection = connection(&bench.config).await;
    connection.hget(key, "v").await.unwrap()
}
