//! RabbitMQ is away for a minute: nothing is taken in, what runs ends, nothing is lost.

use std::time::Duration;

use assay_probe::{Act, Mark};
use assay_test_support::fleet::{Member, Role};
use assay_test_support::redis::{Appendfsync, RedisOptions};
use tokio::time::Instant;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene, all_run, turns};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rabbit-away",
    fault: "RabbitMQ is away for a minute",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// How long it is away.
const AWAY: Duration = Duration::from_secs(60);
/// How long it is away in a short row.
const AWAY_SHORT: Duration = Duration::from_secs(10);
/// Jobs that run when it goes: fewer than the worker runs at once.
const RUNNING: usize = 20;
/// How long they work, in milliseconds.
const WORK_MS: u64 = 2_000;
/// Jobs that wait behind them, or are in the worker's hands, when it goes.
const WAITING: usize = 200;
/// How soon everybody knows that it is gone, or is back: a connection that was closed is seen at once, a new one is
/// tried every few seconds.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);
/// Between two requests while it is away.
const ASK_PERIOD: Duration = Duration::from_secs(1);

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    scene.broker()?.server.keep_queues().await?;
    let requests = scene.requests(RUNNING, &[Act::Sleep(WORK_MS), Act::Progress]);
    let running = scene.accept(requests).await?;
    scene.marked(Mark::Started, &running, RUNNING, SOON).await?;
    let requests = scene.requests(WAITING, &[Act::Sleep(WORK_MS / 20), Act::Progress]);
    scene.accept(requests).await?;
    let mut row = Row::new(SCENARIO.fault);
    scene.fault();
    let back_at = Instant::now() + setup.scale.pick(AWAY, AWAY_SHORT);
    scene.broker()?.server.kill().await?;
    while_away(&mut scene, &mut row, &worker, back_at).await?;
    let ended = scene.marked(Mark::Finished, &running, RUNNING, Duration::ZERO);
    row.expect_done("the end of what ran, with RabbitMQ away", ended.await);
    scene.broker()?.server.restart().await?;
    row.expect_done(
        "with RabbitMQ back",
        turns(&worker, true, NOTICED_WITHIN).await,
    );
    row.expect_done("with RabbitMQ back", scene.admits(NOTICED_WITHIN).await);
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
    let refuses = scene.refuses(NOTICED_WITHIN).await;
    row.expect_done("with RabbitMQ away", refuses);
    let red = turns(worker, false, NOTICED_WITHIN).await;
    row.expect_done("a worker that gets nothing", red);
    while Instant::now() < back_at {
        scene.is_refused_at_once(row).await?;
        tokio::time::sleep(ASK_PERIOD).await;
    }
    Ok(())
}
