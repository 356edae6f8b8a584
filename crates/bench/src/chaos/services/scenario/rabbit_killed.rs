//! RabbitMQ dies with a long queue and comes back with what it had confirmed: everything.

use std::time::Duration;

use assay_probe::Act;
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};
use tokio::time::Instant;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene, all_run};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rabbit-killed",
    fault: "kill -9 of RabbitMQ with 50 000 jobs in its queues",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Jobs that wait when it dies.
const QUEUED: usize = 50_000;
/// Requests that are sent at once.
const PORTION: usize = 2_000;
/// How long the queue may take to be worked off.
const WORKED_OFF_WITHIN: Duration = Duration::from_secs(600);

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    scene.broker()?.server.keep_queues().await?;
    worker.terminate().await?;
    let queued = setup.scale.pick(QUEUED, QUEUED / 100);
    let requests = scene.requests(queued, &[Act::Progress]);
    for portion in requests.chunks(PORTION) {
        scene.accept(portion.to_vec()).await?;
    }
    scene.fault();
    let broker = scene.broker()?;
    broker.server.kill().await?;
    broker.server.restart().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.expect_done("after the restart", scene.admits(SOON).await);
    let mut worker = scene.usual(Role::Worker).await?;
    let start = Instant::now();
    row.expect_done("the queue", scene.calm_within(WORKED_OFF_WITHIN).await);
    row.note(format!(
        "{queued} jobs were worked off in {:.1?}",
        start.elapsed()
    ));
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}
