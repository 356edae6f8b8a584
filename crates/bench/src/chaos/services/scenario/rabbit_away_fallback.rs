//! RabbitMQ is away for a minute, and Redis stands in: jobs are taken in and end, and nothing is left on either way.

use std::time::Duration;

use assay_probe::{Act, Mark};
use assay_test_support::fleet::{Member, Role};
use assay_test_support::redis::{Appendfsync, RedisOptions};
use tokio::time::Instant;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene, all_run, turns};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rabbit-away-fallback",
    fault: "RabbitMQ is away for a minute, Redis stands in",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// How long it is away.
const AWAY: Duration = Duration::from_secs(60);
/// How long it is away in a short row.
const AWAY_SHORT: Duration = Duration::from_secs(10);
/// Jobs that wait, or are in the worker's hands, when it goes.
const WAITING: usize = 200;
/// How long they work, in milliseconds.
const WORK_MS: u64 = 100;
/// Jobs of each batch that is submitted while it is away.
const BATCH: usize = 20;
/// Between two batches.
const BATCH_PERIOD: Duration = Duration::from_secs(1);

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let how = How {
        settings: vec![("rabbitmq.fallback", "redis".to_owned())],
        ..How::default()
    };
    let mut gateway = scene.open_gateway(&how).await?;
    let mut scheduler = scene.start(Role::Scheduler, &how).await?;
    let mut worker = scene.start(Role::Worker, &how).await?;
    let before = scene.warm_throughput().await?;
    scene.broker()?.server.keep_queues().await?;
    let requests = scene.requests(WAITING, &[Act::Sleep(WORK_MS), Act::Progress]);
    scene.accept(requests).await?;
    let mut row = Row::new(SCENARIO.fault);
    scene.fault();
    let back_at = Instant::now() + setup.scale.pick(AWAY, AWAY_SHORT);
    scene.broker()?.server.kill().await?;
    while_away(&mut scene, &mut row, &worker, back_at).await?;
    scene.broker()?.server.restart().await?;
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}

async fn while_away(
    scene: &mut Scene,
    row: &mut Row,
    worker: &Member,
    back_at: Instant,
) -> anyhow::Result<()> {
    while Instant::now() < back_at {
        let requests = scene.requests(BATCH, &[Act::Progress]);
        let taken = row.expect_done("with RabbitMQ away", scene.accept(requests).await);
        let jobs = taken.unwrap_or_default();
        let ended = scene.marked(Mark::Finished, &jobs, jobs.len(), SOON).await;
        row.expect_done("the end of what was taken, with RabbitMQ away", ended);
        tokio::time::sleep(BATCH_PERIOD).await;
    }
    let ready = turns(worker, true, Duration::ZERO).await;
    row.expect_done("a worker that Redis gives jobs", ready);
    Ok(())
}
