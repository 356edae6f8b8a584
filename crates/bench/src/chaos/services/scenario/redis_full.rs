//! Redis has no memory left: submits are refused, what was accepted ends.

use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::{Act, Script};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, LATER, Scene};
use crate::chaos::services::until::until;
use crate::client::{Client, filled};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "redis-full",
    fault: "Redis out of memory under load",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// What is left when the load begins, in bytes.
const ROOM_BYTES: u64 = 3 * 1024 * 1024;
/// Requests: more than fit.
const REQUESTS: usize = 6_000;
/// Jobs that the worker runs at once: there is a backlog when the memory is full.
const CONCURRENCY: usize = 4;
/// How long a job works, in milliseconds.
const WORK_MS: u64 = 15;
/// As fast as they are answered.
const PACE: Pace = Pace {
    batch: 200,
    every: Duration::ZERO,
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let few_slots = How {
        settings: vec![("worker.concurrency", CONCURRENCY.to_string())],
        ..How::default()
    };
    let _worker = scene.start(Role::Worker, &few_slots).await?;
    let before = scene.throughput().await?;
    let used: u64 = scene.redis.client()?.info("used_memory")?.parse()?;
    let full = (used + ROOM_BYTES).to_string();
    scene.redis.config_set("maxmemory", &full)?;
    let requests = requests(&mut scene);
    scene.fault();
    let load = scene.load(requests, PACE);
    scene.join(load).await?;
    let cancelled = cancel_one(&scene).await;
    let ended_while_full = scene.calm().await;
    scene.redis.config_set("maxmemory", "0")?;
    let admits = admits_again(&mut scene).await;
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    let refused = row.refused;
    row.expect(refused > 0, || "the memory was never full".to_owned());
    if let Some(state) = row.expect_done("a cancel in a full memory", cancelled) {
        row.expect(state == v1::JobState::Cancelled, || {
            format!("a cancel in a full memory left the job {state:?}")
        });
    }
    row.expect_done("the end of jobs in a full memory", ended_while_full);
    row.expect_done("with memory again", admits);
    Ok(row)
}

/// Jobs whose payload has the size of a real one.
fn requests(scene: &mut Scene) -> Vec<v1::SubmitJobRequest> {
    let requests = scene.requests(REQUESTS, &[Act::Sleep(WORK_MS), Act::Progress]);
    requests.into_iter().map(filled).collect()
}

/// Cancels the job that was accepted last: it waits at the end of the backlog.
async fn cancel_one(scene: &Scene) -> anyhow::Result<v1::JobState> {
    let accepted = scene.ledger.accepted_at().max_by_key(|(_, at_us)| *at_us);
    let job_id = accepted.context("find an accepted job")?.0.to_owned();
    let mut client = Client::connect(scene.gateway).await?;
    let request = v1::CancelJobRequest { job_id };
    Ok(client.jobs.cancel_job(request).await?.into_inner().state())
}

/// Waits until a submit is accepted again.
async fn admits_again(scene: &mut Scene) -> anyhow::Result<()> {
    let script = Script(vec![Act::Progress]);
    let look = async || {
        let request = scene.request(&script);
        Ok(scene.accept(vec![request]).await.ok().map(drop))
    };
    until("a submit is accepted", LATER, look).await
}
