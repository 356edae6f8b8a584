//! RabbitMQ runs out of memory, or of room on its disk: it takes nothing, so nothing is taken in; what it has is still
//! worked off, and all goes on by itself when it has enough again.

use std::time::Duration;

use anyhow::Context;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::{Member, Role};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{Alarm, How, LATER, SOON, Scene, all_run};
use crate::client::filled;
use crate::process::resident_bytes;

pub(super) const MEMORY: Scenario = Scenario {
    name: "memory-alarm",
    fault: "RabbitMQ out of memory under load",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup, MEMORY.fault, Alarm::Memory)),
};

pub(super) const DISK: Scenario = Scenario {
    name: "disk-alarm",
    fault: "RabbitMQ without room on its disk under load",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup, DISK.fault, Alarm::Disk)),
};

/// Jobs that wait when it runs out.
const WAITING: usize = 300;
/// Jobs behind them that fail first, and want to be published again while nothing can be.
const FAILING: usize = 8;
/// Jobs that the worker runs at once: most wait on the broker.
const CONCURRENCY: usize = 4;
/// How long a job works, in milliseconds.
const WORK_MS: u64 = 50;
/// Requests that come in vain.
const REQUESTS: usize = 5_000;
/// As fast as they are answered.
const PACE: Pace = Pace {
    batch: 200,
    every: Duration::ZERO,
};
/// How soon the gateway knows: the broker tells who publishes, as soon as anybody does.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);
/// How much memory the gateway may take for requests that it refuses, in bytes.
const GROWTH_BYTES_MAX: u64 = 64 * 1024 * 1024;

async fn run(setup: &Setup, fault: &str, alarm: Alarm) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let few_slots = How {
        settings: vec![("worker.concurrency", CONCURRENCY.to_string())],
        ..How::default()
    };
    let mut worker = scene.start(Role::Worker, &few_slots).await?;
    let before = scene.warm_throughput().await?;
    let requests = scene.requests(WAITING, &[Act::Sleep(WORK_MS), Act::Progress]);
    let waiting = scene.accept(requests).await?;
    let requests = scene.requests(FAILING, &[Act::Sleep(WORK_MS), Act::Fail(1)]);
    scene.accept(requests).await?;
    let mut row = Row::new(fault);
    scene.fault();
    alarm.raise(scene.broker()?).await?;
    let refuses = scene.refuses(NOTICED_WITHIN).await;
    row.expect_done("in the alarm", refuses);
    flood(&mut scene, &mut row, &gateway).await?;
    let ended = scene.marked(Mark::Finished, &waiting, WAITING, SOON).await;
    row.expect_done("the end of what waited, in the alarm", ended);
    scene.is_refused_at_once(&mut row).await?;
    alarm.clear(scene.broker()?).await?;
    row.expect_done("after the alarm", scene.admits(LATER).await);
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}

/// Requests in vain, and what they cost.
async fn flood(scene: &mut Scene, row: &mut Row, gateway: &Member) -> anyhow::Result<()> {
    let pid = gateway.pid().context("find the gateway")?;
    let before_bytes = resident_bytes(pid)?;
    let count = scene.scale().pick(REQUESTS, REQUESTS / 10);
    let requests = scene.requests(count, &[Act::Progress]);
    let load = scene.load(requests.into_iter().map(filled).collect(), PACE);
    scene.join(load).await?;
    let grown_bytes = resident_bytes(pid)?.saturating_sub(before_bytes);
    row.note(format!(
        "{count} requests in the alarm cost the gateway {} KiB",
        grown_bytes / 1024
    ));
    row.expect(grown_bytes <= GROWTH_BYTES_MAX, || {
        format!("the gateway grew by {grown_bytes} bytes in the alarm")
    });
    Ok(())
}
