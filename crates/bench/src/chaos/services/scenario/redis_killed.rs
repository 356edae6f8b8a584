//! Redis dies under load and comes back with what it had synced: everything.

use std::time::Duration;

use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "redis-killed",
    fault: "kill -9 of Redis under load, appendfsync always",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Requests of a round.
const REQUESTS: usize = 400;
/// The kill comes after so many answers.
const ANSWERS_BEFORE: usize = 120;
/// How fast they come.
const PACE: Pace = Pace {
    batch: 20,
    every: Duration::from_millis(50),
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    for _ in 0..setup.scale.pick(5, 1) {
        let requests = scene.mixed(REQUESTS);
        let mut load = scene.load(requests, PACE);
        load.reaches(ANSWERS_BEFORE).await;
        scene.fault();
        scene.redis.kill().await?;
        scene.redis.restart().await?;
        scene.join(load).await?;
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}
