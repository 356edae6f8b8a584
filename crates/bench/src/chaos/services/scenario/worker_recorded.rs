//! A worker dies after it has recorded that jobs are to be tried again, and before it has published them.

use assay_failpoint::Step;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, LATER, SOON, Scene, passages};
use crate::chaos::services::until::until;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "worker-recorded",
    fault: "kill -9 of a worker between the record of its outcomes and what they publish",
    failpoints: true,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round, of which the first attempt fails.
const JOBS: usize = 10;
/// What the second attempts wait for at least. By then the worker is dead: one that it had begun would rightly have been
/// spent with it.
const SECOND_ATTEMPT_MS: u64 = 2_000;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    worker.terminate().await?;
    let armed = How {
        armed: vec![format!("{}=pause", Step::SettleRecorded.name())],
        ..How::default()
    };
    for _ in 0..setup.scale.pick(5, 1) {
        let mut halting = scene.start(Role::Worker, &armed).await?;
        let requests = scene.requests(JOBS, &[Act::FailOnce(SECOND_ATTEMPT_MS), Act::Progress]);
        let jobs = scene.accept(requests).await?;
        let recorded = async || {
            let passages = passages(&halting, Step::SettleRecorded)?;
            Ok((passages >= JOBS).then_some(()))
        };
        until("every outcome is recorded", SOON, recorded).await?;
        scene.fault();
        halting.kill().await?;
        worker = scene.usual(Role::Worker).await?;
        scene.marked(Mark::Finished, &jobs, JOBS, LATER).await?;
        worker.terminate().await?;
    }
    let _worker = scene.usual(Role::Worker).await?;
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let spent = findings.jobs.values().map(|job| job.attempt).max();
    row.expect(spent == Some(2), || {
        format!("an attempt too many: {spent:?}")
    });
    Ok(row)
}
