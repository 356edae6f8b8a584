//! A gateway dies between two steps of submits: what it had not answered is one job or none, never two.

use assay_failpoint::Step;
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, SOON, Scene, passages};
use crate::chaos::services::until::until;

pub(super) const CHECKED: Scenario = Scenario {
    name: "gateway-checked",
    fault: "kill -9 of the gateway before it records submits",
    failpoints: true,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup, CHECKED.fault, Step::SubmitChecked)),
};

pub(super) const RECORDED: Scenario = Scenario {
    name: "gateway-recorded",
    fault: "kill -9 of the gateway after it recorded submits",
    failpoints: true,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup, RECORDED.fault, Step::SubmitRecorded)),
};

pub(super) const PUBLISHED: Scenario = Scenario {
    name: "gateway-published",
    fault: "kill -9 of the gateway after it published submits",
    failpoints: true,
    modes: &[Mode::Full],
    run: |setup| Box::pin(run(setup, PUBLISHED.fault, Step::SubmitPublished)),
};

pub(super) const ANSWERING: Scenario = Scenario {
    name: "gateway-answering",
    fault: "kill -9 of the gateway before it answers submits",
    failpoints: true,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup, ANSWERING.fault, Step::SubmitAnswering)),
};

/// Requests of a round, sent at once.
const REQUESTS: usize = 60;
/// Of these so many pass before the step holds the rest.
const PASS: usize = 20;

async fn run(setup: &Setup, fault: &str, step: Step) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let mut gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    gateway.terminate().await?;
    let armed = How {
        armed: vec![format!("{}=pause@{}", step.name(), PASS + 1)],
        ..How::default()
    };
    let rounds = setup.scale.pick(3, 1);
    for _ in 0..rounds {
        let mut halting = scene.open_gateway(&armed).await?;
        let requests = scene.mixed(REQUESTS);
        let everything_at_once = Pace {
            batch: REQUESTS,
            every: SOON,
        };
        let load = scene.load(requests, everything_at_once);
        let all_held = async || Ok((passages(&halting, step)? >= REQUESTS - PASS).then_some(()));
        until("the step holds the rest", SOON, all_held).await?;
        scene.fault();
        halting.kill().await?;
        scene.join(load).await?;
    }
    let _gateway = scene.open_gateway(&How::default()).await?;
    let after = scene.throughput().await?;
    let mut row = Row::new(fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    let (unknown, had_made_a_job) = row.unknown;
    let held = rounds * (REQUESTS - PASS);
    row.expect(unknown > 0, || "the kill cut no answer off".to_owned());
    // What the step held back had made a job if the record is before the step. What had passed it has one too, whether
    // its answer was cut off or not.
    let expected = if step == Step::SubmitChecked {
        0..=unknown.saturating_sub(held)
    } else {
        unknown..=unknown
    };
    row.expect(expected.contains(&had_made_a_job), || {
        format!("of {unknown} requests without an answer {had_made_a_job} had made a job, not {expected:?}")
    });
    Ok(row)
}
