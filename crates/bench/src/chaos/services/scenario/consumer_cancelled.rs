//! The broker cancels a worker's consumers while all that they brought is in hand: it is worked off once, and more comes.

use assay_core::kind::Lane;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{Broker, How, SOON, Scene, all_run, turns};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "consumer-cancelled",
    fault: "RabbitMQ cancels the consumer of a lane while its jobs run",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round: as many as run at once.
const JOBS: usize = 20;
/// How long a job works, in milliseconds: longer than it takes to have its consumer cancelled.
const WORK_MS: u64 = 6_000;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    let queue = Broker::lane(Lane::Normal);
    let mut row = Row::new(SCENARIO.fault);
    for _ in 0..setup.scale.pick(3, 1) {
        let requests = scene.requests(JOBS, &[Act::Sleep(WORK_MS), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        scene.marked(Mark::Started, &jobs, JOBS, SOON).await?;
        scene.fault();
        // Who deletes a queue has its consumers cancelled.
        let server = &scene.broker()?.server;
        server.control(&["delete_queue", &queue]).await?;
        let ends = scene.marked(Mark::Finished, &jobs, JOBS, SOON).await;
        row.expect_done("what was in hand", ends);
        row.expect_done("the worker", turns(&worker, true, SOON).await);
        row.expect_done("after that", scene.admits(SOON).await);
    }
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    let again = row.re_executed;
    row.expect(again == 0, || {
        format!("{again} jobs ran to their end twice")
    });
    Ok(row)
}
