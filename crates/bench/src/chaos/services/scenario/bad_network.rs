//! Every process reaches Redis over a slow network that loses connections.

use std::time::Duration;

use assay_test_support::fleet::Role;
use assay_test_support::proxy::{Proxy, Weather};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "bad-network",
    fault: "200 ms to Redis and back, 1 % of all chunks reset their connection",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Requests.
const REQUESTS: usize = 600;
/// How fast they come.
const PACE: Pace = Pace {
    batch: 20,
    every: Duration::from_millis(200),
};
/// In each direction.
const LATENCY: Duration = Duration::from_millis(100);
/// Of every chunk.
const RESET_CHANCE: f64 = 0.01;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let proxy = Proxy::start(scene.redis.address(), setup.seed).await?;
    let how = How {
        redis: Some(proxy.address()),
        ..How::default()
    };
    let _gateway = scene.open_gateway(&how).await?;
    let _scheduler = scene.start(Role::Scheduler, &how).await?;
    let _worker = scene.start(Role::Worker, &how).await?;
    let before = scene.throughput().await?;
    let requests = scene.mixed(setup.scale.pick(REQUESTS, REQUESTS / 10));
    scene.fault();
    proxy.set(Weather {
        latency: LATENCY,
        reset_chance: RESET_CHANCE,
        ..Weather::CLEAR
    });
    let load = scene.load(requests, PACE);
    scene.join(load).await?;
    let resets = proxy.resets();
    proxy.set(Weather::CLEAR);
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    row.note(format!("{resets} connections were reset"));
    row.expect(resets > 0, || "no connection was reset".to_owned());
    Ok(row)
}
