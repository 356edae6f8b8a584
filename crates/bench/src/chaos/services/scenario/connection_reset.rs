//! The gateway's connections to RabbitMQ are reset in the middle of its publishes, again and again.

use std::time::Duration;

use assay_test_support::fleet::Role;
use assay_test_support::proxy::Proxy;
use assay_test_support::redis::{Appendfsync, RedisOptions};
use rand::RngExt;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::Scale;
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, SOON, Scene, all_run};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "connection-reset",
    fault: "the connections from the gateway to RabbitMQ reset in the middle of publishes",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Requests of each round.
const REQUESTS: usize = 600;
/// As fast as they are answered: some are being published at any time but between two batches.
const PACE: Pace = Pace {
    batch: 100,
    every: Duration::ZERO,
};
/// How far into a batch a reset comes, in milliseconds.
const INTO_BATCH_MS: std::ops::Range<u64> = 5..40;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let proxy = Proxy::start(scene.broker()?.server.address(), setup.seed).await?;
    let how = How {
        rabbit: Some(proxy.address()),
        ..How::default()
    };
    let mut gateway = scene.open_gateway(&how).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    let rounds = setup.scale.pick(10, 3);
    for _ in 0..rounds {
        let requests = scene.mixed(REQUESTS);
        let mut load = scene.load(requests, PACE);
        load.reaches(PACE.batch).await;
        let into_batch = scene.chance.random_range(INTO_BATCH_MS);
        tokio::time::sleep(Duration::from_millis(into_batch)).await;
        scene.fault();
        proxy.reset_all();
        scene.join(load).await?;
        // Only a gateway that is connected again has something to lose.
        row.expect_done("after a reset", scene.admits(SOON).await);
    }
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    let (unknown, _) = row.unknown;
    // A short row may be lucky.
    row.expect(unknown > 0 || setup.scale == Scale::Short, || {
        "no answer was cut off: every reset came between publishes".to_owned()
    });
    let resets = proxy.resets();
    row.note(format!("{resets} connections were reset"));
    row.expect(resets >= rounds as u64, || {
        format!("only {resets} connections were reset in {rounds} rounds")
    });
    Ok(row)
}
