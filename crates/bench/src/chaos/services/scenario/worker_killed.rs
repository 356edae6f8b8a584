//! A worker dies in the middle of its jobs; another one runs them.

use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{LATER, SOON, Scene};
use crate::statistics::quantile;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "worker-killed",
    fault: "kill -9 of a worker in the middle of its jobs",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round.
const JOBS: usize = 10;
/// How long a job works, in milliseconds: longer than it takes to kill its worker. After a crash jobs run alone, one
/// after the other, and the last of a round must have begun in time too.
const WORK_MS: u64 = 120;
/// What is promised: jobs run again so soon after their worker's death, at the 99th percentile, in microseconds.
const RUNS_AGAIN_WITHIN_US: u64 = 15_000_000;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&Default::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    for _ in 0..setup.scale.pick(20, 1) {
        let requests = scene.requests(JOBS, &[Act::Sleep(WORK_MS), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        scene.marked(Mark::Started, &jobs, JOBS, SOON).await?;
        scene.fault();
        worker.kill().await?;
        worker = scene.usual(Role::Worker).await?;
        scene.marked(Mark::Finished, &jobs, JOBS, LATER).await?;
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let ended = findings.ended.get("JOB_STATE_SUCCEEDED").copied();
    row.expect(ended == Some(row.accepted), || {
        format!("not every job succeeded: {:?}", findings.ended)
    });
    let p99_us = quantile(&mut row.recovery_us.clone(), 0.99);
    row.expect(p99_us <= RUNS_AGAIN_WITHIN_US, || {
        format!("jobs ran again within {p99_us} us (p99), promised are {RUNS_AGAIN_WITHIN_US}")
    });
    Ok(row)
}
