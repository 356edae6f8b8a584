//! Redis comes back empty with jobs in flight: the broker still has what is not finished, and all of that runs.

use std::time::Duration;

use assay_probe::journal::now_us;
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, SOON, Scene, all_run};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "redis-empty",
    fault: "all keys of Redis deleted (FLUSHALL) with jobs in flight",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Requests of a round.
const REQUESTS: usize = 400;
/// The keys go after so many answers.
const ANSWERS_BEFORE: usize = 200;
/// Jobs that the worker runs at once: some of a round run when the keys go, some wait.
const CONCURRENCY: usize = 4;
/// How fast requests come.
const PACE: Pace = Pace {
    batch: 50,
    every: Duration::from_millis(50),
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let few_slots = How {
        settings: vec![("worker.concurrency", CONCURRENCY.to_string())],
        ..How::default()
    };
    let mut worker = scene.start(Role::Worker, &few_slots).await?;
    let before = scene.warm_throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    let mut gone_until_us = 0;
    for _ in 0..setup.scale.pick(3, 1) {
        let requests = scene.mixed(REQUESTS);
        let mut load = scene.load(requests, PACE);
        load.reaches(ANSWERS_BEFORE).await;
        scene.fault();
        scene.redis.client()?.run(&["FLUSHALL"])?;
        gone_until_us = now_us();
        scene.join(load).await?;
    }
    row.expect_done("after that", scene.admits(SOON).await);
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    // Whatever was finished by then is unknown.
    let finished_before = 0..gone_until_us;
    audit::close(&mut scene, &mut row, &[finished_before]).await?;
    Ok(row)
}
