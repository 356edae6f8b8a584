//! A worker dies after it has recorded its outcomes and before it has acknowledged them: nothing runs again.

use assay_failpoint::Step;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene, passages};
use crate::chaos::services::until::until;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "worker-between",
    fault: "kill -9 of a worker between the record of its outcomes and their acknowledgement",
    failpoints: true,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round.
const JOBS: usize = 10;

/// What a broken row says when what was recorded runs again.
pub(in crate::chaos::services) const RAN_AGAIN: &str =
    "ran again although their outcome was recorded";

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let armed = How {
        armed: vec![format!("{}=pause", Step::SettleBetween.name())],
        ..How::default()
    };
    let mut row = Row::new(SCENARIO.fault);
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    worker.terminate().await?;
    for _ in 0..setup.scale.pick(5, 1) {
        let mut halting = scene.start(Role::Worker, &armed).await?;
        let requests = scene.requests(JOBS, &[Act::Progress]);
        let jobs = scene.accept(requests).await?;
        let all_between = async || {
            let passages = passages(&halting, Step::SettleBetween)?;
            Ok((passages >= JOBS).then_some(()))
        };
        until("every outcome is half settled", SOON, all_between).await?;
        scene.fault();
        halting.kill().await?;
        scene.marked(Mark::Finished, &jobs, JOBS, SOON).await?;
    }
    let _worker = scene.usual(Role::Worker).await?;
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    let again = row.re_executed;
    row.expect(again == 0, || format!("{again} jobs {RAN_AGAIN}"));
    Ok(row)
}
