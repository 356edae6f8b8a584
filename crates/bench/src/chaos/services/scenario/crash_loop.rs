//! One job kills every worker that runs it. It is quarantined, and nobody who ran beside it is.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::Act;
use assay_test_support::fleet::{Member, Role};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, Scene};
use crate::chaos::services::until::until;
use crate::client::Client;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crash-loop",
    fault: "a job that kills its worker, among innocents",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs beside it.
const INNOCENTS: usize = 60;
/// How long each of them works, in milliseconds: some run in the worker that dies.
const WORK_MS: u64 = 800;
/// It kills as often as it is run.
const ALWAYS: u64 = 1_000;
/// Three deaths, and a lease after each.
const QUARANTINED_WITHIN: Duration = Duration::from_secs(180);

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let mut workers = vec![
        scene.usual(Role::Worker).await?,
        scene.usual(Role::Worker).await?,
    ];
    let before = scene.throughput().await?;
    let mut requests = scene.requests(INNOCENTS / 2, &[Act::Sleep(WORK_MS)]);
    let culprit = scene.requests(1, &[Act::Sleep(WORK_MS / 4), Act::Abort(ALWAYS)]);
    let request_id = culprit
        .first()
        .context("make a request")?
        .request_id
        .clone();
    requests.extend(culprit);
    requests.extend(scene.requests(INNOCENTS / 2, &[Act::Sleep(WORK_MS)]));
    scene.fault();
    scene.accept(requests).await?;
    let culprit = scene
        .ledger
        .job_of(&request_id)
        .context("find the culprit")?
        .to_owned();
    let deaths = until_quarantined(&scene, &mut workers, &culprit).await?;
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let dead = findings
        .jobs
        .values()
        .filter(|job| job.state() != v1::JobState::Succeeded);
    let dead: BTreeSet<&str> = dead.map(|job| job.id.as_str()).collect();
    row.expect(dead == BTreeSet::from([culprit.as_str()]), || {
        format!("{} jobs did not succeed, not the culprit alone", dead.len())
    });
    let reason = findings.jobs.get(&culprit).map(v1::Job::dead_letter_reason);
    row.expect(reason == Some(v1::DeadLetterReason::CrashLoop), || {
        format!("the culprit is a dead letter because of {reason:?}")
    });
    row.note(format!("{deaths} workers died"));
    Ok(row)
}

/// Puts another worker in the place of each that dies, until the culprit is locked away.
async fn until_quarantined(
    scene: &Scene,
    workers: &mut [Member],
    culprit: &str,
) -> anyhow::Result<usize> {
    let mut deaths = 0;
    let mut client = Client::connect(scene.gateway).await?;
    let look = async || {
        for worker in workers.iter_mut() {
            if !worker.runs()? {
                deaths += 1;
                *worker = scene.usual(Role::Worker).await?;
            }
        }
        let request = v1::GetJobRequest {
            job_id: culprit.to_owned(),
        };
        let job = client.jobs.get_job(request).await?.into_inner();
        Ok((job.state() == v1::JobState::DeadLettered).then_some(()))
    };
    until("the culprit is locked away", QUARANTINED_WITHIN, look).await?;
    Ok(deaths)
}
