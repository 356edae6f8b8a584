//! A worker stands still past its leases, then goes on as if nothing had been: what it still writes changes nothing.

use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, LATER, SOON, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "worker-frozen",
    fault: "a worker is paused (SIGSTOP) past its leases and goes on",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round.
const JOBS: usize = 10;
/// How long a job works, in milliseconds, whoever wants it stopped: when the worker goes on, it goes on.
const WORK_MS: u64 = 800;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let mut frozen = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    for _ in 0..setup.scale.pick(3, 1) {
        let requests = scene.requests(JOBS, &[Act::IgnoreCancel(WORK_MS), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        scene.marked(Mark::Started, &jobs, JOBS, SOON).await?;
        scene.fault();
        frozen.pause()?;
        let mut other = scene.usual(Role::Worker).await?;
        scene.marked(Mark::Finished, &jobs, JOBS, LATER).await?;
        // It wakes up with work in hand that is no longer its own.
        frozen.resume()?;
        other.terminate().await?;
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let ended = findings.ended.get("JOB_STATE_SUCCEEDED").copied();
    row.expect(ended == Some(row.accepted), || {
        format!("not every job succeeded: {:?}", findings.ended)
    });
    Ok(row)
}
