//! Two schedulers, one of which sees everything late: what it decides on old news must change nothing.

use std::time::Duration;

use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::proxy::{Proxy, Weather};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, LATER, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scheduler-behind",
    fault: "one of two schedulers is 60 ms behind in each direction",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of which the first attempt fails.
const JOBS: usize = 200;
/// How late the one hears, and is heard: less than what a decision may be old.
const BEHIND: Duration = Duration::from_millis(60);

/// What a broken row says when a late decision was carried out.
pub(in crate::chaos::services) const LATE: &str = "ran again after they had ended";

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let proxy = Proxy::start(scene.redis.address(), setup.seed).await?;
    let through_proxy = How {
        redis: Some(proxy.address()),
        ..How::default()
    };
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _late = scene.start(Role::Scheduler, &through_proxy).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    proxy.set(Weather {
        latency: BEHIND,
        ..Weather::CLEAR
    });
    let _prompt = scene.usual(Role::Scheduler).await?;
    for _ in 0..setup.scale.pick(5, 2) {
        let requests = scene.requests(JOBS, &[Act::Fail(1), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        scene.fault();
        scene.marked(Mark::Finished, &jobs, JOBS, LATER).await?;
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    let again = row.re_executed;
    row.expect(again == 0, || format!("{again} jobs {LATE}"));
    Ok(row)
}
