//! Redis and RabbitMQ go down together under load, and come back together.

use std::time::Duration;

use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, SOON, Scene, all_run, turns};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "both-restarted",
    fault: "restart of Redis and RabbitMQ at once under load",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Requests of a round.
const REQUESTS: usize = 400;
/// The restart comes after so many answers.
const ANSWERS_BEFORE: usize = 120;
/// How fast they come.
const PACE: Pace = Pace {
    batch: 20,
    every: Duration::from_millis(50),
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    for _ in 0..setup.scale.pick(3, 1) {
        let requests = scene.mixed(REQUESTS);
        let mut load = scene.load(requests, PACE);
        load.reaches(ANSWERS_BEFORE).await;
        scene.fault();
        restart(&mut scene).await?;
        scene.join(load).await?;
        row.expect_done("after a restart", scene.admits(SOON).await);
        row.expect_done("the worker", turns(&worker, true, SOON).await);
    }
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}

/// Stops both, then starts both.
async fn restart(scene: &mut Scene) -> anyhow::Result<()> {
    scene.broker()?;
    let (redis, broker) = (&mut scene.redis, &mut scene.broker);
    let Some(broker) = broker else { return Ok(()) };
    tokio::try_join!(redis.stop(), broker.server.stop())?;
    tokio::try_join!(redis.restart(), broker.server.restart())?;
    Ok(())
}
