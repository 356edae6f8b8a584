//! Every message comes twice: the second one while its job runs, or after it has ended. Nothing runs again.

use std::time::Duration;

use assay_core::kind::Lane;
use assay_probe::Act;
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene, all_run};
use crate::chaos::services::until::until;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "delivered-twice",
    fault: "every message of a lane delivered twice",
    failpoints: false,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup)),
};

/// Jobs that have ended when the second message comes.
const QUICK: usize = 200;
/// Jobs that still run then.
const LONG: usize = 20;
/// Jobs whose second attempt is also published twice.
const FAILING: usize = 20;
/// How much later the second message comes.
const LATER_BY: Duration = Duration::from_secs(10);
/// How long the long jobs work, in milliseconds.
const WORK_MS: u64 = 15_000;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let mut scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.warm_throughput().await?;
    let folder = scene.folder().to_owned();
    let broker = scene.broker()?;
    let copies = broker.copy(Lane::Normal, LATER_BY, &folder).await?;
    let mut requests = scene.requests(LONG, &[Act::Sleep(WORK_MS), Act::Progress]);
    requests.extend(scene.requests(FAILING, &[Act::Fail(1), Act::Progress]));
    requests.extend(scene.requests(QUICK, &[Act::Progress]));
    let jobs = requests.len() as u64;
    scene.fault();
    scene.accept(requests).await?;
    let broker = scene.broker()?;
    let copied = broker.messages(&copies).await?.all();
    let look = async || {
        let waiting = broker.messages(&copies).await?.all();
        Ok((waiting == 0).then_some(()))
    };
    until("every second message is on its way", SOON, look).await?;
    let mut row = Row::new(SCENARIO.fault);
    scene.heals(&mut row, before).await?;
    all_run(&mut row, [&mut gateway, &mut scheduler, &mut worker])?;
    audit::close(&mut scene, &mut row, &[]).await?;
    row.note(format!("{copied} messages came twice, of {jobs} jobs"));
    row.expect(copied >= jobs, || {
        format!("only {copied} messages of {jobs} jobs were copied")
    });
    let again = row.re_executed;
    row.expect(again == 0, || {
        format!("{again} jobs ran to their end twice")
    });
    Ok(row)
}
