//! Of two schedulers the one dies, then the other: second attempts come all the same.

use std::time::Duration;

use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, LATER, SOON, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scheduler-killed",
    fault: "kill -9 of each of two schedulers while second attempts are due",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of which the first attempt fails, per kill.
const JOBS: usize = 40;
/// How soon after a kill every second attempt has ended: their delays, and the other scheduler's look.
const ENDED_WITHIN: Duration = LATER;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let mut dying = scene.usual(Role::Scheduler).await?;
    let mut staying = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    for _ in 0..2 * setup.scale.pick(3, 1) {
        let requests = scene.requests(JOBS, &[Act::Fail(1), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        scene.marked(Mark::Started, &jobs, JOBS, SOON).await?;
        scene.fault();
        dying.kill().await?;
        scene
            .marked(Mark::Finished, &jobs, JOBS, ENDED_WITHIN)
            .await?;
        // Next time it is the other's turn.
        dying = staying;
        staying = scene.usual(Role::Scheduler).await?;
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let again = row.re_executed;
    row.expect(again == 0, || {
        format!("{again} jobs ran to their end twice")
    });
    let attempts = findings.jobs.values().map(|job| job.attempt).max();
    row.expect(attempts == Some(2), || {
        format!("an attempt too many: {attempts:?}")
    });
    Ok(row)
}
