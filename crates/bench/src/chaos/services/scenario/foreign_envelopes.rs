//! Bytes that are no envelope, and an envelope of a version to come, in the middle of the traffic.

use anyhow::Context;
use assay_core::envelope::ENVELOPE_VERSION;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, SOON, Scene};
use crate::chaos::services::until::until;

mod lane;

use lane::Lane;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foreign-envelopes",
    fault: "an undecodable and a newer envelope in the queue",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs around them.
const JOBS: usize = 50;
/// No protobuf message begins like this.
const RUBBISH: &str = "gibberish";
/// The key of the version in an envelope: field 1, a number.
const VERSION_TAG: char = '\u{8}';

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    let lane = Lane::find(&scene)?;
    let requests = scene.requests(2 * JOBS, &[Act::Sleep(5), Act::Progress]);
    let (first, second) = requests.split_at(JOBS);
    let mut jobs = scene.accept(first.to_vec()).await?;
    scene.fault();
    let next = char::from_u32(ENVELOPE_VERSION + 1).context("name the next version")?;
    let newer: String = [VERSION_TAG, next].iter().collect();
    for envelope in [RUBBISH, newer.as_str()] {
        lane.put(&scene, envelope).await?;
    }
    jobs.extend(scene.accept(second.to_vec()).await?);
    scene
        .marked(Mark::Finished, &jobs, jobs.len(), SOON)
        .await?;
    let mut row = Row::new(SCENARIO.fault);
    let dead = async || Ok((lane.dead(&scene).await? == 1).then_some(()));
    let kept = until("the rubbish is a dead letter", SOON, dead).await;
    row.expect_done("an envelope in the queue", kept);
    let put_back = async || Ok((lane.waiting(&scene).await? == 1).then_some(()));
    let kept = until(
        "the newer envelope waits for a newer worker",
        SOON,
        put_back,
    )
    .await;
    row.expect_done("an envelope in the queue", kept);
    let dead = lane.dead(&scene).await?;
    row.expect(dead == 1, || {
        format!("{dead} envelopes are dead letters, not the rubbish alone")
    });
    lane.take_away(&scene).await?;
    scene.dead_letters = 1;
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}
