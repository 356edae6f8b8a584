//! Somebody has their hands on dead letters and queues while gateway, scheduler and workers die: what they were told is
//! done stays done, and what they were told nothing of is done once or not at all.

use std::time::Duration;

use assay_api::v1;
use assay_core::kind::{JobKind, Lane};
use assay_probe::{Act, Mark, Script};
use assay_test_support::redis::{Appendfsync, RedisOptions};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{LATER, SOON, Scene};
use crate::chaos::services::until::until;

mod account;
mod crew;
mod group;
mod judge;
mod person;
mod verdict;

use account::{Deed, may_be_forgotten};
use crew::Crew;
use group::{Group, dead, mortal_otherwise, requests};
use person::Person;
use verdict::{Many, Sums, Verdict};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hands-on",
    fault: "dead letters and queues edited by hand: kill -9 of gateway, scheduler and workers meanwhile",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// The kind of every job here.
const KIND: JobKind = JobKind::ContentVerification;
/// Dead letters that are dealt with one by one, of each sort.
const FEW: usize = 4;
/// Dead letters that are dealt with all at once, of each sort.
const SOME: usize = 8;
/// Jobs that a purge finds: it cancels more than one handful of them.
const MANY: usize = 160;
/// Jobs that come behind a purge.
const LATE: usize = 8;
/// Jobs that would work for long, in milliseconds.
const LONG_WORK_MS: u64 = 20_000;
/// What the result of a mended job has besides, in bytes; of the second twice as much, and so on.
const MENDED_BYTES: u64 = 1_000;
/// How long workers are held back at least: longer than they may take to heed that.
const HELD: Duration = Duration::from_millis(3_500);
/// The load that goes on meanwhile.
const PACE: Pace = Pace {
    batch: 20,
    every: Duration::from_millis(250),
};
/// How much later a broker sends every message once more.
const LATER_BY: Duration = Duration::from_secs(4);

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let crew = Crew::open(&mut scene).await?;
    let before = scene.throughput().await?;
    let folder = scene.folder().to_owned();
    let copies = match &scene.broker {
        Some(broker) => Some(broker.copy(Lane::Normal, LATER_BY, &folder).await?),
        None => None,
    };
    let chance = StdRng::seed_from_u64(setup.seed);
    let mut person = Person::new(crew, chance, setup.scale);
    let mut sums = Sums::default();
    for _ in 0..setup.scale.pick(4, 1) {
        let mixed = scene.mixed(setup.scale.pick(400, 120));
        let load = scene.load(mixed, PACE);
        while_paused(&mut scene, &mut person, &mut sums).await?;
        while_running(&mut scene, &mut person, &mut sums).await?;
        scene.join(load).await?;
    }
    let mut row = Row::new(SCENARIO.fault);
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    if let (Some(broker), Some(copies)) = (&scene.broker, &copies) {
        let look = async || Ok((broker.messages(copies).await?.all() == 0).then_some(()));
        until("every second message is on its way", SOON, look).await?;
    }
    let account = &person.account;
    let gone = account
        .jobs()
        .filter(|job_id| may_be_forgotten(account.of(job_id)));
    scene.forgotten = gone.map(str::to_owned).collect();
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    let verdict = Verdict {
        account,
        entries: &scene.entries()?,
        jobs: &findings.jobs,
        redrives: &verdict::redrives(&scene, account, &findings.jobs).await?,
    };
    verdict.of_each(&mut row);
    verdict.of_many(&mut row, &sums);
    let (deeds, unknown) = account.sizes();
    let [gateways, schedulers, workers] = person.crew.deaths();
    row.expect(unknown > 0, || "no kill cut an answer off".to_owned());
    row.note(format!(
        "{deeds} deeds, {unknown} of them without an answer; {gateways} gateways, {schedulers} schedulers and {workers} workers died"
    ));
    Ok(row)
}

/// Nothing runs: what is done is done to records, and to what waits.
async fn while_paused(
    scene: &mut Scene,
    person: &mut Person,
    sums: &mut Sums,
) -> anyhow::Result<()> {
    let forgotten = Group::die(scene, FEW).await?;
    let redriven = Group::die(scene, FEW).await?;
    let mended = Group::die(scene, FEW).await?;
    person.kills_a_worker(scene).await?;
    let paused_us = person.pause(scene).await?;
    let held = Instant::now() + HELD;
    let long = requests(scene, FEW, &Script(vec![Act::Sleep(LONG_WORK_MS)]), |_| ());
    let waiting = scene.accept(long).await?;
    for job_id in &forgotten.jobs {
        person.forget(scene, job_id).await?;
    }
    for job_id in &redriven.jobs {
        person.redrive(scene, job_id).await?;
    }
    for (each, bytes) in mended.each().zip((1..).map(|number| number * MENDED_BYTES)) {
        let script = Script(vec![Act::Result(bytes)]);
        person
            .edit(scene, each, &script, Deed::Mended(bytes))
            .await?;
        person.redrive(scene, each.0).await?;
    }
    for job_id in &waiting {
        person.cancel(scene, job_id).await?;
    }
    let half = waits(scene, MANY, v1::Lane::Low).await?;
    person
        .purge_half(scene, &purge(v1::Lane::Low), &half)
        .await?;
    let whole = waits(scene, MANY, v1::Lane::High).await?;
    let answers = person.purge(scene, &purge(v1::Lane::High), &whole).await?;
    let cancelled = answers.told.iter().map(|answer| answer.cancelled).sum();
    sums.purged.push(Many::new(whole, cancelled, answers.lost));
    waits(scene, LATE, v1::Lane::High).await?;
    tokio::time::sleep_until(held).await;
    let resumed_us = person.resume(scene).await?;
    sums.pauses_us.push(paused_us..resumed_us);
    Ok(())
}

/// Workers run what is put back while it is put back.
async fn while_running(
    scene: &mut Scene,
    person: &mut Person,
    sums: &mut Sums,
) -> anyhow::Result<()> {
    let again = Group::die(scene, FEW).await?;
    for (job_id, request) in again.each() {
        let changed = mortal_otherwise();
        person
            .edit(scene, (job_id, request), &changed, Deed::Changed)
            .await?;
        person.redrive(scene, job_id).await?;
    }
    let redriven = Group::die(scene, SOME).await?;
    let forgotten = Group::die(scene, SOME).await?;
    let answers = person.redrive_all(scene, &redriven).await?;
    let told = answers.told.iter().map(|answer| u64::from(answer.redriven));
    sums.redriven
        .push(Many::new(redriven.jobs, told.sum(), answers.lost));
    let answers = person.forget_all(scene, &forgotten).await?;
    let told = answers.told.iter().map(|answer| u64::from(answer.purged));
    sums.forgotten
        .push(Many::new(forgotten.jobs, told.sum(), answers.lost));
    dead(scene, &again.jobs).await?;
    for (job_id, request) in again.each() {
        person.forget(scene, job_id).await?;
        person.submit_again(scene, (job_id, request)).await?;
    }
    let long = requests(scene, FEW, &Script(vec![Act::Sleep(LONG_WORK_MS)]), |_| ());
    let running = scene.accept(long).await?;
    scene.marked(Mark::Started, &running, FEW, LATER).await?;
    for job_id in &running {
        person.cancel(scene, job_id).await?;
    }
    Ok(())
}

/// Submits jobs into a lane that nobody serves.
async fn waits(scene: &mut Scene, jobs: usize, lane: v1::Lane) -> anyhow::Result<Vec<String>> {
    let script = Script(vec![Act::Progress]);
    let requests = requests(scene, jobs, &script, |request| request.lane = lane.into());
    let waiting = scene.accept(requests).await?;
    Ok(waiting.into_iter().collect())
}

fn purge(lane: v1::Lane) -> v1::PurgeQueueRequest {
    v1::PurgeQueueRequest {
        kind: KIND.as_str().to_owned(),
        lanes: vec![lane.into()],
        ..v1::PurgeQueueRequest::default()
    }
}
