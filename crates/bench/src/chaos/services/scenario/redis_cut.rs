//! The power goes while Redis syncs once a second: the end of its file is gone, with jobs, claims and results.

use std::ops::Range;
use std::time::Duration;

use assay_probe::Act;
use assay_probe::journal::now_us;
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, SOON, Scene};
use crate::chaos::services::until::until;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "redis-cut",
    fault: "power cut of Redis, appendfsync everysec: its last second is cut off",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Requests of a round.
const REQUESTS: usize = 300;
/// The last second begins after so many answers.
const ANSWERS_BEFORE: usize = 100;
/// How long a job works, in milliseconds: claims of the last second are still running when it is gone.
const WORK_MS: u64 = 600;
/// What a power cut may take.
const LAST: Duration = Duration::from_secs(1);
/// How fast requests come.
const PACE: Pace = Pace {
    batch: 10,
    every: Duration::from_millis(100),
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::EverySec)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _workers = [
        scene.usual(Role::Worker).await?,
        scene.usual(Role::Worker).await?,
    ];
    let before = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    let mut windows = Vec::new();
    for _ in 0..setup.scale.pick(3, 1) {
        let requests = scene.requests(REQUESTS, &[Act::Sleep(WORK_MS), Act::Progress]);
        let mut load = scene.load(requests, PACE);
        load.reaches(ANSWERS_BEFORE).await;
        let (window, cut_bytes) = cut(&mut scene).await?;
        windows.push(window);
        scene.join(load).await?;
        row.note(format!("{cut_bytes} bytes were cut off"));
        row.expect(cut_bytes > 0, || "nothing was cut off".to_owned());
    }
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &windows).await?;
    Ok(row)
}

/// Cuts the power: Redis is killed, and what it wrote in its last second is gone. When that was, and how much.
async fn cut(scene: &mut Scene) -> anyhow::Result<(Range<u64>, u64)> {
    let from_us = all_written(scene).await?;
    let kept_bytes = scene.redis.aof_bytes()?;
    tokio::time::sleep(LAST).await;
    scene.fault();
    scene.redis.kill().await?;
    let until_us = now_us();
    let cut_bytes = scene.redis.aof_bytes()?.saturating_sub(kept_bytes);
    scene.redis.truncate_aof(kept_bytes)?;
    scene.redis.restart().await?;
    Ok((from_us..until_us, cut_bytes))
}

/// A moment, in microseconds since the epoch, before which everything that Redis answered is in its file: while it syncs,
/// it may answer first and write later.
async fn all_written(scene: &Scene) -> anyhow::Result<u64> {
    let mut client = scene.redis.client()?;
    let look = async || {
        let from_us = now_us();
        let unwritten = client.info("aof_buffer_length")?;
        Ok((unwritten == "0").then_some(from_us))
    };
    until("Redis has written what it answered", SOON, look).await
}
