//! Somebody purges or deletes a queue by hand: the records are the truth, and what is missing is published again.

use std::time::Duration;

use assay_core::kind::Lane;
use assay_probe::journal::now_us;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{Broker, How, LATER, SOON, Scene, all_run};

pub(super) const PURGED: Scenario = Scenario {
    name: "queue-purged",
    fault: "the queue of a lane purged by hand under load",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup, PURGED.fault, "purge_queue")),
};

pub(super) const DELETED: Scenario = Scenario {
    name: "queue-deleted",
    fault: "the queue of a lane deleted by hand under load",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup, DELETED.fault, "delete_queue")),
};

/// Jobs of a round.
const JOBS: usize = 200;
/// Jobs that the worker runs at once: most of a round wait on the broker.
const CONCURRENCY: usize = 4;
/// How long a job works, in milliseconds.
const WORK_MS: u64 = 100;

async fn run(setup: &Setup, fault: &str, command: &str) -> anyhow::Result<Row> {
    // Four jobs at once would measure the disk, whose speed changes within a minute more than is promised here.
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::EverySec)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let few_slots = How {
        settings: vec![("worker.concurrency", CONCURRENCY.to_string())],
        ..How::default()
    };
    let mut worker = scene.start(Role::Worker, &few_slots).await?;
    let before = scene.warm_throughput().await?;
    let queue = Broker::lane(Lane::Normal);
    let mut row = Row::new(fault);
    let (mut fewest, mut ended_after) = (u64::MAX, Vec::new());
    for _ in 0..setup.scale.pick(2, 1) {
        let requests = scene.requests(JOBS, &[Act::Sleep(WORK_MS), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        let broker = scene.broker()?;
        fewest = fewest.min(broker.messages(&queue).await?.ready);
        broker.server.control(&[command, &queue]).await?;
        scene.fault();
        let start_us = now_us();
        let ends = scene.marked(Mark::Finished, &jobs, JOBS, LATER).await;
        row.expect_done("what the queue held", ends);
        ended_after.push(Duration::from_micros(now_us().saturating_sub(start_us)));
        row.expect_done("after that", scene.admits(SOON).await);
    }
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    row.expect(fewest > 0, || "the queue was empty before".to_owned());
    row.note(format!(
        "{fewest} messages at least were in the queue; every job had ended after {ended_after:.1?}"
    ));
    Ok(row)
}
